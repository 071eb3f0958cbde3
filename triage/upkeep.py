"""What an operator does to keep a store: `triage backup`, `restore`, `audit`, `key` and `doctor`."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.engine import make_url

from knowledge_graph.errors import KnowledgeError
from knowledge_graph.loader import load
from triage.store import Store, open_existing, open_store
from triage.store.audit import broken, follows, head
from triage.store.backup import back_up, revision
from triage.store.backup import restore as fill
from triage.store.cipher import KEY, read_keys, use_keys
from triage.store.errors import NoStore, StoreError
from triage.store.tables import document

backup_app = typer.Typer(help="备份案件库 / back the store up")
restore_app = typer.Typer(help="从备份恢复 / restore a backup")
audit_app = typer.Typer(no_args_is_help=True, help="审计链 / the audit chain")
key_app = typer.Typer(no_args_is_help=True, help="材料加密的密钥 / the key that papers are sealed with")
doctor_app = typer.Typer(help="检查本机与案件库 / check this machine and the store")
Database = Annotated[str, typer.Option(envvar="TRIAGE_DATABASE", help="database URL")]
KeyFile = Annotated[Path | None, typer.Option("--key-file", envvar="TRIAGE_KEY_FILE", help="keys, one in base64 a line")]
DEFAULT = "sqlite:///var/triage.db"


def _existing(url: str) -> Store:
    try:
        return open_existing(url)
    except NoStore as error:
        raise typer.BadParameter(str(error)) from error


def _stop(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(1)


@backup_app.command()
def backup(out: Annotated[Path, typer.Option(help="file to write")], database: Database = DEFAULT) -> None:
    """Every row of one moment in one compressed file; sealed papers stay sealed."""
    try:
        made = back_up(_existing(database), out)
    except (StoreError, OSError) as error:
        raise _stop(error) from error
    typer.echo(f"{out}: {made['rows']['claim']} 个案件已备份 / claims backed up; audit head {made['head']}")


@restore_app.command()
def restore(path: Annotated[Path, typer.Argument(help="backup file")], database: Database = DEFAULT) -> None:
    """Into an empty store of either database, whole or not at all."""
    try:
        done = fill(open_store(database), path)
    except (StoreError, OSError) as error:
        raise _stop(error) from error
    typer.echo(
        f"{database}: {done['rows']['claim']} 个案件已恢复，审计链完整 / claims restored, the audit chain is whole; head {done['head']}"
    )


@audit_app.callback()
def _audit() -> None:
    """审计链 / the audit chain."""


@audit_app.command("verify")
def verify(
    database: Database = DEFAULT,
    anchor: Annotated[str | None, typer.Option(help="a head printed earlier: shows whether rows were cut off since")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Recompute the chain; keep the head it prints somewhere else and give it back as --anchor next time."""
    try:
        with _existing(database).reading() as connection:
            problems = [{"claim_id": claim, "problem": what} for claim, what in broken(connection)]
            if anchor is not None and not follows(connection, anchor):
                problems.append(
                    {"claim_id": "", "problem": f"链中没有此前的链头 {anchor}，记录被删去或重写 / the chain lost the head {anchor}"}
                )
            now = head(connection)
    except StoreError as error:
        raise _stop(error) from error
    except ValueError as error:
        raise typer.BadParameter(f"{anchor}: 须为 序号:哈希 / an anchor is number:hash") from error
    if as_json:
        typer.echo(json.dumps({"head": now, "problems": problems}, ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            typer.echo(f"{problem['claim_id']}: {problem['problem']}")
        typer.echo(f"{'审计链完整 / the chain is whole' if not problems else f'{len(problems)} 处问题 / problems'}\nhead {now}")
    raise typer.Exit(1 if problems else 0)


@key_app.callback()
def _key() -> None:
    """材料加密的密钥 / the key that papers are sealed with."""


@key_app.command("new")
def new_key(out: Annotated[Path, typer.Option(help="key file; a new key is written above those it holds")]) -> None:
    """A new key: from the next start on papers are sealed with it, older keys go on opening what they sealed."""
    older = out.read_text(encoding="utf-8") if out.exists() else ""
    partial = out.with_name(out.name + ".part")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(base64.b64encode(os.urandom(KEY)).decode() + "\n" + older)
    partial.replace(out)
    typer.echo(
        f"{out}: 请另存一份，丢失后材料无法读取；以 TRIAGE_KEY_FILE 指定 / keep a copy, without it papers cannot be read; name it in TRIAGE_KEY_FILE"
    )


@doctor_app.command()
def doctor(database: Database = DEFAULT, key_file: KeyFile = None, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """What works here and what does not, each with its remedy; 1 when something must be mended."""
    checks = {"python": _python, "rulebook": _rulebook, "model": _model, "disk": lambda: _disk(database), "key": lambda: _sealing(key_file)}
    found = [_told(name, check) for name, check in {**checks, "store": lambda: _store(database, key_file)}.items()]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for entry in found:
            typer.echo(f"{'✓' if entry['ok'] else '✗'} {entry['part']:<9} {entry['said']}")
    raise typer.Exit(0 if all(entry["ok"] for entry in found) else 1)


def _told(name: str, check: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"part": name, "ok": True, "said": check()}
    except (StoreError, KnowledgeError, OSError, ImportError, RuntimeError, typer.BadParameter) as error:
        return {"part": name, "ok": False, "said": str(error)}


def _python() -> str:
    return sys.version.split()[0]


def _rulebook() -> str:
    knowledge = load()
    return f"{len(knowledge.rules)} 条规则 / rules, {knowledge.digest[:12]}"


def _model() -> str:
    try:
        import lightgbm
    except OSError as error:
        raise RuntimeError(f"缺少 libgomp：apt-get install libgomp1 / libgomp is missing: apt-get install libgomp1 ({error})") from error
    return f"lightgbm {lightgbm.__version__}"


def _disk(url: str) -> str:
    parsed = make_url(url)
    folder = Path(parsed.database or ".").absolute().parent if parsed.get_backend_name() == "sqlite" else Path.cwd()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < 200 * 2**20:
        raise RuntimeError(f"{folder}: 仅余 {free >> 20} MiB，请清理 / only {free >> 20} MiB left: make room")
    return f"{folder}: {free >> 30} GiB 可用 / free"


def _sealing(path: Path | None) -> str:
    if path is None:
        return "材料未加密保存；triage key new 可生成密钥 / papers are stored unsealed; triage key new makes a key"
    return f"{path}: {len(read_keys(path))} 把密钥 / keys"


def _store(url: str, key_file: Path | None) -> str:
    use_keys(key_file)
    store = _existing(url)
    store.check_writable()
    with store.reading() as connection:
        first = next(broken(connection), None)
        if first is not None:
            raise RuntimeError(f"{first[0]}: {first[1]}")
        connection.execute(document.select().limit(1)).all()
        return f"schema {revision(connection)}, 审计链完整 / audit chain whole, head {head(connection)}"
