"""Sketches of texts, and the identity number's check digit."""

from __future__ import annotations

from datetime import date

import pytest

from triage.reading.fingerprint import SIZE, fingerprint, likeness
from triage.reading.identity import identity

REPORT = "病理诊断报告 姓名：赵某 报告日期：2020-03-05 病理诊断：左乳浸润性导管癌，组织学分级Ⅱ级，肿瘤大小2.1cm，腋窝淋巴结未见癌转移（0/12）。免疫组化：ER（90%），PR（60%），HER2（1+），Ki-67（20%）。"
OTHER = "出院小结 患者因突发右侧肢体无力入院，头颅磁共振示左侧基底节区急性脑梗死，予抗血小板及调脂治疗，康复训练，好转出院，嘱定期复查血压、血脂。"


def valid(stem: str) -> str:
    """An invented number with its check digit."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return stem + "10X98765432"[sum(int(d) * w for d, w in zip(stem, weights, strict=True)) % 11]


def test_a_copied_report_stays_alike() -> None:
    """With another date, number and spacing; another paper is not alike."""
    copy = REPORT.replace("2020-03-05", "2021-11-30").replace("，", " ,")
    assert likeness(fingerprint(REPORT), fingerprint(copy)) == 1.0
    assert likeness(fingerprint(REPORT), fingerprint(REPORT.replace("赵某", "钱某某"))) > 0.8
    assert likeness(fingerprint(REPORT), fingerprint(OTHER)) < 0.1


def test_a_sketch_is_small_and_the_same_everywhere() -> None:
    """Whatever the text; an empty text is like nothing."""
    assert len(fingerprint(REPORT * 50)) <= SIZE
    assert fingerprint(REPORT) == fingerprint(REPORT)
    assert likeness(fingerprint(""), fingerprint(REPORT)) == 0.0


@pytest.mark.parametrize("wrong", ["", "1" * 17, "9" * 18, "89990219681303302X", "abc"])
def test_a_number_that_cannot_be_right_states_nothing(wrong: str) -> None:
    """Length, check digit, calendar."""
    assert identity(wrong) is None


def test_a_number_states_birth_and_sex() -> None:
    """The seventeenth digit is odd for men."""
    stated = identity(valid("89990219680703302"))
    assert stated is not None
    assert (stated.birth_date, stated.sex) == (date(1968, 7, 3), "F")
