"""The risk bundle: a model, its calibration and the certificate that says which claims its score may release from field investigation.

A bundle is a folder {bundle.json, model.txt, golden.json}. bundle.json is canonical JSON that carries the digest of every other file
and its own, so that not one byte of any of them can change unseen; nothing here shows LightGBM a byte. For trials a one-file YAML
bundle holds a constant score. Without a bundle, or with one that names no certificate, the gate is closed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

MANIFEST, MODEL, GOLDEN = "bundle.json", "model.txt", "golden.json"
MAX_BYTES = 256 * 1024 * 1024
"""Of one file; a model of 2,000 trees is some 10 MB."""

Sha = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Risk = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Purpose = Literal["test", "demonstration", "certified"]


class BundleError(Exception):
    """A bundle that cannot be used; the message names the file and the remedy."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Digests(_Model):
    """SHA-256 of what a score depends on: the model's text, the feature set, the reader, and by plan the rules that decide
    (`triage.rules_digest`)."""

    model: Sha
    features: Sha
    reader: Sha
    rules: dict[str, Sha]


class Calibration(_Model):
    """p = 1 / (1 + exp(a * margin + b)) with the model's raw margin (log-odds), after Platt 1999; `a` is negative."""

    method: Literal["sigmoid"] = "sigmoid"
    a: Annotated[float, Field(lt=0, allow_inf_nan=False)]
    b: Annotated[float, Field(allow_inf_nan=False)]


class Group(_Model):
    """Release up to `threshold`: of `n` claims of the sample at or below it, `wrong` should not have been paid. `bound` is the upper
    confidence bound on that rate, `bound_truth` on the rate of real breaches under the detection assumed; both are probabilities."""

    threshold: Share
    n: int = Field(default=0, ge=0)
    wrong: int = Field(default=0, ge=0)
    bound: Share | None = None
    bound_truth: Share | None = None

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if self.wrong > self.n:
            raise ValueError("wrong 不得大于 n / wrong must not exceed n")
        return self


class Sample(_Model):
    """Where the certificate's claims came from: the lane, and the seed of the draw."""

    lane: str
    seed: int | None = None


class Closed(_Model):
    """Why a certificate no longer opens the gate, since when."""

    on: date
    zh: str
    en: str


class Certificate(_Model):
    """Which claims a score may release. `groups` are those certified, `overall` is the bound over all of them together; valid from
    `issued_on` to `expires_on`, ends included; `alpha` and `delta` are probabilities."""

    alpha: Risk
    delta: Risk
    issued_on: date | None = None
    expires_on: date
    groups: dict[str, Group]
    overall: Group | None = None
    digests: Digests | None = None
    population: str = ""
    sample: Sample | None = None
    simulated: bool = True
    closed: Closed | None = None

    @model_validator(mode="after")
    def _kept(self) -> Self:
        for name, group in {**self.groups, **({"overall": self.overall} if self.overall else {})}.items():
            if group.bound is not None and group.bound > self.alpha:
                raise ValueError(f"{name}: bound {group.bound} 大于 alpha，不能列为已证 / is above alpha: leave the group out")
        if self.issued_on is not None and self.issued_on > self.expires_on:
            raise ValueError("expires_on 早于 issued_on / expires before it is issued")
        return self


class Files(_Model):
    """SHA-256 of the other files."""

    model: Sha = Field(alias=MODEL)
    golden: Sha = Field(alias=GOLDEN)


class Manifest(_Model):
    """bundle.json; `digest` is the SHA-256 of the canonical form of all the rest."""

    format: Literal[1]
    name: str = Field(min_length=1)
    purpose: Purpose
    created_on: date
    digests: Digests
    features: tuple[str, ...] = Field(min_length=1)
    calibration: Calibration
    audit_rate: Share
    certificate: Certificate | None
    files: Files
    digest: Sha

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.digests.model != self.files.model:
            raise ValueError("digests.model 与 model.txt 不符 / digests.model is not that of model.txt")
        if len(set(self.features)) != len(self.features):
            raise ValueError("features 有重复 / a feature is named twice")
        certificate = self.certificate
        if certificate is not None and (certificate.issued_on is None or certificate.digests is None or certificate.sample is None):
            raise ValueError("证书须有 issued_on、digests、sample / a certificate needs issued_on, digests and sample")
        if certificate is not None and any(g.bound is None or g.n == 0 for g in certificate.groups.values()):
            raise ValueError("证书各组须有 n 与 bound / every group of a certificate needs n and bound")
        return self


class Golden(_Model):
    """Rows and the calibrated scores the bundle's maker got for them; null stands for unknown."""

    rows: tuple[tuple[float | None, ...], ...] = Field(min_length=1)
    scores: tuple[Share, ...]


class _Constant(_Model):
    """The one-file YAML bundle: one score for every claim, for trials only."""

    name: str
    purpose: Literal["test"]
    score: Share
    audit_rate: Share
    certificate: _OpenCertificate | None = None


class _OpenCertificate(_Model):
    """A certificate of the YAML bundle: thresholds alone."""

    alpha: Risk
    delta: Risk
    expires_on: date
    thresholds: dict[str, Share]

    def certificate(self) -> Certificate:
        groups = {name: Group(threshold=value) for name, value in self.thresholds.items()}
        overall = Group(threshold=max(self.thresholds.values(), default=0.0))
        return Certificate(alpha=self.alpha, delta=self.delta, expires_on=self.expires_on, groups=groups, overall=overall)


@dataclass(frozen=True)
class Bundle:
    """A verified bundle. `score` is set for a constant one only; then it has no model, features, digests or calibration."""

    name: str
    purpose: Purpose
    audit_rate: float
    certificate: Certificate | None
    digest: str
    score: float | None = None
    created_on: date | None = None
    digests: Digests | None = None
    features: tuple[str, ...] = ()
    calibration: Calibration | None = None
    model: str = ""
    golden: Golden | None = None

    @classmethod
    def load(cls, path: Path, *, digest: str | None = None) -> Bundle:
        """A folder, or a YAML file for trials, verified in full; `digest` is what it must be. Raises BundleError with file and remedy."""
        try:
            bundle = _from_folder(path) if path.is_dir() else _from_yaml(path)
        except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
            raise BundleError(
                f"{path}: 风险包无法使用，请更正、换一个或去掉该设置"
                f" / the bundle cannot be used: correct it, take another or drop the setting: {_said(error)}"
            ) from error
        if digest is not None and bundle.digest != digest:
            raise BundleError(
                f"{path}: 风险包摘要为 {bundle.digest[:12]}，应为 {digest[:12]}，请换回原包"
                f" / the bundle's digest is {bundle.digest[:12]} and should be {digest[:12]}: put the right one back"
            )
        return bundle


def _said(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc'])) or '(file)'}: {e['msg']}" for e in error.errors()[:3])
    return str(error) or type(error).__name__


def canonical(data: Any) -> bytes:
    """One byte form per value: sorted keys, no blanks, UTF-8, no NaN."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


def calibrated(margin: float, calibration: Calibration) -> float:
    """The probability for a raw margin; NaN for one that is no number, so that a broken model never looks safe."""
    if not math.isfinite(margin):
        return math.nan
    exponent = calibration.a * margin + calibration.b
    return 1.0 / (1.0 + math.exp(exponent)) if exponent < 700 else 0.0


def write_bundle(
    folder: Path,
    *,
    name: str,
    purpose: Purpose,
    created_on: date,
    model: str,
    features: Sequence[str],
    features_digest: str,
    reader_digest: str,
    rules: Mapping[str, str],
    calibration: Calibration,
    audit_rate: float,
    golden: Golden,
    certificate: Certificate | None = None,
) -> Bundle:
    """Writes a bundle into a new folder and reads it back verified. A certificate without digests gets the bundle's.

    Raises BundleError when what is given does not make a bundle, FileExistsError when the folder is there.
    """
    text, rows = model.encode(), canonical(golden.model_dump(mode="json"))
    digests = Digests(model=sha256(text), features=features_digest, reader=reader_digest, rules=dict(rules))
    if certificate is not None and certificate.digests is None:
        certificate = certificate.model_copy(update={"digests": digests})
    data: dict[str, Any] = {
        "format": 1,
        "name": name,
        "purpose": purpose,
        "created_on": created_on.isoformat(),
        "digests": digests.model_dump(mode="json"),
        "features": list(features),
        "calibration": calibration.model_dump(mode="json"),
        "audit_rate": float(audit_rate),
        "certificate": None if certificate is None else certificate.model_dump(mode="json"),
        "files": {MODEL: digests.model, GOLDEN: sha256(rows)},
    }
    data["digest"] = sha256(canonical(data))
    folder.mkdir(parents=True)
    for file, content in ((MODEL, text), (GOLDEN, rows), (MANIFEST, canonical(data))):
        (folder / file).write_bytes(content)
    return Bundle.load(folder)


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.name}: 文件过大 / the file is too large (over {MAX_BYTES} bytes)")
    return path.read_bytes()


def _refuse(word: str) -> float:
    raise ValueError(f"不允许 {word} / {word} is not allowed")


def _json(name: str, content: bytes) -> Any:
    """The value of a file that is canonical JSON to the byte."""
    data = json.loads(content.decode("utf-8"), parse_constant=_refuse)
    if canonical(data) != content:
        raise ValueError(f"{name}: 不是规范形式，文件被改动 / not in canonical form: the file was altered")
    return data


def _from_folder(path: Path) -> Bundle:
    data = _json(MANIFEST, _read(path / MANIFEST))
    manifest = Manifest.model_validate(data)
    if sha256(canonical({k: v for k, v in data.items() if k != "digest"})) != manifest.digest:
        raise ValueError(f"{MANIFEST}: 摘要不符，文件被改动 / the digest does not match: the file was altered")
    model = _matching(path / MODEL, manifest.files.model).decode("utf-8")
    golden = Golden.model_validate(_json(GOLDEN, _matching(path / GOLDEN, manifest.files.golden)))
    _check_model(model, manifest.features)
    _check_golden(golden, len(manifest.features))
    return Bundle(
        manifest.name,
        manifest.purpose,
        manifest.audit_rate,
        manifest.certificate,
        manifest.digest,
        created_on=manifest.created_on,
        digests=manifest.digests,
        features=manifest.features,
        calibration=manifest.calibration,
        model=model,
        golden=golden,
    )


def _matching(path: Path, digest: str) -> bytes:
    content = _read(path)
    if sha256(content) != digest:
        raise ValueError(f"{path.name}: 摘要不符，文件被改动 / the digest does not match: the file was altered")
    return content


def _check_model(text: str, features: Sequence[str]) -> None:
    """The head of a LightGBM text model says what the bundle says: one binary tree ensemble over these features, to its end."""
    head = dict(line.split("=", 1) for line in text.partition("\nTree=0\n")[0].splitlines() if "=" in line)
    wanted = {
        "num_class": "1",
        "num_tree_per_iteration": "1",
        "max_feature_idx": str(len(features) - 1),
        "feature_names": " ".join(features),
    }
    wrong = [key for key, value in wanted.items() if head.get(key) != value]
    parts = text.startswith("tree\n") and "\nTree=0\n" in text and "\nend of trees\n" in text
    if wrong or not parts or not head.get("objective", "").startswith("binary"):
        raise ValueError(f"{MODEL}: 不是这些特征的二分类LightGBM文本模型 / not a binary LightGBM text model of these features {wrong}")


def _check_golden(golden: Golden, width: int) -> None:
    if any(len(row) != width for row in golden.rows) or len(golden.scores) != len(golden.rows):
        raise ValueError(f"{GOLDEN}: 行列与特征不符 / rows or scores do not fit the features")


def _from_yaml(path: Path) -> Bundle:
    data = yaml.safe_load(_read(path).decode("utf-8"))
    given = _Constant.model_validate(data)
    certificate = given.certificate.certificate() if given.certificate else None
    name = sha256(canonical(given.model_dump(mode="json")))
    return Bundle(given.name, given.purpose, given.audit_rate, certificate, name, score=given.score)
