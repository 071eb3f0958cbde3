"""Which registered hospital a name means, as people write it: one, several, or none.

A wrong hospital is worse than none: numbers, places and short names are never guessed over. The index is built once per rulebook.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from knowledge_graph.libraries import Hospital
from knowledge_graph.loader import Knowledge

_PARENTHESES = re.compile(r"\((.*?)\)")
_SEPARATORS = re.compile(r"[、,/;]")
_BRANCH = re.compile(
    r"(?:[东西南北新老总]院区?|本部|住院部|门诊部|急诊部|.{0,6}院区|分院|病理科|体检中心|(?:乳腺|甲乳|普通?|胸|神经|肿瘤|妇|心血管内|消化内|呼吸内|血液|肾内|儿|骨)[外内]?科)$"
)
_ATTACHED = re.compile(r"附属第([一二三四五六七八九十]+)医院")
_NUMERALS = frozenset("一二三四五六七八九十0123456789东西南北")
_KEEP = 4
"""A typo is never looked for in the first characters, where the place stands."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The hospitals a name may mean, and how it was understood: exact, alias, branch, form, typo, or none."""

    hospitals: tuple[Hospital, ...]
    how: str

    @property
    def hospital(self) -> Hospital | None:
        """The one hospital, where it is one."""
        return self.hospitals[0] if len(self.hospitals) == 1 else None


def normal(name: str) -> str:
    """Full width made half, blanks dropped, letters that stand for a zero made one."""
    text = "".join(unicodedata.normalize("NFKC", name).split()).lower()
    return re.sub("[〇零o](?=[一二三四五六七八九十0-9])", "0", text)


def _shapes(name: str) -> Iterator[str]:
    """A name in the forms that mean the same: without its province or 市, 第一附属医院 for 附属第一医院."""
    plain = _ATTACHED.sub(r"第\1附属医院", name)
    yield plain
    shorter = re.sub(
        r"^(?:.{2,3}省|内蒙古自治区|广西壮族自治区|宁夏回族自治区|新疆维吾尔自治区|西藏自治区|北京市|上海市|天津市|重庆市)(?=.{5})",
        "",
        plain,
    )
    yield shorter
    for text in (plain, shorter):
        yield re.sub(r"^(.{2,4})市(?=.{3})", r"\1", text)


@dataclass(frozen=True)
class _Index:
    exact: dict[str, list[Hospital]]
    forms: dict[str, list[Hospital]]
    by_length: dict[int, list[str]]


_indexes: dict[str, _Index] = {}


def _index(knowledge: Knowledge) -> _Index:
    """Built once per rulebook digest."""
    if knowledge.digest not in _indexes:
        _indexes.clear()
        _indexes[knowledge.digest] = _build(knowledge.hospitals.values())
    return _indexes[knowledge.digest]


def _build(hospitals: Iterable[Hospital]) -> _Index:
    exact: dict[str, list[Hospital]] = {}
    forms: dict[str, list[Hospital]] = {}
    for hospital in hospitals:
        whole = normal(hospital.name)
        bare = _PARENTHESES.sub("", whole)
        aliases = [a for part in _PARENTHESES.findall(whole) for a in _SEPARATORS.split(part) if len(a) > 3]
        for key in dict.fromkeys((whole, bare, *aliases)):
            exact.setdefault(key, []).append(hospital)
            for form in dict.fromkeys(_shapes(key)):
                forms.setdefault(form, []).append(hospital)
    by_length: dict[int, list[str]] = {}
    for form in forms:
        by_length.setdefault(len(form), []).append(form)
    return _Index(exact, forms, by_length)


def resolve(name: str, knowledge: Knowledge, place: str | None = None) -> Resolved:
    """The hospitals a written name may mean; `place` (a city or district) chooses among several."""
    index = _index(knowledge)
    written = normal(name)
    if len(written) < 3:
        return Resolved((), "none")
    for how, found in _tries(written, index):
        if found:
            return Resolved(_placed(tuple(dict.fromkeys(found)), place), how)
    return Resolved((), "none")


def _tries(written: str, index: _Index) -> Iterator[tuple[str, list[Hospital]]]:
    yield "exact", index.exact.get(written, [])
    bare = _PARENTHESES.sub("", written)
    cut = _BRANCH.sub("", bare)
    for how, text in (("branch", bare), ("branch", cut)):
        yield how, index.exact.get(text, [])
    yield "part", _within(cut, index)
    for text in (bare, cut):
        yield "form", [h for form in _shapes(text) for h in index.forms.get(form, [])]
    yield "typo", _typo(cut, index)


def _within(text: str, index: _Index) -> list[Hospital]:
    """A generic name, such as 第一人民医院, may be any that ends with it."""
    if len(text) > 7 or not text.endswith(("医院", "保健院", "中医院")):
        return []
    found = [h for form, hs in index.forms.items() if form.endswith(text) for h in hs]
    return found if len(set(found)) > 1 else []


def _typo(text: str, index: _Index) -> list[Hospital]:
    """One wrong character, past the place, that is no number: only where a single name is that near."""
    if len(text) < 6:
        return []
    near: list[str] = []
    for shape in dict.fromkeys(_shapes(text)):
        for form in index.by_length.get(len(shape), []):
            if form[:2] == shape[:2] and Levenshtein.distance(form, shape, score_cutoff=1) == 1 and _harmless(form, shape):
                near.append(form)
    found = list(dict.fromkeys(h for form in near for h in index.forms[form]))
    return found if len(found) == 1 else []


def _harmless(form: str, shape: str) -> bool:
    place = next(i for i, (a, b) in enumerate(zip(form, shape, strict=True)) if a != b)
    return place >= min(_KEEP, len(form) - 4) and not {form[place], shape[place]} & _NUMERALS


def _placed(found: tuple[Hospital, ...], place: str | None) -> tuple[Hospital, ...]:
    if place is None or len(found) < 2:
        return found
    here = tuple(h for h in found if place in h.city or place in h.region or place in h.name)
    return here or found
