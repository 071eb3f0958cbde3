"""Who else is in a claim: hospital, doctor, agent, phone, device, account, address. Sharing is mostly innocent; rings share on purpose.

Real hospitals stand only in claims that say nothing against them; half of the honest claims are placed at invented ones too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from knowledge_graph.loader import load
from training.world.assumptions import Assumptions
from training.world.columns import Array, Table, chance, pick, pick_by, shipped
from training.world.illness import DEPARTMENTS
from training.world.people import ILLNESSES, T
from training.world.rings import lineage

_HARMLESS = (T[""], T["non_disclosure"], T["duplicate_claims"])
"""Typologies that say nothing against the hospital."""

REGIONS: tuple[str, ...] = tuple(shipped("places")["regions"])
PUBLIC, PRIVATE = 0, 1
DOCTOR_NAMES = len(shipped("places")["surnames"]) * len(shipped("places")["given"])
"""Two doctors of one hospital may share a name, as they do."""


@dataclass(frozen=True)
class Hospitals:
    """All hospitals of a world, real ones first; columns name, level, ownership (place), city, region (place), weight."""

    frame: pl.DataFrame
    real: int

    def column(self, name: str) -> Array:
        """A column as an array."""
        return self.frame[name].to_numpy()


@cache
def _real() -> pl.DataFrame:
    """Registered public hospitals of level 2 and 3 whose names are plain."""
    regions = {name: place for place, name in enumerate(REGIONS)}
    rows = [
        (h.name, h.level, PUBLIC, h.city or h.name[:2], regions.get(h.region, regions.get(h.city, -1)), 3.0)
        for h in load().hospitals.values()
        if h.ownership == "public" and h.level in (2, 3) and not h.fictional and 4 <= len(h.name) <= 20 and "（" not in h.name
    ]
    return pl.DataFrame(rows, schema=["name", "level", "ownership", "city", "region", "weight"], orient="row")


def make_hospitals(rng: np.random.Generator) -> Hospitals:
    """The registered hospitals and invented ones: for every region and invented town one or two. Names of both never meet."""
    places, registered = shipped("places"), set(load().hospitals)
    rows = []
    for region in range(len(REGIONS)):
        for town in rng.permutation(len(places["town_first"]))[:14]:
            last = places["town_last"][int(rng.integers(2))]
            city = f"{places['town_first'][town]}{last}"
            for level, kinds in ((3, places["hospital_kinds"][3]), (2, places["hospital_kinds"][2]), (2, places["hospital_kinds"][2])):
                rows.append((city, level, PUBLIC, kinds[int(rng.integers(len(kinds)))], region, 2.0 if level == 3 else 1.0))
            rows.append((city, 1, PUBLIC, places["hospital_kinds"][1][0], region, 1.0))
            rows.append((city, 2, PRIVATE, places["hospital_kinds"]["private"][int(rng.integers(2))], region, 1.0))
    seen: dict[str, tuple[str, int, int, str, int, float]] = {}
    for city, level, owner, kind, region, weight in rows:
        name = f"{REGIONS[region][:2]}{city}{kind}"
        if name not in registered:
            seen.setdefault(name, (name, level, owner, city, region, weight))
    invented = pl.DataFrame(list(seen.values()), schema=["name", "level", "ownership", "city", "region", "weight"], orient="row")
    return Hospitals(pl.concat([_real(), invented], how="vertical_relaxed"), _real().height)


def draw_entities(rng: np.random.Generator, c: Table, rings: Table, hospitals: Hospitals, a: Assumptions) -> Table:
    """Places of every entity; -1 where a claim has none. Devices, phones and accounts of one claim alone are its own number."""
    n = len(c["plan"])
    waves = int(c["wave"].max()) + 1
    table = _hospital(rng, c, rings, hospitals, waves, a)
    table["doctor"] = _doctor(rng, c, rings, table["hospital"], waves, a)
    table["agent"] = _agent(rng, c, rings, waves, a)
    household = _households(rng, c, a)
    own = np.arange(n)
    for name in ("phone", "device", "account"):
        generation = lineage(rng, len(rings["start"]), waves, a["ring_rotation"])
        shared = (c["ring"] >= 0) & chance(rng, a[f"ring_{name}"], n)
        key = np.where(
            shared,
            n + 1_000_000 + np.maximum(c["ring"], 0) * 100 + generation[np.maximum(c["ring"], 0), c["wave"]] if len(generation) else 0,
            own,
        )
        at_home = (household >= 0) & ~shared & chance(rng, 0.0 if name == "device" else 0.7, n)
        table[name] = np.where(at_home, n + 50_000_000 + household, key)
    helped = chance(rng, a["helper_device_share"], n) & (table["device"] == own)
    helper = 90_000_000 + rng.integers(0, max(n // 300, 1), n) + n
    table["device"] = np.where(helped, helper, table["device"])
    table["address"] = np.where((household >= 0) & chance(rng, 0.6, n), n + 50_000_000 + household, own)
    return table


def _hospital(rng: np.random.Generator, c: Table, rings: Table, hospitals: Hospitals, waves: int, a: Assumptions) -> Table:
    n = len(c["plan"])
    level, owner, region = hospitals.column("level"), hospitals.column("ownership"), hospitals.column("region")
    weight = hospitals.column("weight").astype(float)
    invented = np.arange(len(level)) >= hospitals.real
    small = (level == 2) & (owner == PUBLIC)
    home = pick(rng, list(shipped("places")["regions"].values()), n)
    good = (level >= 2) & (owner == PUBLIC)
    at_real = np.isin(c["typology"], _HARMLESS) & ~chance(rng, a["invented_hospital_share"], n)
    bad = chance(rng, a["ineligible_hospital_share"], n) & ~at_real
    pools = {"real": good & ~invented, "large": good & invented & (level == 3), "small": small & invented, "bad": ~good & invented}
    kind = np.select([at_real, bad, c["small_hospital"] == 1], [0, 3, 2], 1)
    place = np.zeros(n, dtype=int)
    for number, pool in enumerate(pools.values()):
        mine = np.flatnonzero(kind == number)
        table = np.stack([np.where(pool & (region == r), weight, 1e-9 * pool * weight) for r in range(len(REGIONS))])
        place[mine] = _by_region(rng, table, home[mine])
    place = np.where((c["ring"] >= 0) & ~at_real, _ring_hospital(rng, c, rings, place, pools, waves, a), place)
    region_of = np.where(region[place] >= 0, region[place], home)
    return {"hospital": place, "home": region_of}


def _by_region(rng: np.random.Generator, table: Array, group: Array) -> Array:
    """As pick_by for wide tables: one search for each group."""
    edges = np.cumsum(table, axis=1)
    out = np.zeros(len(group), dtype=int)
    u = rng.random(len(group))
    for row in np.unique(group):
        mine = group == row
        out[mine] = np.searchsorted(edges[row], u[mine] * edges[row, -1], side="right")
    return np.asarray(np.minimum(out, table.shape[1] - 1))


def _by_typology(habit: str, typology: Array) -> Array:
    """A habit of rings, which may differ where a provider colludes."""
    shares = shipped("rings")[habit]
    return np.asarray(np.where(typology == T["provider_collusion"], shares["provider_collusion"], shares["usual"]))


def _ring_hospital(
    rng: np.random.Generator, c: Table, rings: Table, lone: Array, pools: dict[str, Array], waves: int, a: Assumptions
) -> Array:
    """A ring keeps to one or two hospitals, mostly small ones, and moves on between some waves."""
    count = len(rings["start"])
    if not count:
        return lone
    small, large = np.flatnonzero(pools["small"]), np.flatnonzero(pools["large"])
    choice = np.where(
        chance(rng, shipped("rings")["small_hospital"], count * waves), rng.choice(small, count * waves), rng.choice(large, count * waves)
    ).reshape(count, waves)
    generation = lineage(rng, count, waves, a["ring_rotation"] / 2)
    ring = np.maximum(c["ring"], 0)
    kept = choice[ring, generation[ring, c["wave"]]]
    loose = chance(rng, _by_typology("off_hospital", rings["typology"][ring]), len(lone))
    return np.where(loose, lone, kept)


def _doctor(rng: np.random.Generator, c: Table, rings: Table, hospital: Array, waves: int, a: Assumptions) -> Array:
    """A doctor is a place within hospital and illness; members who conceal lean to some of them, rings have their own."""
    n = len(hospital)
    pair = hospital.astype(np.int64) * len(ILLNESSES) + c["illness"]
    _, at, counts = np.unique(pair, return_inverse=True, return_counts=True)
    seats = np.maximum(1, np.round(counts / a["claims_per_doctor"])).astype(int)[at]
    lean = np.exp(a["doctor_spread"] * 2)
    drawn = rng.random(n)
    drawn = np.where(c["intent"] == 2, drawn**lean**0.5, drawn)
    seat = np.floor(drawn * seats).astype(int)
    if len(rings["start"]):
        generation = lineage(rng, len(rings["start"]), waves, a["ring_rotation"] / 2)
        ring = np.maximum(c["ring"], 0)
        fixed = (ring * 7 + generation[ring, c["wave"]] * 3) % seats
        keeps = (c["ring"] >= 0) & chance(rng, _by_typology("own_doctor", rings["typology"][ring]), n)
        seat = np.where(keeps, fixed, seat)
    name = ((pair * 1000 + seat) * 2_654_435_761 >> 7) % DOCTOR_NAMES
    return np.asarray(hospital.astype(np.int64) * DOCTOR_NAMES + name)


def _agent(rng: np.random.Generator, c: Table, rings: Table, waves: int, a: Assumptions) -> Array:
    """Agents differ in how many members who do not disclose they bring; a ring has its own referrer, who brings honest members as well."""
    n = len(c["plan"])
    has = chance(rng, np.array([a["agent_share_mutual_aid"], a["agent_share_insurer"], 0.2])[c["plan"]], n)
    agents = max(int(has.sum() / a["claims_per_agent"]), 4)
    pressure = np.exp(a["agent_spread"] * rng.standard_normal(agents))
    plain, pressed = rng.integers(0, agents, n), pick(rng, pressure, n)
    agent = np.where(c["breach"] & (c["plan"] != 2), pressed, plain)
    agent = np.where(has, agent, -1)
    if not len(rings["start"]):
        return agent
    generation = lineage(rng, len(rings["start"]), waves, a["ring_rotation"] / 3)
    ring = np.maximum(c["ring"], 0)
    own = agents + ring * 20 + generation[ring, c["wave"]]
    busy = rng.permutation(agents)[ring % agents]
    cover = chance(rng, shipped("rings")["honest_business"], len(rings["start"]))[ring]  # a referrer with an honest business beside
    taken = (c["ring"] >= 0) & chance(rng, a["ring_agent"], n)
    return np.where(taken, np.where(cover, busy, own), agent)


def _households(rng: np.random.Generator, c: Table, a: Assumptions) -> Array:
    """The household of a claim, -1 where no relative claims; relatives come within the span, two by two."""
    n = len(c["plan"])
    mine = rng.permutation(np.flatnonzero((c["ring"] < 0) & chance(rng, a["household_share"] * 2, n)))
    household = np.full(n, -1)
    household[mine] = np.arange(len(mine)) // 2
    return household


def draw_department(rng: np.random.Generator, c: Table) -> Array:
    """The department of each claim as a place in DEPARTMENTS."""
    data = shipped("clinical")
    weights = np.zeros((len(ILLNESSES), len(DEPARTMENTS)))
    for row, name in enumerate(ILLNESSES):
        for order, department in enumerate(data["illnesses"][name]["departments"]):
            weights[row, DEPARTMENTS.index(department)] += 1.0 / (order + 1)
    odd = np.array([DEPARTMENTS.index(name) for name in data["implausible_departments"]])
    plain = pick_by(rng, weights, c["illness"])
    strange = odd[rng.integers(0, len(odd), len(plain))]
    return np.where((c["odd_department"] == 1) & (c["illness"] <= 5), strange, plain)
