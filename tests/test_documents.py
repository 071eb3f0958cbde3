"""Papers: deterministic, complete, telling the facts of their story, in seen and unseen styles that share no wording."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import pairwise
from math import log
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stories import DISEASES, TYPES, story
from training.documents import disease_of, masked, measured, papers_of, required_papers, write
from training.documents.book import LANGUAGES, POOLS, digests, files
from training.documents.grammar import Grammar, GrammarError
from training.documents.noise import CONFUSED
from training.documents.styles import StyleError, style_of
from training.documents.writing import body as body_of
from training.documents.writing import draft
from training.world.story import Paper, PastFinding
from triage.claim import Claim

MARKS = re.compile(r"[{}‹›§‖]|\(side\)|：\s*[，。；]|None")
FROZEN: dict[str, str] = {
    "en_unseen/all.yaml": "0af9ebe7f2f326b6b85504fcdd7a5484ff4e5837c701cba665bb9c7d595cb15e",
    "zh_unseen/papers.yaml": "23ed0885918c30474c0fef7156cb26d2b98a07578571bcf3157625796dad5957",
    "zh_unseen/terms.yaml": "6386c118bec9c998224064838343cfcbdc5b66619ac4384dab16f467612ed730",
}


def text_of(told: Any, kind: str, *, style: str | None = None, about: int = 0, language: str = "zh") -> str:
    """One paper's text."""
    return write(told, Paper(kind, language=language, about=about), style=style).text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("kind", TYPES)
def test_every_paper_is_written_without_gaps(kind: str, pool: str, language: str) -> None:
    """No slot stays empty outside a part that may fall away, and no mark of the grammar is left, for every disease."""
    for seed, disease in enumerate(DISEASES * 3):
        told = story(seed, disease, language=language, in_situ=disease == "breast" and seed % 2 == 0)
        telling = draft(told, next(paper for paper in told.papers if paper.evidence_type == kind), pool)
        text = telling.style.laid_out(body_of(telling))
        assert telling.blanks == [], f"{disease}: {telling.blanks}"
        assert not MARKS.search(text), text


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(DISEASES), st.sampled_from(LANGUAGES), st.sampled_from([None, *POOLS, "any"]))
def test_the_same_story_is_written_the_same(seed: int, disease: str, language: str, style: str | None) -> None:
    """Writing again gives the same papers; they pass as documents of a claim."""
    told = story(seed, disease, language=language, noise=0.01)
    first = papers_of(told, style=style)
    assert first == papers_of(told, style=style)
    member = {"member_id": "m", "name": told.name, "sex": told.sex, "birth_date": told.birth_date}
    claim = {"plan": told.plan, "filed_on": told.filed_on, "diagnosis_claimed": "x", "member": member, "documents": first}
    assert len(Claim.model_validate(claim).documents) == len(told.papers)


def test_papers_come_round_by_round() -> None:
    """Round 0 is what was brought at filing; every later round adds, in the story's order."""
    told = story(5, "breast")
    counts = [len(papers_of(told, rounds=n)) for n in (0, 1, 2)]
    assert counts == sorted(counts)
    assert counts[2] == len(papers_of(told)) == len(told.papers)
    received = {document.received_on for document in papers_of(told, rounds=0)}
    assert received == {told.filed_on}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("seed", range(12))
def test_a_pathology_report_tells_its_specimen(pool: str, seed: int) -> None:
    """Number, days, size, nodes, stains, stage and both names stand in the report."""
    told = story(seed, "breast")
    specimen = told.specimens[1]
    telling = draft(told, Paper("pathology_report", about=1), pool)
    text = write(told, Paper("pathology_report", about=1), style=pool).text
    plain = text.translate({ord("０") + n: str(n) for n in range(10)}).replace("\n", "")
    assert specimen.nodes is not None
    wanted = [specimen.number, telling.value("invasive_size"), str(specimen.nodes[0]), str(specimen.nodes[1]), f"{specimen.ki67_pct:g}"]
    wanted += [specimen.her2, *specimen.doctors, telling.day(specimen.collected_on), telling.day(specimen.reported_on)]
    assert [fact for fact in wanted if fact not in plain] == []
    assert f"{specimen.invasive_mm:g}" in plain or f"{(specimen.invasive_mm or 0) / 10:g}" in plain
    assert re.search(r"T2\s*p?N[01]\s*M0", plain)


@pytest.mark.parametrize("pool", POOLS)
def test_a_tumour_in_situ_is_told_as_such(pool: str) -> None:
    """No invasive extent, no word of invasive carcinoma, and the in-situ code gives an in-situ diagnosis."""
    for seed in range(12):
        told = story(seed, "breast", in_situ=True)
        report = text_of(told, "pathology_report", about=1, style=pool).replace("\n", "")
        assert "原位" in report or "导管内癌" in report
        assert "浸润性" not in report
        assert "恶性肿瘤" not in text_of(told, "diagnosis_certificate", style=pool)


@pytest.mark.parametrize("seed", range(8))
def test_clinical_papers_tell_days_codes_and_complaint(seed: int) -> None:
    """The front page tells code and stay; the form tells when it began; the summary both diagnoses."""
    told = story(seed, "breast")
    front = draft(told, Paper("medical_record_front_page"))
    page = front.style.laid_out(body_of(front)).translate({ord("０") + n: str(n) for n in range(10)})
    joined = page.replace("\n", "")
    assert told.admitted_on is not None
    for wanted in (told.icd10, told.name, front.style.day(told.admitted_on)):
        assert wanted in joined
    form = draft(told, Paper("claim_form"))
    assert form.style.day(told.complaint_began_on) in body_of(form)


def test_what_was_denied_and_known_before_is_told() -> None:
    """Past findings stand in the sections their source names, denials in the history, nothing else does."""
    on = date(2018, 3, 5)
    told = replace(
        story(3, "breast"),
        denies=("diabetes",),
        past=(PastFinding("pf_bi4a", on, "left", "history"), PastFinding("pf_gst", on, "", "checkup")),
    )
    history = text_of(told, "admission_record").replace("\n", "")
    assert re.search("BI-RADS ?[4４][Aa]", history)
    assert "糖尿病" in history
    assert "胆" not in history
    assert "胆" in text_of(told, "physical_exam_report")
    assert "4A" not in masked(text_of(replace(told, past=(), imaging=()), "admission_record"))


def test_a_heart_attack_tells_what_was_measured() -> None:
    """Troponin rises and falls around the multiple given, the echo tells the ejection fraction."""
    told = replace(story(4, "ami"), measures=(("lab.ctn_x_uln", 50.0), ("echo.lvef_pct", 41.0), ("angiography.coronary_thrombus", True)))
    markers = draft(told, Paper("cardiac_marker_report"))
    first, peak, last = (float(markers.value(f"ctn_{n}")) for n in (1, 2, 3))
    assert first < last < peak
    assert peak == pytest.approx(50 * float(markers.value("ctn_limit")), rel=0.05)
    assert "41" in text_of(told, "echocardiography_report")
    assert "血栓" in text_of(told, "angiography_report")
    assert measured(told)["lab.ctn_x_uln"] == 50.0


def test_a_stroke_tells_strength_and_activities() -> None:
    """The number of activities lost is the number told; the day of assessment is the measure's."""
    told = replace(story(4, "stroke"), measures=(("function.adl_unable_count", 3), ("function.assessed_on", date(2022, 5, 6))))
    telling = draft(told, Paper("functional_assessment"), "zh-s1")
    text = body_of(telling)
    lost = telling.value("adl_bathing")
    assert text.count(lost) == 3
    assert telling.style.day(date(2022, 5, 6)) in text


def test_measures_left_open_are_drawn_within_their_ranges() -> None:
    """What a perfect reader would find is told by `measured`, for hearts and brains; cancers draw none."""
    assert measured(story(1, "breast")) == {}
    for seed in range(30):
        assert 16 <= float(str(measured(story(seed, "ami"))["lab.ctn_x_uln"])) <= 320
        assert 0 <= float(str(measured(story(seed, "stroke"))["neuro.worst_limb_muscle_grade"])) <= 3


def wording(language: str, pool: str) -> set[str]:
    """Every line of every template of a pool that holds words of its own."""
    lines: set[str] = set()
    for path in files(language, pool):
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        for section in ("papers", "house", "hand", "free"):
            for options in (loaded.get(section) or {}).values():
                for option in [options] if isinstance(options, str) else options:
                    lines |= {line.strip() for line in str(option).split("\n")}
    return {line for line in lines if len(re.sub(r"\{[\w@]+\}|[^\w]", "", line)) >= 4}


@pytest.mark.parametrize("language", LANGUAGES)
def test_seen_and_unseen_share_no_template_line(language: str) -> None:
    """The unseen third is another way of writing, not a sample of the same."""
    seen, unseen = wording(language, "seen"), wording(language, "unseen")
    assert seen & unseen == set()
    assert len(seen) > 100
    assert len(unseen) > 50


def test_about_two_thirds_of_the_styles_are_seen() -> None:
    """And every style has a name of its own."""
    counted = {pool: [style.id for language in LANGUAGES for style in style_list(language, pool)] for pool in POOLS}
    share = len(counted["seen"]) / sum(map(len, counted.values()))
    assert 0.6 < share < 0.75
    assert len({*counted["seen"], *counted["unseen"]}) == sum(map(len, counted.values()))


def style_list(language: str, pool: str) -> list[Any]:
    """The styles of a pool."""
    return list(style_of("x", language, pool)[0].styles)


def test_the_unseen_third_is_frozen() -> None:
    """Whoever changes it must change these digests, in sight of everyone; whoever reads it while building a reader spoils the measure."""
    assert digests("unseen") == FROZEN


def test_a_hospital_keeps_its_style_and_a_doctor_their_phrases() -> None:
    """Two stories at one hospital look alike; the pool asked for is the pool used."""
    one, two = story(1, "breast"), replace(story(2, "breast"), hospital=story(1, "breast").hospital)
    styles = {style_of(told.hospital, "zh", None)[1].id for told in (one, two)}
    assert len(styles) == 1
    assert style_of("x", "zh", "unseen")[0].pool == "unseen"
    assert style_of("x", "zh", "zh-s3")[1].id == "zh-s3"
    with pytest.raises(StyleError, match="zh-s1"):
        style_of("x", "zh", "no such style")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 0.05))
def test_noise_keeps_the_length_within_bounds(seed: int, share: float) -> None:
    """At most the noisy share of characters is lost or added, and no noise means no change."""
    told = story(seed, "breast")
    clean = write(told, Paper("discharge_summary")).text
    noisy = write(told, Paper("discharge_summary", noise=share)).text
    assert abs(len(noisy) - len(clean)) <= share * len(clean) + 1
    assert write(told, Paper("discharge_summary", noise=0.0)).text == clean


def test_noise_turns_no_stain_into_its_opposite() -> None:
    """Misreadings blur a paper; signs of positive and negative are left alone."""
    assert not set("阳阴+＋未无") & {*CONFUSED.values()}
    assert not set("阳阴+＋") & set(CONFUSED)


def test_missing_pages_cut_the_tail() -> None:
    """What is left is the beginning, and not all of it."""
    told = story(9, "breast")
    whole = write(told, Paper("discharge_summary")).text
    cut = write(told, Paper("discharge_summary", pages_missing=True)).text
    assert whole.startswith(cut)
    assert 0 < len(cut) < len(whole)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("pool", POOLS)
def test_masked_papers_name_and_count_nothing(pool: str, language: str) -> None:
    """No digit, name, hospital or place of the story is left."""
    for seed in range(10):
        told = story(seed, language=language)
        for document in papers_of(told, style=pool):
            text = masked(document.text, told)
            left = {own for own in (told.hospital, told.name, told.doctor, told.id_number, told.city) if own in text}
            assert left == set(), document.evidence_type
            assert not re.search(r"[1-9１-９]", text), text


def test_masked_papers_tell_nothing_of_a_random_label() -> None:
    """A naive bag-of-characters classifier on masked papers cannot tell stories apart by a coin: the hook of the leak tests."""
    bags = [Counter("".join(masked(d.text, told) for d in papers_of(told, rounds=0))) for told in (story(n, "breast") for n in range(240))]
    labels = [n * 2654435761 % 2**32 < 2**31 for n in range(240)]
    assert abs(auc(scores(bags, labels), labels[120:]) - 0.5) < 0.16


def scores(bags: list[Counter[str]], labels: list[bool]) -> list[float]:
    """Naive Bayes log odds of the second half, learned on the first."""
    totals = {
        wanted: sum((bag for bag, label in zip(bags[:120], labels, strict=False) if label is wanted), Counter()) for wanted in (True, False)
    }
    size = {wanted: sum(count.values()) for wanted, count in totals.items()}
    odds = {
        char: log((totals[True][char] + 1) / size[True]) - log((totals[False][char] + 1) / size[False])
        for char in totals[True] | totals[False]
    }
    return [sum(odds.get(char, 0.0) * count for char, count in bag.items()) for bag in bags[120:]]


def auc(values: list[float], labels: list[bool]) -> float:
    """The share of pairs in the right order."""
    pairs = [
        (a > b) + (a == b) / 2 for a, la in zip(values, labels, strict=True) if la for b, lb in zip(values, labels, strict=True) if not lb
    ]
    return sum(pairs) / len(pairs)


def test_required_papers_are_papers_there_are() -> None:
    """Every disease has its lists, and every type on them can be written."""
    for disease in DISEASES:
        lists = required_papers(disease)
        assert {*lists.base, *lists.needed, *lists.usual} <= set(TYPES)
        assert disease_of(story(1, disease)) == disease


@pytest.mark.parametrize("template", ["a {b", "a } b", "‹ open", "‹?flag: {x|y ›"])
def test_a_broken_template_names_its_rule(template: str) -> None:
    """Brackets that do not match are found when the book is read."""
    with pytest.raises(GrammarError, match="rule_x"):
        Grammar({"house": {"rule_x": [template]}})


def test_days_in_a_paper_follow_each_other() -> None:
    """The patient is seen, admitted, operated on and discharged in this order."""
    told = story(7, "breast")
    telling = draft(told, Paper("discharge_summary"), "zh-s1")
    days = [telling.value(name) for name in ("visit_on", "admitted_on", "surgery_on", "discharged_on", "filed_on")]
    assert all(a <= b for a, b in pairwise(days))
