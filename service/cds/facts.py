"""A form pre-filled from a record for a card: its facts, and what could not be read made known.

What the record does not let be read leaves its questions unanswered; the criteria that ask for them are then
unknown, and their reasons say that the record could not be read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from service.cds.model import Fact
from service.cds.prefetch import PATIENT
from service.domain.errors import Unavailable
from service.domain.evaluation import UnknownReason
from service.fhir.forms import form_of
from service.fhir.population import Populated, Surroundings, populate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from service.cds.model import Unread
    from service.cds.prefetch import Part
    from service.cds.record import Record
    from service.domain.evaluation import Evaluation, Finding
    from service.fhirpath import Terminology

Resource = dict[str, Any]
_MOST_SOURCES = 3
NOT_GIVEN = "it was not given"


def prefill(
    questionnaire: Resource,
    parts: Iterable[Part],
    record: Record,
    now: datetime,
    terms: Terminology | None,
    source_url: str | None,
) -> Populated:
    """The form filled from the parts of the record that were read; the rest is unknown with its reason."""
    parts = tuple(parts)
    known = PATIENT in record.data or not any(part.needed for part in parts if part.kind == PATIENT)
    context: dict[str, Sequence[Resource]] = {PATIENT: [record.patient]} if known else {}
    reasons: dict[str, str] = {}
    id_ = str(record.patient["id"])
    for part in parts:
        if part.kind != "variable":
            continue
        if part.key in record.data:
            entries = [{"resource": resource} for resource in record.data[part.key]]
            bundle: Resource = {"resourceType": "Bundle", "type": "searchset"}
            context[part.key] = [bundle | {"entry": entries} if entries else bundle]
        else:
            unread = record.unread.get(part.key)
            query = part.template.replace("{{context.patientId}}", id_)
            reasons[query] = unread.reason if unread else NOT_GIVEN

    def search(query: str) -> NoReturn:
        raise Unavailable(reasons.get(query, NOT_GIVEN))

    return populate(
        questionnaire,
        context,
        Surroundings(search, now, terms),
        subject={"reference": record.whose.patient},
        source_url=source_url,
    )


def facts_of(questionnaire: Resource, populated: Populated) -> tuple[Fact, ...]:
    """Each answer that was filled in, in words, with the records behind it."""
    form = form_of(questionnaire)
    found = []
    for one in populated.filled:
        item = form.by_link[one.link_id]
        sources = one.sources[:_MOST_SOURCES]
        dates = [source.date for source in sources if source.date]
        found.append(
            Fact(
                one.link_id,
                item.text or one.link_id,
                words(one.answer),
                ", ".join([source.reference for source in sources]) or None,
                dates[0] if dates else None,
            )
        )
    return tuple(found)


def words(answer: Resource) -> str:
    """An answer's value as a clinician reads it."""
    for name, value in answer.items():
        if not name.startswith("value"):
            continue
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, dict):
            if name == "valueQuantity":
                return f"{value.get('value', '')} {value.get('unit') or value.get('code') or ''}".strip()
            for key in ("display", "code", "reference", "title", "url"):
                if isinstance(value.get(key), str):
                    return str(value[key])
            return ""
        return str(value)
    return ""


def explained(evaluation: Evaluation, unknown: Mapping[str, str], unread: Iterable[Unread]) -> Evaluation:
    """The evaluation, in which an unknown that rests on an unread part of the record says so."""
    unread = tuple(unread)
    behind = {link_id: [one for one in unread if _rests(reason, one)] for link_id, reason in unknown.items()}
    if not any(behind.values()):
        return evaluation
    findings = tuple(_explained(finding, behind) for finding in evaluation.findings)
    return replace(evaluation, findings=findings)


def _rests(reason: str, unread: Unread) -> bool:
    """Whether an expression failed because of the unread part."""
    said = NOT_GIVEN if unread.key == PATIENT else unread.reason
    return f"%{unread.key}: {said}" in reason


def _explained(finding: Finding, behind: Mapping[str, list[Unread]]) -> Finding:
    reason = finding.reason
    if reason is None:
        return finding
    found = {one.key: one for item in reason.items for one in behind.get(item, ())}
    if not found:
        return finding
    parts = "; ".join(f"{one.title}: {one.reason}" for one in found.values())
    said = f"{reason.text.rstrip('. ')}. The record could not be read ({parts})"
    return replace(finding, reason=UnknownReason(reason.code, said, reason.items))
