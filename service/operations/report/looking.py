"""What there is to know of a case beside the report: where it goes, what it lacks, what may identify."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.domain.safety_report import Branch
from service.operations.report import patients
from service.operations.report.clearing import open_hits
from service.yellow_card.fields import missing, read_form
from service.yellow_card.reportability import REPORTED
from service.yellow_card.routing import route

if TYPE_CHECKING:
    from service.operations.report.cases import Case
    from service.operations.report.desk import Desk
    from service.yellow_card.deidentification import Hit
    from service.yellow_card.fields import Missing
    from service.yellow_card.routing import Route

FORM = "mappings/shared/device-report.json"


@dataclass(frozen=True, slots=True)
class Seen:
    """``missing`` are elements by name with the linkIds that fill them, minimum ones first.

    ``hits`` are what may identify the patient and nobody has dealt with. ``asks`` are the linkIds that would
    settle an unknown branch.
    """

    route: Route | None
    missing: tuple[Missing, ...]
    hits: tuple[Hit, ...]
    asks: tuple[str, ...] = ()


def look(desk: Desk, case: Case) -> Seen:
    """What there is to know of the case as it stands."""
    report = case.report
    asks: tuple[str, ...] = ()
    if report.branch is Branch.UNKNOWN:
        asks = tuple(one.group.suspects for one in desk.fields if one.group.suspects)
    return Seen(
        route(desk.routes, report, desk.site),
        lacking(desk, case),
        open_hits(case, patients.recall(desk.records, case.subject)),
        asks,
    )


def lacking(desk: Desk, case: Case) -> tuple[Missing, ...]:
    """What the report lacks, minimum elements first; nothing of one that does not leave the house."""
    table = desk.content.data.get(FORM)
    if table is None or case.report.branch not in REPORTED:
        return ()
    return missing(case.report, read_form(table))
