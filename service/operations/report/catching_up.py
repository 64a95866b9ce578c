"""Events that have no report yet, because they were recorded before reports were made: found and drafted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.domain.errors import Unprocessable
from service.operations.report import cases
from service.operations.report.drafting import draft
from service.operations.searching.query import LARGEST_COUNT, Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.operations.ports import Records, Version
    from service.operations.report.desk import Desk
    from service.operations.report.drafting import Drafted


def draft_missing(desk: Desk, who: str) -> Iterator[Drafted]:
    """Each event that has no report, drafted; those of a guidance that says nothing of reports are left."""
    for event in list(without_report(desk.records)):
        try:
            yield draft(desk, event.id, who)
        except Unprocessable:
            continue


def without_report(records: Records) -> Iterator[Version]:
    """Each recorded adverse event that no case is about."""
    cursor = None
    while True:
        page = records.search(Query("AdverseEvent", count=LARGEST_COUNT, cursor=cursor))
        for event in page.versions:
            if not cases.of_event(records, event.reference):
                yield event
        cursor = page.cursor
        if cursor is None:
            return
