"""A search as SQL. Each condition is a set of record ids from the search values; the page is cut by keys.

The statements of a shape of search are made once, with a parameter for everything that may differ between
two searches of that shape: to make and to read them costs ten times what the database takes to answer.

Paging goes by the sort keys of the last record shown, so that records made meanwhile neither repeat nor
hide others (R4 ``http.html#paging``).
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, and_, bindparam, func, or_, select

from service.adapters.records.tables import record, value, version
from service.domain.errors import Refused
from service.operations.searching.parameters import Kind, parameters
from service.operations.searching.query import Condition, Query, Value

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, ColumnElement, Select


@dataclass(frozen=True, slots=True)
class Selection:
    """The statements of a search, and what they are to be given.

    The last ``keys`` columns of a row are its place in the order.
    """

    page: Select[Any]
    count: Select[Any]
    keys: int
    given: dict[str, Any]


def select_records(query: Query) -> Selection:
    """The statements for one page (and one row more) and for the count of all matches."""
    given: dict[str, Any] = {"most": query.count + 1}
    for place, condition in enumerate(query.conditions):
        for at, one in enumerate(condition.values):
            given |= _given(condition, one, f"c{place}v{at}")
    page, count, keys = _statements(_shape(query))
    if query.cursor is not None:
        given |= {f"key{place}": key for place, key in enumerate(read_cursor(query.cursor, keys))}
    return Selection(page, count, keys, given)


def _shape(query: Query) -> Query:
    """The search without what its statements are given: hashable, and alike for all that share them."""
    conditions = tuple(
        Condition(
            one.parameter, one.kind, one.modifier,
            tuple(value if one.modifier == "missing" else _blank(value) for value in one.values),
        )
        for one in query.conditions
    )  # fmt: skip
    return Query(query.type, conditions, query.sort, cursor=None if query.cursor is None else "")


def _blank(value: Value) -> Value:
    return Value(
        None if value.system is None else "", None if value.value is None else "", value.prefix
    )  # fmt: skip


def _given(condition: Condition, one: Value, name: str) -> dict[str, Any]:
    """What the statements are given for one value of a condition; the names are those of ``_value``."""
    if condition.modifier == "missing":
        return {}
    if condition.kind is Kind.DATE:
        return {f"{name}low": one.low, f"{name}high": one.high}
    given: dict[str, Any] = {f"{name}system": one.system, f"{name}value": one.value}
    if condition.kind is Kind.STRING:
        start = "%" if condition.modifier == "contains" else ""
        given[f"{name}like"] = f"{start}{_escaped(one.value or '')}%"
    elif condition.modifier == "below":
        given[f"{name}like"] = f"{_escaped((one.value or '').rstrip('/') + '/')}%"
    return given


@lru_cache(maxsize=256)
def _statements(query: Query) -> tuple[Select[Any], Select[Any], int]:
    wanted = [record.c.type == query.type, record.c.method != "DELETE"]
    wanted += [
        _condition(query.type, condition, f"c{place}") for place, condition in enumerate(query.conditions)
    ]
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
        .limit(bindparam("most", type_=Integer))
    )  # fmt: skip
    if query.cursor is not None:
        page = page.where(_after(order, [bindparam(f"key{place}") for place in range(len(order))]))
    return page, select(func.count()).select_from(record).where(*wanted), len(order)


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


def _escaped(text: str) -> str:
    """The text as LIKE finds it, with a slash before what has a meaning there."""
    return text.replace("/", "//").replace("%", "/%").replace("_", "/_")


def _after(
    order: list[tuple[ColumnElement[Any], bool]], keys: list[BindParameter[Any]]
) -> ColumnElement[bool]:
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


def _condition(type_: str, condition: Condition, name: str) -> ColumnElement[bool]:
    values = [(f"{name}v{at}", one) for at, one in enumerate(condition.values)]
    if condition.parameter == "_id" and condition.modifier != "missing":
        met = record.c.id.in_([bindparam(f"{place}value") for place, _ in values])
        return ~met if condition.modifier == "not" else met
    if condition.parameter == "_lastUpdated" and condition.modifier != "missing":
        return or_(*(_date(one, record.c.updated, record.c.updated, place) for place, one in values))
    parameter = condition.parameter + (":identifier" if condition.modifier == "identifier" else "")
    held = select(value.c.id).where(value.c.type == type_, value.c.parameter == parameter)
    if condition.modifier == "missing":
        absent = condition.parameter not in ("_id", "_lastUpdated")
        lacks = record.c.id.not_in(held) if absent else record.c.id != record.c.id
        return lacks if condition.values[0].value == "true" else ~lacks
    held = held.where(or_(*(_value(condition, one, place) for place, one in values)))
    return record.c.id.not_in(held) if condition.modifier == "not" else record.c.id.in_(held)


def _value(condition: Condition, one: Value, name: str) -> ColumnElement[bool]:
    match condition.kind:
        case Kind.DATE:
            return _date(one, value.c.low, value.c.high, name)
        case Kind.STRING if condition.modifier == "exact":
            return value.c.system == bindparam(f"{name}value")
        case Kind.STRING:
            return value.c.value.like(bindparam(f"{name}like"), escape="/")
        case Kind.URI if condition.modifier == "below":
            below = value.c.value.like(bindparam(f"{name}like"), escape="/")
            return or_(value.c.value == bindparam(f"{name}value"), below)
    parts = []
    if one.value is not None:
        parts.append(value.c.value == bindparam(f"{name}value"))
    if one.system is not None:
        parts.append(value.c.system == bindparam(f"{name}system"))
    return and_(*parts)


def _date(one: Value, low: ColumnElement[int], high: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """The SQL twin of ``operations.searching.matching.date_holds``."""
    first: BindParameter[int] = bindparam(f"{name}low")
    last: BindParameter[int] = bindparam(f"{name}high")
    within = and_(low >= first, high <= last)
    match one.prefix:
        case "ne":
            return ~within
        case "gt":
            return high > last
        case "lt":
            return low < first
        case "ge":
            return or_(high > last, low >= first)
        case "le":
            return or_(low < first, high <= last)
        case "sa":
            return low > last
        case "eb":
            return high < first
        case "ap":
            return and_(low <= last, high >= first)
    return within
