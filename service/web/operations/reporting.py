"""``AdverseEvent/[id]/$yellow-card``: the event's safety reports drafted, or brought up to the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import Refused
from service.domain.safety_report import Branch, Override
from service.operations.report.cases import seriousness_of
from service.operations.report.drafting import draft
from service.operations.report.looking import look
from service.operations.representation import instant
from service.web.operations.declared import Answer, In, Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.operations.report.cases import Case
    from service.operations.report.desk import Desk
    from service.operations.report.drafting import Drafted
    from service.web.operations.declared import Call

Resource = dict[str, Any]
EVENT = "AdverseEvent"
_NOBODY = "the service's caller"


def _yellow_card(call: Call) -> Answer:
    if call.id is None:  # served on instances alone
        raise AssertionError
    desk = call.services.reports
    who = str(call.one("who") or "").strip()
    made = draft(
        desk, call.id, who or _NOBODY, patient=call.one("patient"), decision=_decision(call, who, desk)
    )
    root = call.base.removesuffix("/fhir")
    return Answer({"resourceType": "Parameters", "parameter": list(_parameters(desk, made, root))})


def _decision(call: Call, who: str, desk: Desk) -> Override | None:
    """A person's decision on the branch, where the call holds one."""
    branch, instead = call.one("branch"), call.one("instead-of")
    reason = str(call.one("reason") or "").strip()
    if branch is None:
        if instead is not None or reason:
            raise Refused(
                "'reason' and 'instead-of' belong to a decision; say the branch", expression="branch"
            )
        return None
    if not who or not reason:
        raise Refused(
            "a decision on the branch needs 'who' (the person's name) and 'reason'",
            expression="reason" if who else "who",
        )
    return Override(
        _branch(branch, "branch"), who, instant(desk.clock()), reason,
        _branch(instead, "instead-of") if instead is not None else None,
    )  # fmt: skip


def _branch(text: str, place: str) -> Branch:
    if text not in tuple(Branch):
        raise Refused(f"'{text[:40]}' is no branch; these are: {', '.join(Branch)}", expression=place)
    return Branch(text)


def _parameters(desk: Desk, made: Drafted, root: str) -> Iterator[Resource]:
    for one in made.cases:
        yield {"name": "report", "part": list(_report(desk, one, root))}
    for offer in made.reportability.offers:
        parts = [_value("branch", "Code", str(offer.branch)), _value("says", "String", offer.says)]
        yield {"name": "offer", "part": parts}


def _report(desk: Desk, case: Case, root: str) -> Iterator[Resource]:
    report, seen = case.report, look(desk, case)
    yield _value("case", "String", report.case)
    yield _value("version", "PositiveInt", report.version)
    yield _value("branch", "Code", str(report.branch))
    yield _value("state", "Code", str(report.state))
    yield _value("decided-by", "String", report.decided_by)
    yield _value("seriousness", "Code", seriousness_of(report))
    yield from (_value("linked", "String", one) for one in report.linked)
    yield from (_value("asks", "String", one) for one in seen.asks)
    if seen.route is not None:
        parts = [_value("name", "String", seen.route.name), _value("says", "String", seen.route.why)]
        if seen.route.contact:
            parts.insert(1, _value("address", "Uri", seen.route.contact))
        parts += [_value("also", "String", one) for one in seen.route.also]
        yield {"name": "route", "part": parts}
    for lack in seen.missing:
        parts = [_value("need", "Code", lack.need), _value("element", "String", lack.label)]
        parts += [_value("link-id", "String", one) for one in lack.links]
        yield {"name": "missing", "part": parts}
    for hit in seen.hits:
        parts = [_value("place", "String", hit.path), _value("kind", "Code", hit.kind)]
        yield {"name": "identifying", "part": parts}
    if case.due:
        yield _value("follow-up-due", "String", case.due)
    yield _value("address", "Uri", f"{root}/reports/{report.case}")


def _value(name: str, type_: str, value: Any) -> Resource:
    return {"name": name, f"value{type_}": value}


YELLOW_CARD = Operation(
    name="yellow-card",
    definition="adverseevent-yellow-card",
    types=(EVENT,),
    said="Drafts the safety reports of an adverse event, or brings them up to what is recorded of it now: "
    "which branch each is on and why, where it goes, what it lacks, and what in it may identify the patient. "
    "Nothing is sent.",
    run=_yellow_card,
    inputs=(
        In(
            "patient", "Patient", "The patient, of whom the report tells age, sex and a local reference only."
        ),
        In("who", "string", "The name of the person who asks for it or decides."),
        In("branch", "code", "A person's decision: the branch that the event is to be reported on."),
        In(
            "instead-of",
            "code",
            "The branch that the decision replaces; without it an offered one is taken up.",
        ),
        In("reason", "string", "The reason for the decision."),
    ),
    on_type=False,
    on_instance=True,
    changes=True,
)
