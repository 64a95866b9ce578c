"""A case as it is kept: the safety report, and beside it what never leaves the house.

The record's type is ``SafetyReport``, which ``/fhir`` does not serve. The patient is named only here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from service.domain.errors import NotFound
from service.domain.report_json import from_json, to_json
from service.domain.safety_report import State
from service.fhir.json_text import decode, encode
from service.operations.ports import Write
from service.operations.searching.parameters import Kind
from service.operations.searching.query import LARGEST_COUNT, Condition, Query, Value
from service.operations.searching.values import reference_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.domain.safety_report import SafetyReport
    from service.operations.ports import Records, Version

Resource = dict[str, Any]
TYPE = "SafetyReport"


@dataclass(frozen=True, slots=True)
class Entered:
    """What a person entered on the report in place of what the record says at the path.

    ``source`` is what the record said then: once it says something else, the entry no longer stands.
    """

    path: str
    value: Any
    source: Any
    who: str
    when: str


@dataclass(frozen=True, slots=True)
class Cleared:
    """A text that a person has looked at and says identifies nobody.

    ``digest`` is the SHA-256 of the text and of what was found in it.
    """

    path: str
    digest: str
    who: str
    when: str
    reason: str


@dataclass(frozen=True, slots=True)
class Export:
    """One file that was made of the report and is kept: ``document`` is ``DocumentReference/id``.

    ``digest`` is the file's SHA-256 in hexadecimal digits; ``version`` the report's; ``content`` the
    SHA-256 of what the report said then (``content_of``). ``together`` are the cases that the file holds,
    where it is a batch of several, this one among them.
    """

    kind: str
    document: str
    binary: str
    media_type: str
    file_name: str
    digest: str
    content: str
    version: int
    when: str
    together: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sending:
    """What became of the message that was given to the gateway: ``queued``, ``delivered`` or ``failed``."""

    message: str
    state: str
    version: int
    when: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One case. ``record`` is the stored record's version, 0 before the first.

    ``form_version`` is the version of the form that it was built from. ``again`` counts the nullified cases
    of the same event and branch before this one. ``superseded``: cancelled because the branch changed, not
    by a person. ``unmade`` are the renderings that could not be made at the last export, with the reason.
    ``due`` says why a follow-up is due, ``flag`` what else a person should look at. ``built`` is the report
    as the record alone gives it.
    """

    report: SafetyReport
    built: SafetyReport
    subject: Resource
    created: str
    changed: str
    record: int = 0
    form_version: int = 0
    again: int = 0
    superseded: bool = False
    entered: tuple[Entered, ...] = ()
    cleared: tuple[Cleared, ...] = ()
    exports: tuple[Export, ...] = ()
    unmade: tuple[tuple[str, str], ...] = ()
    sendings: tuple[Sending, ...] = ()
    documents: tuple[str, ...] = field(default=())
    due: str | None = None
    flag: str | None = None

    @property
    def id(self) -> str:
        """The case's id for ever."""
        return self.report.case

    @property
    def reference(self) -> str:
        """``SafetyReport/id``, as the outbox and Provenance name it."""
        return f"{TYPE}/{self.id}"

    @property
    def event(self) -> str:
        """``AdverseEvent/id``."""
        return self.report.events[0].reference

    @property
    def sent(self) -> bool:
        """Whether some version of it was submitted."""
        return self.report.version > 1 or self.report.state in _SENT


_SENT = (State.SUBMITTED, State.ACKNOWLEDGED, State.FOLLOW_UP)
_PARTS: dict[str, Any] = {"entered": Entered, "cleared": Cleared, "exports": Export, "sendings": Sending}


def seriousness_of(report: SafetyReport) -> str:
    """``serious``, ``non-serious`` or ``unknown``: the worst of its events; unanswered is unknown."""
    found = [one.seriousness for one in report.events]
    if any(found):
        return "serious"
    return "unknown" if any(one is None for one in found) else "non-serious"


def content_of(report: SafetyReport) -> str:
    """The SHA-256 of what the report says: how far it has come, and what was done with it, left aside."""
    said = {name: value for name, value in to_json(report).items() if name not in _STANDING}
    return hashlib.sha256(encode(said)).hexdigest()


_STANDING = ("state", "changes", "yellow_card", "number", "offered")


def write(case: Case) -> Write:
    """The change that stores the case: it must still stand at the version that it was read at."""
    resource = _resource(case)
    return Write(TYPE, case.id, resource, encode(resource), expected=case.record)


def _resource(case: Case) -> Resource:
    plain = {
        name: [
            {key: getattr(one, key) for key in type_.__slots__ if getattr(one, key) not in (None, ())}
            for one in getattr(case, name)
        ]
        for name, type_ in _PARTS.items()
    }
    made = {
        "resourceType": TYPE,
        "id": case.id,
        "state": str(case.report.state),
        "branch": str(case.report.branch),
        "seriousness": seriousness_of(case.report),
        "created": case.created,
        "updated": case.changed,
        "subject": case.subject,
        "event": [{"reference": one.reference} for one in case.report.events],
        "form": {"reference": case.report.form},
        "formVersion": case.form_version,
        "again": case.again,
        "superseded": case.superseded,
        "due": case.due,
        "flag": case.flag,
        "documents": list(case.documents),
        "unmade": [list(pair) for pair in case.unmade],
        **plain,
        "report": to_json(case.report),
        "built": to_json(case.built),
    }
    return {name: value for name, value in made.items() if value not in (None, [])}


def of(version: Version) -> Case:
    """The case in a stored version."""
    held = decode(version.body).resource
    plain = {
        name: tuple(type_(**{key: one.get(key) for key in type_.__slots__}) for one in held.get(name, ()))
        for name, type_ in _PARTS.items()
    }
    plain["exports"] = tuple(replace(one, together=tuple(one.together or ())) for one in plain["exports"])
    return Case(
        from_json(held["report"]),
        from_json(held["built"]),
        held.get("subject", {}),
        held["created"],
        held["updated"],
        version.version,
        held["formVersion"],
        held["again"],
        held["superseded"],
        **plain,
        unmade=tuple((kind, said) for kind, said in held.get("unmade", ())),
        documents=tuple(held.get("documents", ())),
        due=held.get("due"),
        flag=held.get("flag"),
    )


def read(records: Records, case: str) -> Case:
    """The case of that id; NotFound where there is none."""
    found = find(records, case)
    if found is None:
        raise NotFound(f"there is no report '{case[:64]}' here")
    return found


def find(records: Records, case: str) -> Case | None:
    """The case of that id, or None."""
    found = records.read(TYPE, case)
    return None if found is None or found.deleted else of(found)


def of_event(records: Records, event: str) -> tuple[Case, ...]:
    """The cases about an event (``AdverseEvent/id``), device first."""
    return _in_order(search(records, [_points("event", event)]))


def search(records: Records, conditions: Sequence[Condition]) -> Iterator[Case]:
    """Every case that meets the conditions."""
    cursor = None
    while True:
        page = records.search(Query(TYPE, tuple(conditions), count=LARGEST_COUNT, cursor=cursor))
        yield from (of(one) for one in page.versions)
        cursor = page.cursor
        if cursor is None:
            return


def about(subject: Resource) -> list[Condition]:
    """That the case is about the patient, one condition for each way that the form names one."""
    found = []
    if subject.get("reference"):
        kind, id_ = reference_parts(subject["reference"])
        found.append(Condition("subject", Kind.REFERENCE, "", (Value(kind or None, id_),)))
    identifier = subject.get("identifier", {})
    if identifier.get("value"):
        held = Value(identifier.get("system"), identifier["value"])
        found.append(Condition("subject", Kind.REFERENCE, "identifier", (held,)))
    return found


def _points(name: str, reference: str) -> Condition:
    return Condition(name, Kind.REFERENCE, "", (Value(*reference_parts(reference)),))


def _in_order(found: Iterator[Case]) -> tuple[Case, ...]:
    return tuple(sorted(found, key=lambda one: (str(one.report.branch), one.again)))
