"""``PlanDefinition/$apply``: a plan, for a subject and a form, becomes a CarePlan of proposals.

R4 ``plandefinition-operation-apply.html``: a CarePlan with a contained RequestGroup; ``$r5.apply`` gives the
same as a Bundle. An expression that fails is an issue in an OperationOutcome beside the requests, never an
action dropped without a word. Nothing that is published is part of the result: all of it is made anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.domain.issues import Issue, error
from service.fhir.plans.actions import Ready, prepare
from service.fhir.plans.assessment import assess
from service.fhir.plans.conditions import Asked
from service.fhir.plans.definitions import FORM_TYPE
from service.fhir.plans.dynamic import PathFault, set_value
from service.fhir.plans.reading import Plan, read_plan
from service.fhir.plans.rules import FAILED, RuleFault
from service.fhirpath.records import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from service.domain.evaluation import Evaluation
    from service.fhir.plans.actions import Action, Defined, Value
    from service.fhir.plans.realisation import Circumstances, Template

Resource = dict[str, Any]
_DEEPEST = 10
_READY = Ready()


@dataclass(slots=True)
class Applied:
    """What ``$apply`` came to. ``requests`` are drafts by the id that their action refers to them by."""

    definition: Resource
    circumstances: Circumstances
    evaluation: Evaluation | None
    actions: list[Resource] = field(default_factory=list)
    requests: dict[str, Resource] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)


@record
class Application:
    """One call: the plan read, the form it is applied to, and where definitions are found.

    ``definition`` is the plan's own resource, where there is a plan. ``variables`` are resources that
    expressions may name: subject, encounter, practitioner, organization. ``evaluation`` is the plan's over
    that form, where it has been made already.
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
    return _apply(application, brief=False)


def propose(application: Application) -> Applied:
    """As ``apply``, for whoever shows the evaluation itself and offers the drafts for choice.

    Of each action there is its id, title and selection behaviour. Left out are the messages that only say
    once more what the evaluation's outcome and notes say. The issues are the same.
    """
    return _apply(application, brief=True)


def _apply(application: Application, *, brief: bool) -> Applied:
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
    walk = _Walk(application, form, applied, evaluation, brief=brief)
    actions = plan.actions if plan else _READY.of(application.definition, application.resolve)
    applied.actions += walk.actions(actions, 0)
    return applied


class _Walk:
    """The actions of one plan in one call, in document order."""

    def __init__(
        self,
        application: Application,
        form: Resource | None,
        applied: Applied,
        evaluation: Evaluation | None,
        prefix: str = "",
        *,
        brief: bool,
    ) -> None:
        self._application = application
        self._form = form
        self._root: Resource = form or application.variables.get("subject") or {}
        self._names = frozenset(application.variables)
        self._applied = applied
        self._prefix = prefix
        self._brief = brief
        self._asked = Asked(self._root, applied.issues)
        self._made: set[int | str] | None = None
        if evaluation is not None:
            self._asked.findings = evaluation.findings
            self._made = {id(evaluation.outcome), *map(id, evaluation.notes)}
            self._made.update(proposal.action for proposal in evaluation.proposals)

    def actions(self, actions: Iterable[Action], depth: int) -> list[Resource]:
        """The RequestGroup's actions that apply."""
        made = []
        # What a plan that is proposed says is part of the proposal: it is not restated elsewhere.
        brief = self._brief and not self._prefix
        for action in actions:
            if not (brief and action.restates) and self._applies(action):
                found = self._action(action, depth)
                if found is not None:
                    made.append(found)
        return made

    def _applies(self, action: Action) -> bool:
        if self._made is not None and action.decided is not None:
            return action.decided in self._made
        conditions = action.conditions
        if isinstance(conditions, RuleFault):
            self._issue(str(conditions), f"{action.place}.{conditions.place}")
            return False
        return self._asked.hold(conditions, action.place)

    def _action(self, action: Action, depth: int) -> Resource | None:
        made = action.face() if self._brief else action.head()
        if self._prefix:
            made["id"] = self._prefix + made["id"]
            for related in made.get("relatedAction", ()):
                related["actionId"] = self._prefix + related["actionId"]
        children = self.actions(action.children, depth) if action.is_group else []
        request: Resource | None = None
        if action.named is not None:
            request = self._defined(action, action.named, made["id"], children, depth)
        if children:
            if request is not None:
                children.insert(0, {"id": f"{made['id']}-request", "resource": self._held(request)})
            made["action"] = children
        elif request is not None:
            made["resource"] = self._held(request)
        elif action.is_group:
            return None  # a group of which nothing applies
        else:
            made["resource"] = self._held(action.words(self._application.circumstances))
        return made

    def _held(self, resource: Resource) -> Resource:
        requests = self._applied.requests
        identifier = f"request-{len(requests) + 1}"
        requests[identifier] = resource
        return {"reference": "#" + identifier}

    def _issue(self, message: str, place: str) -> None:
        self._applied.issues.append(error("exception", message, place))

    def _defined(
        self, action: Action, named: str, identifier: str, children: list[Resource], depth: int
    ) -> Resource | None:
        """The request that the action's definition makes; a nested plan's actions go to the children."""
        definition = self._application.resolve(named)
        if definition is None:
            self._issue(f"the definition {named} is not held here", f"{action.place}.definitionCanonical")
            return None
        defined = action.defined(definition)
        if defined.is_plan:
            children += self._nested(defined, action.place, identifier, depth)
        elif defined.request is not None:
            return self._request(defined.request, (*defined.values, *action.values))
        else:
            self._issue(defined.fault, f"{action.place}.definitionCanonical")
        return None

    def _nested(self, defined: Defined, place: str, identifier: str, depth: int) -> list[Resource]:
        if depth >= _DEEPEST:
            self._issue("plans include each other too deeply", f"{place}.definitionCanonical")
            return []
        if defined.read is None:
            defined.read = _read(defined.definition)
        plan, actions = defined.read
        evaluation = assess(plan, self._form) if plan is not None and self._form is not None else None
        if evaluation is not None:
            self._applied.issues += evaluation.issues
        walk = _Walk(
            self._application, self._form, self._applied, evaluation, f"{identifier}.", brief=self._brief
        )
        return walk.actions(actions, depth + 1)

    def _request(self, template: Template, values: Iterable[Value]) -> Resource:
        """The draft, with what its definition and then its action compute set on it."""
        request = template(self._application.circumstances)
        for value in values:
            if value.fault is not None:
                self._issue(value.fault, f"{value.place}.expression.language")
                continue
            try:
                set_value(request, value.path, self._computed(value.program(self._names)))
            except (fhirpath.ExpressionError, fhirpath.EvaluationError) as fault:
                self._issue(f"{FAILED}: {fault}", f"{value.place}.expression")
            except PathFault as fault:
                self._issue(str(fault), f"{value.place}.path")
        return request

    def _computed(self, program: fhirpath.Program) -> list[Any]:
        """What an expression gives over the form; without variables all share what they look up in it."""
        if self._names:
            return program(self._root, variables=dict(self._application.variables))
        return self._asked.values(program)


def _read(definition: Resource) -> tuple[Plan | None, tuple[Action, ...]]:
    """The plan that a PlanDefinition is, if its actions have roles, and its actions made ready."""
    plan = read_plan(definition)
    return plan, prepare(definition, {}) if plan is None else plan.actions
