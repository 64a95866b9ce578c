"""A plan and a form come to an evaluation. Pure: the form's own ``authored`` is the only clock.

A criterion's condition is three-valued by FHIRPath's own empty: true is met, false is not met, empty is
unknown with the first reason that holds. A condition that cannot be evaluated is unknown, and said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.domain.errors import ServiceError
from service.domain.evaluation import Evaluation, Finding, Proposal, Truth, UnknownReason
from service.domain.issues import Issue, error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.fhir.plans.reading import Criterion, Plan
    from service.fhir.plans.rules import Condition

Resource = dict[str, Any]
FAILED = "the rule could not be evaluated on this form"


class UndecidedOutcome(ServiceError):
    """The plan's outcomes do not come to exactly one for this form: a fault of the plan, never a guess."""


def assess(plan: Plan, form: Resource) -> Evaluation:
    """The evaluation of a form by a plan. UndecidedOutcome unless exactly one outcome holds."""
    issues: list[Issue] = []
    over = _framed(form)
    findings = {criterion.code.code: _find(criterion, over, issues) for criterion in plan.criteria}
    outcomes = [
        said for said in plan.outcomes if applies(said.conditions, over, findings, issues, said.place)
    ]
    if len(outcomes) != 1:
        named = ", ".join(said.statement.code.code for said in outcomes) or "none"
        raise UndecidedOutcome(
            f"the plan {plan.canonical} gives {len(outcomes)} outcomes ({named}) for this form, not one",
            issues=issues,
        )
    notes = [said for said in plan.notes if applies(said.conditions, over, findings, issues, said.place)]
    proposals = [
        Proposal(
            proposed.action.get("id", ""),
            proposed.action.get("title", ""),
            proposed.action.get("description", ""),
            proposed.action.get("definitionCanonical"),
        )
        for proposed in plan.proposals
        if applies(proposed.conditions, over, findings, issues, proposed.place)
    ]
    return Evaluation(
        plan.canonical,
        str(form.get("questionnaire", "")),
        tuple(findings.values()),
        outcomes[0].statement,
        tuple(note.statement for note in notes),
        tuple(proposals),
        tuple(issues),
    )


def decided_actions(plan: Plan, evaluation: Evaluation) -> dict[int, bool]:
    """Whether each outcome, note and proposal of the plan applies, by its action's identity (``id``)."""
    said = (*plan.outcomes, *plan.notes)
    made = {id(evaluation.outcome), *map(id, evaluation.notes)}
    decided = {id(one.action): id(one.statement) in made for one in said}
    proposals = {proposal.action for proposal in evaluation.proposals}
    return decided | {id(one.action): one.action.get("id", "") in proposals for one in plan.proposals}


def applies(
    conditions: tuple[Condition, ...],
    form: Resource | fhirpath.Frame,
    findings: Mapping[str, Finding],
    issues: list[Issue],
    place: str,
) -> bool:
    """Whether every condition is true; one that cannot be evaluated is not, and adds its issue."""
    for condition in conditions:
        if condition.rules:
            if not all(rule.holds(findings) for rule in condition.rules):
                return False
        elif evaluate(condition.program, form, issues, f"{place}.{condition.place}") is not True:
            return False
    return True


def evaluate(
    program: fhirpath.Program, form: Resource | fhirpath.Frame, issues: list[Issue], place: str
) -> bool | None:
    """True, false, or None for empty; an error or another result is None too, and adds its issue."""
    try:
        result = program.among(form) if isinstance(form, fhirpath.Frame) else program(form)
    except fhirpath.EvaluationError as fault:
        issues.append(error("exception", f"{FAILED}: {fault}", place))
        return None
    if not result:
        return None
    if len(result) == 1 and isinstance(result[0], bool):
        return result[0]
    issues.append(error("exception", f"{FAILED}: it does not give true, false or nothing", place))
    return None


def _framed(form: Resource) -> Resource | fhirpath.Frame:
    """The form as all conditions share it; as it is where it is none, which each condition then says."""
    try:
        return fhirpath.framed(form)
    except fhirpath.EvaluationError:
        return form


def _find(criterion: Criterion, form: Resource | fhirpath.Frame, issues: list[Issue]) -> Finding:
    before = len(issues)
    truth = evaluate(criterion.condition.program, form, issues, f"{criterion.place}.condition[0]")
    if truth is not None:
        met = Truth.MET if truth else Truth.NOT_MET
        return Finding(criterion.code, criterion.title, met, None, criterion.citations)
    reason = UnknownReason(None, FAILED)
    if len(issues) == before:
        reason = _reason(criterion, form, issues)
    return Finding(criterion.code, criterion.title, Truth.UNKNOWN, reason, criterion.citations)


def _reason(criterion: Criterion, form: Resource | fhirpath.Frame, issues: list[Issue]) -> UnknownReason:
    place = f"{criterion.place}.extension(unknown-reason)"
    for rule in criterion.reasons:
        if rule.when is None or evaluate(rule.when, form, issues, place) is True:
            return UnknownReason(rule.code, rule.text, rule.items)
    return UnknownReason(None, FAILED)  # the reader refuses a plan whose last reason has a condition
