"""Which house prints how: the style a hospital keeps, by a hash of its name, from the seen pool, the unseen pool or both."""

from __future__ import annotations

from training.documents.book import POOLS, Book, Style, book
from training.documents.dice import key_of


class StyleError(ValueError):
    """No such style; the message lists those there are."""


def style_of(house: str, language: str, wanted: str | None) -> tuple[Book, Style]:
    """The book and style of a house. `wanted`: None or "seen" draws from the seen pool, "unseen" only from the frozen third, "any" from
    both, the id of a style takes that one. Raises StyleError."""
    offered = [(pool, style) for pool in _pools(wanted) for style in book(language, pool).styles]
    if wanted not in (None, "any", *POOLS):
        offered = [(pool, style) for pool, style in offered if style.id == wanted]
    if not offered:
        known = ["seen", "unseen", "any", *(style.id for pool in POOLS for style in book(language, pool).styles)]
        raise StyleError(f"没有样式 / no style {wanted!r} in {language}: choose one of {', '.join(known)}")
    pool, style = offered[key_of(house, "style") % len(offered)]
    return book(language, pool), style


def _pools(wanted: str | None) -> tuple[str, ...]:
    if wanted is None:
        return ("seen",)
    return (wanted,) if wanted in POOLS else POOLS
