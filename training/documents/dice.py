"""Draws that need no generator object: a 64-bit linear congruential stream for one paper, and keyed draws that always fall alike."""

from __future__ import annotations

from hashlib import blake2b

_MASK = (1 << 64) - 1
_SPREAD = 0x9E3779B97F4A7C15


def key_of(*parts: object) -> int:
    """A 64-bit key of the parts, the same on every machine and in every process."""
    return int.from_bytes(blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


def keyed(key: int, salt: int, n: int) -> int:
    """One draw in 0..n-1 that depends on `key` and `salt` alone: a house's or a doctor's habit."""
    mixed = ((key ^ salt) * _SPREAD) & _MASK
    return (((mixed ^ (mixed >> 29)) * _SPREAD & _MASK) >> 33) % n


class Dice:
    """A stream of draws for one paper; constants are Knuth's MMIX."""

    __slots__ = ("_state",)

    def __init__(self, key: int) -> None:
        self._state = key & _MASK

    def below(self, n: int) -> int:
        """The next draw, in 0..n-1."""
        self._state = state = (self._state * 6364136223846793005 + 1442695040888963407) & _MASK
        return ((state >> 33) * n) >> 31

    def chance(self) -> float:
        """The next draw, in [0, 1)."""
        return self.below(1 << 30) / (1 << 30)
