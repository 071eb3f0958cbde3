"""`triage gate`: whether the gate is open and why not, what a promise costs, closing it, and reopening it on a fresh sample."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Connection, func, select

from knowledge_graph.errors import KnowledgeError
from knowledge_graph.loader import Knowledge, load
from triage import audit_lane, gate_events
from triage.actions import RESERVED
from triage.alarm import evidence
from triage.aliases import CHAMPION, DEFAULT, Aliases, RegistryAway
from triage.assessment import Assessment, Named
from triage.bundle import Bundle, BundleError, Certificate
from triage.features import FeatureSet
from triage.gate import WORDS, closing, groups_of
from triage.reading import Reader
from triage.store import open_existing
from triage.store.errors import NoStore, StoreError
from triage.store.tables import claim

ZONE = ZoneInfo("Asia/Shanghai")
gate_app = typer.Typer(no_args_is_help=True, help="放行闸门 / the gate that releases from field investigation")
Database = Annotated[str, typer.Option(envvar="TRIAGE_DATABASE", help="database URL")]
Registry = Annotated[str, typer.Option(envvar="TRIAGE_MLFLOW", help="MLflow registry")]
Given = Annotated[Path | None, typer.Option("--bundle", envvar="TRIAGE_BUNDLE", help="a bundle instead of the registry's champion")]
Rulebook = Annotated[Path | None, typer.Option(envvar="TRIAGE_RULEBOOK", help="rulebook directory")]
By = Annotated[str, typer.Option(help="the person who decides")]
Why = Annotated[str, typer.Option(help="the reason, kept for good")]
STORE = "sqlite:///var/triage.db"


def _now() -> datetime:
    return datetime.now(ZONE)


def _refuse(words: str) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(1)


@contextmanager
def _saying() -> Iterator[None]:
    """Whatever the store, the rulebook or the alarm refuses is said, and ends with 1."""
    try:
        yield
    except (StoreError, KnowledgeError, audit_lane.ReopeningRefused) as error:
        raise _refuse(str(error)) from error


def _bundle(given: Path | None, registry: str) -> Bundle | None:
    """The bundle that would serve: the one given, else the registry's champion."""
    try:
        if given is not None:
            return Bundle.load(given)
        pinned = Aliases.at(registry).of(CHAMPION)
        return None if pinned is None else Bundle.load(pinned.folder, digest=pinned.digest)
    except RegistryAway:
        return None
    except (BundleError, ValueError) as error:
        raise _refuse(str(error)) from error


def _person(name: str) -> str:
    if not name.strip() or name.strip().casefold() in RESERVED:
        raise typer.BadParameter("请写经办人姓名 / give the person's name")
    return name.strip()


def _reason(why: str) -> str:
    if not why.strip():
        raise typer.BadParameter("请写明原因 / give the reason")
    return why.strip()


def _group(name: str, knowledge: Knowledge) -> str:
    """A group of the rulebook, or all of them: closing one that no claim is of would close nothing."""
    known = (gate_events.EVERY_GROUP, *groups_of(knowledge))
    if name not in known:
        raise typer.BadParameter(f"{name}: 没有该组别，可用 / there is no such group, known: {', '.join(known)}")
    return name


# ---- status


@gate_app.command()
def status(
    database: Database = STORE,
    mlflow: Registry = DEFAULT,
    bundle: Given = None,
    rulebook: Rulebook = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Open or closed and why, by group, with what the audit lane has shown."""
    found = _bundle(bundle, mlflow)
    with _saying():
        knowledge, today = load(rulebook), _now().date()
        try:
            with open_existing(database).reading() as connection:
                told = describe(connection, found, knowledge, today)
        except NoStore as error:
            typer.echo(str(error), err=True)
            told = describe(None, found, knowledge, today)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    typer.echo(f"{told['zh']} / {told['en']}")
    for group in told["groups"]:
        typer.echo(_line(group))


def _line(group: dict[str, Any]) -> str:
    state = "开 open  " if group["state"] == "open" else "关 closed"
    why = "" if group["state"] == "open" else f"  {group['zh']} / {group['en']}"
    sample = f"≤{group['threshold']:.4f}, {group['wrong']}/{group['n']}" if "threshold" in group else ""
    audit = f"  audit {group['audit']['wrong']}/{group['audit']['n']}" if "audit" in group else ""
    return f"  {state} {group['group']:<36} {sample}{audit}{why}"


def describe(connection: Connection | None, bundle: Bundle | None, knowledge: Knowledge, today: date) -> dict[str, Any]:
    """The state of the gate as plain data: a sentence in both languages, and every certified group. Without a store nothing was ever
    closed, and nothing audited."""
    if bundle is None or bundle.certificate is None:
        return {"state": "closed", "zh": "闸门关闭：没有有效的放行证书", "en": "the gate is closed: there is no certificate", "groups": []}
    states = gate_events.states(connection) if connection is not None else {}
    nothing = dict.fromkeys(bundle.certificate.groups, evidence((), bundle.certificate.alpha))
    shown = audit_lane.observed(connection, bundle, bundle.certificate) if connection is not None else nothing
    assessment = Assessment(
        Named(bundle.name, bundle.purpose, bundle.digest, bundle.digests),
        bundle.certificate,
        0.0,
        features_digest=FeatureSet.load().digest,
        reader=Reader.from_knowledge(knowledge).digest,
        closed=states,
    )
    groups = []
    for name, held in sorted(bundle.certificate.groups.items()):
        why = _why(assessment, knowledge, name, today)
        state = {"state": "closed", "zh": why[0], "en": why[1]} if why else {"state": "open"}
        audit = {"n": shown[name].n, "wrong": shown[name].wrong, "e_value": shown[name].peak, "limit": shown[name].limit}
        groups.append({"group": name, **state, **held.model_dump(mode="json"), "audit": audit})
    return {**_summary(bundle.certificate, groups), "bundle": bundle.name, "digest": bundle.digest, "groups": groups}


def _summary(promise: Certificate, groups: list[dict[str, Any]]) -> dict[str, Any]:
    opened = sum(g["state"] == "open" for g in groups)
    what = "演示（模拟数据）" if promise.simulated else "正式"
    kind = "demonstration, simulated data" if promise.simulated else "certified"
    sure = 1 - promise.delta
    return {
        "state": "open" if opened else "closed",
        "zh": f"{what}：{opened}/{len(groups)} 组开放，错误放行率 ≤ {promise.alpha:g}，置信度 {sure:g}，有效至 {promise.expires_on}",
        "en": f"{kind}: {opened} of {len(groups)} groups open, wrong releases ≤ {promise.alpha:g} at {sure:g}, valid to {promise.expires_on}",
        "alpha": promise.alpha,
        "delta": promise.delta,
        "expires_on": promise.expires_on.isoformat(),
    }


def _why(assessment: Assessment, knowledge: Knowledge, group: str, today: date) -> tuple[str, str] | None:
    """What keeps the group's claims with the lowest score from release, by the same code that decides a claim; None when nothing does."""
    plan = knowledge.plans.get(group.partition(":")[0])
    if plan is None:
        return "规则库没有该计划", "the rulebook has no such plan"
    code = next(closing(assessment, knowledge, plan, group, today), None)
    if code is not None:
        return WORDS[code]
    why = gate_events.why_closed(assessment.closed, group)
    zh, _, en = (why or "").partition(" / ")
    return None if why is None else (zh, en or zh)


# ---- plan


@gate_app.command()
def plan(
    alpha: Annotated[float, typer.Option(min=0.0001, max=0.5, help="largest share of wrong releases")] = 0.05,
    delta: Annotated[float, typer.Option(min=0.001, max=0.5, help="chance that the promise fails, over all groups together")] = 0.10,
    groups: Annotated[int, typer.Option(min=1, help="groups certified apart")] = 4,
    rate: Annotated[
        float | None, typer.Option(min=0, max=0.5, help="share of wrong ones expected below the threshold; default alpha/4")
    ] = None,
    monthly: Annotated[float | None, typer.Option(min=0.1, help="claims a month; default: as filed in the store")] = None,
    share: Annotated[float, typer.Option(min=0.01, max=1, help="share of them at or below the threshold")] = 0.3,
    audit_rate: Annotated[float, typer.Option(min=0.001, max=1, help="share of them drawn for audit once the gate is open")] = 0.1,
    database: Database = STORE,
) -> None:
    """Labels and months that a promise costs."""
    from training import certificate

    expected = alpha / 4 if rate is None else rate
    if expected >= alpha:
        raise typer.BadParameter(f"rate {expected:g}: 须低于 alpha / must be below alpha {alpha:g}")
    with _saying():
        filed = monthly if monthly is not None else _monthly(database)
    flow = {f"{n + 1}": filed * share / groups for n in range(groups)}
    need = certificate.plan(alpha, delta, flow, expected, audit_rate=audit_rate)[0]
    shadow = certificate.plan(alpha, delta, flow, expected)[0]
    typer.echo(f"alpha {alpha:g}, delta {delta:g}, {groups} 组 groups")
    typer.echo(
        f"  每组至少 {need.clean} 个无误标签，合计 {need.clean * groups} / at least {need.clean} clean labels a group, {need.clean * groups} in all"
    )
    typer.echo(
        f"  若真实错误率 {expected:g}，八成把握须每组 {need.labels} 个 / at a true rate of {expected:g}: {need.labels} a group pass with probability .8"
    )
    if not filed:
        typer.echo("  案件库无案件，请用 --monthly 给出每月案件数 / no claims in the store: give --monthly")
        return
    typer.echo(
        f"  影子期（全部调查）{shadow.months:.1f} 个月 / shadow period, all investigated: {shadow.months:.1f} months at {filed:.0f} claims a month"
    )
    typer.echo(f"  审计抽样 {need.months:.1f} 个月 / audit lane at {audit_rate:g}: {need.months:.1f} months")


def _monthly(database: str) -> float:
    """Claims a month of the store; 0 without one."""
    try:
        store = open_existing(database)
    except NoStore:
        return 0.0
    with store.reading() as connection:
        first, last, n = connection.execute(select(func.min(claim.c.filed_on), func.max(claim.c.filed_on), func.count())).one()
    return 0.0 if not n else float(n) / max(1.0, (last - first).days / 30.44)


# ---- closing and reopening


@gate_app.command()
def close(
    by: By,
    why: Why,
    group: Annotated[str, typer.Argument(help="group, or * for all")] = gate_events.EVERY_GROUP,
    database: Database = STORE,
    mlflow: Registry = DEFAULT,
    bundle: Given = None,
    rulebook: Rulebook = None,
) -> None:
    """A person closes the gate for a group or for all."""
    person, reason, found = _person(by), _reason(why), _bundle(bundle, mlflow)
    named = found.digest if found else ""
    with _saying():
        _group(group, load(rulebook))
        with open_existing(database).writing() as connection:
            at = _now().isoformat(timespec="microseconds")
            gate_events.record(connection, group, "closed", kind="person", actor=person, why=reason, bundle=named, evidence={}, at=at)
    typer.echo(f"{group}: 已关闭 / closed")


@gate_app.command()
def reopen(
    group: Annotated[str, typer.Argument(help="group")],
    by: By,
    why: Why,
    database: Database = STORE,
    mlflow: Registry = DEFAULT,
    bundle: Given = None,
) -> None:
    """A person reopens a group, on answers later than its closing that show the promise by themselves."""
    person, reason, found = _person(by), _reason(why), _bundle(bundle, mlflow)
    if found is None:
        raise _refuse("没有模型，闸门无从重开 / there is no model, so there is no gate to reopen")
    with _saying():
        at = _now().isoformat(timespec="microseconds")
        shown = audit_lane.reopen(open_existing(database), found, group, by=person, why=reason, at=at)
    typer.echo(f"{group}: 已重开 / reopened ({json.dumps(asdict(shown))})")


@gate_app.command()
def check(database: Database = STORE, mlflow: Registry = DEFAULT, bundle: Given = None) -> None:
    """Looks at the audit lane now, as the service does by itself; closes what it contradicts."""
    found = _bundle(bundle, mlflow)
    with _saying():
        rung = audit_lane.ring(open_existing(database), found, _now().isoformat(timespec="microseconds"))
    for group in rung:
        typer.echo(f"{group}: 已自动关闭 / closed by the alarm")
    if not rung:
        typer.echo("审计与证书无矛盾 / the audit lane does not contradict the certificate")
