"""The bundle: what is written reads back verified, and not one byte may change unseen, before LightGBM is even imported."""

from __future__ import annotations

import json
import math
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bundling import PLATT, booster, bundle, certificate
from tests.desks import OPEN_GATE
from triage.bundle import GOLDEN, MANIFEST, MODEL, Bundle, BundleError, Calibration, Golden, Group, calibrated, canonical, sha256
from triage.features import FeatureSet


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is a bundle."""
    folder = tmp_path_factory.mktemp("bundle") / "whole"
    bundle(folder)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """One to spoil."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def remade(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """The manifest changed and its digest made right again, as a forger would."""
    data = json.loads((folder / MANIFEST).read_bytes())
    change(data)
    data["digest"] = sha256(canonical({k: v for k, v in data.items() if k != "digest"}))
    (folder / MANIFEST).write_bytes(canonical(data))


def test_what_is_written_reads_back(whole: Path) -> None:
    """Every field, and the digest of the whole."""
    loaded = Bundle.load(whole)
    assert loaded.features == FeatureSet.load().names
    assert loaded.certificate is not None
    assert loaded.certificate.digests == loaded.digests
    assert loaded.model == booster()
    assert Bundle.load(whole, digest=loaded.digest) == loaded
    assert loaded.digest in (whole / MANIFEST).read_text(encoding="utf-8")


def test_a_bundle_is_written_once(whole: Path) -> None:
    """A folder that is there is never overwritten."""
    with pytest.raises(FileExistsError):
        bundle(whole)


@pytest.mark.parametrize("file", [MANIFEST, MODEL, GOLDEN])
def test_any_changed_byte_is_refused(copy: Path, file: str) -> None:
    """Sixty places of each file: a byte flipped, dropped, doubled, or the file cut off there."""
    content, dice = (copy / file).read_bytes(), random.Random(1)
    for number in range(60):
        place = dice.randrange(len(content))
        spoilt = [
            content[:place] + bytes([content[place] ^ (1 << dice.randrange(8))]) + content[place + 1 :],
            content[:place] + content[place + 1 :],
            content[:place] + content[place : place + 1] + content[place:],
            content[:place],
        ][number % 4]
        (copy / file).write_bytes(spoilt)
        with pytest.raises(BundleError, match="风险包无法使用"):
            Bundle.load(copy)


@pytest.mark.parametrize("file", [MANIFEST, MODEL, GOLDEN])
def test_a_missing_file_is_named(copy: Path, file: str) -> None:
    (copy / file).unlink()
    with pytest.raises(BundleError, match=file):
        Bundle.load(copy)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"null", b"[]", b"[" * 100_000, b'{"a":NaN}', b"\xff\xfe", b'{"format":1,"format":1}', b"9" * 5_000]
)
def test_what_is_no_manifest_is_refused(copy: Path, content: bytes) -> None:
    (copy / MANIFEST).write_bytes(content)
    with pytest.raises(BundleError):
        Bundle.load(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(format=2),
        lambda d: d.update(purpose="anything"),
        lambda d: d.update(extra=1),
        lambda d: d.update(audit_rate=1.5),
        lambda d: d.update(features=d["features"][::-1]),
        lambda d: d.update(features=d["features"][:-1]),
        lambda d: d.update(features=[*d["features"][:-1], d["features"][0]]),
        lambda d: d["digests"].update(model="0" * 64),
        lambda d: d["digests"].pop("reader"),
        lambda d: d["calibration"].update(a=1.0),
        lambda d: d["calibration"].update(method="isotonic"),
        lambda d: d["files"].update({GOLDEN: "0" * 64}),
        lambda d: d["files"].pop(MODEL),
        lambda d: d["certificate"].update(alpha=0.0),
        lambda d: d["certificate"].update(alpha=0.001),
        lambda d: d["certificate"].update(issued_on="2999-01-01"),
        lambda d: d["certificate"].update(issued_on=None),
        lambda d: d["certificate"].update(digests=None),
        lambda d: d["certificate"].update(sample=None),
        lambda d: next(iter(d["certificate"]["groups"].values())).update(wrong=401),
        lambda d: next(iter(d["certificate"]["groups"].values())).update(bound=None),
        lambda d: next(iter(d["certificate"]["groups"].values())).update(threshold=1.1),
    ],
)
def test_a_manifest_with_its_digest_made_right_must_still_make_sense(copy: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """What no honest maker writes is refused by its shape."""
    remade(copy, change)
    with pytest.raises(BundleError):
        Bundle.load(copy)


def test_a_pinned_digest_finds_the_forger(copy: Path, whole: Path) -> None:
    """A wider threshold with every digest made right again loads, but not as the bundle that was registered."""
    remade(copy, lambda d: next(iter(d["certificate"]["groups"].values())).update(threshold=0.9))
    Bundle.load(copy)
    with pytest.raises(BundleError, match="摘要"):
        Bundle.load(copy, digest=Bundle.load(whole).digest)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("num_class=1", "num_class=3"),
        ("tree\n", "forest\n"),
        ("objective=binary", "objective=regression"),
        ("end of trees", "end of"),
        ("plan condition", "condition plan"),
        ("max_feature_idx=60", "max_feature_idx=61"),
        ("\nTree=0\n", "\nTree=x\n"),
    ],
)
def test_a_text_that_is_no_model_of_these_features_is_refused(copy: Path, old: str, new: str) -> None:
    """Even when a forger made every digest right again."""
    text = (copy / MODEL).read_text(encoding="utf-8").replace(old, new, 1).encode()
    (copy / MODEL).write_bytes(text)
    remade(copy, lambda d: (d["files"].update({MODEL: sha256(text)}), d["digests"].update(model=sha256(text))))
    with pytest.raises(BundleError, match="LightGBM"):
        Bundle.load(copy)


@pytest.mark.parametrize("golden", [Golden(rows=((0.0,),), scores=(0.5,)), Golden(rows=((0.0,) * 61,), scores=())])
def test_golden_rows_fit_the_features(tmp_path: Path, golden: Golden) -> None:
    with pytest.raises(BundleError, match=GOLDEN):
        bundle(tmp_path / "b", golden=golden)


def test_a_group_above_alpha_cannot_be_certified() -> None:
    """Nor an overall bound."""
    for changes in ({"groups": {"g": Group(threshold=0.1, n=10, wrong=0, bound=0.2)}}, {"overall": Group(threshold=0.1, n=9, bound=0.2)}):
        with pytest.raises(ValueError, match="alpha"):
            certificate(**changes)


def test_the_trial_bundle_is_one_file_and_only_for_trials(tmp_path: Path) -> None:
    """A constant score cannot call itself certified."""
    trial = Bundle.load(OPEN_GATE)
    assert (trial.score, trial.purpose, trial.model, trial.digests) == (0.01, "test", "", None)
    other = tmp_path / "b.yaml"
    for old, new in (("purpose: test", "purpose: certified"), ("score: 0.01", "score: .nan"), ("alpha: 0.05", "alpha: 5")):
        other.write_text(OPEN_GATE.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        with pytest.raises(BundleError, match=r"b\.yaml"):
            Bundle.load(other)
    with pytest.raises(BundleError):
        Bundle.load(tmp_path / "nothing.yaml")


def test_reading_a_bundle_imports_no_lightgbm(whole: Path) -> None:
    """Verification comes before anything that an altered model could crash."""
    code = "import sys; from pathlib import Path; from triage.bundle import Bundle; Bundle.load(Path(sys.argv[1])); print('lightgbm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(whole)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(("margin", "expected"), [(0.0, 0.5), (800.0, 1.0), (-800.0, 0.0), (2.0, 0.880797)])
def test_calibration_is_the_sigmoid(margin: float, expected: float) -> None:
    """Without overflow at either end."""
    assert calibrated(margin, PLATT) == pytest.approx(expected, abs=1e-6)
    assert calibrated(margin, Calibration(a=-1.0, b=1.0)) <= expected


@pytest.mark.parametrize("margin", [math.nan, math.inf, -math.inf])
def test_a_margin_that_is_no_number_is_no_score(margin: float) -> None:
    """Least of all the lowest one."""
    assert math.isnan(calibrated(margin, PLATT))
