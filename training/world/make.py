"""Makes a world: stages in order, each with its own generator, all claims at once. The same seed and assumptions give the same world."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from training.world import entities, facts, handling, history, illness, linked, papers, people, rings, signs, timing, verdicts
from training.world.assumptions import Assumptions
from training.world.columns import NA, Array, Table, chance, days, flags, shipped, stage_rng, words
from training.world.entities import DOCTOR_NAMES
from training.world.history import findings
from training.world.people import ILLNESSES, TYPOLOGIES
from training.world.world import World
from triage.flags import WEIGHT, flag_columns

Progress = Callable[[str], None]


def make_world(claims: int, seed: int, assumptions: Assumptions | None = None, progress: Progress = lambda _: None) -> World:
    """A world of so many claims. Raises ValueError for fewer than one."""
    if claims < 1:
        raise ValueError(f"claims={claims}: 至少一个案件 / at least one claim")
    a = assumptions or Assumptions.load()
    c, table = _draw(claims, seed, a, progress)
    c = {name: column[c["order"]] for name, column in c.items() if name != "order"}
    hospitals = entities.make_hospitals(stage_rng(0, 1))
    progress("entities")
    c |= entities.draw_entities(stage_rng(seed, 20), c, table, hospitals, a)
    c["department"] = entities.draw_department(stage_rng(seed, 21), c)
    c |= _words_of(stage_rng(seed, 25), c, a)
    c |= facts.staff_answers(stage_rng(seed, 22), c, hospitals, a)
    c |= papers.draw_rounds(stage_rng(seed, 23), c, a)
    c["complaint_tells"] = history.complaint_tells(c)
    progress("links")
    c["early_claim"] = linked.is_early(c["diagnosed"] - c["effective"] - timing.WAITING)
    c["pathology_number"] = linked.pathology_numbers(stage_rng(seed, 24), c)
    c |= linked.link_facts(c)
    return _tables(c, hospitals, seed, a, progress)


def _draw(n: int, seed: int, a: Assumptions, progress: Progress) -> tuple[Table, Table]:
    """Members, schemes, days, illness and history; `order` is the order of filing."""
    progress("members")
    typology = people.draw_typology(stage_rng(seed, 1), n, a)
    plan = people.draw_plan(stage_rng(seed, 2), typology, a)
    ringed, table = rings.draw_rings(stage_rng(seed, 3), typology, plan, a)
    c: Table = {"typology": typology, "plan": plan, **ringed}
    c |= people.draw_illness(stage_rng(seed, 4), plan, typology, c["chosen"])
    progress("schemes")
    c["filed"] = timing.draw_filing(stage_rng(seed, 5), c, table, a)
    c["late"] = (c["filed"] - timing.START) / timing.span_days(a)
    c |= history.draw_history(stage_rng(seed, 6), c, a)
    c["intent"] = signs.draw_intent(stage_rng(seed, 7), typology, c["breach"], c["late"], a)
    behind = signs.classes(typology, c["intent"])
    drawn = signs.draw_signs(stage_rng(seed, 8), behind, c["ring"] >= 0, c["late"], a)
    c |= drawn
    progress("illness")
    c |= timing.draw_dates(stage_rng(seed, 9), c, a)
    c["side"] = stage_rng(seed, 10).integers(0, 2, n)
    c["version"] = facts.version(c)
    c["edition"] = facts.edition(c)
    c |= illness.draw_illness_facts(stage_rng(seed, 11), c, a)
    c |= facts.slips(stage_rng(seed, 12), c, a)
    c |= facts.finding_meaning(c)
    c["told"] = history.told(stage_rng(seed, 13), c, a)
    c["filed_at"] = c["filed"].astype(np.int64) * 86_400 + stage_rng(seed, 14).integers(0, 86_400, n)
    c["order"] = np.lexsort((stage_rng(seed, 15).random(n), c["filed_at"]))
    return c, table


def _words_of(rng: np.random.Generator, c: Table, a: Assumptions) -> Table:
    """Language, and the seed of every claim's wording; some papers of a ring repeat another's."""
    n = len(c["plan"])
    own, ring = rng.integers(0, 2**31, n), rng.integers(0, 2**31, int(c["ring"].max()) + 2)
    copied = (c["ring"] >= 0) & chance(rng, a["ring_text_copy"], n)
    return {"style_seed": np.where(copied, ring[c["ring"]], own), "english": chance(rng, a["english_share"], n).astype(np.int8)}


def _ids(rng: np.random.Generator, n: int, prefix: str) -> pl.Series:
    """Ids that tell nothing: distinct numbers in random order."""
    drawn = rng.permutation(np.arange(n)) * 7 + rng.integers(0, 7, n)
    return (prefix + pl.Series(drawn).cast(pl.String).str.zfill(9)).rename("claim_id")


def _times(name: str, seconds: Array) -> pl.Series:
    """Seconds since 1970 in Shanghai as a naive local time; below 0 unknown."""
    moments = pl.Series(name, np.maximum(seconds, 0).astype(np.int64) * 1_000_000).cast(pl.Datetime("us"))
    return pl.select(pl.when(pl.Series(seconds >= 0)).then(moments)).to_series().rename(name)


def _tables(c: Table, hospitals: entities.Hospitals, seed: int, a: Assumptions, progress: Progress) -> World:
    n = len(c["plan"])
    ids, members = _ids(stage_rng(seed, 30), n, "w"), _ids(stage_rng(seed, 31), n, "m")
    d = facts.derived(c)
    v = verdicts.judge(c, d)
    truth = handling.truth(stage_rng(seed, 32), c, d, v, a)
    told = _told(c, seed, members)
    mask = int(stage_rng(seed, 33).integers(1, 2**31))
    keys = linked.texts(c, hospitals, members, told["doctor"], mask)
    told = told.with_columns(keys[kind].alias(kind) for kind in ("phone", "device", "account", "agent", "address"))
    told = told.with_columns(keys["pathology_number"].str.split("|").list.last().alias("number"))
    progress("facts")
    frame = facts.as_frame(c, d, {k: c[k] for k in c if k.startswith("links.")}, ids)
    weight = flag_columns(frame, facts.knowledge())[WEIGHT].to_numpy()
    progress("decisions")
    lane = handling.lanes(stage_rng(seed, 34), c, v, weight, a)
    decided = handling.decide(stage_rng(seed, 35), c, v, truth, lane, a)
    filed_at, papers_at = _times("filed_at", c["filed_at"]), _times("seen_at", decided["papers_at"])
    links = linked.long_table(c, keys, ids, filed_at.rename("seen_at"), papers_at)
    outcomes = _outcomes(ids, filed_at, v, lane, decided, weight)
    attributes = _attributes(c, d, v, hospitals, ids, filed_at)
    return World(seed, a, frame, attributes, links, outcomes, _latent(c, truth, ids), told, hospitals.frame)


def _outcomes(ids: pl.Series, filed_at: pl.Series, v: Table, lane: Table, o: Table, weight: Array) -> pl.DataFrame:
    return pl.DataFrame(
        [
            ids,
            filed_at,
            words("lane", lane["lane"], handling.LANES),
            pl.Series("propensity", lane["propensity"]),
            flags("investigated", lane["investigated"].astype(int)),
            flags("found", o["found"]),
            flags("refused", o["refused"]),
            _times("label_known_at", o["label_known_at"]),
            pl.Series("investigation_cost", o["investigation_cost"]),
            pl.Series("investigation_days", o["investigation_days"]),
            ("r" + pl.Series(o["reviewer"]).cast(pl.String)).rename("reviewer"),
            pl.Series("second_reviewer_agrees", o["second_reviewer_agrees"]),
            pl.Series("appealed", o["appealed"]),
            pl.Series("overturned", o["overturned"]),
            _times("decided_at", o["decided_at"]),
            pl.Series("paid", o["paid"]),
            pl.Series("passes_rules", v["passes_rules"]),
            pl.Series("flag_weight", weight),
        ]
    )


def _attributes(c: Table, d: Table, v: Table, hospitals: entities.Hospitals, ids: pl.Series, filed_at: pl.Series) -> pl.DataFrame:
    where = c["hospital"].astype(np.uint32)
    return pl.DataFrame(
        [
            ids,
            filed_at,
            words("sex", c["sex"], ("F", "M")),
            pl.Series("age", d["age_at_diagnosis"]),
            words("region", c["home"], entities.REGIONS),
            hospitals.frame["city"].gather(where),
            hospitals.frame["name"].gather(where).rename("hospital"),
            pl.Series("hospital_level", c["hospital.level"]),
            words("language", c["english"], ("zh", "en")),
            _claimed(c),
            pl.Series("amount", v["amount"]),
            days("joined_on", c["joined"]),
            pl.Series("first_papers_share", c["first_share"]),
        ]
    )


def _claimed(c: Table) -> pl.Series:
    """The words of the form for the disease."""
    data = shipped("clinical")["illnesses"]
    every = list(dict.fromkeys(w for i in ILLNESSES for lang in ("zh", "en") for w in data[i]["claimed"][lang]))
    lists = [[[every.index(w) for w in data[i]["claimed"][lang]] for lang in ("zh", "en")] for i in ILLNESSES]
    place = np.zeros(len(c["illness"]), dtype=int)
    for number in range(len(ILLNESSES)):
        for english in (0, 1):
            mine = (c["illness"] == number) & (c["english"] == english)
            options = np.array(lists[number][english])
            place[mine] = options[c["style_seed"][mine] % len(options)]
    return words("diagnosis_claimed", place, every)


def _latent(c: Table, truth: Table, ids: pl.Series) -> pl.DataFrame:
    return pl.DataFrame(
        [
            ids,
            words("typology", c["typology"], TYPOLOGIES),
            pl.select(pl.when(pl.Series(c["ring"] >= 0)).then(pl.Series(c["ring"]))).to_series().rename("ring_id"),
            pl.Series("wave", c["wave"]),
            pl.Series("breach", c["breach"]),
            words("intent", c["intent"], signs.INTENTS),
            pl.Series("payable", truth["payable"]),
            pl.Series("would_be_refused", truth["would_be_refused"]),
            pl.Series("p_refused", truth["p_refused"]),
            words("illness", c["illness"], ILLNESSES),
            words("past_finding", c["past"], findings()),
            days("past_on", c["past_on"]),
            days("onset", c["began"]),
        ]
    )


def _told(c: Table, seed: int, members: pl.Series) -> pl.DataFrame:
    """What papers may say beyond the facts; nothing here names a scheme."""
    rng = stage_rng(seed, 36)
    n = len(c["plan"])
    past = np.where(c["told"], c["past"], -1)
    return pl.DataFrame(
        [
            members.rename("member_id"),
            pl.Series("seed", c["style_seed"]),
            words("doctor", c["doctor"] % DOCTOR_NAMES, _doctor_names()),
            pl.Series("name_seed", rng.integers(0, 2**31, n)),
            words("illness", c["illness"], ILLNESSES),
            words("department", c["department"], illness.DEPARTMENTS),
            days("left_on", c["left"]),
            days("biopsy_on", c["biopsy_on"]),
            days("imaged", c["imaged"]),
            words("past_told", past, findings()),
            days("past_told_on", np.where(c["told"], c["past_on"], NA)),
            pl.Series("rounds", np.ascontiguousarray(c["rounds"].astype(np.int8))),
            pl.Series("wrong_person", c["wrong_person"] == 1),
        ]
    )


def _doctor_names() -> list[str]:
    data = shipped("places")
    return [f"{s}{g}" for g in data["given"] for s in data["surnames"]]
