"""``draft``: the reports of one adverse event made, or brought up to what is recorded of it now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from service.domain.errors import Conflict, PreconditionFailed, Unprocessable
from service.domain.safety_report import Branch, Override, SafetyReport, State
from service.operations.checks import check_given
from service.operations.report import cases, patients
from service.operations.report.cases import Case
from service.operations.report.entering import overlay
from service.operations.report.gathering import gather, read_event
from service.operations.representation import instant
from service.operations.searching.values import reference_parts
from service.yellow_card.building import build, case_id, dated_references, suspicion
from service.yellow_card.reportability import REPORTED, decide
from service.yellow_card.states import TRANSITIONS, Step, move, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.operations.ports import Version, Write
    from service.operations.report.desk import Desk
    from service.operations.report.gathering import Parts
    from service.yellow_card.building import Source
    from service.yellow_card.filling import Fields
    from service.yellow_card.reportability import Decision, Reportability

Resource = dict[str, Any]
_ATTEMPTS = 10
_EDITABLE = (State.DRAFT, State.READY, State.PREPARED, State.REJECTED)
_SENT = (State.SUBMITTED, State.ACKNOWLEDGED, State.FOLLOW_UP)


@dataclass(frozen=True, slots=True)
class Drafted:
    """The event's cases as they stand, why they are what they are, and what was stored for it now."""

    cases: tuple[Case, ...]
    reportability: Reportability
    stored: tuple[Version, ...] = ()


def draft(
    desk: Desk,
    event: str,
    who: str,
    *,
    patient: Resource | None = None,
    decision: Override | None = None,
) -> Drafted:
    """The reports of the event (an AdverseEvent's id), each a draft unless it has gone further.

    The same again changes nothing. ``patient`` is a Patient, of which only what ``Subject`` holds is told.
    ``decision`` is a person's, on the branch. NotFound, Gone or Unprocessable where there is no such event.
    """
    if patient is not None:
        check_given([patient], "patient", desk.content)
    for attempt in range(_ATTEMPTS):
        try:
            return draft_once(desk, event, who, patient, decision)
        except PreconditionFailed as fault:
            if attempt == _ATTEMPTS - 1:
                raise Conflict("others change this report at the same time; try again") from fault
    raise AssertionError  # the last attempt returned or raised


def draft_once(
    desk: Desk,
    event: str,
    who: str,
    patient: Resource | None = None,
    decision: Override | None = None,
    parts: Parts | None = None,
    form: str | None = None,
) -> Drafted:
    """The same in one attempt. PreconditionFailed where others change it at the same time."""
    now = instant(desk.clock())
    found = read_event(desk.records, event)
    source, fields, form_version = gather(desk, found, patient, parts, form)
    known = patients.know(desk, source.form.get("subject", {}), patient)
    source = replace(source, patient=known.patient, local_reference=known.reference)
    standing = cases.of_event(desk.records, source.reference)
    where = _decide(source, fields, standing, decision)
    made = _made(desk, source, fields, form_version, where, standing, who, now)
    changed = [one for one in made if one not in standing]
    writes: list[Write] = [cases.write(one) for one in changed]
    if known.write is not None:
        writes.append(known.write)
    stored = desk.records.commit(writes, desk.clock()) if writes else ()
    kept = {one.id: one for one in standing} | {one.id: one for one in made}
    numbers = {one.id: one.version for one in stored}
    now_held = [replace(one, record=numbers.get(one.id, one.record)) for one in kept.values()]
    return Drafted(tuple(sorted(now_held, key=_order)), where, stored)


def _order(case: Case) -> tuple[int, int]:
    return list(Branch).index(case.report.branch), case.again


def _decide(
    source: Source, fields: Fields, standing: Sequence[Case], decision: Override | None
) -> Reportability:
    """Where the event is reported, with what people decided before and decide now."""
    found = suspicion(source, fields)
    before = [one.report.override for one in standing if one.report.state is not State.CANCELLED]
    overrides = sorted((one for one in before if one is not None), key=lambda one: one.when)
    if decision is None:
        return decide(found, fields, tuple(overrides))
    now = decide(found, fields, tuple(overrides))
    if decision.instead_of is None and decision.branch not in {one.branch for one in now.offers}:
        offered = ", ".join(one.branch for one in now.offers) or "none"
        raise Unprocessable(f"no report on the branch '{decision.branch}' is offered; offered are: {offered}")
    if decision.instead_of is not None and decision.instead_of not in now.branches:
        raise Conflict(
            f"the event is not on the branch '{decision.instead_of}', but on: {', '.join(now.branches)}"
        )
    return decide(found, fields, (*_without(overrides, decision), decision))


def _without(overrides: Sequence[Override], decision: Override) -> list[Override]:
    """The earlier decisions that this one leaves standing: one that it takes back is gone."""
    return [one for one in overrides if one.branch is not decision.instead_of]


def _made(
    desk: Desk,
    source: Source,
    fields: Fields,
    form_version: int,
    where: Reportability,
    standing: Sequence[Case],
    who: str,
    now: str,
) -> list[Case]:
    latest = {one.report.branch: one for one in standing}
    again = {branch: one.again + _over(one) for branch, one in latest.items()}
    ids = {
        one.branch: case_id(source.reference, one.branch, again.get(one.branch, 0)) for one in where.decisions
    }
    others = {
        branch: one.id
        for branch, one in latest.items()
        if branch in REPORTED and one.sent and not _over(one) and branch not in ids
    }
    subject = {
        name: source.form["subject"][name]
        for name in ("reference", "identifier")
        if name in source.form.get("subject", {})
    }
    made = []
    for one in where.decisions:
        built = _build(desk, source, fields, where, one, {**others, **ids})
        held = latest.get(one.branch)
        if held is None or _over(held):
            made.append(_new(built, subject, form_version, again.get(one.branch, 0), who, now))
        else:
            made.append(refreshed(held, built, form_version, who, now))
        made[-1] = _told_of(made[-1], dated_references(source, fields.groups[source.name]), now)
    for branch, held in latest.items():
        if branch not in ids:
            made.append(superseded(held, _why(where.decisions), who, now))
    return made


def _told_of(case: Case, named: tuple[str, ...], now: str) -> Case:
    """The case once the form is heard that names the references of reports made elsewhere."""
    report, found = case.report, case.built.yellow_card
    if not named or report.branch not in REPORTED or report.yellow_card:
        return case
    if found and report.state in TRANSITIONS[Step.FIND] and not case.sent:
        told = move(
            report, Step.FIND, who="the form", when=now, what=f"reported elsewhere as {', '.join(named)}"
        )
        return replace(case, report=replace(told, yellow_card=found), changed=now)
    said = (
        f"the form names a report made elsewhere ({', '.join(named)}); enter it on the report that it means"
    )
    if found or case.flag == said or any(one.what == f"looked into: {said}" for one in report.changes):
        return case
    return replace(case, flag=said, changed=now)


def _build(
    desk: Desk,
    source: Source,
    fields: Fields,
    where: Reportability,
    decision: Decision,
    ids: dict[Branch, str],
) -> SafetyReport:
    offered = tuple(one.branch for one in where.offers) if decision.branch is Branch.DEVICE else ()
    return replace(build(source, fields, desk.site, decision, ids), offered=offered)


def _over(case: Case) -> bool:
    """Whether the case was nullified and acknowledged: its id is not used again."""
    return case.report.amendment == "nullification" and case.report.state is State.ACKNOWLEDGED


def _new(built: SafetyReport, subject: Resource, form_version: int, again: int, who: str, now: str) -> Case:
    blank = replace(built, yellow_card=None)
    report = note(blank, who=who, when=now, what="drafted", reason=built.decided_by)
    return Case(report, built, subject, now, now, form_version=form_version, again=again)


def refreshed(case: Case, built: SafetyReport, form_version: int, who: str, now: str) -> Case:
    """The case brought up to what is recorded now; the same case where nothing of it has changed.

    What has been submitted stays as it was sent, and a follow-up becomes due.
    """
    report = case.report
    if report.state is State.CANCELLED and not case.superseded:
        return case
    if report.state is State.CANCELLED:
        entered, content = overlay(built, case.entered)
        report = move(_carried(content, report), Step.REOPEN, who=who, when=now, what="taken up again")
        return replace(
            case, report=report, built=built, changed=now, form_version=form_version, superseded=False,
            entered=entered,
        )  # fmt: skip
    if built == case.built:
        return replace(case, form_version=form_version)
    if report.state in _SENT:
        if _substance(built) == _substance(case.built):
            return replace(case, form_version=form_version)
        said = "the form was amended after this report was submitted"
        return _due(case, said, who, now) if case.due is None else case
    entered, content = overlay(built, case.entered)
    dropped = [one.path for one in case.entered if one not in entered]
    what = "refreshed from the record"
    if dropped:
        what += f"; the record now says something else at {', '.join(dropped)}, so the entry there is dropped"
    carried = _carried(content, report)
    report = move(carried, Step.REVISE, who=who, when=now, what=what)
    return replace(
        case, report=report, built=built, changed=now, form_version=form_version, entered=entered,
        flag=_doubted(case.built, built) or case.flag,
    )  # fmt: skip


def _doubted(before: SafetyReport, built: SafetyReport) -> str | None:
    """What a person is told whose decision on the branch was taken on another suspicion; else None."""
    word = built.override
    if word is None or word != before.override or _suspected(before) == _suspected(built):
        return None
    return f"what is suspected was changed after {word.who} decided on the branch; see whether it still holds"


def _suspected(report: SafetyReport) -> tuple[Any, ...]:
    return (
        tuple((one.term, one.suspects) for one in report.events),
        tuple(one.fault for one in report.devices),
        tuple((one.name, one.defective) for one in report.medicines),
    )


def refresh(desk: Desk, case: Case, who: str, now: str) -> Case:
    """The case in a state that can be worked on, brought up to what is recorded now.

    The same case where the event is on its branch no longer, or is gone.
    """
    found = desk.records.read(*reference_parts(case.event))
    if found is None or found.deleted:
        return case
    source, fields, form_version = gather(desk, found, None)
    known = patients.know(desk, case.subject, None)
    source = replace(source, patient=known.patient, local_reference=known.reference)
    standing = cases.of_event(desk.records, case.event)
    where = _decide(source, fields, standing, None)
    for one in where.decisions:
        if one.branch is case.report.branch:
            ids = {held.report.branch: held.id for held in standing if held.report.branch in where.branches}
            return refreshed(case, _build(desk, source, fields, where, one, ids), form_version, who, now)
    return case


def require_current(desk: Desk, case: Case) -> None:
    """Nothing, where the record still says what the report was made from; else Conflict."""
    if case.report.amendment == "nullification":
        return
    type_, id_ = reference_parts(str(case.report.form))
    form = desk.records.read(type_, id_)
    if form is None or form.deleted or form.version != case.form_version:
        raise Conflict(
            "the form was changed after this report was drafted; draft it again and look at what has changed"
        )


def superseded(case: Case, why: str, who: str, now: str) -> Case:
    """The case of a branch that the event has left: cancelled, or a follow-up due where it was sent."""
    state = case.report.state
    if state in _EDITABLE and not case.sent:
        report = move(
            case.report, Step.CANCEL, who=who, when=now, what="no longer on this branch", reason=why
        )
        return replace(case, report=report, changed=now, superseded=True)
    if state in (State.SUBMITTED, State.ACKNOWLEDGED) and not _over(case) and case.due is None:
        return _due(case, why, who, now)
    return case


def withdrawn(case: Case, why: str, who: str, now: str) -> Case:
    """The case of an event that was taken back: cancelled, or where it was sent to be nullified."""
    if case.report.state in _EDITABLE and not case.sent:
        report = move(case.report, Step.CANCEL, who=who, when=now, what="withdrawn", reason=why)
        return replace(case, report=report, changed=now, superseded=True)
    if case.sent and case.report.state is not State.CANCELLED and case.report.amendment != "nullification":
        due = case if case.report.state not in _SENT else _due(case, why, who, now)
        report = replace(due.report, amendment="nullification", amendment_reason=why)
        if due is case:
            report = note(report, who=who, when=now, what="nullification proposed", reason=why)
        return replace(due, report=report, changed=now, due=why)
    return case


def _due(case: Case, why: str, who: str, now: str) -> Case:
    report = move(case.report, Step.ASK, who=who, when=now, what="follow-up due", reason=why)
    return replace(case, report=report, changed=now, due=why)


def _carried(content: SafetyReport, report: SafetyReport) -> SafetyReport:
    """The content with what the case has been through."""
    return replace(
        content,
        version=report.version,
        state=report.state,
        yellow_card=report.yellow_card,
        number=report.number,
        amendment=report.amendment,
        amendment_reason=report.amendment_reason,
        changes=report.changes,
    )


def _substance(report: SafetyReport) -> tuple[Any, ...]:
    """What a recipient would want to be told anew."""
    return (
        report.events, report.subject, report.procedure, report.devices, report.medicines, report.narrative,
    )  # fmt: skip


def _why(decisions: Sequence[Decision]) -> str:
    return " ".join(one.says for one in decisions)
