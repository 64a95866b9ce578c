"""The steps of a report over HTTP: one handler a verb, and the report as it stands then in the answer.

Each may be sent again: where the report is there already, nothing changes. If-Match guards against a change
that somebody else made meanwhile.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from service.domain.errors import Refused
from service.domain.safety_report import Branch, Reporter
from service.operations.report import cases, edits, steps
from service.operations.report.batching import batch
from service.operations.report.drafting import draft
from service.operations.report.exporting import export
from service.operations.report.looking import look
from service.operations.report.renderings import base_of
from service.operations.report.strays import look_into
from service.operations.report.submitting import submit
from service.operations.report.taking import take
from service.web.bodies import read_bytes
from service.web.errors import UnsupportedMedia
from service.web.reports.asked import expected, members, text_of, who
from service.web.reports.reading import respond, tag
from service.web.reports.views import export_of, stray, summary, whole
from service.web.services import services
from service.yellow_card.adverse_event import read_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from service.operations.report.changing import Done
    from service.operations.report.drafting import Drafted

Json = dict[str, Any]
_REASONED: Mapping[str, Callable[..., Done]] = {
    "cancel": steps.cancel,
    "back": steps.back,
    "nullify": steps.nullify,
    "ask-follow-up": steps.ask_follow_up,
    "leave-follow-up": steps.leave_follow_up,
    "look-over": steps.look_over,
}
"""The steps that need a reason and nothing else."""
XML = ("application/xml", "text/xml")
REASONED = tuple(_REASONED)


async def make(request: Request) -> Response:
    """The reports of an adverse event, drafted or brought up to what is recorded of it now."""
    given = await members(request, ("event", "patient"), ("event",))
    type_, _, id_ = (text_of(given, "event") or "").partition("/")
    if type_ != "AdverseEvent" or not id_ or "/" in id_:
        raise Refused("'event' is AdverseEvent/[id], as it is kept here", expression="event")
    patient = given.get("patient")
    if patient is not None and (not isinstance(patient, dict) or patient.get("resourceType") != "Patient"):
        raise Refused("'patient' is a Patient as FHIR R4 has it, or left out", expression="patient")
    desk = services(request).reports
    return await _drafted(request, partial(draft, desk, id_, who(request, given), patient=patient))


async def ready(request: Request) -> Response:
    """The report ready to be exported."""
    given = await members(request, ("note",))
    return await _done(request, partial(steps.ready, note=text_of(given, "note")), given)


async def prepare(request: Request) -> Response:
    """The report's files made and kept."""
    given = await members(request, ("renderings",))
    kinds = given.get("renderings", [])
    if not isinstance(kinds, list) or not all(isinstance(one, str) for one in kinds):
        raise Refused(
            "'renderings' lists names, such as sheet; left out, all are made", expression="renderings"
        )
    return await _done(request, partial(export, kinds=tuple(kinds)), given)


async def prepare_batch(request: Request) -> Response:
    """Several ready reports prepared as one E2B(R3) message; all of them or none."""
    given = await members(request, ("cases",), ("cases",))
    ids = given["cases"]
    if not isinstance(ids, list) or not all(isinstance(one, str) and one for one in ids):
        raise Refused("'cases' lists the ids of reports", expression="cases")
    held = services(request)
    by, root = who(request, given), held.root(request)

    def run() -> Json:
        made = batch(held.reports, ids, by)
        return {"reports": [summary(one, root) for one in made.cases], "file": export_of(made.file, root)}

    return respond(await held.run(run))


async def send(request: Request) -> Response:
    """The report given to the gateway, or recorded as submitted by hand."""
    given = await members(request, ("byHand",))
    by_hand = given.get("byHand", False)
    if not isinstance(by_hand, bool):
        raise Refused("'byHand' is true or false", expression="byHand")
    if by_hand:
        _named(given)
    return await _done(request, partial(submit, by_hand=by_hand), given)


async def refer(request: Request) -> Response:
    """The report with the reference that the recipient gave, typed or carried by an AdverseEvent."""
    held = services(request)
    given = await members(request, ("reference", "adverseEvent"))
    carried = given.get("adverseEvent")
    if isinstance(carried, dict):
        reference = read_reference(carried, base_of(held.content))
    else:
        reference = text_of(given, "reference") or ""
        if not reference:
            raise Refused(
                "'reference' is missing, and there is no 'adverseEvent' either", expression="reference"
            )

    def verb(desk: Any, case: str, by: str, *, expected: int | None) -> Done:
        return steps.enter_reference(desk, case, reference, by, expected=expected)

    return await _done(request, verb, given)


async def follow(request: Request) -> Response:
    """The next version of the case begun."""
    given = await members(request, ("amendment", "reason"))
    verb = partial(steps.follow_up, amendment=text_of(given, "amendment"), reason=text_of(given, "reason"))
    return await _done(request, verb, given)


async def enter(request: Request) -> Response:
    """The report with values entered at their paths."""
    given = await members(request, ("values",), ("values",))
    values = given["values"]
    if not isinstance(values, dict):
        raise Refused("'values' is an object: a path, and the value to be there", expression="values")
    return await _entered(request, given, values)


async def name_reporter(request: Request) -> Response:
    """The report with the reporter's details."""
    fields = tuple(Reporter.__slots__)
    given = await members(request, fields)
    values = {f"reporter.{name}": text_of(given, name) for name in fields if name in given}
    return await _entered(request, given, values)


async def _entered(request: Request, given: Json, values: Json) -> Response:
    def verb(desk: Any, case: str, by: str, *, expected: int | None) -> Done:
        return edits.enter(desk, case, values, by, expected=expected)

    return await _done(request, verb, given)


async def clear(request: Request) -> Response:
    """The report with a person's word that a text of it does not identify the patient."""
    given = await members(request, ("path", "reason"), ("path", "reason"))
    _named(given)
    path, reason = text_of(given, "path") or "", text_of(given, "reason") or ""

    def verb(desk: Any, case: str, by: str, *, expected: int | None) -> Done:
        return edits.clear(desk, case, path, by, reason, expected=expected)

    return await _done(request, verb, given)


async def branch(request: Request) -> Response:
    """The event's reports after a person's decision on the branch: another one, or an offered one as well."""
    given = await members(request, ("branch", "reason", "asWell"), ("branch", "reason"))
    _named(given)
    named, reason = text_of(given, "branch") or "", text_of(given, "reason") or ""
    if named not in tuple(Branch):
        raise Refused(f"'{named[:40]}' is no branch; these are: {', '.join(Branch)}", expression="branch")
    if not isinstance(given.get("asWell", False), bool):
        raise Refused("'asWell' is true or false", expression="asWell")
    decide = edits.take_up if given.get("asWell") else edits.override
    case = request.path_params["case"]
    return await _drafted(
        request, partial(decide, services(request).reports, case, Branch(named), who(request, given), reason)
    )


async def reasoned(request: Request) -> Response:
    """The report after a step that needs a reason: cancel, back, nullify and the like."""
    given = await members(request, ("reason",), ("reason",))
    step = reasoned_step(request.url.path.rsplit("/", 1)[-1])

    def verb(desk: Any, case: str, by: str, *, expected: int | None) -> Done:
        return step(desk, case, by, text_of(given, "reason") or "", expected=expected)

    return await _done(request, verb, given)


async def acknowledge(request: Request) -> Response:
    """What a recipient answered (E2B(R3) acknowledgement, XML), kept on the reports that it speaks of.

    202 where something in it belongs to no report that was sent from here: the file is kept and flagged.
    """
    held = services(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in XML:
        raise UnsupportedMedia(f"send the acknowledgement as {' or '.join(XML)}")
    body = await read_bytes(request)
    case = request.path_params.get("case")

    def run() -> tuple[Json, int, dict[str, str]]:
        root = held.root(request)
        taken = take(held.reports, body)
        status = 200 if taken.stray is None else 202
        more: Json = {"unjoined": stray(taken.stray, root)} if taken.stray is not None else {}
        if case is None:
            return {"reports": [summary(one, root) for one in taken.cases]} | more, status, {}
        one = next((one for one in taken.cases if one.id == case), None)
        found = one or cases.read(held.records, case)
        shown = whole(found, look(held.reports, found), root) | more
        if one is None:
            shown["says"] = "the acknowledgement is kept, but it does not answer this report"
        return shown, status, tag(found)

    found, status, headers = await held.run(run)
    return respond(found, status, headers=headers)


async def look_over_stray(request: Request) -> Response:
    """The acknowledgement that was joined to nothing, once a person has looked into it."""
    given = await members(request, ("reason",), ("reason",))
    _named(given)
    held = services(request)
    reason, id_ = text_of(given, "reason") or "", request.path_params["digest"]
    seen = await held.run(look_into, held.reports, id_, who(request, given), reason)
    return respond(stray(seen, held.root(request)))


def reasoned_step(name: str) -> Callable[..., Done]:
    """The verb of a step that needs a reason."""
    return _REASONED[name]


def _named(given: Json) -> None:
    """Nothing, where the person is named whose word it is."""
    if text_of(given, "by") is None:
        raise Refused(
            "'by' is missing: this is a person's word, and the name is kept with it", expression="by"
        )


async def _done(request: Request, verb: Callable[..., Done], given: Json) -> Response:
    """The report after the verb, with its ETag."""
    held = services(request)
    by, version = who(request, given), expected(request)

    def run() -> tuple[Json, dict[str, str]]:
        made = verb(held.reports, request.path_params["case"], by, expected=version)
        found = whole(made.case, look(held.reports, made.case), held.root(request))
        if made.says:
            found["says"] = made.says
        return found, tag(made.case)

    found, headers = await held.run(run)
    return respond(found, headers=headers)


async def _drafted(request: Request, verb: Callable[[], Drafted]) -> Response:
    """The event's reports after the verb: 201 where one is new."""
    held = services(request)
    root = held.root(request)

    def run() -> tuple[Json, bool]:
        made = verb()
        new = any(one.type == "SafetyReport" and one.version == 1 for one in made.stored)
        found: Json = {"reports": [summary(one, root) for one in made.cases]}
        offers = [{"branch": str(one.branch), "says": one.says} for one in made.reportability.offers]
        return found | ({"offers": offers} if offers else {}), new

    found, new = await held.run(run)
    return respond(found, 201 if new else 200)
