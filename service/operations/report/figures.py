"""How many reports stand where, and how long the oldest has gone unreported: what an alarm watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.domain.safety_report import State
from service.operations.report.attention import UNREPORTED, count_held_back
from service.operations.report.listing import Filters, list_cases
from service.operations.report.strays import count_strays
from service.operations.searching.dates import span
from service.yellow_card.reportability import REPORTED

if TYPE_CHECKING:
    from datetime import datetime

    from service.operations.ports import Records

_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Figures:
    """``states`` counts every state, at nought too. ``oldest`` is in whole days, 0 where none is unreported.

    ``undecided`` counts the events of which it is not known whether they are to be reported; ``strays`` the
    acknowledgements that could not be joined and nobody has looked into; ``held`` the reports that a text
    holds back which may identify the patient.
    """

    states: dict[str, int]
    undecided: int
    oldest: int
    strays: int
    held: int


def count_reports(records: Records, now: datetime) -> Figures:
    """The figures as they stand."""
    reported = tuple(str(one) for one in REPORTED)

    def total(filters: Filters) -> int:
        return list_cases(records, filters, now, count=1).total

    states = {str(state): total(Filters((str(state),), reported)) for state in State}
    undecided = total(Filters(tuple(str(one) for one in UNREPORTED), ("unknown",)))
    oldest = _oldest(records, now, reported)
    return Figures(states, undecided, oldest, count_strays(records), count_held_back(records, now))


def _oldest(records: Records, now: datetime, branches: tuple[str, ...]) -> int:
    wanted = Filters(tuple(str(one) for one in UNREPORTED), branches)
    found = list_cases(records, wanted, now, count=1, oldest_first=True).cases
    made = span(found[0].created) if found else None
    if made is None:
        return 0
    return max(0, int(now.timestamp() * 1_000_000) - made[0]) // _DAY
