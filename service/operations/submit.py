"""``submit``: a form taken in, acted on, and stored with its results and Provenance in one transaction.

The same form again gives the same resources. An amended form updates them; what it no longer supports is
marked ``entered-in-error`` or, where R4 gives the type no such status, deleted: its history and the
Provenance stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.errors import Conflict, Invalid, PreconditionFailed
from service.domain.issues import Issue, error
from service.fhir.json_text import decode, encode
from service.operations import provenance
from service.operations.checks import check_form
from service.operations.identity import FORM, Identity, fingerprint, identify, require_amendable
from service.operations.ports import Message, Version, Write
from service.operations.results import Draft, settle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.fhir.json_text import Document
    from service.operations.ports import Content, Records

Resource = dict[str, Any]
TAKEN = ("completed", "amended", "entered-in-error")
WITHDRAWN = "entered-in-error"
_MARKED = frozenset(
    {"CarePlan", "Device", "GuidanceResponse", "Observation", "Procedure", "RequestGroup", "Task"}
)
"""The types of result whose R4 status can say ``entered-in-error``."""
_ATTEMPTS = 30

Act = Callable[[Resource, "datetime"], tuple[list[Draft], tuple[Issue, ...]]]
"""What a checked form with its id comes to: its results, and what is to be known of them."""

WriteBack = Callable[[Resource, "Sequence[Version]", "Records"], tuple[Message, ...]]
"""What is sent to an EHR of a form and its results as they will stand, the form first."""

Reporting = Callable[["Sequence[Version]"], "Sequence[Write]"]
"""What follows for safety reports from a form and its results as they will stand, the form first."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was sent: the document that it came in, itself, and its own bytes."""

    document: Document
    form: Resource
    body: bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """What is stored: the form first, its results, the Provenance last. ``fresh``: this request did it."""

    versions: tuple[Version, ...]
    fresh: bool
    issues: tuple[Issue, ...] = ()


def submit(
    sent: Sent,
    records: Records,
    content: Content,
    act: Act,
    *,
    now: datetime,
    expected: int | None = None,
    software: str = "",
    write_back: WriteBack | None = None,
    reporting: Reporting | None = None,
) -> Submission:
    """What is stored once the form is taken in. ``expected`` is the stored form's version (If-Match).

    What ``write_back`` makes of it is put into the outbox, and what ``reporting`` makes of it is stored, in
    the same transaction.
    """
    form = sent.form
    _check_status(form)
    issues = check_form(sent.document, content, None if form is sent.document.resource else form)
    _check_subject(form, issues)
    for attempt in range(_ATTEMPTS):
        try:
            made = _submit(
                sent, records, act, now, expected, software, write_back, reporting, hopeful=not attempt
            )
        except PreconditionFailed as fault:
            if expected is not None:
                raise
            if attempt == _ATTEMPTS - 1:
                raise Conflict("others change this form at the same time; send it again") from fault
        else:
            return Submission(made.versions, made.fresh, (*issues, *made.issues))
    raise AssertionError  # the last attempt returned or raised


def _submit(
    sent: Sent,
    records: Records,
    act: Act,
    now: datetime,
    expected: int | None,
    software: str,
    write_back: WriteBack | None,
    reporting: Reporting | None,
    *,
    hopeful: bool,
) -> Submission:
    """One attempt. ``hopeful``: the results of a form never seen are taken to be new without a look."""
    form = sent.form
    identity = identify(form, records)
    require_amendable(form, identity)
    standing = records.read(FORM, identity.id)
    number = standing.version if standing else 0
    if expected not in (None, number):
        raise PreconditionFailed(
            f"{FORM}/{identity.id} is at version {number}, not {expected}; read it again"
        )
    before = records.read("Provenance", provenance.id_of(identity, number)) if standing else None
    held = _held(before, records)
    if standing is not None:
        stored = decode(standing.body).resource if standing.body else {}
        if before is not None and fingerprint(stored) == fingerprint(form):
            return Submission((standing, *(one for one in held if not one.deleted), before), fresh=False)
        _check_change(stored, form, submitted=before is not None)
    results, issues = _results(form, identity, records, act, now, held)
    writes = [Write(FORM, identity.id, {**form, "id": identity.id}, sent.body, expected=number)]
    writes += _writes(results, held, None if hopeful and standing is None else records)
    writes += _withdrawals(results, held)
    targets = [f"{FORM}/{identity.id}", *_targets(results, held)]
    proof = provenance.make(form, identity, number + 1, targets, now, software)
    writes.append(Write("Provenance", proof["id"], proof, encode(proof), expected=0))
    standing_then = _standing(writes, held, now)
    messages = write_back(form, standing_then, records) if write_back else ()
    reports = reporting(standing_then) if reporting else ()
    stored_all = records.commit([*writes, *reports], now, messages)[: len(writes)]
    made = {(one.type, one.id): one for one in stored_all}
    unchanged = {(one.type, one.id): one for one in held if (one.type, one.id) not in made}
    stored_now = [one for one in made.values() if not one.deleted]
    kept = [one for one in unchanged.values() if not one.deleted]
    return Submission((*stored_now[:-1], *kept, stored_now[-1]), fresh=True, issues=issues)


def _standing(writes: Sequence[Write], held: Sequence[Version], now: datetime) -> list[Version]:
    """The form and its results as they stand once the writes are made."""
    made = [
        Version(one.type, one.id, (one.expected or 0) + 1, now, "PUT" if one.body else "DELETE", one.body)
        for one in writes
    ]
    changed = {one.reference for one in made}
    return [*made, *(one for one in held if one.reference not in changed)]


def _results(
    form: Resource, identity: Identity, records: Records, act: Act, now: datetime, held: Sequence[Version]
) -> tuple[list[Resource], tuple[Issue, ...]]:
    if form["status"] == WITHDRAWN:
        return [], ()
    made, issues = act({**form, "id": identity.id}, now)
    return settle(made, identity, records, held), issues


def _held(before: Version | None, records: Records) -> list[Version]:
    """The current versions of the results that the last submission of this form left."""
    if before is None:
        return []
    targets = [str(target["reference"]).split("/") for target in decode(before.body).resource["target"]]
    found = (records.read(type_, id_) for type_, id_ in targets if type_ != FORM)
    return [one for one in found if one is not None]


def _writes(results: Sequence[Resource], held: Sequence[Version], records: Records | None) -> list[Write]:
    standing = {(one.type, one.id): one for one in held}
    writes = []
    for resource in results:
        key = (resource["resourceType"], resource["id"])
        body = encode(resource)
        there = standing.get(key) or (records.read(*key) if records else None)
        if there is None or there.deleted or there.body != body:
            writes.append(Write(*key, resource, body, expected=there.version if there else 0))
    return writes


def _withdrawals(results: Sequence[Resource], held: Sequence[Version]) -> list[Write]:
    supported = {(resource["resourceType"], resource["id"]) for resource in results}
    writes = []
    for one in held:
        if (one.type, one.id) in supported or one.deleted:
            continue
        if one.type not in _MARKED:
            writes.append(Write(one.type, one.id, None, expected=one.version))
            continue
        resource = decode(one.body).resource
        if resource.get("status") != WITHDRAWN:
            marked = {**resource, "status": WITHDRAWN}
            if "profile" in marked.get(
                "meta", {}
            ):  # what a profile promises, a withdrawn result need not keep
                marked["meta"] = {key: value for key, value in marked["meta"].items() if key != "profile"}
            writes.append(Write(one.type, one.id, marked, encode(marked), expected=one.version))
    return writes


def _targets(results: Sequence[Resource], held: Sequence[Version]) -> list[str]:
    own = [f"{resource['resourceType']}/{resource['id']}" for resource in results]
    return list(dict.fromkeys([*own, *(one.reference for one in held)]))


def _check_status(form: Resource) -> None:
    status = form.get("status")
    if form.get("resourceType") == FORM and status not in TAKEN:
        said = (
            f"the form's status is '{str(status)[:40]}'; submit takes {', '.join(TAKEN)}. "
            f"Keep an unfinished form by POST to {FORM}"
        )
        raise Invalid(said, issues=[error("business-rule", said, f"{FORM}.status")])


def _check_subject(form: Resource, issues: Sequence[Issue]) -> None:
    """Nothing, where the results can be about the form's subject; else Invalid.

    A contained subject ends with the form: the results would point to nobody.
    """
    place = f"{FORM}.subject"
    subject = form.get("subject")
    if not isinstance(subject, dict) or not _names(subject):
        said = (
            "the form names no patient; give subject.reference or subject.identifier, which may be the EHR's"
        )
        raise Invalid(said, issues=[error("required", said, place)])
    if str(subject.get("reference", "")).startswith("#"):
        said = (
            "the patient is contained in the form, so that the results could not point there; "
            "give the EHR's own reference or subject.identifier"
        )
        raise Invalid(said, issues=[error("business-rule", said, f"{place}.reference")])
    for issue in issues:
        if issue.expression == place and issue.code == "business-rule":
            said = f"{issue.message}; name the patient"
            raise Invalid(said, issues=[error("business-rule", said, place)])


def _names(subject: Resource) -> bool:
    identifier = subject.get("identifier")
    value = identifier.get("value") if isinstance(identifier, dict) else None
    return any(isinstance(one, str) and one.strip() for one in (subject.get("reference"), value))


def _check_change(stored: Resource, form: Resource, *, submitted: bool) -> None:
    """Nothing, where the stored form may become the one sent; else Conflict."""
    if stored.get("status") == WITHDRAWN:
        raise Conflict(
            "this form was withdrawn as entered in error; submit a new form under a new identifier",
            expression=f"{FORM}.status",
        )
    if submitted and form["status"] == "completed":
        raise Conflict(
            "this form was submitted before with other content; send the change with status amended",
            expression=f"{FORM}.status",
        )
    for name, said in (
        ("subject", "is about another patient"),
        ("questionnaire", "answers another Questionnaire"),
    ):
        if (submitted or name in stored) and _key(stored.get(name)) != _key(form.get(name)):
            raise Conflict(
                f"the form stored under this identity {said}; "
                "withdraw it (entered-in-error) and submit a new one",
                expression=f"{FORM}.{name}",
            )


def _key(value: Any) -> Any:
    if isinstance(value, str):
        return value.partition("|")[0]
    if isinstance(value, dict):
        identifier = value.get("identifier", {})
        return value.get("reference") or (identifier.get("system"), identifier.get("value"))
    return value
