"""How many reports stand where, and how long the oldest has gone unreported: what an alarm watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.domain.safety_report import State
from service.operations.report.listing import Filters, list_cases
from service.operations.report.strays import count_strays
from service.operations.searching.dates import span
from service.yellow_card.reportability import REPORTED

if TYPE_CHECKING:
    from datetime import datetime

    from service.operations.ports import Records

UNREPORTED = (State.DRAFT, State.READY, State.PREPARED, State.REJECTED)
"""What nobody outside has, or has refused."""
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Figures:
    """``states`` counts every state, at nought too. ``oldest`` is in whole days, 0 where none is unreported.

    ``undecided`` counts the events of which it is not known whether they are to be reported; ``strays`` the
    acknowledgements that could not be joined and nobody has looked into.
    """

    states: dict[str, int]
    undecided: int
    oldest: int
    strays: int


def count_reports(records: Records, now: datetime) -> Figures:
    """The figures as they stand."""
    reported = tuple(str(one) for one in REPORTED)

    def total(filters: Filters) -> int:
        return list_cases(records, filters, now, count=1).total

    states = {str(state): total(Filters((str(state),), reported)) for state in State}
    undecided = total(Filters(tuple(str(one) for one in UNREPORTED), ("unknown",)))
    return Figures(states, undecided, _oldest(records, now, reported), count_strays(records))


def _oldest(records: Records, now: datetime, branches: tuple[str, ...]) -> int:
    wanted = Filters(tuple(str(one) for one in UNREPORTED), branches)
    found = list_cases(records, wanted, now, count=1, oldest_first=True).cases
    made = span(found[0].created) if found else None
    if made is None:
        return 0
    return max(0, int(now.timestamp() * 1_000_000) - made[0]) // _DAY
