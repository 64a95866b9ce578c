"""What follows for safety reports from a submitted form: drafts made and refreshed, follow-ups, withdrawals.

Stored with the form, in one transaction.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from service.domain.errors import Unprocessable
from service.fhir.json_text import decode
from service.operations.identity import FORM
from service.operations.report import cases
from service.operations.report.drafting import draft_once, withdrawn
from service.operations.report.gathering import find_parts
from service.operations.report.pending import Pending
from service.operations.representation import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.operations.ports import Version, Write
    from service.operations.report.desk import Desk

_EVENT = "AdverseEvent"
_WITHDRAWN = "entered-in-error"


def follow_form(desk: Desk, standing: Sequence[Version]) -> list[Write]:
    """What is to be stored of reports with a form and its results as they will stand, the form first.

    PreconditionFailed, at the transaction, where others change one of the reports at the same time.
    """
    form = decode(standing[0].body).resource | {"id": standing[0].id}
    if standing[0].type != FORM or desk.fields_of(str(form.get("questionnaire", ""))) is None:
        return []
    events = [one for one in standing if one.type == _EVENT]
    if not events:
        return []
    pending = Pending(desk.records, standing)
    own = replace(desk, records=pending)
    there = [one for one in events if not one.deleted]
    if there:
        results = [one for one in standing if one.type not in (FORM, "Provenance") and not one.deleted]
        parts = find_parts(own, form, results)
        who = str(form.get("author", {}).get("display") or "the form's author")
        for one in there:
            with suppress(Unprocessable):  # an event that fills no report never holds its form back
                draft_once(own, one.id, who, parts=parts, form=standing[0].reference)
    why = (
        "the form was withdrawn as entered in error"
        if form.get("status") == _WITHDRAWN
        else "the amended form no longer says that it happened"
    )
    now = instant(desk.clock())
    for one in events:
        if one.deleted:
            _withdraw(own, one.reference, why, now)
    return list(pending.writes.values())


def _withdraw(desk: Desk, event: str, why: str, now: str) -> None:
    for case in cases.of_event(desk.records, event):
        gone = withdrawn(case, why, "the form", now)
        if gone != case:
            desk.records.commit([cases.write(replace(gone, changed=now))], desk.clock())
