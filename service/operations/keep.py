"""Keeps a form as it is, without acting on it: create, conditional create, update.

What acts on a form is ``submit.py``. A form that has been submitted stands with its results, so it is
changed by submitting an amendment, never by a plain update.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.errors import Conflict, Gone, NotFound, PreconditionFailed, Refused
from service.fhir.json_text import decode
from service.operations.checks import check_form
from service.operations.ports import Write
from service.operations.searching.query import parse

if TYPE_CHECKING:
    from datetime import datetime

    from service.domain.issues import Issue
    from service.fhir.json_text import Document
    from service.operations.ports import Content, Records, Version
    from service.operations.searching.query import Query

Resource = dict[str, Any]
FORM = "QuestionnaireResponse"


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored form. ``fresh`` says that this request made it; ``issues`` are what to know of it."""

    version: Version
    fresh: bool
    issues: tuple[Issue, ...] = ()


def create(
    document: Document,
    records: Records,
    content: Content,
    *,
    id_: str,
    now: datetime,
    unless: Query | None = None,
) -> Kept:
    """The form stored under a new id, or the single one that ``unless`` finds."""
    issues = check_form(document, content)
    if unless is not None:
        there = records.search(unless)
        if there.total > 1:
            raise PreconditionFailed("If-None-Exist finds more than one form; make the condition narrower")
        if there.versions:
            return Kept(there.versions[0], fresh=False)
    write = Write(FORM, id_, document.resource, document.text.encode(), expected=0)
    return Kept(records.commit([write], now)[0], fresh=True, issues=issues)


def update(
    document: Document, records: Records, content: Content, *, id_: str, now: datetime, expected: int | None
) -> Kept:
    """The form's next version."""
    if document.resource.get("id") != id_:
        raise Refused(f"the form's id must be '{id_[:64]}', as in the address", expression=f"{FORM}.id")
    standing = records.read(FORM, id_)
    if standing is None:
        raise NotFound(f"there is no {FORM}/{id_[:64]} here; create it by POST, the service gives the id")
    if standing.deleted:
        raise Gone(f"{standing.reference} was deleted")
    if expected not in (None, standing.version):
        raise PreconditionFailed(
            f"{standing.reference} is at version {standing.version}, not {expected}; read it again"
        )
    issues = check_form(document, content)
    if records.search(parse("Provenance", [("target", standing.reference), ("_count", "0")])).total:
        raise Conflict(
            f"{standing.reference} has been submitted and stands with its results; "
            f"send the change to {FORM}/$submit with status amended"
        )
    require_same_subject(decode(standing.body).resource, document.resource)
    write = Write(FORM, id_, document.resource, document.text.encode(), expected=standing.version)
    return Kept(records.commit([write], now)[0], fresh=False, issues=issues)


def require_same_subject(stored: Resource, form: Resource) -> None:
    """Nothing, where a form stays about the patient that it names; else Conflict.

    Its history would hold one patient's data under another's name, where no erasure looks for it.
    """
    subject = stored.get("subject")
    if isinstance(subject, dict) and subject != form.get("subject"):
        raise Conflict(
            "the stored form is about another patient; create a new one by POST",
            expression=f"{FORM}.subject",
        )
