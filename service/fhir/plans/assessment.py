"""A plan and a form come to an evaluation. Pure: the form's own ``authored`` is the only clock.

A criterion's condition is three-valued by FHIRPath's own empty: true is met, false is not met, empty is
unknown with the first reason that holds. A condition that cannot be evaluated is unknown, and said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import ServiceError
from service.domain.evaluation import Evaluation
from service.fhir.plans.conditions import Asked

if TYPE_CHECKING:
    from service.domain.evaluation import Finding
    from service.domain.issues import Issue
    from service.fhir.plans.reading import Criterion, Plan

Resource = dict[str, Any]


class UndecidedOutcome(ServiceError):
    """The plan's outcomes do not come to exactly one for this form: a fault of the plan, never a guess."""


def assess(plan: Plan, form: Resource) -> Evaluation:
    """The evaluation of a form by a plan. UndecidedOutcome unless exactly one outcome holds."""
    issues: list[Issue] = []
    asked = Asked(form, issues)
    findings = {criterion.code.code: _find(criterion, asked) for criterion in plan.criteria}
    asked.findings = findings.values()
    hold = asked.hold
    outcomes = [said.statement for said in plan.outcomes if hold(said.conditions, said.place)]
    if len(outcomes) != 1:
        named = ", ".join(statement.code.code for statement in outcomes) or "none"
        raise UndecidedOutcome(
            f"the plan {plan.canonical} gives {len(outcomes)} outcomes ({named}) for this form, not one",
            issues=issues,
        )
    notes = [said.statement for said in plan.notes if hold(said.conditions, said.place)]
    proposals = [one.proposal for one in plan.proposals if hold(one.conditions, one.place)]
    return Evaluation(
        plan.canonical,
        str(form.get("questionnaire", "")),
        tuple(findings.values()),
        outcomes[0],
        tuple(notes),
        tuple(proposals),
        tuple(issues),
    )


def _find(criterion: Criterion, asked: Asked) -> Finding:
    issues = len(asked.issues)
    truth = asked.truth(criterion.condition.program, criterion.place, "condition[0]")
    if truth is not None:
        return criterion.met if truth else criterion.not_met
    if len(asked.issues) > issues:
        return criterion.failed
    for rule, finding in zip(criterion.reasons, criterion.unknowns, strict=True):
        if rule.when is None or asked.truth(rule.when, criterion.place, "extension(unknown-reason)") is True:
            return finding
    return criterion.failed  # the reader refuses a plan whose last reason has a condition
