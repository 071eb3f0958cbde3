"""Keeping a store: papers sealed at rest, backups that restore on either database, an audit chain that shows what was cut off."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.databases import KINDS, Database, url_of
from tests.desks import case, desk
from triage.store import open_store
from triage.store.audit import follows, head
from triage.store.backup import BadBackup, back_up, check, restore
from triage.store.cipher import BadKey, KeyMissing, read_keys, use_keys
from triage.store.tables import SealedText
from triage.upkeep import audit_app, doctor_app, key_app

NAMES = ("worked-approve", "worked-decline")
SEALED = "SELECT text FROM document UNION SELECT form FROM claim UNION SELECT body FROM observation UNION SELECT inputs FROM suggestion"


@pytest.fixture(autouse=True)
def unsealed() -> Iterator[None]:
    """Each test begins and ends without a key."""
    SealedText.cipher = None
    yield
    SealedText.cipher = None


@pytest.fixture
def filled(place: Database) -> Database:
    """A store with two claims and a decision."""
    at_desk = desk(place)
    for name in NAMES:
        at_desk.submit(case(name), actor="desk")
    return place


def key_file(folder: Path) -> Path:
    """A file with a fresh key on top."""
    assert CliRunner().invoke(key_app, ["new", "--out", str(folder / "keys")]).exit_code == 0
    return folder / "keys"


def text_of(path: Path) -> str:
    """What a backup file says."""
    return gzip.decompress(path.read_bytes()).decode()


# ---- papers at rest


def test_papers_and_forms_are_sealed_and_read_back(place: Database, tmp_path: Path) -> None:
    use_keys(key_file(tmp_path))
    at_desk = desk(place)
    at_desk.submit(case("worked-approve"), actor="desk")
    assert all(text.startswith("sealed:1:") for (text,) in place.query(SEALED))
    assert at_desk.claim("worked-approve")["documents"][0]["text"] == case("worked-approve").documents[0].text
    assert at_desk.replay() == []


def test_what_was_stored_before_there_was_a_key_stays_readable(filled: Database, tmp_path: Path) -> None:
    use_keys(key_file(tmp_path))
    assert desk(filled).replay() == []


def test_an_older_key_still_opens_what_it_sealed(place: Database, tmp_path: Path) -> None:
    use_keys(key_file(tmp_path))
    desk(place).submit(case("worked-approve"), actor="desk")
    use_keys(key_file(tmp_path))
    assert len(read_keys(tmp_path / "keys")) == 2
    desk(place).submit(case("worked-decline"), actor="desk")
    assert desk(place).replay() == []


@pytest.mark.parametrize("other", [True, False])
def test_without_its_key_a_sealed_paper_is_not_guessed_at(place: Database, tmp_path: Path, other: bool) -> None:
    use_keys(key_file(tmp_path))
    desk(place).submit(case("worked-approve"), actor="desk")
    (tmp_path / "elsewhere").mkdir()
    use_keys(key_file(tmp_path / "elsewhere") if other else None)
    with pytest.raises(KeyMissing, match="TRIAGE_KEY_FILE"):
        desk(place).claim("worked-approve")


@pytest.mark.parametrize("text", ["", "# nothing\n", "short\n", "!!!!\n", "QUJD\n"])
def test_a_file_without_a_key_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").write_text(text)
    with pytest.raises(BadKey, match="keys"):
        use_keys(tmp_path / "keys")


# ---- backup and restore


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_restores_on_either_database(filled: Database, tmp_path: Path, kind: str) -> None:
    made = back_up(open_store(filled.url), tmp_path / "b.gz")
    other = Database(url_of(kind, tmp_path, own_key=True))
    restore(open_store(other.url), tmp_path / "b.gz")
    assert (other.rows(), desk(other).replay()) == (filled.rows(), [])
    assert made["rows"]["claim"] == len(NAMES)
    desk(other).submit(case("worked-investigate"), actor="desk")
    assert desk(other).replay() == []


def test_sealed_papers_stay_sealed_in_the_backup(place: Database, tmp_path: Path) -> None:
    use_keys(key_file(tmp_path))
    desk(place).submit(case("worked-approve"), actor="desk")
    back_up(open_store(place.url), tmp_path / "b.gz")
    assert case("worked-approve").member.name not in text_of(tmp_path / "b.gz")
    other = Database(url_of("sqlite", tmp_path, own_key=True))
    restore(open_store(other.url), tmp_path / "b.gz")
    assert all(text.startswith("sealed:1:") for (text,) in other.query(SEALED))
    assert desk(other).replay() == []


def test_a_store_with_claims_is_not_restored_into(filled: Database, tmp_path: Path) -> None:
    back_up(open_store(filled.url), tmp_path / "b.gz")
    with pytest.raises(BadBackup, match="not empty"):
        restore(open_store(filled.url), tmp_path / "b.gz")


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "other", "line"])
def test_a_damaged_backup_is_refused_and_leaves_the_store_empty(tmp_path: Path, damage: str) -> None:
    source, target = Database(url_of("sqlite", tmp_path)), Database(url_of("sqlite", tmp_path))
    desk(source).submit(case("worked-approve"), actor="desk")
    path = tmp_path / "b.gz"
    back_up(open_store(source.url), path)
    text = text_of(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "other":
        path.write_bytes(gzip.compress(b'{"a": 1}\n'))
    else:
        changed = text.replace("worked-approve", "worked-improve") if damage == "changed" else "".join(text.splitlines(keepends=True)[:-1])
        path.write_bytes(gzip.compress(changed.encode()))
    store = open_store(target.url)
    with pytest.raises(BadBackup):
        check(path)
    with pytest.raises(BadBackup):
        restore(store, path)
    assert not any(target.rows().values())


# ---- the audit chain


def test_a_head_printed_earlier_shows_that_the_end_was_cut_off(filled: Database) -> None:
    store = open_store(filled.url)
    with store.reading() as connection:
        anchor = head(connection)
        assert follows(connection, anchor)
    filled.execute(f"DELETE FROM audit WHERE seq = {anchor.partition(':')[0]}")
    with store.reading() as connection:
        assert not follows(connection, anchor)
    done = CliRunner().invoke(audit_app, ["verify", "--database", filled.url, "--anchor", anchor])
    assert (done.exit_code, "链头" in done.output) == (1, True)
    assert CliRunner().invoke(audit_app, ["verify", "--database", filled.url]).exit_code == 0


def test_the_chain_goes_on_from_an_earlier_head(filled: Database) -> None:
    with open_store(filled.url).reading() as connection:
        anchor = head(connection)
    desk(filled).submit(case("worked-investigate"), actor="desk")
    assert CliRunner().invoke(audit_app, ["verify", "--database", filled.url, "--anchor", anchor]).exit_code == 0


def test_an_anchor_that_is_none_is_said(filled: Database) -> None:
    done = CliRunner().invoke(audit_app, ["verify", "--database", filled.url, "--anchor", "7"])
    assert done.exit_code == 2


# ---- the doctor


def test_the_doctor_finds_a_whole_store_well_and_names_what_is_not(filled: Database, tmp_path: Path) -> None:
    well = CliRunner().invoke(doctor_app, ["--database", filled.url])
    assert well.exit_code == 0, well.output
    filled.execute("UPDATE audit SET actor = 'x' WHERE seq = 1")
    ill = CliRunner().invoke(doctor_app, ["--database", filled.url, "--key-file", str(tmp_path / "none")])
    assert ill.exit_code == 1
    assert ill.output.count("✗") == 2
