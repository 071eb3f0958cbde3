"""The served model: follows the alias, refuses what cannot be verified, keeps serving, and swaps without a failed request."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving import champion as serving_champion
from serving.champion import Champion
from tests.bench.promotion import swap, under_load
from tests.bundling import PLATT, booster, bundle
from tests.small_registry import SmallRegistry
from tests.test_service import Server
from triage.aliases import Aliases
from triage.bundle import Bundle, BundleError, canonical, sha256
from triage.bundle_check import verified

SEED = 20210301


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole bundle."""
    folder = tmp_path_factory.mktemp("good") / "bundle"
    bundle(folder, "good")
    return folder


@pytest.fixture
def registry(tmp_path: Path, good: Path) -> SmallRegistry:
    """The good bundle serves."""
    made = SmallRegistry(tmp_path)
    made.point(made.add(good, Bundle.load(good).digest))
    return made


@pytest.fixture
def champion(registry: SmallRegistry) -> Iterator[Champion]:
    """It has looked once."""
    following = Champion(registry.aliases)
    assert following.look()
    yield following
    following.stop()


def test_it_serves_what_the_alias_points_at(registry: SmallRegistry, champion: Champion, tmp_path: Path) -> None:
    """And follows it to another version, and looks at nothing twice."""
    other = bundle(tmp_path / "other", "other", trees=10)
    registry.point(registry.add(tmp_path / "other", other.digest))
    assert champion.look()
    assert not champion.look()
    assert champion.bundle is not None
    assert (champion.bundle.name, champion.condition.version, champion.condition.degraded()) == ("other", 2, [])


def test_an_alias_taken_away_closes_the_gate(registry: SmallRegistry, champion: Champion) -> None:
    """Whoever takes it away wants no model to serve."""
    registry.point(None)
    assert champion.look()
    assert champion.bundle is None


def test_it_serves_on_while_mlflow_is_away_and_says_so(registry: SmallRegistry, champion: Champion, tmp_path: Path) -> None:
    """Gone, unreadable, emptied, and back again."""
    away = registry.database.rename(tmp_path / "away.db")
    for content in (None, b"no database", b""):
        if content is not None:
            registry.database.write_bytes(content)
        assert not champion.look()
        assert champion.bundle is not None
        assert champion.condition.degraded() == ["mlflow_unavailable"]
        registry.database.unlink(missing_ok=True)
    away.rename(registry.database)
    assert not champion.look()
    assert champion.condition.degraded() == []


def test_without_a_registry_there_is_simply_no_model(tmp_path: Path) -> None:
    """Nothing is made, and nothing is called unavailable that never was there."""
    following = Champion(Aliases.at(f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}"))
    assert not following.look()
    assert following.condition.degraded() == []
    assert list(tmp_path.iterdir()) == []


def test_a_mended_version_is_taken_after_a_while(
    registry: SmallRegistry, champion: Champion, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused, not tried at every look, then tried again."""
    monkeypatch.setattr(serving_champion, "RETRY_SECONDS", -1.0)
    digest = bundle(tmp_path / "late", "late", trees=10).digest
    whole = (tmp_path / "late" / "model.txt").read_bytes()
    (tmp_path / "late" / "model.txt").write_bytes(whole[:100])
    registry.point(registry.add(tmp_path / "late", digest))
    assert not champion.look()
    assert champion.condition.degraded() == ["bundle_refused"]
    assert champion.condition.refused == 2
    (tmp_path / "late" / "model.txt").write_bytes(whole)
    assert champion.look()
    assert champion.condition.degraded() == []


# ---- altered bundles


def mutated(folder: Path, drawn: random.Random) -> str:
    """One change to one file: a byte, a cut, a swap of lines, a repeated part, nothing left, or no file. What was done."""
    path = folder / drawn.choice(["bundle.json", "model.txt", "golden.json"])
    whole = path.read_bytes()
    at = drawn.randrange(len(whole))
    kind = drawn.choice(["byte", "bit", "cut", "drop", "repeat", "digit", "empty", "gone", "zeros"])
    if kind == "gone":
        path.unlink()
        return f"{path.name} gone"
    digits = [i for i, b in enumerate(whole) if 48 <= b <= 57]
    place = drawn.choice(digits)
    altered = {
        "byte": whole[:at] + bytes([(whole[at] + drawn.randrange(1, 256)) % 256]) + whole[at + 1 :],
        "bit": whole[:at] + bytes([whole[at] ^ (1 << drawn.randrange(8))]) + whole[at + 1 :],
        "cut": whole[:at],
        "drop": whole[:at] + whole[at + drawn.randrange(1, 200) :] if at < len(whole) - 200 else whole[:-1],
        "repeat": whole[:at] + whole[max(0, at - 50) : at + 1] + whole[at:],
        "digit": whole[:place] + bytes([48 + (whole[place] - 48 + drawn.randrange(1, 10)) % 10]) + whole[place + 1 :],
        "empty": b"",
        "zeros": whole[:at] + bytes(min(64, len(whole) - at)) + whole[at + 64 :],
    }[kind]
    assert altered != whole
    path.write_bytes(altered)
    return f"{path.name} {kind} at {at}"


def test_two_hundred_altered_bundles_are_refused_and_the_old_one_serves(
    registry: SmallRegistry, champion: Champion, good: Path, tmp_path: Path
) -> None:
    """Mutated or truncated anywhere: 200 of 200, none reaches LightGBM."""
    drawn = random.Random(SEED)
    digest = Bundle.load(good).digest
    for number in range(200):
        folder = tmp_path / f"b{number}"
        shutil.copytree(good, folder)
        done = mutated(folder, drawn)
        registry.point(registry.add(folder, digest))
        assert not champion.look(), done
        assert champion.bundle is not None
        assert (champion.bundle.digest, champion.condition.degraded()) == (digest, ["bundle_refused"]), done


def forged(good: Path, folder: Path, old: bytes, new: bytes) -> str:
    """An altered model whose digests were all made to fit; gives the digest it claims."""
    shutil.copytree(good, folder)
    model = (folder / "model.txt").read_bytes()
    assert old in model
    (folder / "model.txt").write_bytes(model.replace(old, new, 1))
    data = json.loads((folder / "bundle.json").read_bytes())
    name = sha256((folder / "model.txt").read_bytes())
    data["files"]["model.txt"] = data["digests"]["model"] = data["certificate"]["digests"]["model"] = name
    del data["digest"]
    data["digest"] = sha256(canonical(data))
    (folder / "bundle.json").write_bytes(canonical(data))
    return str(data["digest"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"leaf_value=", b"leaf_value=9"),
        (b"num_leaves=15", b"num_leaves=16"),
        (b"left_child=1", b"left_child=0"),
        (b"split_feature=", b"split_feature=9"),
        (b"threshold=", b"threshold=nan "),
        (b"tree_sizes=", b"tree_sizes=9"),
    ],
)
def test_a_forged_model_is_refused_by_digest_and_by_trial(
    registry: SmallRegistry, champion: Champion, good: Path, tmp_path: Path, old: bytes, new: bytes
) -> None:
    """Its own digests fit, so only the registered one and the trial in a child process can tell; LightGBM may crash or hang there."""
    forged_digest = forged(good, tmp_path / "forged", old, new)
    with pytest.raises(BundleError):
        verified(tmp_path / "forged", Bundle.load(good).digest)
    with pytest.raises(BundleError, match="trial"):
        verified(tmp_path / "forged", forged_digest, seconds=3)
    registry.point(registry.add(tmp_path / "forged", Bundle.load(good).digest))
    assert not champion.look()
    assert champion.bundle is not None


def test_golden_scores_that_were_never_the_models_are_refused(tmp_path: Path) -> None:
    """Whole in itself, made with another calibration than it carries."""
    import tests.bundling as made

    wrong = made.bundle(tmp_path / "a", "a")
    assert wrong.golden is not None
    golden = wrong.golden.model_copy(update={"scores": tuple(s / 2 for s in wrong.golden.scores)})
    off = made.bundle(tmp_path / "b", "b", golden=golden, calibration=PLATT, model=booster())
    with pytest.raises(BundleError, match="golden row 1"):
        verified(tmp_path / "b", off.digest)


def test_no_request_fails_while_the_champion_changes(tmp_path: Path) -> None:
    """A real server, two clients filing and asking, three promotions."""
    load, taken = under_load(tmp_path, swaps=3, clients=2)
    assert load.failed == []
    assert len(taken) == 3
    assert load.answered > 10


def test_every_worker_follows_the_champion(tmp_path: Path) -> None:
    """Two processes on one port: after a swap none answers with the old model."""
    registry = SmallRegistry(tmp_path)
    one, two = (bundle(tmp_path / name, name, trees=trees) for name, trees in (("one", 30), ("two", 60)))
    first, second = (registry.add(tmp_path / made.name, made.digest) for made in (one, two))
    registry.point(first)
    server = Server(tmp_path, "--mlflow", f"sqlite:///{registry.database}", "--workers", "2")
    try:
        swap(server, registry, second, "two")
        time.sleep(3)
        answers = {httpx.get(f"{server.http.base_url}/v1/version").json()["bundle"] for _ in range(20)}
    finally:
        server.stop()
    assert answers == {"two"}
