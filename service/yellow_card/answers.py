"""What a part of a form answers, by a path of linkIds joined by a slash. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Resource = dict[str, Any]


def items(part: Resource, path: str | None) -> Iterator[Any]:
    """Each answer's value as the form holds it. Without a path there is none."""
    if path is None:
        return
    name, _, rest = path.partition("/")
    for item in part.get("item", ()):
        if item.get("linkId") != name:
            continue
        if rest:
            yield from items(item, rest)
        else:
            for answer in item.get("answer", ()):
                yield from (held for key, held in answer.items() if key.startswith("value"))


def groups(part: Resource, path: str | None) -> Iterator[Resource]:
    """Each repetition of the group at the path."""
    if path is None:
        return
    name, _, rest = path.partition("/")
    for item in part.get("item", ()):
        if item.get("linkId") == name:
            yield from groups(item, rest) if rest else (item,)


def values(part: Resource, path: str | None) -> Iterator[Any]:
    """Each answer as a plain value: of a coding its code, of a quantity its number; empty texts left out."""
    for held in items(part, path):
        plain = held.get("code") if isinstance(held, dict) and "value" not in held else held
        plain = plain.get("value") if isinstance(plain, dict) else plain
        if isinstance(plain, str) and not plain.strip():
            continue
        if plain is not None:
            yield plain


def value(part: Resource, path: str | None) -> Any:
    """The first answer as a plain value, or None. Whole numbers of quantities are decimals."""
    found = next(values(part, path), None)
    return Decimal(found) if isinstance(found, int) and not isinstance(found, bool) else found
