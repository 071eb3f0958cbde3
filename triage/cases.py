"""Named claims with their expected trail, and the table of the path's nodes they reach: `triage cases`.

A case is a claim (or another case changed: `like`, `replace`, `papers`, `claim`) with what is expected of it under an open and
a closed gate. A cell of the table that no case can reach has one line of data saying why.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.console import Console
from rich.table import Table

from knowledge_graph.loader import Knowledge, load
from triage.assembly import assemble
from triage.bundle import Bundle
from triage.case_graph import links_among
from triage.casefile import CaseFile
from triage.claim import Claim
from triage.observation import Observation, Source, Why
from triage.pipeline import conditions_claimed, suggest
from triage.reading import Reader
from triage.risk import Scorer
from triage.values import from_json

NODES = ("F1", "F2", "F3", "I1", "I2", "I3", "I4", "I5", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "N1", "N2", "N3", "S1", "S2", "S3")
VERDICTS = ("true", "false", "unknown", "conflict")
FOLDER = Path(__file__).resolve().parents[1] / "tests" / "cases"
IMPOSSIBLE = "impossible.yaml"
TODAY = date(2021, 12, 1)

cases_app = typer.Typer(help="案例与路径节点表 / cases by node of the path")


class CaseError(Exception):
    """A case file that cannot be used; names file, id and remedy."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Entered(_Model):
    """What a reviewer (or an investigation) entered: a value, or why there is none."""

    fact: str
    value: Any = None
    why: Why | None = None
    by: Source = Source.REVIEWER


class Expected(_Model):
    """What a suggestion must say; what is left out is not checked."""

    position: str | None = None
    route: str | None = None
    why: str | None = None
    amount: int | None = None
    ground: str | None = None
    verdicts: dict[str, str] = {}
    facts: dict[str, Any] = {}
    unknown: dict[str, str] = {}
    conflict: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    missing: tuple[str, ...] | None = None
    tasks: tuple[str, ...] = ()
    flags: tuple[str, ...] | None = None
    condition: str | None = None
    cell: str | None = None


class CaseData(_Model):
    """One case as written."""

    id: str = ""
    title: str
    like: str | None = None
    claim: dict[str, Any] = {}
    papers: dict[str, str | None] = {}
    replace: dict[str, str] = {}
    entered: tuple[Entered, ...] = ()
    enter: dict[str, Any] = {}
    released: bool = False
    investigated: bool = False
    disputed: bool = False
    rounds: int = 0
    linked: tuple[str, ...] = ()
    expect: dict[str, Expected] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A case with its whole claim."""

    data: CaseData
    claim: Claim
    entered: tuple[Entered, ...] = ()


def load_cases(folder: Path = FOLDER) -> dict[str, Case]:
    """Every case of a folder by id. Raises CaseError."""
    written: dict[str, tuple[Path, CaseData]] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name != IMPOSSIBLE:
            for data in _read(path):
                if data.id in written:
                    raise CaseError(f"{path}: {data.id}: 案例编号重复，请改名 / the case id is used twice, rename one")
                written[data.id] = (path, data)
    return {name: Case(data, _claim(name, written), (*data.entered, *_enter(name, written))) for name, (_, data) in written.items()}


def _enter(name: str, written: Mapping[str, tuple[Path, CaseData]]) -> Iterator[Entered]:
    """What a person entered, short: a value, {why: ...}, or {conflict: [...]} for people who differ; null takes a fact of the case it
    is like away."""
    for fact, said in _entries(name, written).items():
        if isinstance(said, dict) and "conflict" in said:
            yield from (Entered(fact=fact, value=value) for value in said["conflict"])
        elif isinstance(said, dict) and "why" in said:
            yield Entered(fact=fact, why=said["why"])
        elif said is not None:
            yield Entered(fact=fact, value=said)


def _entries(name: str, written: Mapping[str, tuple[Path, CaseData]]) -> dict[str, Any]:
    data = written[name][1]
    return {**(_entries(data.like, written) if data.like else {}), **data.enter}


def _read(path: Path) -> Iterator[CaseData]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        items = loaded["cases"] if isinstance(loaded, dict) and "cases" in loaded else [{"id": path.stem, **loaded}]
        for item in items:
            yield CaseData.model_validate(item)
    except (OSError, TypeError, yaml.YAMLError, ValidationError) as error:
        raise CaseError(f"{path}: 案例有误，请更正 / a case is malformed, correct it: {error}") from error


def _claim(name: str, written: Mapping[str, tuple[Path, CaseData]]) -> Claim:
    path, _ = written[name]
    try:
        return Claim.model_validate({**_claim_data(name, written), "claim_id": name})
    except (KeyError, ValidationError) as error:
        raise CaseError(f"{path}: {name}: 案例的案件有误 / the case's claim is malformed: {error}") from error


def _claim_data(name: str, written: Mapping[str, tuple[Path, CaseData]]) -> dict[str, Any]:
    """The claim of the case it is like, with texts replaced, papers exchanged and fields merged."""
    data = written[name][1]
    base = _claim_data(data.like, written) if data.like else {}
    claim = _merged(base, data.claim)
    documents = claim.get("documents", [])
    for kind, text in data.papers.items():
        documents = [d for d in documents if d.get("evidence_type") != kind] + ([{"evidence_type": kind, "text": text}] if text else [])
    for old, new in data.replace.items():
        if not any(old in d["text"] for d in documents):
            raise KeyError(f"replace: {old!r} stands in no paper of {data.like}")
        documents = [{**d, "text": d["text"].replace(old, new)} for d in documents]
    return {**claim, "documents": documents}


def _merged(base: Any, changes: Any) -> Any:
    if isinstance(base, dict) and isinstance(changes, dict):
        return {**base, **{key: _merged(base.get(key), value) for key, value in changes.items()}}
    return changes


@dataclass(frozen=True)
class Bench:
    """What cases are tried with."""

    knowledge: Knowledge
    reader: Reader
    opened: Scorer
    cases: Mapping[str, Case]

    @classmethod
    def standing(cls, folder: Path = FOLDER) -> Bench:
        """The shipped rulebook, its reader, and the folder's cases."""
        knowledge = load()
        bundle = Bundle.load(folder.parent / "bundles" / "open_gate.yaml")
        return cls(knowledge, Reader.from_knowledge(knowledge), Scorer(bundle), load_cases(folder))

    def suggestion(self, case: Case, gate: str) -> dict[str, Any]:
        """The suggestion for a case with the gate `open` or `closed`."""
        group = [case.claim, *(self.cases[name].claim for name in case.data.linked)]
        links = links_among(group, self.knowledge, self.reader).get(case.claim.claim_id or "", ()) if case.data.linked else ()
        file = assemble(case.claim, self.knowledge, self.reader, links=links)
        return suggest(self.entered(case, file), self.knowledge, self.opened if gate == "open" else None, TODAY).to_json()

    def entered(self, case: Case, file: CaseFile) -> CaseFile:
        """The case file with what people entered and the state the case names."""
        data = case.data
        entered = tuple(
            Observation(e.fact, from_json(e.value, self.knowledge.facts[e.fact].type) if e.why is None else None, e.by, why=e.why)
            for e in case.entered
        )
        return replace(
            file,
            observations=(*file.observations, *entered),
            rounds=data.rounds,
            released=data.released,
            investigated=data.investigated or file.investigated,
            disputed=data.disputed,
        )


def reached(bench: Bench) -> dict[tuple[str, str], list[str]]:
    """Which cases reach each cell, under either gate."""
    cells: dict[tuple[str, str], list[str]] = {}
    for name, case in bench.cases.items():
        for gate in ("open", "closed"):
            for verdict in bench.suggestion(case, gate)["verdicts"]:
                cell = (verdict["node"], verdict["verdict"])
                if verdict["node"] and name not in cells.setdefault(cell, []):
                    cells[cell].append(name)
    return cells


def impossible(folder: Path = FOLDER) -> dict[tuple[str, str], dict[str, str]]:
    """Cells that cannot occur, with the reason in both languages."""
    rows = yaml.safe_load((folder / IMPOSSIBLE).read_text(encoding="utf-8"))["cells"]
    return {(row["node"], row["verdict"]): {"zh": row["zh"], "en": row["en"]} for row in rows}


CELLS = ("met", "not_met", "excluded", "unknown", "conflict")


def norm_conditions(knowledge: Knowledge) -> tuple[str, ...]:
    """The conditions of the norm: covered by more than one plan, not a family, not a kind of another covered condition."""
    conditions = knowledge.conditions
    return tuple(c.id for c in conditions.values() if "norm_condition" in c.is_a and not any(not conditions[p].abstract for p in c.is_a))


def cell_of(suggestion: Mapping[str, Any], condition: str, knowledge: Knowledge) -> str | None:
    """What the definitions and exclusions of a condition came to in a suggestion; None where they were not judged."""
    lineage = {None, *knowledge.lineage(condition)}
    scope = {r.id: r.applies_to.condition for r in knowledge.rules}
    of_it = [v for v in suggestion["verdicts"] if scope.get(v["rule"], "") in lineage and v["verdict"] != "not_applicable"]
    defined = {v["verdict"] for v in of_it if v["kind"] == "definition"}
    if not defined:
        return None
    if any(v["kind"] == "exclusion" and v["verdict"] == "true" and v["node"] != "R7" for v in of_it):
        return "excluded"
    return next((c for word, c in (("false", "not_met"), ("conflict", "conflict"), ("unknown", "unknown")) if word in defined), "met")


def conditions_reached(bench: Bench) -> dict[tuple[str, str], list[str]]:
    """Which cases reach each cell of the table of conditions; those written for a cell first."""
    cells: dict[tuple[str, str], list[str]] = {}
    rows = set(norm_conditions(bench.knowledge))
    for name, case in bench.cases.items():
        meant = {(e.condition, e.cell) for e in case.data.expect.values()}
        claimed = conditions_claimed(case.claim, bench.knowledge)
        suggestion = bench.suggestion(case, "closed")
        for condition in {c for top in claimed for c in bench.knowledge.lineage_with_goes_to(top)} & rows:
            cell = cell_of(suggestion, condition, bench.knowledge)
            if cell is not None:
                names = cells.setdefault((condition, cell), [])
                names.insert(0 if (condition, cell) in meant else len(names), name)
    return cells


def uncovered(bench: Bench, folder: Path = FOLDER) -> list[tuple[str, str]]:
    """Cells with neither a case nor a reason."""
    cells, reasons = reached(bench), impossible(folder)
    return [(n, v) for n in NODES for v in VERDICTS if (n, v) not in cells and (n, v) not in reasons]


@cases_app.command()
def cases_command(folder: Annotated[Path, typer.Option("--cases", help="folder of cases")] = FOLDER) -> None:
    """The path's nodes by verdict: a case id in each cell, or why none can be."""
    try:
        bench = Bench.standing(folder)
    except CaseError as error:
        raise typer.BadParameter(str(error)) from error
    cells, reasons = reached(bench), impossible(folder)
    table = Table("节点 node", title=f"{len(bench.cases)} 例 / cases")
    for verdict in VERDICTS:
        table.add_column(verdict, overflow="fold")
    for node in NODES:
        names = {v: _ordered(bench, cells.get((node, v), []), node, v) for v in VERDICTS}
        table.add_row(node, *(_cell(names[v], reasons.get((node, v))) for v in VERDICTS))
    out = Console() if sys.stdout.isatty() else Console(width=160)
    out.print(table)
    for (node, verdict), words in reasons.items():
        out.print(f"— {node} {verdict}: {words['zh']} / {words['en']}", highlight=False)
    by_condition, rows = conditions_reached(bench), norm_conditions(bench.knowledge)
    matrix = Table("病种 condition", title=f"{len(rows)} 病种 / conditions")
    for cell_name in CELLS:
        matrix.add_column(cell_name, overflow="fold")
    for row in rows:
        matrix.add_row(row, *(_cell(by_condition.get((row, c), [])[:1], None) for c in CELLS))
    out.print(matrix)
    missing = [*uncovered(bench, folder), *((r, c) for r in rows for c in CELLS if (r, c) not in by_condition)]
    if missing:
        out.print(f"[bold red]空格 / empty cells: {missing}")
        raise typer.Exit(1)


def _ordered(bench: Bench, names: list[str], node: str, verdict: str) -> list[str]:
    """Cases written for this cell first."""
    meant = [n for n in names if any(e.verdicts.get(node) == verdict for e in bench.cases[n].data.expect.values())]
    return meant + [n for n in names if n not in meant]


def _cell(names: list[str], reason: dict[str, str] | None) -> str:
    if names:
        return names[0] + (f" +{len(names) - 1}" if len(names) > 1 else "")
    return "—" if reason else "[red]?[/]"
