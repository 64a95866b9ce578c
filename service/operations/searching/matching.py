"""Search over resources in memory: the published content. The same rules as the records' SQL."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from service.domain.errors import Refused
from service.operations.searching.parameters import Kind
from service.operations.searching.values import entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.operations.ports import Published
    from service.operations.searching.query import Condition, Query, Value
    from service.operations.searching.values import Entry


def find(query: Query, published: Sequence[Published]) -> tuple[tuple[Published, ...], int, str | None]:
    """The page of resources that match, how many match in all, and the cursor of the next page."""
    indexed = {one.id: entries(one.resource) for one in published}
    found = [one for one in published if all(_holds(part, one, indexed[one.id]) for part in query.conditions)]
    for name, descending in reversed(query.sort):
        found.sort(key=lambda one: _key(name, one, indexed[one.id]), reverse=descending)
    start = _offset(query.cursor)
    end = start + query.count
    cursor = urlsafe_b64encode(str(end).encode()).decode() if query.count and end < len(found) else None
    return tuple(found[start:end]), len(found), cursor


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return max(0, int(urlsafe_b64decode(cursor.encode())))
    except ValueError:
        raise Refused("'_cursor' is not one that this service gave; start the search again") from None


def _key(name: str, one: Published, values: tuple[Entry, ...]) -> tuple[str, int]:
    if name == "_id":
        return (one.id, 0)
    first = next((value for value in values if value.parameter == name), None)
    return (first.value, first.low) if first else ("", 0)


def _holds(condition: Condition, one: Published, values: tuple[Entry, ...]) -> bool:
    if condition.parameter == "_id":
        return any(value.value == one.id for value in condition.values)
    name = condition.parameter + (":identifier" if condition.modifier == "identifier" else "")
    own = [value for value in values if value.parameter == name]
    if condition.modifier == "missing":
        return (condition.values[0].value == "true") == (not own)
    met = any(_meets(condition, wanted, value) for wanted in condition.values for value in own)
    return not met if condition.modifier == "not" else met


def _meets(condition: Condition, wanted: Value, own: Entry) -> bool:
    match condition.kind:
        case Kind.DATE:
            return date_holds(wanted, own.low, own.high)
        case Kind.STRING if condition.modifier == "exact":
            return own.system == wanted.value
        case Kind.STRING if condition.modifier == "contains":
            return (wanted.value or "") in own.value
        case Kind.STRING:
            return own.value.startswith(wanted.value or "")
        case Kind.URI if condition.modifier == "below":
            return own.value == wanted.value or own.value.startswith(f"{(wanted.value or '').rstrip('/')}/")
    return wanted.system in (None, own.system) and wanted.value in (None, own.value)


def date_holds(wanted: Value, low: int, high: int) -> bool:
    """Whether a span meets a date condition (R4 ``search.html#prefix``)."""
    match wanted.prefix:
        case "ne":
            return not (wanted.low <= low and high <= wanted.high)
        case "gt":
            return high > wanted.high
        case "lt":
            return low < wanted.low
        case "ge":
            return high > wanted.high or (wanted.low <= low and high <= wanted.high) or low >= wanted.low
        case "le":
            return low < wanted.low or (wanted.low <= low and high <= wanted.high) or high <= wanted.high
        case "sa":
            return low > wanted.high
        case "eb":
            return high < wanted.low
        case "ap":
            return low <= wanted.high and high >= wanted.low
    return wanted.low <= low and high <= wanted.high
