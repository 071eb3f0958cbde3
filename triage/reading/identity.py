"""The citizen identity number: its check digit, and the birth date and sex it states (GB 11643)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
LENGTH = 18


@dataclass(frozen=True, slots=True)
class Identity:
    """What a valid number states."""

    birth_date: date
    sex: str


def identity(number: str) -> Identity | None:
    """What an 18-character number states; None where its check digit or its date cannot be right."""
    text = number.upper()
    if len(text) != LENGTH or not text[:-1].isdecimal() or not text.isascii():
        return None
    if _CHECKS[sum(int(d) * w for d, w in zip(text, _WEIGHTS, strict=False)) % len(_CHECKS)] != text[-1]:
        return None
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return None
    return Identity(born, "M" if int(text[16]) % 2 else "F")
