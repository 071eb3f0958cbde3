"""A small grammar of papers: templates with slots, alternatives and parts that fall away when their slot is empty.

    {name}            the rule of that name, else the slot of that name
    {rule@slot}       the rule "rule.<value of slot>", else the rule "rule", else nothing
    {a|b|c}           one of these, drawn for the story: its papers do not contradict each other
    ‹ text {slot} ›   left out when a slot in it is empty; ‹?flag: text› only when the flag is set, ‹!flag: text› only when it is not

A rule stands in one of three sections: `house` (a hospital always takes the same alternative), `hand` (a doctor does), `free` (drawn).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from training.documents.dice import key_of


class GrammarError(ValueError):
    """A template cannot be understood; the message names the rule and what is wrong."""


class Voice(Protocol):
    """What a template asks while it is written: values, habits and draws."""

    blanks: list[str]

    def value(self, slot: str) -> str:
        """The words of a slot, "" when the story holds none."""

    def below(self, n: int) -> int:
        """A draw for this paper."""

    def told(self, salt: int, n: int) -> int:
        """A draw for the story: every paper of it draws alike."""

    def habit(self, scope: str, salt: int, n: int) -> int:
        """The draw a hospital (`house`) or a doctor (`hand`) always makes."""


Node = Callable[[Voice], str]
SCOPES = ("house", "hand", "free")
MAY_BE_EMPTY = frozenset({"side", "side_long", "exam_side", "exam_side_long", "specimen_side"})
"""Slots that say nothing of an organ without sides: no gap in a sentence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One named rule: alternatives and who chooses among them."""

    name: str
    scope: str
    options: tuple[Node, ...]
    salt: int

    def __call__(self, voice: Voice) -> str:
        n = len(self.options)
        if n == 1:
            return self.options[0](voice)
        chosen = voice.below(n) if self.scope == "free" else voice.habit(self.scope, self.salt, n)
        return self.options[chosen](voice)


class Grammar:
    """Rules by name. References between rules are looked up when a paper is written, so that order does not matter."""

    def __init__(self, sections: Mapping[str, Mapping[str, str | list[str]]]) -> None:
        self.rules: dict[str, Rule] = {}
        for scope, rules in sections.items():
            for name, options in rules.items():
                self._add(name, scope, [options] if isinstance(options, str) else options)

    def _add(self, name: str, scope: str, options: list[str]) -> None:
        if name in self.rules:
            raise GrammarError(f"规则重复 / rule {name} is defined twice: rename one")
        nodes = tuple(_Parser(self, name, str(option).rstrip("\n")).whole() for option in options)
        self.rules[name] = Rule(name, scope, nodes, key_of(name))

    def reference(self, name: str) -> Node:
        """The node of `{name}` or `{rule@slot}`."""
        rule, at, slot = name.partition("@")
        if at:
            return lambda voice: self.dispatched(rule, voice.value(slot), voice)
        rules = self.rules

        def named(voice: Voice) -> str:
            found = rules.get(name)
            if found is not None:
                return found(voice)
            text = voice.value(name)
            if not text and name not in MAY_BE_EMPTY:
                voice.blanks.append(name)
            return text

        return named

    def dispatched(self, rule: str, value: str, voice: Voice) -> str:
        """The rule for this value of a slot, else the general one, else nothing (which counts as an empty slot)."""
        found = self.rules.get(f"{rule}.{value}") or self.rules.get(rule)
        if found is None:
            voice.blanks.append(f"{rule}@{value}")
            return ""
        return found(voice)


def _sequence(parts: list[Node]) -> Node:
    if len(parts) == 1:
        return parts[0]
    frozen = tuple(parts)
    return lambda voice: "".join([part(voice) for part in frozen])


def _text(text: str) -> Node:
    return lambda _: text


def _pick(options: list[Node], text: str) -> Node:
    frozen, n, salt = tuple(options), len(options), key_of(text)
    return lambda voice: frozen[voice.told(salt, n)](voice)


def _when(flag: str, wanted: bool, body: Node) -> Node:
    def node(voice: Voice) -> str:
        return _unless_blank(body, voice) if bool(voice.value(flag)) is wanted else ""

    return node


def _unless_blank(body: Node, voice: Voice) -> str:
    before = len(voice.blanks)
    text = body(voice)
    if len(voice.blanks) > before:
        del voice.blanks[before:]
        return ""
    return text


class _Parser:
    """Recursive descent over one template."""

    def __init__(self, grammar: Grammar, rule: str, text: str) -> None:
        self._grammar, self._rule, self._text, self._at = grammar, rule, text, 0

    def whole(self) -> Node:
        node = self._until("")
        if self._at < len(self._text):
            raise GrammarError(f"模板括号不配对 / rule {self._rule}: unexpected {self._text[self._at]!r} in {self._text[:60]!r}")
        return node

    def _until(self, stops: str) -> Node:
        parts: list[Node] = []
        while self._at < len(self._text) and self._text[self._at] not in (stops or "}›"):
            parts.append(self._part(stops))
        return _sequence(parts) if parts else _text("")

    def _part(self, stops: str) -> Node:
        head = self._text[self._at]
        if head == "{":
            return self._braced()
        if head == "‹":
            return self._optional()
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in "{}‹›" and not (stops and self._text[self._at] in stops):
            self._at += 1
        if self._at == start:
            raise GrammarError(f"模板括号不配对 / rule {self._rule}: unexpected {head!r} in {self._text[:60]!r}")
        return _text(self._text[start : self._at])

    def _braced(self) -> Node:
        self._at += 1
        start = self._at
        options = [self._until("|}")]
        while self._take("|"):
            options.append(self._until("|}"))
        if not self._take("}"):
            raise GrammarError(f"模板缺少右括号 / rule {self._rule}: a brace is not closed in {self._text[:60]!r}")
        text = self._text[start : self._at - 1]
        return self._grammar.reference(text.strip()) if len(options) == 1 else _pick(options, text)

    def _optional(self) -> Node:
        self._at += 1
        flag, wanted = "", True
        if self._text[self._at : self._at + 1] in ("?", "!"):
            wanted = self._text[self._at] == "?"
            end = self._text.index(":", self._at)
            flag, self._at = self._text[self._at + 1 : end], end + 1
        body = self._until("›")
        if not self._take("›"):
            raise GrammarError(f"模板缺少› / rule {self._rule}: an optional part is not closed in {self._text[:60]!r}")
        return _when(flag, wanted, body) if flag else lambda voice: _unless_blank(body, voice)

    def _take(self, char: str) -> bool:
        found = self._text[self._at : self._at + 1] == char
        self._at += found
        return found
