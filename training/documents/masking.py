"""A paper with everything taken out that names or counts: what is left may tell a house's style, and must tell nothing of a claim's truth."""

from __future__ import annotations

import re

from training.world.story import Story

_DIGITS = re.compile(r"[0-9０-９OlSBZ]*[0-9０-９][0-9０-９OlSBZbg,.，．:：/／\-—×xX*年月日时分]*")
_COUNTS = re.compile(r"[零〇一二三四五六七八九十百两半数]+(?=[年月天周日个余岁级期枚条类])|[ⅠⅡⅢⅣⅤⅥ]+[A-Ca-c]?|\b[IVX]+[A-C]?\b")
_HOSPITAL = re.compile(
    r"[一-鿿]{2,24}?(?:医院|卫生院|体检中心|门诊部|诊所|卫生服务中心)|(?:[A-Z][\w'.&-]* ){0,6}(?:Hospital|Clinic|Medical Cent(?:er|re))"
)
_MONTH = re.compile(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b")
_PERSON = re.compile(
    r"((?:姓\s*名|患\s*者|申请人|户\s*名|授权人|受检者|医\s*[师生]|者|审核|报告人|签\s*[名字章])\s*[:：]\s*)[一-鿿]{1,3}(?:某|[一-鿿])?"
    r"|((?:Name|Patient|Physician|Pathologist|Radiologist|Surgeon|Reported by|Reviewed by|Doctor|Applicant)\s*[:：]\s*)[^\n|]{1,40}?(?=\s{2}|\n|\||$)"
)


def masked(text: str, story: Story | None = None) -> str:
    """The text with hospitals as H, persons as P, months as M and every run of digits, dates and counts as 0. With the story, its own
    names and places are taken out exactly, and then those the patterns find."""
    if story is not None:
        for own, mark in _own(story):
            text = text.replace(own, mark)
    text = _HOSPITAL.sub("H", text)
    text = _PERSON.sub(lambda m: f"{m[1] or m[2]}P", text)
    return _COUNTS.sub("0", _DIGITS.sub("0", _MONTH.sub("M", text)))


def _own(story: Story) -> list[tuple[str, str]]:
    hospitals = {story.hospital, *(study.hospital for study in story.imaging), *(s.hospital for s in story.specimens)}
    people = {story.name, story.doctor, *(s.surgeon for s in story.surgeries), *(d for s in story.specimens for d in s.doctors)}
    places = {story.city, story.id_number, story.claim_id, *(s.number for s in story.specimens)}
    marked = [(own, "H") for own in hospitals] + [(own, "P") for own in people] + [(own, "0") for own in places]
    return sorted(((own, mark) for own, mark in marked if own), key=lambda pair: -len(pair[0]))
