"""`triage read`: a paper with marks, as data and as a page; a staging table; encodings."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from triage.reading.commands import read_app
from triage.reading.encodings import decoded, repaired

TEXT = "某市医院 出院小结\n入院日期：2020-05-18\n既往史：否认糖尿病史。<script>alert(1)</script>\n出院诊断：左乳癌\n"


def run(*args: str) -> str:
    """What a command prints; it must succeed."""
    result = CliRunner().invoke(read_app, list(args))
    assert result.exit_code == 0, result.output
    return result.output


def test_a_file_in_gb18030_is_shown_with_its_marks(tmp_path: Path) -> None:
    """In the terminal, as data whose quotes are the text, and as a page in which the text is only text."""
    path = tmp_path / "paper.txt"
    path.write_bytes(TEXT.encode("gb18030"))
    assert "pf_dm2 [negated]" in run(str(path))
    data = json.loads(run("--json", str(path)))
    assert data["evidence_type"] == "discharge_summary"
    assert all(r["span"]["quote"] in TEXT and r["reader"] for r in data["read"])
    page = run(str(path), "--html")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_table_of_stages_is_checked(tmp_path: Path) -> None:
    """Stage from T and N in every row; N1 with more than three positive nodes is flagged."""
    path = tmp_path / "table.csv"
    path.write_text(
        "T_Stage ,N_Stage,6th_Stage,Tumor_Size,Regional_Node_Examined,Reginol_Node_Positive\nT1,N1,IIA,4,24,1\nT2,N1,IIB,30,20,5\n"
    )
    found = json.loads(run("tnm", "--table", str(path), "--json"))
    assert (found["rows"], found["stage_right"]) == (2, 2)
    assert found["flagged"]["N1 with more than 3 positive nodes"] == {"rows": 1, "lines": [3]}


def test_a_corpus_is_scored(tmp_path: Path) -> None:
    """One paper, all of it right."""
    (tmp_path / "one.yaml").write_text(
        "- {id: a, lang: zh, text: '出院小结\n\n  既往史：否认糖尿病史。', mentions: [{quote: 糖尿病, id: pf_dm2, assertion: negated}]}\n",
        encoding="utf-8",
    )
    lines = {line["group"]: line for line in json.loads(run("score", "--corpus", str(tmp_path), "--json"))}
    assert lines["zh finding"]["f1"] == lines["zh assertion"]["f1"] == 1.0


def test_text_decoded_wrongly_is_noticed() -> None:
    """UTF-8 read as GB18030 or Latin-1, and GB18030 read as Latin-1; sound texts in any language are left alone."""
    assert decoded(TEXT.encode("gb18030")) == decoded(TEXT.encode()) == TEXT
    assert repaired(TEXT.encode().decode("latin-1")) == TEXT
    assert repaired(TEXT.encode("gb18030").decode("latin-1")) == TEXT
    assert repaired(TEXT) is None
    assert repaired("Surgical pathology: café au lait") is None
