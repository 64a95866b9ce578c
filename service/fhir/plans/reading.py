"""A PlanDefinition as the engine runs it: read and compiled once, with every fault found at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.domain.errors import ContentFault
from service.domain.evaluation import Citation, Code, Finding, Proposal, Statement, Truth, UnknownReason
from service.domain.issues import Issue, error
from service.fhir.plans.actions import Action, prepare
from service.fhir.plans.definitions import FORM_TYPE, canonical, input_form
from service.fhir.plans.rules import (
    ATTENTION,
    FAILED,
    Condition,
    ReasonRule,
    RuleFault,
    expressions_of,
    read_conditions,
    read_reasons,
    role,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: a three-valued condition, and the reasons for an unknown.

    The findings that it can come to are made once: ``met``, ``not_met``, an unknown for each reason, and
    ``failed`` where its rule could not be evaluated.
    """

    code: Code
    title: str
    condition: Condition
    reasons: tuple[ReasonRule, ...]
    citations: tuple[Citation, ...]
    place: str
    met: Finding
    not_met: Finding
    unknowns: tuple[Finding, ...]
    failed: Finding


@dataclass(frozen=True, slots=True)
class Said:
    """An outcome or a note, with the conditions that must all be true for it."""

    statement: Statement
    conditions: tuple[Condition, ...]
    place: str
    action: Resource


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal's action, with its conditions."""

    proposal: Proposal
    action: Resource
    conditions: tuple[Condition, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan whose actions have roles. ``canonical`` has its version; ``form`` is its input form's, without.

    ``outcome_code`` says what the outcome is an outcome of; it codes the outcome's Observation. ``actions``
    stand ready to be applied.
    """

    resource: Resource
    canonical: str
    form: str
    outcome_code: Code
    criteria: tuple[Criterion, ...]
    outcomes: tuple[Said, ...]
    notes: tuple[Said, ...]
    proposals: tuple[Proposed, ...]
    actions: tuple[Action, ...]


def read_plan(resource: Resource) -> Plan | None:
    """The plan, compiled; None for a PlanDefinition whose actions have no roles.

    ContentFault lists every fault: an expression that does not compile, a criterion without code, citation
    or reasons, a role that is not known.
    """
    groups = list(_groups(resource.get("action", ()), f"PlanDefinition[{resource.get('id')}].action"))
    if not groups:
        return None
    faults: list[Issue] = []
    criteria: list[Criterion] = []
    said: dict[str, list[Said]] = {"outcome": [], "note": []}
    proposals: list[Proposed] = []
    outcome_code = Code("", "")
    shared = fhirpath.common(
        (text for _, group, _ in groups for one in group.get("action", ()) for text in expressions_of(one)),
        context_type=FORM_TYPE,
    )
    for kind, group, place in groups:
        if kind == "outcome" and group.get("code"):
            outcome_code = _code(group)
        for index, action in enumerate(group.get("action", ())):
            here = f"{place}.action[{index}]"
            try:
                if kind == "criterion":
                    criteria.append(_criterion(action, here, shared))
                elif kind in said:
                    said[kind].append(_said(action, here, shared))
                elif kind == "proposal" and not action.get("id"):
                    faults.append(error("required", "a proposal needs an id, by which it is known", here))
                elif kind == "proposal":
                    proposals.append(_proposed(action, here, shared))
                else:
                    faults.append(error("value", f"'{kind}' is not a role of a plan's actions", place))
            except RuleFault as fault:
                faults.append(error("invalid", str(fault), f"{here}.{fault.place}"))
    faults += _whole(resource, criteria, said["outcome"], outcome_code)
    if faults:
        raise ContentFault(f"the plan {resource.get('id')} cannot be run", issues=faults)
    return Plan(
        resource,
        canonical(resource),
        input_form(resource) or "",
        outcome_code,
        tuple(criteria),
        tuple(said["outcome"]),
        tuple(said["note"]),
        tuple(proposals),
        prepare(resource, _decisions((*said["outcome"], *said["note"]), proposals)),
    )


def _decisions(said: Iterable[Said], proposals: Iterable[Proposed]) -> dict[int, int | str]:
    """How each outcome, note and proposal is known in an evaluation, by its action's identity (``id``)."""
    found: dict[int, int | str] = {id(one.action): id(one.statement) for one in said}
    return found | {id(one.action): one.proposal.action for one in proposals}


def _groups(actions: Any, place: str) -> Iterator[tuple[str, Resource, str]]:
    for index, action in enumerate(actions):
        here = f"{place}[{index}]"
        kind = role(action)
        if kind is not None and kind != ATTENTION:
            yield kind, action, here
        elif kind is None:
            yield from _groups(action.get("action", ()), f"{here}.action")


def _whole(
    resource: Resource, criteria: list[Criterion], outcomes: list[Said], outcome_code: Code
) -> Iterator[Issue]:
    place = f"PlanDefinition[{resource.get('id')}]"
    if not criteria or not outcomes:
        yield error("required", "a plan with roles needs criteria and outcomes", place)
    if not outcome_code.code:
        yield error(
            "required", "the outcome group needs a code, which codes the outcome's Observation", place
        )
    if not input_form(resource):
        yield error("required", "no action declares its input form (action.input)", place)
    known = {criterion.code.code for criterion in criteria}
    for entry in outcomes:
        for condition in entry.conditions:
            for rule in condition.rules:
                for code in sorted(rule.criteria - known):
                    yield error("code-invalid", f"a finding-rule names '{code}', no criterion", entry.place)


def _criterion(action: Resource, place: str, shared: frozenset[str]) -> Criterion:
    conditions = read_conditions(action, FORM_TYPE, shared=shared)
    if len(conditions) != 1:
        raise RuleFault("condition", "a criterion has exactly one applicability condition")
    citations = read_citations(action)
    if not citations:
        raise RuleFault("documentation", "a criterion cites its paragraph")
    reasons = read_reasons(action, FORM_TYPE, shared=shared)
    code, title = _code(action), action.get("title", "")

    def found(truth: Truth, reason: UnknownReason | None = None) -> Finding:
        return Finding(code, title, truth, reason, citations)

    return Criterion(
        code,
        title,
        conditions[0],
        reasons,
        citations,
        place,
        found(Truth.MET),
        found(Truth.NOT_MET),
        tuple(found(Truth.UNKNOWN, UnknownReason(one.code, one.text, one.items)) for one in reasons),
        found(Truth.UNKNOWN, UnknownReason(None, FAILED)),
    )


def _said(action: Resource, place: str, shared: frozenset[str]) -> Said:
    citations = read_citations(action)
    if not citations:
        raise RuleFault("documentation", "an outcome or note cites its paragraph")
    statement = Statement(
        _code(action),
        action.get("title", ""),
        action.get("description", ""),
        action.get("priority", "routine"),
        citations,
    )
    return Said(statement, read_conditions(action, FORM_TYPE, shared=shared), place, action)


def _proposed(action: Resource, place: str, shared: frozenset[str]) -> Proposed:
    proposal = Proposal(
        action["id"],
        action.get("title", ""),
        action.get("description", ""),
        action.get("definitionCanonical"),
    )
    return Proposed(proposal, action, read_conditions(action, FORM_TYPE, shared=shared), place)


def _code(action: Resource) -> Code:
    for concept in action.get("code", ()):
        for coding in concept.get("coding", ()):
            return Code(coding.get("system", ""), coding.get("code", ""), coding.get("display"))
    raise RuleFault("code", "the action needs a code")


def read_citations(action: Resource) -> tuple[Citation, ...]:
    """Where the guidance says it, from the action's documentation."""
    return tuple(
        Citation(
            entry.get("label", ""), entry.get("display", ""), entry.get("url", ""), entry.get("type", "")
        )
        for entry in action.get("documentation", ())
    )
