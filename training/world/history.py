"""What a member had before joining, whether it breaches the health requirement, and whether the papers tell it."""

from __future__ import annotations

from functools import cache

import numpy as np

from knowledge_graph.loader import load
from training.world.assumptions import Assumptions
from training.world.columns import NA, Array, Table, chance, pick_by, shipped
from training.world.people import ILLNESSES, T

VERSIONS = ("v1", "v2", "v3", "other")
NO, CONDITIONAL, YES = 0, 1, 2
_WORDS = {"no": NO, "conditional": CONDITIONAL, "yes": YES}


@cache
def findings() -> tuple[str, ...]:
    """Every finding an illness of the world may have had before, in one order."""
    found: dict[str, None] = {}
    for illness in ILLNESSES:
        for kind in ("breach", "conditional", "benign"):
            found |= dict.fromkeys(shipped("clinical")["illnesses"][illness][kind])
    return tuple(found)


@cache
def _weights(kind: str) -> Array:
    """(illnesses, findings) weights of one kind."""
    names = findings()
    table = np.zeros((len(ILLNESSES), len(names)))
    for row, illness in enumerate(ILLNESSES):
        for name, weight in shipped("clinical")["illnesses"][illness][kind].items():
            table[row, names.index(name)] = weight
    return table


@cache
def breach_table() -> Array:
    """(findings, versions): NO, CONDITIONAL or YES after the shipped library of findings; `other` is a plan without versions of its own."""
    library = load().findings
    table = np.zeros((len(findings()), len(VERSIONS)), dtype=int)
    for row, name in enumerate(findings()):
        for column, version in enumerate(VERSIONS[:3]):
            table[row, column] = max((_WORDS[item.get(version, "no")] for item in library[name].breaches.values()), default=NO)
    return table


@cache
def severities() -> Array:
    """Severity of each finding; above 1 it counts as positive."""
    library = load().findings
    return np.array([library[name].severity for name in findings()])


def draw_history(rng: np.random.Generator, c: Table, a: Assumptions) -> Table:
    """`past` is the place of the finding (-1 none), `past_on` since when. Wrongful members breach; others have harmless or open ones."""
    n = len(c["plan"])
    kind = np.full(n, -1)
    u = rng.random(n)
    kind = np.where(u < a["conditional_history_share"], 1, np.where(u < a["conditional_history_share"] + a["benign_history_share"], 0, -1))
    breaching = c["typology"] == T["non_disclosure"]
    breaching |= (c["typology"] == T["duplicate_claims"]) & chance(rng, a["duplicate_with_breach"], n)
    past = np.full(n, -1)
    for place, name in enumerate(("benign", "conditional", "breach")):
        mine = np.flatnonzero(breaching if name == "breach" else ~breaching & (kind == place))
        past[mine] = pick_by(rng, _weights(name), c["illness"][mine])
    return {"past": past, "breach": breaching, "ago": 20 + np.floor(rng.exponential(500, n)).astype(int)}


def told(rng: np.random.Generator, c: Table, a: Assumptions) -> Array:
    """Whether the papers tell the finding: by intent; harmless ones are told freely, rings hardly slip."""
    harmless = (c["past"] >= 0) & ~c["breach"]
    share = np.where(harmless, a["benign_told"], np.array([0.0, a["forgetful_told"], a["concealing_told"]])[c["intent"]])
    share = np.where(c["ring"] >= 0, share * (1 - a["coaching"]), share)
    return (c["past"] >= 0) & chance(rng, share, len(share))


def meaning(c: Table) -> Array:
    """NO, CONDITIONAL or YES: what the finding means under the rules in force (the insurer reads the library's v3)."""
    column = np.where(c["plan"] == 0, c["version"], np.where(c["plan"] == 1, 2, 3))
    return np.where(c["past"] >= 0, breach_table()[np.maximum(c["past"], 0), column], NO)


def complaint_tells(c: Table) -> Array:
    """Whether the complaint itself is a finding from before joining: a lump known for longer than the membership."""
    tells = np.zeros(len(c["plan"]), dtype=bool)
    for place, name in enumerate(ILLNESSES):
        illness = shipped("clinical")["illnesses"][name]
        findings_told = np.array([complaint in illness.get("complaint_finding", {}) for complaint in illness["complaint"]])
        mine = c["illness"] == place
        tells[mine] = findings_told[c["style_seed"][mine] % len(findings_told)]
    return tells & (c["began"] < c["joined"])


def past_on(c: Table) -> Array:
    """Since when the finding was known: before joining."""
    return np.where(c["past"] >= 0, c["joined"] - c["ago"], NA)
