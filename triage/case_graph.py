"""Links between claims: the same member, doctor, hospital, phone, device, account, agent, address or pathology number, asked as of a time.

A link is a (kind, key) that a claim carries since it was seen. What other members' claims share becomes observations; claims
of the same member never count against each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from knowledge_graph.loader import Knowledge
from triage.assembly import assemble
from triage.casefile import CaseFile
from triage.claim import Claim
from triage.facts import Facts
from triage.link_columns import link_columns
from triage.link_history import AGGREGATES, LinkHistory, Seen, microseconds, settings
from triage.observation import Observation, Source
from triage.pipeline import conditions_claimed, filed_observations
from triage.reading import Reader

__all__ = [
    "AGGREGATES",
    "KINDS",
    "Link",
    "LinkHistory",
    "link_columns",
    "linked_observations",
    "links_among",
    "links_of",
    "past_among",
    "settings",
]

KINDS = ("member", "doctor", "hospital", "phone", "device", "account", "agent", "address", "pathology_number")
MAX_KEY = 300


@dataclass(frozen=True, slots=True)
class Link:
    """One entity a claim carries; `early` marks a claim whose first diagnosis fell soon after the waiting period."""

    kind: str
    key: str
    claim_id: str
    member_id: str
    seen_on: date
    early: bool = False


def _plain(text: str | None) -> str:
    return "".join((text or "").split()).casefold()


def hospital_of(claim: Claim, observations: Iterable[Observation]) -> str:
    """The hospital a claim is about: the form's, else the first a pathology report names."""
    named = (str(o.value) for o in observations if o.fact == "hospital.name" and o.evidence_type == "pathology_report" and o.value)
    return claim.hospital or next(named, "")


def is_early(claim: Claim, case: CaseFile, knowledge: Knowledge, today: date) -> bool:
    """Whether the first diagnosis certainly lies 0 to N days after the waiting period (links.yaml)."""
    filed = filed_observations(claim, knowledge, conditions_claimed(claim, knowledge))
    whole = CaseFile(claim, (*filed, *case.observations), case.findings, case.papers)
    low, high = Facts(whole, knowledge, knowledge.plans[claim.plan], today).get("days_since_waiting_end").bounds()
    return low is not None and high is not None and low >= 0 and high <= int(settings()["early_days_after_waiting"])


def links_of(claim: Claim, case: CaseFile, knowledge: Knowledge, seen_on: date) -> tuple[Link, ...]:
    """Every link a claim carries. A pathology number counts within its hospital."""
    hospital = _plain(hospital_of(claim, case.observations))
    plain = {
        "member": claim.member.member_id,
        "doctor": f"{hospital}|{_plain(claim.doctor)}" if claim.doctor and hospital else "",
        "hospital": hospital,
        "phone": _plain(claim.phone),
        "device": _plain(claim.device_id),
        "account": _plain(claim.payee_account),
        "agent": _plain(claim.agent),
        "address": _plain(claim.address),
    }
    keys = [(kind, _short(key)) for kind, key in plain.items() if key]
    keys += [("pathology_number", _short(key)) for key in _pathology_numbers(hospital, case.observations)]
    early = is_early(claim, case, knowledge, seen_on)
    return tuple(Link(kind, key, claim.claim_id or "", claim.member.member_id, seen_on, early) for kind, key in keys)


def _pathology_numbers(claimed_at: str, observations: Iterable[Observation]) -> list[str]:
    """Numbers within the hospital that their own paper names and within the one claimed at: a report filed again under another
    hospital's name is still the same report. Without any hospital a number links nothing."""
    said = list(observations)
    named = {o.document: _plain(str(o.value)) for o in reversed(said) if o.fact == "hospital.name" and o.value and o.document}
    numbers = [(o.document, _plain(str(o.value))) for o in said if o.fact == "pathology.number" and o.value]
    pairs = [(hospital, number) for document, number in numbers for hospital in (named.get(document, ""), claimed_at) if hospital]
    return list(dict.fromkeys(f"{hospital}|{number}" for hospital, number in pairs))


def _short(key: str) -> str:
    """A key of any length as one that fits its column, and still differs where the keys differ."""
    return key if len(key) <= MAX_KEY else f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def linked_observations(own: Sequence[Link], others: Iterable[Link]) -> tuple[Observation, ...]:
    """What the links of other members' claims say about a claim; nothing is said where the claim carries no such entity."""
    if not own:
        return ()
    member, claim_id = own[0].member_id, own[0].claim_id
    carried = {(link.kind, link.key) for link in own}
    shared = [link for link in others if link.claim_id != claim_id and link.member_id != member and (link.kind, link.key) in carried]
    kinds = {kind for kind, _ in carried}
    found = []
    if "pathology_number" in kinds:
        found.append(Observation("links.pathology_number_elsewhere", any(s.kind == "pathology_number" for s in shared), Source.CASE_GRAPH))
    if "doctor" in kinds:
        claims = {s.claim_id for s in shared if s.kind == "doctor" and s.early}
        found.append(Observation("links.doctor_early_claims", len(claims) + own[0].early, Source.CASE_GRAPH))
    contact = set(settings()["shared_contact"])
    if kinds & contact:
        found.append(Observation("links.shared_contact", any(s.kind in contact for s in shared), Source.CASE_GRAPH))
    return tuple(found)


Told = tuple[tuple[Observation, ...], dict[str, float]]


def links_among(claims: Sequence[Claim], knowledge: Knowledge, reader: Reader) -> dict[str, tuple[Observation, ...]]:
    """For several claims at hand: what each one's links to those filed no later than itself say."""
    return {name: said for name, (said, _) in past_among(claims, knowledge, reader).items()}


def past_among(claims: Sequence[Claim], knowledge: Knowledge, reader: Reader) -> dict[str, Told]:
    """For several claims at hand: what each one's links to those filed no later than itself say, and the aggregates of its entities."""
    links = {c.claim_id or "": links_of(c, assemble(c, knowledge, reader), knowledge, c.filed_on) for c in claims}
    everything = [link for own in links.values() for link in own]
    history = LinkHistory(_entities(everything))
    return {name: _told(own, everything, history) for name, own in links.items()}


def _told(own: Sequence[Link], everything: Sequence[Link], history: LinkHistory) -> Told:
    if not own:
        return (), {}
    said = linked_observations(own, [o for o in everything if o.seen_on <= own[0].seen_on])
    at = microseconds(own[0].seen_on) + 1
    return said, history.values([(k.kind, k.key) for k in own], own[0].member_id, at)


def _entities(links: Sequence[Link]) -> dict[tuple[str, str], list[Seen]]:
    found: dict[tuple[str, str], list[Seen]] = {}
    for k in sorted(links, key=lambda k: k.seen_on):
        at = microseconds(k.seen_on)
        found.setdefault((k.kind, k.key), []).append(Seen(k.claim_id, k.member_id, at, at if k.early else None))
    return found
