"""A search as SQL. Each condition is a set of record ids from the search values; the page is cut by keys.

Paging goes by the sort keys of the last record shown, so that records made meanwhile neither repeat nor
hide others (R4 ``http.html#paging``).
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from service.adapters.records.tables import record, value, version
from service.domain.errors import Refused
from service.operations.searching.parameters import Kind, parameters

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from service.operations.searching.query import Condition, Query, Value


@dataclass(frozen=True, slots=True)
class Selection:
    """The statements of a search. The last ``keys`` columns of a row are its place in the order."""

    page: Select[Any]
    count: Select[Any]
    keys: int


def select_records(query: Query) -> Selection:
    """The statements for one page (and one row more) and for the count of all matches."""
    wanted = [record.c.type == query.type, record.c.method != "DELETE"]
    wanted += [_condition(query.type, condition) for condition in query.conditions]
    order = [(_sort_key(query.type, name), descending) for name, descending in query.sort]
    if not order:
        order = [(record.c.updated, False)]
    order.append((record.c.id, False))
    labelled = [key.label(f"key{place}") for place, (key, _) in enumerate(order)]
    page = (
        select(version, *labelled)
        .join(record, and_(record.c.type == version.c.type, record.c.id == version.c.id,
                           record.c.version == version.c.version))
        .where(*wanted)
        .order_by(*(key.desc() if descending else key.asc() for key, descending in order))
        .limit(query.count + 1)
    )  # fmt: skip
    if query.cursor is not None:
        page = page.where(_after(order, read_cursor(query.cursor, len(order))))
    return Selection(page, select(func.count()).select_from(record).where(*wanted), len(order))


def cursor(keys: tuple[Any, ...]) -> str:
    """The text that stands for a place in an order."""
    return urlsafe_b64encode(json.dumps(keys).encode()).decode()


def read_cursor(text: str, length: int) -> list[Any]:
    """The place that a cursor stands for; Refused if it is not one of ours."""
    try:
        keys = json.loads(urlsafe_b64decode(text.encode()))
    except (ValueError, binascii.Error, RecursionError):
        keys = None
    if (
        not isinstance(keys, list)
        or len(keys) != length
        or not all(isinstance(key, (str, int)) for key in keys)
        or any(isinstance(key, int) and abs(key) > 2**62 for key in keys)
    ):
        raise Refused("'_cursor' is not one that this service gave; start the search again")
    return keys


def _after(order: list[tuple[ColumnElement[Any], bool]], keys: list[Any]) -> ColumnElement[bool]:
    steps = []
    for place, (key, descending) in enumerate(order):
        same = [order[before][0] == keys[before] for before in range(place)]
        beyond = key < keys[place] if descending else key > keys[place]
        steps.append(and_(*same, beyond))
    return or_(*steps)


def _sort_key(type_: str, name: str) -> ColumnElement[Any]:
    if name == "_id":
        return record.c.id
    if name == "_lastUpdated":
        return record.c.updated
    dated = parameters(type_)[name].kind is Kind.DATE
    first = (
        select(func.min(value.c.low if dated else value.c.value))
        .where(value.c.type == record.c.type, value.c.id == record.c.id, value.c.parameter == name)
        .scalar_subquery()
    )
    return func.coalesce(first, 0 if dated else "")


def _condition(type_: str, condition: Condition) -> ColumnElement[bool]:
    if condition.parameter == "_id" and condition.modifier != "missing":
        met = record.c.id.in_([one.value for one in condition.values])
        return ~met if condition.modifier == "not" else met
    if condition.parameter == "_lastUpdated" and condition.modifier != "missing":
        return or_(*(_date(one, record.c.updated, record.c.updated) for one in condition.values))
    name = condition.parameter + (":identifier" if condition.modifier == "identifier" else "")
    held = select(value.c.id).where(value.c.type == type_, value.c.parameter == name)
    if condition.modifier == "missing":
        absent = condition.parameter not in ("_id", "_lastUpdated")
        lacks = record.c.id.not_in(held) if absent else record.c.id != record.c.id
        return lacks if condition.values[0].value == "true" else ~lacks
    held = held.where(or_(*(_value(condition, one) for one in condition.values)))
    return record.c.id.not_in(held) if condition.modifier == "not" else record.c.id.in_(held)


def _value(condition: Condition, one: Value) -> ColumnElement[bool]:
    match condition.kind:
        case Kind.DATE:
            return _date(one, value.c.low, value.c.high)
        case Kind.STRING if condition.modifier == "exact":
            return value.c.system == one.value
        case Kind.STRING if condition.modifier == "contains":
            return value.c.value.contains(one.value, autoescape=True)
        case Kind.STRING:
            return value.c.value.startswith(one.value, autoescape=True)
        case Kind.URI if condition.modifier == "below":
            stem = (one.value or "").rstrip("/")
            return or_(value.c.value == one.value, value.c.value.startswith(f"{stem}/", autoescape=True))
    parts = []
    if one.value is not None:
        parts.append(value.c.value == one.value)
    if one.system is not None:
        parts.append(value.c.system == one.system)
    return and_(*parts)


def _date(one: Value, low: ColumnElement[int], high: ColumnElement[int]) -> ColumnElement[bool]:
    """The SQL twin of ``operations.searching.matching.date_holds``."""
    within = and_(low >= one.low, high <= one.high)
    match one.prefix:
        case "ne":
            return ~within
        case "gt":
            return high > one.high
        case "lt":
            return low < one.low
        case "ge":
            return or_(high > one.high, low >= one.low)
        case "le":
            return or_(low < one.low, high <= one.high)
        case "sa":
            return low > one.high
        case "eb":
            return high < one.low
        case "ap":
            return and_(low <= one.high, high >= one.low)
    return within
