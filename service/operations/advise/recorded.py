"""Completed forms of the call's patient: those kept here, those of the EHR, and the one that counts.

A form counts if its subject is the patient, somebody completed it, and it passes the gate; the latest one is
used. Each that is not used is told of: a recorded form never disappears without a word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from service.cds.model import Unread
from service.cds.patients import Whose, identifiers_of, servers_of
from service.domain.errors import Invalid, Unavailable, Unprocessable
from service.operations.apply import ANSWERED, latest
from service.operations.checks import check
from service.operations.representation import resource_of
from service.operations.searching.parameters import Kind
from service.operations.searching.query import Condition, Query, Value, parse
from service.operations.searching.values import reference_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from service.cds.model import Call
    from service.cds.prefetch import Part
    from service.cds.record import Record
    from service.operations.clients import Client
    from service.operations.ports import Content, Records, Version

Resource = dict[str, Any]
FORM = "QuestionnaireResponse"
MOST = 20
_AT_ONCE = 50
"""So many names of a patient are in one search: databases take some hundreds."""
ANOTHER = "one is about another patient than the one whose record is open, and is not used"
UNFINISHED = "one is not completed, and is not used"
MISNAMED = "one names its form otherwise than by the address under which it is published, and is not used"
UNSOUND = "one breaks the rules of its form, and is not used"
UNDECIDED = "two are equally late and differ, so that neither is used: which counts is for a person to say"
STORE = "the records kept here do not answer"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept here of the patient: completed forms, and adverse events without a report.

    ``fault``: why it could not be read.
    """

    forms: tuple[Resource, ...] = ()
    events: tuple[Resource, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The form that counts, and whether it is kept here; and what is to be said of the others."""

    form: Resource | None = None
    here: bool = False
    remarks: tuple[Unread, ...] = ()


def whose_here(call: Call, client: Client | None, identifiers: Mapping[str, str]) -> Whose:
    """How the records kept here name the call's patient.

    A relative reference is this client's patient only where the file of clients says so, or nobody was
    asked who calls; the patient's address on the client's FHIR server always is.
    """
    relative = client is None or client.local_references
    return Whose(call.patient, servers_of(call, client.servers if client else ()), identifiers, relative)


def find_kept(canonicals: Sequence[str], whose: Whose, records: Records, most: int = MOST) -> Kept:
    """The patient's completed forms of the Questionnaires that are kept here, the newest first."""
    asked = (
        ("questionnaire", ",".join(_escaped(one) for one in canonicals)),
        ("status", ",".join(ANSWERED)),
        ("_sort", "-authored"),
    )
    try:
        versions = find(FORM, whose, asked, most, records)
    except Unavailable:
        return Kept(fault=STORE)
    return Kept(tuple(resource_of(version) for version in versions))


def find(
    type_: str, whose: Whose, asked: tuple[tuple[str, str], ...], most: int, records: Records
) -> tuple[Version, ...]:
    """The records of a type that are about the patient, by reference and by identifier, each once."""
    query = _query(type_, asked, most)
    found: dict[str, Version] = {}
    for modifier, values in _about(whose):
        for at in range(0, len(values), _AT_ONCE):
            subject = Condition("subject", Kind.REFERENCE, modifier, values[at : at + _AT_ONCE])
            whole = replace(query, conditions=(subject, *query.conditions))
            for version in records.search(whole).versions:
                found.setdefault(version.reference, version)
    return tuple(found.values())


def names_of(whose: Whose) -> tuple[str, ...]:
    """The names that the subject of a record about the patient goes by (``Records.subjects``)."""
    return tuple(value.value for _, values in _about(whose) for value in values if value.value is not None)


def _about(whose: Whose) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    """The searches for what is about the patient: a modifier of ``subject`` and its values."""
    references = [whose.patient] if whose.relative else []
    references += [f"{server}/{whose.patient}" for server in whose.servers]
    return (
        ("", tuple(Value(*reference_parts(one)) for one in references)),
        ("identifier", tuple(Value(*pair) for pair in (whose.identifiers or {}).items())),
    )


@lru_cache(maxsize=64)
def _query(type_: str, asked: tuple[tuple[str, str], ...], most: int) -> Query:
    return parse(type_, [*asked, ("_count", str(most))], strict=True)


def tells_of_forms(part: Part, record: Record, kept: Kept) -> bool:
    """Whether there is a form to choose, or anything to be said of forms."""
    return bool(kept.forms or kept.fault or record.data.get(part.key))


def choose(part: Part, here: Whose, record: Record, kept: Kept, content: Content) -> Chosen:
    """The latest sound form of the patient, of those that the part holds and those kept here."""
    remarks: list[Unread] = []
    if kept.fault:
        remarks.append(Unread(part.key, part.title, kept.fault))
    found = counting(part, here, record, kept, content, remarks)
    last = None
    if found:
        try:
            last = latest([form for form, _ in found])
        except Unprocessable:
            remarks.append(Unread(part.key, part.title, UNDECIDED))
    own = any(form is last and kept_here for form, kept_here in found)
    return Chosen(last, own, tuple(dict.fromkeys(remarks)))


def counting(
    part: Part, here: Whose, record: Record, kept: Kept, content: Content, remarks: list[Unread]
) -> list[tuple[Resource, bool]]:
    """The forms that count, each with whether it is kept here; of the others the remarks tell."""

    def remark(said: str) -> None:
        remarks.append(Unread(part.key, part.title, said))

    own = replace(here, identifiers=identifiers_of(record.patient)) if kept.forms else here
    found = [(form, True) for form in kept.forms if _counts(form, part.form, own, remark)]
    for form in record.data.get(part.key, ()):
        if not _counts(form, part.form, record.whose, remark) or _is_kept(form, kept.forms):
            continue
        if _is_sound(form, content):
            found.append((form, False))
        else:
            remark(UNSOUND)
    return found


def _counts(form: Resource, canonical: str, whose: Whose, remark: Callable[[str], None]) -> bool:
    named = str(form.get("questionnaire", "")).split("|")[0]
    if named != canonical:
        if named.rpartition("/")[2] == canonical.rpartition("/")[2]:  # of other forms nothing is to be said
            remark(MISNAMED)
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
