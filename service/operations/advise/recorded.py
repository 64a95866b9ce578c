"""Completed forms of the call's patient: those kept here, those of the EHR, and the one that counts.

A form counts if its subject is the patient, somebody completed it, and it passes the gate; the latest one is
used. Each that is not used is told of: a recorded form never disappears without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.cds.model import Unread
from service.cds.patients import Whose, identifiers_of
from service.domain.errors import Invalid, Unavailable, Unprocessable
from service.fhir.json_text import decode
from service.operations.apply import ANSWERED, latest
from service.operations.checks import check
from service.operations.representation import serve
from service.operations.searching.query import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.cds.model import Call
    from service.cds.prefetch import Part
    from service.cds.record import Record
    from service.operations.clients import Client
    from service.operations.ports import Content, Records

Resource = dict[str, Any]
FORM = "QuestionnaireResponse"
KEPT = "kept"
MOST = 20
ANOTHER = "one is about another patient than the one whose record is open, and is not used"
UNFINISHED = "one is not completed, and is not used"
UNSOUND = "one breaks the rules of its form, and is not used"
UNDECIDED = "two are equally late and differ, so that neither is used: which counts is for a person to say"
STORE = "the records kept here do not answer"


@dataclass(frozen=True, slots=True)
class Kept:
    """The patient's completed forms among the records kept here. ``fault``: why they could not be read."""

    forms: tuple[Resource, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The form that counts, with the reference that leads to it; and what is to be said of the others."""

    form: Resource | None = None
    source: str | None = None
    remarks: tuple[Unread, ...] = ()


def whose_here(call: Call, client: Client | None, identifiers: Mapping[str, str]) -> Whose:
    """How the records kept here name the call's patient.

    A relative reference is this client's patient only where the file of clients says so, or nobody was
    asked who calls; the patient's address on the client's FHIR server always is.
    """
    servers = {call.access.server} if call.access else set()
    if client is not None:
        servers |= {server.rstrip("/") for server in client.servers}
    relative = client is None or client.local_references
    return Whose(call.patient, tuple(sorted(servers)) or ("",), identifiers, relative)


def find_kept(canonical: str, whose: Whose, records: Records) -> Kept:
    """The patient's completed forms of one Questionnaire that are kept here, the newest first."""
    names = [whose.patient] if whose.relative else []
    names += [f"{server}/{whose.patient}" for server in whose.servers if server]
    asked = [("subject", ",".join(_escaped(name) for name in names))] if names else []
    asked += [
        ("subject:identifier", f"{_escaped(system)}|{_escaped(value)}")
        for system, value in (whose.identifiers or {}).items()
    ]
    found: dict[str, Resource] = {}
    try:
        for condition in asked:
            query = parse(
                FORM,
                [
                    condition,
                    ("questionnaire", _escaped(canonical)),
                    ("status", ",".join(ANSWERED)),
                    ("_sort", "-authored"),
                    ("_count", str(MOST)),
                ],
                strict=True,
            )
            for version in records.search(query).versions:
                found.setdefault(version.reference, decode(serve(version)).resource)
    except Unavailable:
        return Kept(fault=STORE)
    return Kept(tuple(found.values()))


def choose(
    part: Part, call: Call, client: Client | None, record: Record, kept: Kept, content: Content
) -> Chosen:
    """The latest sound form of the patient, of those that the part holds and those kept here."""
    key, canonical = part.key, part.form
    remarks: dict[str, Unread] = {}

    def remark(said: str) -> None:
        remarks.setdefault(said, Unread(key, part.title, said))

    if kept.fault:
        remark(kept.fault)
    here = whose_here(call, client, identifiers_of(record.patient))
    found: list[tuple[Resource, bool]] = [
        (form, True) for form in kept.forms if _counts(form, canonical, here, remark)
    ]
    found += [
        (form, False)
        for form in record.data.get(key, ())
        if _counts(form, canonical, record.whose, remark) and not _is_kept(form, kept.forms)
    ]
    sound = []
    for form, own in found:
        if own or _is_sound(form, content):
            sound.append((form, own))
        else:
            remark(UNSOUND)
    if not sound:
        return Chosen(remarks=tuple(remarks.values()))
    try:
        last = latest([form for form, _ in sound])
    except Unprocessable:
        remark(UNDECIDED)
        return Chosen(remarks=tuple(remarks.values()))
    source = f"{FORM}/{last['id']}" if last.get("id") else None
    return Chosen(last, source, tuple(remarks.values()))


def _counts(form: Resource, canonical: str, whose: Whose, remark: Any) -> bool:
    if str(form.get("questionnaire", "")).split("|")[0] != canonical:
        return False
    if not whose.names(form.get("subject")):
        remark(ANOTHER)
        return False
    if form.get("status") not in ANSWERED:
        remark(UNFINISHED)
        return False
    return True


def _is_sound(form: Resource, content: Content) -> bool:
    """Whether the form passes the gate."""
    questionnaire = content.resolve(str(form.get("questionnaire")))
    if questionnaire is None:
        return False
    try:
        issues = check(form, content, questionnaire=questionnaire)
    except Invalid:
        return False
    return not any(issue.fails for issue in issues)


def _is_kept(form: Resource, kept: Iterable[Resource]) -> bool:
    """Whether the EHR's form is one that is kept here: the same but for id and meta, or in identity."""
    return any(
        _identity(form) == _identity(one) and form.get("authored") == one.get("authored")
        if _identity(form) is not None
        else _content(form) == _content(one)
        for one in kept
    )


def _identity(form: Resource) -> tuple[Any, Any] | None:
    identifier = form.get("identifier")
    if isinstance(identifier, dict) and identifier.get("value"):
        return identifier.get("system"), identifier["value"]
    return None


def _content(form: Resource) -> Resource:
    return {name: value for name, value in form.items() if name not in ("id", "meta", "text")}


def _escaped(text: str) -> str:
    return "".join(f"\\{one}" if one in "\\,|$" else one for one in text)
