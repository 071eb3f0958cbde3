"""Answers from the graph: every named query, in both languages, at the prompt, over HTTP and as pictures."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest
from typer.testing import CliRunner

from knowledge_graph.cli import graph_app
from knowledge_graph.export import around, exported
from knowledge_graph.graph import build
from knowledge_graph.loader import Knowledge, load, load_texts, rulebook_text
from knowledge_graph.picture import decision_path, neighbourhood, path_boxes, width_of
from knowledge_graph.queries import QUERIES, QueryError, ask

HAN = re.compile(r"[\u4e00-\u9fff]")
TYPICAL = {
    "node": {"id": "C50"},
    "neighbours": {"id": "malignancy_severe", "relation": "GOES_TO"},
    "path": {"start": "pf_bi3", "end": "breast_cancer"},
    "rules_for": {"condition": "乳腺癌", "stage": "first_review", "on": "2020-06-01", "plan": "mutual-aid-reference"},
    "asks": {"condition": "cabg", "plan": "insurer-reference", "on": "2021-06-01"},
    "evidence_for": {"fact": "days_since_effective"},
    "supplies": {"evidence": "pathology_report"},
    "breaches": {"finding": "pf_bi3"},
    "what_breaches": {"item": "hr_heart", "version": "v2"},
    "reveals": {"finding": "乳腺结节BI-RADS 3类"},
    "touches": {"id": "pathology_report"},
    "search": {"words": "breast"},
    "condition": {"id": "ami_severe", "on": "2018-01-01"},
    "editions": {"id": "ami_severe"},
    "versions": {"plan": "mutual-aid-reference"},
    "may_be_paid": {"joined": "2019-06", "finding": "BI-RADS 3", "condition": "乳腺癌", "diagnosed": "2021-03"},
    "plans_compared": {},
    "answered_by": {},
}


@pytest.fixture(scope="module")
def shipped() -> Knowledge:
    """The shipped rulebook."""
    return load()


def test_there_are_at_least_twelve_named_queries() -> None:
    assert len(QUERIES) >= 12
    assert set(TYPICAL) == set(QUERIES)


@pytest.mark.parametrize("name", TYPICAL)
def test_a_query_answers_in_both_languages(shipped: Knowledge, name: str) -> None:
    answer = ask(shipped, name, TYPICAL[name])
    json.dumps(answer, default=str)
    assert answer["words"]
    assert all(w["zh"] and w["en"] for w in answer["words"])
    assert any(HAN.search(w["zh"]) for w in answer["words"]) or name == "answered_by"


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("no_such", {}, "no such query"),
        ("node", {}, "id: "),
        ("node", {"id": "malignancy_sever"}, "malignancy_severe"),
        ("node", {"id": "C50", "colour": "red"}, "colour"),
        ("rules_for", {"condition": "cabg", "on": "June"}, "YYYY-MM-DD"),
        ("path", {"start": "C50", "end": "C51", "most": "many"}, "whole number"),
        ("breaches", {"finding": "pf_zzz"}, "finding"),
        ("asks", {"condition": "cabg", "plan": "no"}, "no such plan"),
        ("may_be_paid", {"joined": "2019", "finding": "pf_bi3", "condition": "cabg", "diagnosed": "2021-03"}, "YYYY-MM"),
    ],
)
def test_a_question_that_cannot_be_asked_says_why(shipped: Knowledge, name: str, given: dict[str, str], said: str) -> None:
    with pytest.raises(QueryError, match=re.escape(said)) as refused:
        ask(shipped, name, given)
    assert HAN.search(str(refused.value))


def test_a_path_says_the_meaning_of_each_step(shipped: Knowledge) -> None:
    steps = ask(shipped, "path", TYPICAL["path"])["paths"][0]
    assert [s["relation"] for s in steps] == ["BEARS_ON", "IS_A"]
    assert "bears on" in steps[0]["en"]


def test_birads_3_is_for_a_person_to_interpret(shipped: Knowledge) -> None:
    """Under the mutual-aid plan; the rule, version, clause, confidence and what would settle it are named in both languages."""
    answer = ask(shipped, "may_be_paid", TYPICAL["may_be_paid"])
    assert answer["verdict"] == "a_person_decides"
    assert answer["versions"] == ["v3"]
    for language in ("zh", "en"):
        told = "\n".join(w[language] for w in answer["words"])
        for part in (
            "hr-nodule",
            "v3",
            {"zh": "健康要求：性质不明结节", "en": "nodules of unknown nature"}[language],
            "medium",
            {"zh": "赔审", "en": "jury"}[language],
        ):
            assert part in told, (language, part)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"finding": "pf_bi4a"}, "breach"),
        ({"finding": "pf_bi2"}, "if_all_else_is_met"),
        ({"joined": "2021-02"}, "waiting_period"),
        ({"plan": "seniors-reference", "condition": "脑中风"}, "not_covered"),
    ],
)
def test_other_findings_dates_and_plans_answer_otherwise(shipped: Knowledge, changes: dict[str, str], verdict: str) -> None:
    assert ask(shipped, "may_be_paid", {**TYPICAL["may_be_paid"], **changes})["verdict"] == verdict


def test_the_comparison_keeps_what_is_printed(shipped: Knowledge) -> None:
    """Fourteen plans; ranges and blanks as they stand."""
    rows = {p["zh"]: p for p in ask(shipped, "plans_compared", {})["plans"]}
    assert len(rows) == 14
    assert (rows["相互宝"]["members_10k"], rows["相互宝"]["waiting_days"]) == ("10370", "90")
    assert (rows["夸克联盟"]["deposit_cny"], rows["夸克联盟"]["waiting_days"]) == ("10-90", "0-180")
    assert rows["美团互助"]["members_10k"] == "-"
    assert all(p["source"] and p["confidence"] for p in rows.values())


def test_every_fact_has_somebody_to_answer_it(shipped: Knowledge) -> None:
    assert ask(shipped, "answered_by", {})["facts"]["nobody"] == []


def test_the_code_tables_are_whole_and_every_code_reaches_a_chapter(shipped: Knowledge) -> None:
    assert (len(shipped.icd10.names), len(shipped.procedures.names)) == (47101, 17552)
    for table in (shipped.icd10, shipped.procedures):
        chapters = {c.range for c in table.chapters}
        for code in table.names:
            here: str | None = code
            while here is not None and here not in chapters:
                here = table.parent(here)
            assert here in chapters, code
    graph = build(shipped)
    assert graph.has_edge("C34", "malignancy_severe")
    assert graph.has_edge("D33.2", "brain_tumour_benign")
    assert not graph.has_edge("D33.4", "brain_tumour_benign")


def test_a_rulebook_without_code_tables_loads() -> None:
    texts = {n: t for n, t in rulebook_text().items() if n not in ("icd10.csv", "procedures.csv", "chapters.csv")}
    assert load_texts(texts).icd10.names == {}


def test_ranges_of_codes_imply_a_behaviour(shipped: Knowledge) -> None:
    assert shipped.behaviours_of("C34.900") == (3, 9)
    assert shipped.behaviours_of("C78.0") == (6,)
    assert shipped.behaviours_of("D45") == ()


@pytest.mark.parametrize("form", ["json", "graphml"])
def test_the_graph_is_exported_and_reads_back(shipped: Knowledge, form: str, tmp_path: Path) -> None:
    part = around(shipped, "pf_bi3", 2)
    text = exported(part, form)
    if form == "json":
        data = json.loads(text)
        assert len(data["nodes"]) == len(part)
        assert len(data["edges"]) == part.number_of_edges()
        return
    path = tmp_path / "graph.xml"
    path.write_text(text, encoding="utf-8")
    back = nx.read_graphml(path)
    assert set(back) == set(part)
    assert back.number_of_edges() == part.number_of_edges()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("condition", ["breast_cancer", "stroke_severe", "craniotomy"])
def test_a_decision_path_is_readable(shipped: Knowledge, condition: str, lang: str) -> None:
    """Well-formed, no box over another, every line inside its box."""
    ElementTree.fromstring(decision_path(shipped, condition, "mutual-aid-reference", date(2020, 6, 1), lang))  # noqa: S314 - our own picture
    boxes = path_boxes(shipped, condition, "mutual-aid-reference", date(2020, 6, 1), lang)
    for i, a in enumerate(boxes):
        assert all(width_of(line) <= a.width - 10 for line in a.lines), a.lines
        for b in boxes[i + 1 :]:
            assert a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y, (a, b)


def test_a_neighbourhood_is_drawn_with_what_is_left_out_counted(shipped: Knowledge) -> None:
    text = neighbourhood(shipped, "malignancy_severe", "en")
    ElementTree.fromstring(text)  # noqa: S314 - our own picture
    assert " more)" in text


def test_the_prompt_answers(tmp_path: Path) -> None:
    run = CliRunner()
    for arguments in (
        ["queries"],
        ["ask", "breaches", "finding=pf_bi3"],
        ["search", "乳腺癌"],
        ["path", "pf_bi3", "C50"],
        ["may-be-paid", "--joined", "2019-06", "--finding", "BI-RADS 3", "--condition", "乳腺癌", "--diagnosed", "2021-03"],
        ["picture", "--condition", "cabg", "--out", str(tmp_path / "a.svg")],
        ["export", "--node", "cabg", "--format", "graphml", "--out", str(tmp_path / "a.xml")],
    ):
        done = run.invoke(graph_app, arguments)
        assert done.exit_code == 0, (arguments, done.output)
    assert run.invoke(graph_app, ["ask", "node", "id=no such"]).exit_code == 1
    assert (tmp_path / "a.svg").read_text(encoding="utf-8").startswith("<svg")
