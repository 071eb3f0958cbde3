"""Knowledge: a rulebook loads or is refused with file, id and remedy; the linter; the graph and its words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge_graph.errors import CyclicGoesTo, DuplicateId, KnowledgeError, MalformedFile, UnknownReference
from knowledge_graph.graph import RELATIONS, build, find, neighbours, node
from knowledge_graph.lint import check
from knowledge_graph.loader import Knowledge, load, load_texts, rulebook_text

Texts = dict[str, str]
HAN = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[a-z]{3,} [a-z]+")


@pytest.fixture(scope="module")
def shipped() -> Knowledge:
    """The shipped rulebook."""
    return load()


@pytest.fixture
def texts() -> Texts:
    """Its texts, to be spoilt."""
    return rulebook_text()


def edited(texts: Texts, name: str, change: Callable[[Any], None]) -> Texts:
    """The texts with one file's data changed."""
    data = yaml.safe_load(texts[name])
    change(data)
    return {**texts, name: yaml.safe_dump(data, allow_unicode=True)}


def record(data: Any, key: str, identity: str) -> dict[str, Any]:
    """One record of a library by id."""
    found: dict[str, Any] = next(r for r in data[key] if r.get("id", r.get("code")) == identity)
    return found


def refusal(texts: Texts, kind: type[KnowledgeError]) -> str:
    """The message of the refusal, checked to be in both languages."""
    with pytest.raises(kind) as refused:
        load_texts(texts)
    message = str(refused.value)
    assert HAN.search(message), message
    assert LATIN.search(message), message
    return message


def test_the_shipped_rulebook_loads_and_is_in_order(shipped: Knowledge) -> None:
    """No refusal, nothing to mend."""
    assert check(shipped) == []
    assert [stage.id for stage in shipped.stages] == ["filing", "intake", "first_review", "investigation", "second_review"]
    assert {"mutual-aid-reference", "insurer-reference"} <= set(shipped.plans)


def test_a_file_that_is_not_yaml_is_refused(texts: Texts) -> None:
    """The message names the file and the line."""
    message = refusal({**texts, "plans.yaml": "plans: [\n- {id: x"}, MalformedFile)
    assert message.startswith("plans.yaml: ")
    assert "line 2" in message


@pytest.mark.parametrize(("text", "said"), [("- a\n- b\n", "one mapping"), ("plan: []\n", "`plans`"), ("plans: {}\n", "must be a list")])
def test_a_file_of_another_shape_is_refused(texts: Texts, text: str, said: str) -> None:
    """A library is one list under its own name."""
    assert said in refusal({**texts, "plans.yaml": text}, MalformedFile)


@pytest.mark.parametrize("name", ["facts.yaml", "evidence.yaml", "stages.yaml", "staging.yaml", "hospitals.csv"])
def test_a_missing_file_is_refused(texts: Texts, name: str) -> None:
    """Nothing is assumed in its place."""
    del texts[name]
    assert refusal(texts, MalformedFile).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("name", "key", "identity"),
    [
        ("facts.yaml", "facts", "grade"),
        ("plans.yaml", "plans", "insurer-reference"),
        ("evidence.yaml", "evidence", "identity_card"),
        ("findings.yaml", "findings", "pf_bi3"),
        ("conditions.yaml", "conditions", "ami_severe"),
        ("diseases.yaml", "diseases", "D05.1"),
        ("tasks.yaml", "tasks", "t1"),
        ("rules/first_review.yaml", "rules", "waiting-period"),
    ],
)
def test_an_unknown_key_is_refused_with_file_and_id(texts: Texts, name: str, key: str, identity: str) -> None:
    """A misspelt key would otherwise be a rule that silently says less."""
    spoilt = edited(texts, name, lambda data: record(data, key, identity).update(colour="red"))
    message = refusal(spoilt, MalformedFile)
    assert message.startswith(f"{name}: {identity}: ")
    assert "colour" in message
    assert "correct or remove" in message


def test_a_bad_value_names_its_field(texts: Texts) -> None:
    """Here a kind of rule that there is not."""
    spoilt = edited(texts, "rules/intake.yaml", lambda data: record(data, "rules", "base-papers").update(kind="wish"))
    assert refusal(spoilt, MalformedFile).startswith("rules/intake.yaml: base-papers: kind: ")


def _set(key: str, identity: str, **changes: Any) -> Callable[[Any], None]:
    return lambda data: record(data, key, identity).update(changes)


DANGLING = [
    ("evidence.yaml", _set("evidence", "lab_report", supplies=["no.such"]), "lab_report"),
    ("evidence.yaml", lambda data: data["aliases"].update(old_name="no.such"), "old_name"),
    ("findings.yaml", _set("findings", "pf_bi3", breaches={"no.such": {"v1": "yes"}}), "pf_bi3"),
    ("findings.yaml", _set("findings", "pf_bi3", sources=["no.such"]), "pf_bi3"),
    ("tasks.yaml", _set("tasks", "t1", fact="no.such"), "t1"),
    ("tasks.yaml", _set("tasks", "t1", evidence_type="no.such"), "t1"),
    ("diseases.yaml", _set("diseases", "D05.1", parent="no.such"), "D05.1"),
    ("conditions.yaml", _set("conditions", "ami_severe", goes_to="no.such"), "ami_severe"),
    ("rules/intake.yaml", _set("rules", "base-papers", applies_to={"plan": "no.such"}), "base-papers"),
    ("rules/intake.yaml", _set("rules", "base-papers", applies_to={"condition": "no.such"}), "base-papers"),
    ("rules/intake.yaml", _set("rules", "base-papers", applies_to={"plan": "insurer-reference", "versions": ["no.such"]}), "base-papers"),
    ("rules/intake.yaml", _set("rules", "base-papers", tasks=["no.such"]), "base-papers"),
    ("rules/intake.yaml", _set("rules", "base-papers", when={"fact": "no.such", "is": True}), "base-papers"),
    ("rules/intake.yaml", _set("rules", "base-papers", only_if={"any_of": [{"fact": "no.such", "is": True}]}), "base-papers"),
    ("rules/intake.yaml", _set("rules", "base-papers", when={"fact": "grade", "ge": {"plan": "no.such"}}), "base-papers"),
    ("rules/intake.yaml", _set("rules", "base-papers", when={"finding": {"breaches": "no.such"}}), "base-papers"),
    ("rules/intake.yaml", _set("rules", "base-papers", when={"finding": {"before": "no.such"}}), "base-papers"),
]


@pytest.mark.parametrize(("name", "change", "identity"), DANGLING)
def test_a_dangling_id_is_refused(texts: Texts, name: str, change: Callable[[Any], None], identity: str) -> None:
    """Every reference of every library resolves; the message names the file, who refers, and what to do."""
    message = refusal(edited(texts, name, change), UnknownReference)
    assert message.startswith(f"{name}: {identity}: ")
    assert "no.such" in message
    assert "correct the id" in message


@pytest.mark.parametrize(
    "condition",
    [
        {"fact": "grade"},
        {"fact": "grade", "near": 2},
        {"fact": "grade", "starts_with": "2"},
        {"all_of": []},
        {"all_of": [{"fact": "grade", "eq": 2}], "fact": "grade"},
        {"at_least": "two", "of": [{"fact": "grade", "eq": 2}]},
        {"finding": {"colour": "red"}},
    ],
)
def test_a_malformed_condition_is_refused(texts: Texts, condition: dict[str, Any]) -> None:
    """The vocabulary of conditions is closed."""
    spoilt = edited(texts, "rules/intake.yaml", _set("rules", "base-papers", when=condition))
    assert refusal(spoilt, KnowledgeError).startswith("rules/intake.yaml: base-papers: ")


@pytest.mark.parametrize(
    ("name", "key", "identity"),
    [
        ("facts.yaml", "facts", "grade"),
        ("plans.yaml", "plans", "insurer-reference"),
        ("evidence.yaml", "evidence", "identity_card"),
        ("findings.yaml", "findings", "pf_bi3"),
        ("conditions.yaml", "conditions", "ami_severe"),
        ("diseases.yaml", "diseases", "D05.1"),
        ("tasks.yaml", "tasks", "t1"),
    ],
)
def test_an_id_given_twice_is_refused(texts: Texts, name: str, key: str, identity: str) -> None:
    """Neither of the two would be the right one."""
    spoilt = edited(texts, name, lambda data: data[key].append(record(data, key, identity)))
    message = refusal(spoilt, DuplicateId)
    assert message.startswith(f"{name}: {identity}: ")
    assert "rename or remove" in message


def test_a_rule_id_given_twice_is_refused_across_files(texts: Texts) -> None:
    """Rules share one space of ids."""
    rule = record(yaml.safe_load(texts["rules/intake.yaml"]), "rules", "base-papers")
    spoilt = edited(texts, "rules/filing.yaml", lambda data: data["rules"].append(rule))
    assert "base-papers" in refusal(spoilt, DuplicateId)


def test_conditions_that_lead_back_to_themselves_are_refused(texts: Texts) -> None:
    """The message shows the circle."""

    def circle(data: Any) -> None:
        record(data, "conditions", "ami_severe")["goes_to"] = "stroke_severe"
        record(data, "conditions", "stroke_severe")["goes_to"] = "ami_severe"

    message = refusal(edited(texts, "conditions.yaml", circle), CyclicGoesTo)
    assert message.startswith("conditions.yaml: ami_severe: ")
    assert "ami_severe -> stroke_severe -> ami_severe" in message
    assert "remove one step" in message


def test_a_chain_of_conditions_that_ends_loads(texts: Texts) -> None:
    """Going to a lesser condition is what `goes_to` is for."""
    chained = edited(texts, "conditions.yaml", _set("conditions", "ami_severe", goes_to="stroke_severe"))
    assert load_texts(chained).conditions["ami_severe"].goes_to == "stroke_severe"


def test_a_bad_row_of_the_hospitals_names_its_line(texts: Texts) -> None:
    """A level is a number."""
    lines = texts["hospitals.csv"].splitlines()
    lines[2] = lines[2].replace(",3,", ",three,", 1)
    message = refusal({**texts, "hospitals.csv": "\n".join(lines)}, MalformedFile)
    assert message.startswith("hospitals.csv: ")
    assert "line 3" in message


def test_a_folder_that_is_no_rulebook_is_refused(tmp_path: Path) -> None:
    """And so is one that is not there."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(MalformedFile, match="/"):
            load(folder)


def test_a_file_that_is_not_utf8_is_refused(texts: Texts, tmp_path: Path) -> None:
    """The message names the path."""
    (tmp_path / "plans.yaml").write_bytes("计划".encode("gb18030"))
    with pytest.raises(MalformedFile, match=r"plans\.yaml.*UTF-8"):
        load(tmp_path)


def test_a_rulebook_from_a_folder_equals_its_texts(texts: Texts, tmp_path: Path) -> None:
    """A stored snapshot and a private folder are the same rulebook when their texts are."""
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert load(tmp_path).digest == load_texts(texts).digest


def test_the_digest_changes_with_a_byte(shipped: Knowledge, texts: Texts) -> None:
    """Even where the meaning stays; and a snapshot loads to the same digest."""
    assert load_texts(texts).digest == shipped.digest
    assert load_texts({**texts, "stages.yaml": texts["stages.yaml"] + "#"}).digest != shipped.digest
    assert load_texts(dict(shipped.texts)).digest == shipped.digest


def test_the_digest_does_not_depend_on_the_order_of_files(texts: Texts) -> None:
    """File systems list as they like."""
    assert load_texts(dict(reversed(texts.items()))).digest == load_texts(texts).digest


def test_suppliers_come_cheapest_first(shipped: Knowledge) -> None:
    """What to ask for follows from cost, then delay."""
    suppliers = shipped.suppliers("diagnosis.icd10")
    assert len(suppliers) > 1
    assert [(e.cost, e.delay_days) for e in suppliers] == sorted((e.cost, e.delay_days) for e in suppliers)
    assert shipped.suppliers("no.such") == ()


def test_a_code_takes_the_behaviours_of_its_nearest_listed_parent(shipped: Knowledge) -> None:
    """Fourth and fifth characters refine; an unlisted code says nothing."""
    assert shipped.behaviours_of("C50.401") == (3, 6, 9)
    assert shipped.behaviours_of("D05") == (2,)
    assert shipped.behaviours_of("Q99") == ()


def messages(texts: Texts) -> list[tuple[str, str, str]]:
    """What the linter says beyond what it says of the shipped rulebook: file, id, English; checked to be in both languages."""
    already = check(load())
    found = [m for m in check(load_texts(texts)) if m not in already]
    assert all(HAN.search(m.zh) and m.en for m in found)
    return [(m.file, m.id, m.en) for m in found]


def test_the_linter_finds_a_fact_no_paper_can_answer(texts: Texts) -> None:
    """A rule on such a fact would stay unknown for ever."""

    def lonely(data: Any) -> None:
        data["facts"].append(
            {"id": "lonely", "type": "bool", "zh": "无人可答", "en": "nobody can tell", "source": "a test", "confidence": "low"}
        )

    asked = edited(
        edited(texts, "facts.yaml", lonely), "rules/intake.yaml", _set("rules", "base-papers", when={"fact": "lonely", "is": True})
    )
    [(file, identity, said)] = messages(asked)
    assert (file, identity) == ("facts.yaml", "lonely")
    assert "supplies" in said


def test_a_fact_no_rule_uses_needs_no_paper(texts: Texts) -> None:
    """It may simply be of interest."""
    extra = {"id": "lonely", "type": "bool", "zh": "无人问", "en": "nobody asks", "source": "a test", "confidence": "low"}
    assert messages(edited(texts, "facts.yaml", lambda data: data["facts"].append(extra))) == []


def test_the_linter_finds_a_checklist_paper_that_does_not_exist(texts: Texts) -> None:
    """`derive: {paper: ...}` names evidence types."""
    spoilt = edited(texts, "facts.yaml", lambda data: record(data, "facts", "docs.claim_form")["derive"]["paper"].append("no_such"))
    assert ("facts.yaml", "no_such") in [(file, identity) for file, identity, _ in messages(spoilt)]


@pytest.mark.parametrize("start", ["2019-05-02", "2019-04-30"])
def test_the_linter_finds_a_gap_or_overlap_between_versions(texts: Texts, start: str) -> None:
    """Each version starts the day after the one before ended."""

    def move(data: Any) -> None:
        record(record(data, "plans", "mutual-aid-reference"), "versions", "v2")["from"] = start

    [(file, identity, said)] = messages(edited(texts, "plans.yaml", move))
    assert (file, identity) == ("plans.yaml", "mutual-aid-reference")
    assert "v1" in said
    assert "v2" in said


def test_the_linter_counts_overrides(texts: Texts) -> None:
    """One rule in ten, and the kinds are no longer what they say."""

    def override(data: Any) -> None:
        for rule in data["rules"]:
            rule["overrides"] = {"false": "human_review"}

    [(file, _, said)] = messages(edited(texts, "rules/first_review.yaml", override))
    assert file == "rules/"
    assert "one rule in ten" in said


def test_every_record_is_a_node(shipped: Knowledge) -> None:
    """Of every library, with both names; the graph carries the rulebook's digest."""
    graph = build(shipped)
    named = [*shipped.facts, *shipped.plans, *shipped.evidence, *shipped.findings, *shipped.conditions, *shipped.diseases, *shipped.items]
    assert set(named) | {rule.id for rule in shipped.rules} | set(shipped.tasks) <= set(graph)
    assert graph.graph["digest"] == shipped.digest
    assert all(data["zh"] and data["en"] for _, data in graph.nodes(data=True))


def relations(shipped: Knowledge, name: str) -> set[tuple[str, str, str]]:
    """Direction, relation and other end of every edge at a node."""
    return {(row["direction"], row["relation"], row["node"]["id"]) for row in neighbours(build(shipped), name)}


@pytest.mark.parametrize(
    ("name", "edge"),
    [
        ("waiting-period", ("out", "APPLIES_AT", "first_review")),
        ("waiting-period", ("out", "USES", "days_since_effective")),
        ("days_since_effective", ("out", "DERIVES_FROM", "first_diagnosis_date")),
        ("first_diagnosis_date", ("in", "SUPPLIES", "pathology_report")),
        ("malignancy_severe", ("out", "DEFINED_BY", "malignancy-severe")),
        ("malignancy_severe", ("in", "COVERS", "mutual-aid-reference")),
        ("mutual-aid-reference", ("in", "VERSION_OF", "mutual-aid-reference:v2")),
        ("insurer-non-disclosure", ("out", "APPLIES_UNDER", "insurer-reference")),
        ("pf_bi4a", ("out", "BREACHES", "hr_nodule_unknown")),
        ("pf_bi4a", ("out", "BEARS_ON", "malignancy_severe")),
        ("C50.4", ("out", "IS_A", "C50")),
        ("t5", ("out", "ANSWERS", "inv.identity_verified")),
        ("hospital:青禾市中心医院", ("out", "LOCATED_IN", "青禾市")),
    ],
)
def test_neighbours(shipped: Knowledge, name: str, edge: tuple[str, str, str]) -> None:
    """The hinge: rule to fact to evidence, and every library with its own relations."""
    assert edge in relations(shipped, name)


def test_a_rule_with_a_finding_query_uses_the_facts_that_date_it(shipped: Knowledge) -> None:
    """The query's `before` and `closed_by` are facts too."""
    assert {("out", "USES", "membership.joined_on"), ("out", "USES", "inv.prior_breach_found")} <= relations(shipped, "hr-nodule")


def test_going_to_a_lesser_condition_is_an_edge(texts: Texts) -> None:
    """No shipped condition has one yet."""
    chained = load_texts(edited(texts, "conditions.yaml", _set("conditions", "ami_severe", goes_to="stroke_severe")))
    assert ("out", "GOES_TO", "stroke_severe") in relations(chained, "ami_severe")


def test_every_edge_has_words_in_both_languages(shipped: Knowledge) -> None:
    """A neighbour reads as a sentence; a breach carries its answer per version."""
    row = next(r for r in neighbours(build(shipped), "pf_bi3") if r["relation"] == "BREACHES")
    assert row["words"]["zh"].startswith("乳腺结节BI-RADS 3类违反健康要求")
    assert " breaches " in row["words"]["en"]
    assert row["details"] == {"v1": "conditional", "v2": "conditional", "v3": "conditional"}
    assert all(HAN.search(zh) and en for zh, en in RELATIONS.values())


def test_a_hospital_is_found_by_its_bare_name(shipped: Knowledge) -> None:
    """And what is not there is not found."""
    graph = build(shipped)
    assert find(graph, "青禾市中心医院") == "hospital:青禾市中心医院"
    assert find(graph, "no.such") is None
    with pytest.raises(KeyError):
        node(graph, "no.such")
