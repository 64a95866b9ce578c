"""``list``: the cases that meet a few conditions, a page at a time, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from service.operations.report.cases import TYPE, Case, of
from service.operations.searching.dates import microseconds
from service.operations.searching.parameters import Kind
from service.operations.searching.query import DEFAULT_COUNT, Condition, Query, Value
from service.operations.searching.values import reference_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.operations.ports import Records


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; an empty tuple or None asks for nothing. ``days``: made at least so long ago.

    ``seriousness``: serious, non-serious or unknown. ``event`` and ``form`` are references.
    ``flagged``: only those that a person is to look into.
    """

    states: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    seriousness: tuple[str, ...] = ()
    days: int | None = None
    event: str | None = None
    form: str | None = None
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of cases. ``total`` counts all; ``cursor`` leads to the next page."""

    cases: tuple[Case, ...]
    total: int
    cursor: str | None = None


def list_cases(
    records: Records,
    filters: Filters,
    now: datetime,
    *,
    count: int = DEFAULT_COUNT,
    cursor: str | None = None,
    oldest_first: bool = False,
) -> Listed:
    """The cases that meet every filter, the newest first."""
    order = (("created", not oldest_first),)
    query = Query(TYPE, tuple(_conditions(filters, now)), order, count, cursor)
    page = records.search(query)
    return Listed(tuple(of(one) for one in page.versions), page.total, page.cursor)


def _conditions(filters: Filters, now: datetime) -> Sequence[Condition]:
    found = [
        Condition(name, Kind.TOKEN, "", tuple(Value(None, value) for value in wanted))
        for name, wanted in (
            ("state", filters.states),
            ("branch", filters.branches),
            ("seriousness", filters.seriousness),
        )
        if wanted
    ]
    if filters.days is not None:
        at = microseconds(now - timedelta(days=filters.days))
        until = at + 999  # an instant is kept to the millisecond
        found.append(Condition("created", Kind.DATE, "", (Value(prefix="le", low=at, high=until),)))
    if filters.flagged:
        found.append(Condition("flag", Kind.STRING, "missing", (Value(value="false"),)))
    for name, reference in (("event", filters.event), ("form", filters.form)):
        if reference:
            found.append(Condition(name, Kind.REFERENCE, "", (Value(*reference_parts(reference)),)))
    return found
