"""Runs, models and their registry in MLflow, on a SQLite file of the project: what was trained, from what, and which version serves.

One version is one bundle directory. Only text and JSON are kept, never a pickle. The version's tags name its bundle by a path
relative to the registry's folder, which is what the service reads; MLflow's own paths are absolute, and `rehome` mends them when
the folder was moved.
"""

from __future__ import annotations

import fcntl
import io
import logging
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from triage.aliases import DEFAULT, MODEL
from triage.bundle import Bundle

os.environ.update(
    MLFLOW_DISABLE_TELEMETRY="true",
    DO_NOT_TRACK="true",
    MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false",
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
    MLFLOW_LOGGING_LEVEL="ERROR",
)

EXPERIMENT = "claim-triage"
HELD_OUT = "held_out.parquet"
"""The rows a version was judged on, kept with its run, so that two versions can be compared on the same claims later."""
SERVED = Path(__file__).parent / "served_model.py"
_MOVABLE = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


class RegistryError(Exception):
    """The registry cannot be used as asked; the message says what to do."""


@dataclass(frozen=True)
class Run:
    """Everything a training run leaves behind. `pictures` and `files` map a file name to its content; `data` describes the rows."""

    name: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    data: Data
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """Where the rows came from (`origin`: the command or code that makes them again), their digest, shape and time span."""

    name: str
    digest: str
    origin: Mapping[str, str]
    rows: int
    columns: int


@dataclass(frozen=True)
class Version:
    """A registered version: its number, the run it came from, its bundle's folder and pinned digest, its aliases and metrics."""

    number: int
    run_id: str
    bundle: Path
    digest: str
    aliases: tuple[str, ...]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]

    def load(self) -> Bundle:
        """The bundle, held against the pinned digest. Raises BundleError."""
        return Bundle.load(self.bundle, digest=self.digest)


def _folder(uri: str) -> Path:
    if not uri.startswith("sqlite:///"):
        raise RegistryError(f"TRIAGE_MLFLOW={uri}: 只支持 sqlite:///… / only sqlite:///… is supported")
    return Path(uri.removeprefix("sqlite:///")).resolve()


class Registry:
    """The registry at an explicit URI; made where there is none, unless it is only looked at. Raises RegistryError when there is none
    to look at, when it cannot be opened, or when its folder was moved."""

    def __init__(self, uri: str = DEFAULT, *, make: bool = True) -> None:
        self.database = _folder(uri)
        self.home = self.database.parent
        if not make and not self.database.is_file():
            raise RegistryError(
                f"{self.database}: 没有模型登记库，请核对 TRIAGE_MLFLOW，或先运行 triage train"
                " / there is no model registry: check TRIAGE_MLFLOW, or run triage train first"
            )
        self.uri = f"sqlite:///{self.database}"
        with self._usable():
            self.home.mkdir(parents=True, exist_ok=True)
            self.client, self.experiment = self._connect()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """What the file system or the database refuses, as a RegistryError."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (OSError, SQLAlchemyError, MlflowException) as error:
            cause = str(error).partition("\n")[0]
            raise RegistryError(
                f"{self.database}: 模型登记库无法打开或写入，请核对 TRIAGE_MLFLOW 与文件夹权限"
                f" / the model registry cannot be opened or written, check TRIAGE_MLFLOW and the folder's permissions: {cause}"
            ) from error

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """One decision on which version serves at a time, across processes: another waits, and then sees what this one made."""
        with (self.home / "deciding.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _connect(self) -> tuple[Any, str]:
        from mlflow import MlflowClient

        logging.getLogger("alembic").setLevel(logging.ERROR)

        client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
        wanted = (self.home / "artifacts").as_uri()
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            return client, str(client.create_experiment(EXPERIMENT, artifact_location=wanted))
        if found.artifact_location != wanted:
            raise RegistryError(
                f"{self.database}: 文件夹已移动（原为 {found.artifact_location}），请运行 triage mlflow --moved"
                f" / the folder was moved (it was {found.artifact_location}): run triage mlflow --moved"
            )
        return client, str(found.experiment_id)

    # ---- recording

    def record(self, run: Run, bundle: Path) -> Version:
        """Keeps a run with its model and registers the bundle as a new version. Raises BundleError for a bundle that does not load,
        RegistryError when it cannot be kept."""
        loaded = Bundle.load(bundle)
        with self._usable():
            return self._recorded(run, bundle, loaded)

    def _recorded(self, run: Run, bundle: Path, loaded: Bundle) -> Version:
        mlflow = self._fluent()
        with mlflow.start_run(run_name=run.name) as started:
            mlflow.set_tags({**run.tags, "bundle_digest": loaded.digest})
            mlflow.log_params(dict(run.parameters))
            mlflow.log_metrics(dict(run.metrics))
            mlflow.log_input(_dataset(run.data), context="training")
            self._keep_files(started.info.run_id, {**run.files, **{f"pictures/{k}": v for k, v in run.pictures.items()}})
            number = self._register(mlflow, bundle, loaded)
        self._tag(number, loaded, run)
        return self.version(str(number))

    def _fluent(self) -> Any:
        """MLflow's module, pointed at this registry and nothing else."""
        import mlflow

        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        mlflow.set_experiment(experiment_id=self.experiment)
        return mlflow

    def _keep_files(self, run_id: str, files: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            self.client.log_artifacts(run_id, folder)

    def _register(self, mlflow: Any, bundle: Path, loaded: Bundle) -> int:
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, DataType, Schema

        columns = Schema([ColSpec(DataType.double, name) for name in loaded.features])
        with redirect_stderr(io.StringIO()):  # it announces every version there
            logged = mlflow.pyfunc.log_model(
                name="risk",
                python_model=str(SERVED),
                artifacts={"bundle": str(bundle)},
                pip_requirements=_requirements(),
                signature=ModelSignature(inputs=columns, outputs=Schema([ColSpec(DataType.double)])),
                registered_model_name=MODEL,
            )
        return int(logged.registered_model_version)

    def _tag(self, number: int, bundle: Bundle, run: Run) -> None:
        kept = Path(self._artifacts(number)) / "artifacts"
        [folder] = [path.parent for path in kept.glob("*/bundle.json")]
        tags = {
            "bundle_path": folder.relative_to(self.home).as_posix(),
            "bundle_digest": bundle.digest,
            "purpose": bundle.purpose,
            **run.tags,
        }
        for key, value in tags.items():
            self.client.set_model_version_tag(MODEL, str(number), key, value)

    def _artifacts(self, number: int) -> str:
        return cast("str", self.client.get_model_version_download_uri(MODEL, str(number)).removeprefix("file://"))

    # ---- looking

    def version(self, name: str) -> Version:
        """A version by number or alias. Raises RegistryError when there is none."""
        found = self.find(name)
        if found is None:
            known = self._known() or "(none)"
            raise RegistryError(
                f"{name}: 没有该模型版本，现有：{known}；可用 triage train 训练"
                f" / there is no such model version; there are: {known}; triage train makes one"
            )
        return found

    def _known(self) -> str:
        """Versions by number with their aliases, in words."""
        numbers = sorted(int(v.version) for v in self.client.search_model_versions(f"name = '{MODEL}'"))
        return ", ".join(f"{n} ({' '.join(self.aliases_of(n))})" if self.aliases_of(n) else str(n) for n in numbers)

    def find(self, name: str) -> Version | None:
        """A version by number or alias, None when there is none."""
        from mlflow.exceptions import MlflowException

        try:
            mv = self.client.get_model_version(MODEL, name) if name.isdigit() else self.client.get_model_version_by_alias(MODEL, name)
        except MlflowException:
            return None
        metrics = self.client.get_run(mv.run_id).data.metrics if mv.run_id else {}
        return Version(
            int(mv.version),
            mv.run_id,
            self.home / mv.tags.get("bundle_path", ""),
            mv.tags.get("bundle_digest", ""),
            tuple(sorted(self.aliases_of(int(mv.version)))),
            metrics,
            mv.tags,
        )

    def versions(self) -> list[Version]:
        """Every version, the newest first."""
        found = self.client.search_model_versions(f"name = '{MODEL}'")
        return [self.version(str(n)) for n in sorted((int(v.version) for v in found), reverse=True)]

    def aliases_of(self, number: int) -> list[str]:
        """The aliases of a version."""
        return [alias for alias, n in self.aliases().items() if n == number]

    def aliases(self) -> dict[str, int]:
        """Alias to version number."""
        from mlflow.exceptions import MlflowException

        try:
            return {alias: int(n) for alias, n in self.client.get_registered_model(MODEL).aliases.items()}
        except MlflowException:
            return {}

    def file(self, version: Version, name: str) -> Path:
        """A file kept with the version's run. Raises RegistryError when the run has none of that name."""
        root = Path(self.client.get_run(version.run_id).info.artifact_uri.removeprefix("file://"))
        path = root / name
        if not path.is_file():
            raise RegistryError(f"{path}: 训练记录缺少该文件，请重新训练 / the run lacks this file, train again")
        return path

    # ---- deciding which version serves

    def set_alias(self, alias: str, number: int) -> None:
        """Points an alias at a version; a running service follows within its polling interval."""
        self.client.set_registered_model_alias(MODEL, alias, str(number))

    def tag(self, version: Version, **tags: str) -> None:
        """Sets tags on a version."""
        for key, value in tags.items():
            self.client.set_model_version_tag(MODEL, str(version.number), key, value)

    def drop_alias(self, alias: str) -> None:
        """Takes an alias away."""
        if alias in self.aliases():
            self.client.delete_registered_model_alias(MODEL, alias)


def rehome(uri: str = DEFAULT) -> int:
    """Rewrites MLflow's absolute paths after the folder was moved; how many were changed. Raises RegistryError."""
    database = _folder(uri)
    wanted = (database.parent / "artifacts").as_uri()
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True)) as connection, connection:
            row = connection.execute("SELECT artifact_location FROM experiments WHERE name = ?", (EXPERIMENT,)).fetchone()
            if row is None or row[0] == wanted:
                return 0
            return sum(
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE {column} LIKE ? || '%'",  # noqa: S608
                    (wanted, len(row[0]) + 1, row[0]),
                ).rowcount
                for table, column in _MOVABLE
            )
    except sqlite3.Error as error:
        raise RegistryError(
            f"{database}: 无法打开登记库，请核对地址 / the registry cannot be opened, check TRIAGE_MLFLOW: {error}"
        ) from error


def _dataset(data: Data) -> Any:
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    tags = {**data.origin, "rows": str(data.rows), "columns": str(data.columns)}
    return MetaDataset(CodeDatasetSource(tags), name=data.name, digest=data.digest[:36])  # type: ignore[abstract]  # it is not, when run


def _requirements() -> list[str]:
    from importlib.metadata import version

    return [f"{name}=={version(name)}" for name in ("claim-triage", "lightgbm", "mlflow", "numpy")]
