"""``PlanDefinition/$apply``: a plan, for a subject and a form, becomes a CarePlan of proposals.

R4 ``plandefinition-operation-apply.html``: a CarePlan with a contained RequestGroup; ``$r5.apply`` gives the
same as a Bundle. An expression that fails is an issue in an OperationOutcome beside the requests, never an
action dropped without a word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.domain.issues import Issue, error
from service.fhir.plans.assessment import assess
from service.fhir.plans.conditions import Asked
from service.fhir.plans.dynamic import PathFault, set_value
from service.fhir.plans.reading import FORM_TYPE, Plan, read_plan
from service.fhir.plans.realisation import Circumstances, UnsupportedKind, message, realise, task_for_form
from service.fhir.plans.rules import ATTENTION, FAILED, FHIRPATH, RuleFault, Standing, read_conditions, role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.domain.evaluation import Evaluation

Resource = dict[str, Any]
_CARRIED = (
    "prefix",
    "title",
    "description",
    "textEquivalent",
    "priority",
    "code",
    "documentation",
    "condition",
    "relatedAction",
    "type",
    "groupingBehavior",
    "selectionBehavior",
    "requiredBehavior",
    "precheckBehavior",
    "cardinalityBehavior",
    "timingDateTime",
    "timingAge",
    "timingPeriod",
    "timingDuration",
    "timingRange",
    "timingTiming",
)
_DEEPEST = 10


@dataclass(slots=True)
class Applied:
    """What ``$apply`` came to. ``requests`` are drafts by the id that their action refers to them by."""

    definition: Resource
    circumstances: Circumstances
    evaluation: Evaluation | None
    actions: list[Resource] = field(default_factory=list)
    requests: dict[str, Resource] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Application:
    """One call: the plan read, the form it is applied to, and where definitions are found.

    ``variables`` are resources that expressions may name: subject, encounter, practitioner, organization.
    ``evaluation`` is the plan's over that form, where it has been made already.
    """

    definition: Resource
    plan: Plan | None
    form: Resource | None
    circumstances: Circumstances
    variables: Mapping[str, Resource]
    resolve: Callable[[str], Resource | None]
    evaluation: Evaluation | None = None


def apply(application: Application) -> Applied:
    """The plan's proposals. A plan with an input form and none given is applied to an empty one."""
    plan = application.plan
    form = application.form
    if plan is not None and form is None:
        form = {"resourceType": FORM_TYPE, "questionnaire": plan.form, "status": "in-progress"}
    evaluation = application.evaluation
    if evaluation is None and plan is not None and form is not None:
        evaluation = assess(plan, form)
    applied = Applied(application.definition, application.circumstances, evaluation)
    if evaluation is not None:
        applied.issues += evaluation.issues
    walk = _Walk(application, application.definition, form, applied, plan, evaluation)
    applied.actions += walk.actions(application.definition.get("action", ()), walk.place, 0)
    return applied


class _Walk:
    """The actions of one call, in document order."""

    def __init__(
        self,
        application: Application,
        definition: Resource,
        form: Resource | None,
        applied: Applied,
        plan: Plan | None,
        evaluation: Evaluation | None,
        prefix: str = "",
    ) -> None:
        self._application = application
        self._form = form
        self._root: Resource = form or application.variables.get("subject") or {}
        self._applied = applied
        self._prefix = prefix
        self.place = f"PlanDefinition[{definition.get('id')}].action"
        self._asked = Asked(self._root, applied.issues)
        self._decided: dict[int, bool] = {}
        if plan is not None and evaluation is not None:
            self._asked.standing = Standing(
                {finding.criterion.code: finding for finding in evaluation.findings}
            )
            self._decided = _decided(plan, evaluation)

    def actions(self, actions: Any, place: str, depth: int) -> list[Resource]:
        """The RequestGroup actions that apply: no criteria, which are findings, and no rules of attention."""
        made = []
        for index, action in enumerate(actions):
            here = f"{place}[{index}]"
            if role(action) in ("criterion", ATTENTION):
                continue
            action_made = self._action(action, here, depth)
            if action_made is not None:
                made.append(action_made)
        return made

    def _action(self, action: Resource, place: str, depth: int) -> Resource | None:
        if not self._applies(action, place):
            return None
        identifier = f"{self._prefix}{action.get('id') or _plain(place)}"
        made: Resource = {"id": identifier}
        made |= {name: action[name] for name in _CARRIED if name in action}
        if "condition" in made:
            made["condition"] = [_bare(condition) for condition in made["condition"]]
        if "relatedAction" in made and self._prefix:
            made["relatedAction"] = [
                related | {"actionId": self._prefix + related["actionId"]}
                for related in made["relatedAction"]
            ]
        children = self.actions(action.get("action", ()), f"{place}.action", depth)
        definition, children = self._defined(action, place, identifier, children, depth)
        if children:
            if definition is not None:
                children.insert(0, {"id": f"{identifier}-request", "resource": self._held(definition)})
            made["action"] = children
        elif definition is not None:
            made["resource"] = self._held(definition)
        elif "action" in action:
            return None  # a group of which nothing applies
        else:
            said = action.get("description") or action.get("textEquivalent") or action.get("title", "")
            words = message(said, action.get("priority"), self._application.circumstances)
            made["resource"] = self._held(words)
        return made

    def _held(self, resource: Resource) -> Resource:
        identifier = f"request-{len(self._applied.requests) + 1}"
        self._applied.requests[identifier] = resource
        return {"reference": f"#{identifier}"}

    def _applies(self, action: Resource, place: str) -> bool:
        decided = self._decided.get(id(action))
        if decided is not None:
            return decided
        try:
            conditions = read_conditions(action, None)
        except RuleFault as fault:
            self._issue(str(fault), f"{place}.{fault.place}")
            return False
        return self._asked.hold(conditions, place)

    def _issue(self, message_: str, place: str) -> None:
        self._applied.issues.append(error("exception", message_, place))

    def _defined(
        self, action: Resource, place: str, identifier: str, children: list[Resource], depth: int
    ) -> tuple[Resource | None, list[Resource]]:
        """The request that the action's definition makes, and its children with those of a nested plan."""
        named = action.get("definitionCanonical")
        if named is None:
            return None, children
        definition = self._application.resolve(named)
        circumstances = self._application.circumstances
        request: Resource | None = None
        if definition is None:
            self._issue(f"the definition {named} is not held here", f"{place}.definitionCanonical")
        elif definition["resourceType"] == "PlanDefinition":
            return None, children + self._nested(definition, place, identifier, depth)
        elif definition["resourceType"] == "Questionnaire":
            request = task_for_form(definition, action.get("title", ""), circumstances)
        elif definition["resourceType"] == "ActivityDefinition":
            try:
                request = realise(definition, circumstances)
            except UnsupportedKind as fault:
                self._issue(str(fault), f"{place}.definitionCanonical")
        else:
            self._issue(f"{named} is not a definition that can be applied", f"{place}.definitionCanonical")
        if request is not None:
            if definition is not None:
                self._set_values(definition, request, f"ActivityDefinition[{definition.get('id')}]")
            self._set_values(action, request, place)
        return request, children

    def _nested(self, definition: Resource, place: str, identifier: str, depth: int) -> list[Resource]:
        if depth >= _DEEPEST:
            self._issue("plans include each other too deeply", f"{place}.definitionCanonical")
            return []
        plan = read_plan(definition)
        evaluation = assess(plan, self._form) if plan is not None and self._form is not None else None
        if evaluation is not None:
            self._applied.issues += evaluation.issues
        prefix = f"{identifier}."
        walk = _Walk(self._application, definition, self._form, self._applied, plan, evaluation, prefix)
        return walk.actions(definition.get("action", ()), walk.place, depth + 1)

    def _set_values(self, definition: Resource, request: Resource, place: str) -> None:
        for index, dynamic in enumerate(definition.get("dynamicValue", ())):
            here = f"{place}.dynamicValue[{index}]"
            expression = dynamic.get("expression", {})
            if expression.get("language") != FHIRPATH:
                self._issue(f"only {FHIRPATH} is evaluated here", f"{here}.expression.language")
                continue
            try:
                set_value(request, dynamic.get("path", ""), self._computed(expression.get("expression", "")))
            except (fhirpath.ExpressionError, fhirpath.EvaluationError) as fault:
                self._issue(f"{FAILED}: {fault}", f"{here}.expression")
            except PathFault as fault:
                self._issue(str(fault), f"{here}.path")

    def _computed(self, text: str) -> list[Any]:
        """What an expression gives over the form; without variables all share one frame."""
        variables = self._application.variables
        program = fhirpath.compiled(text, variables=frozenset(variables))
        if variables:
            return program(self._root, variables=dict(variables))
        return self._asked.values(program)


def _decided(plan: Plan, evaluation: Evaluation) -> dict[int, bool]:
    """Whether each outcome, note and proposal of the plan applies, by its action's identity (``id``)."""
    said = (*plan.outcomes, *plan.notes)
    made = {id(evaluation.outcome), *map(id, evaluation.notes)}
    decided = {id(one.action): id(one.statement) in made for one in said}
    proposals = {proposal.action for proposal in evaluation.proposals}
    return decided | {id(one.action): one.proposal.action in proposals for one in plan.proposals}


def _bare(condition: Resource) -> Resource:
    """A condition as the RequestGroup carries it: without the extensions that only a plan may have."""
    return {name: value for name, value in condition.items() if name != "extension"}


def _plain(place: str) -> str:
    """An id for an action that has none, from its place."""
    return "".join(character if character.isalnum() else "-" for character in place.split("].", 1)[-1]).strip(
        "-"
    )
