"""Places in a batch, as people and rules name them: ``N.2.r[1].E.i[2].E.i.7``, counted from 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.yellow_card.e2b.elements import CASE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.yellow_card.e2b.batch import Batch
    from service.yellow_card.e2b.elements import Guide
    from service.yellow_card.e2b.values import Content


def join(place: str, number: str, index: int | None = None) -> str:
    """A place one step further: an element, or the item of a group."""
    step = number if index is None else f"{number}[{index}]"
    return f"{place}.{step}" if place else step


def items_of(content: Content, group: str) -> list[Any]:
    """The items of a group; none where something else stands in their place, which the rules report."""
    found = content.get(group)
    return found if isinstance(found, list) else []


def scopes(batch: Batch, guide: Guide) -> Iterator[tuple[str, str, Content]]:
    """Every content in a batch with its group and its place, outermost first."""
    yield "", "", batch.header
    for index, case in enumerate(batch.cases, start=1):
        yield from _inside(CASE, join("", CASE, index), case, guide)


def _inside(group: str, place: str, content: Content, guide: Guide) -> Iterator[tuple[str, str, Content]]:
    yield group, place, content
    for inner in guide.inner(group):
        for index, item in enumerate(items_of(content, inner), start=1):
            if isinstance(item, dict):
                yield from _inside(inner, join(place, inner, index), item, guide)


def lines_of(batch: Batch, guide: Guide, found: Mapping[tuple[int, str], int]) -> dict[str, int]:
    """The lines by place, from lines by content and element as the reader noted them."""
    lines: dict[str, int] = {}
    for group, place, content in scopes(batch, guide):
        for number in content:
            line = found.get((id(content), number))
            if line:
                lines[join(place, number)] = line
        for inner in guide.inner(group):
            items = items_of(content, inner)
            for index in range(1, len(items) + 1):
                line = found.get((id(items), str(index)))
                if line:
                    lines[join(place, inner, index)] = line
    return lines
