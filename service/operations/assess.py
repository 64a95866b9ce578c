"""``assess``: a completed form comes to its outcome. The form has passed the gate (``checks``) before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from service.domain.errors import ContentFault, Unprocessable
from service.fhir.plans import Plan, Setting, assess, read_plan, render_guidance_response, render_outcome

if TYPE_CHECKING:
    from service.domain.evaluation import Evaluation
    from service.operations.ports import Content

Resource = dict[str, Any]


class Plans:
    """The published plans whose actions have roles, read once; by the form that they take as input."""

    def __init__(self, content: Content) -> None:
        """Reads nothing yet."""
        self._content = content
        self._read: dict[int, Plan | None] = {}

    def of(self, definition: Resource) -> Plan | None:
        """The plan read from a PlanDefinition that is published here, once; None where it has no roles."""
        key = id(definition)  # content is held for the life of the process
        if key not in self._read:
            self._read[key] = read_plan(definition)
        return self._read[key]

    @cached_property
    def _by_form(self) -> dict[str, Plan]:
        found: dict[str, Plan] = {}
        for published in self._content.of_type("PlanDefinition"):
            plan = self.of(published.resource)
            if plan is not None and found.setdefault(plan.form, plan) is not plan:
                raise ContentFault(f"two plans take the form {plan.form} as input; one form, one plan")
        return found

    def all(self) -> tuple[Plan, ...]:
        """Every published plan that assesses a form."""
        return tuple(self._by_form.values())

    def for_form(self, form: Resource) -> Plan | None:
        """The plan that assesses a form, by the Questionnaire that it answers; None where none does."""
        return self._by_form.get(str(form.get("questionnaire", "")).split("|")[0])


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a form came to, and the plan that says so."""

    plan: Plan
    evaluation: Evaluation

    def outcome(self, form: Resource, setting: Setting) -> Resource:
        """The outcome Observation, without id."""
        return render_outcome(self.evaluation, self.plan, form, setting)

    def guidance_response(self, form: Resource, setting: Setting) -> Resource:
        """The GuidanceResponse, without id."""
        return render_guidance_response(self.evaluation, form, setting)


def assess_form(form: Resource, plans: Plans) -> Assessment:
    """The assessment of a form; Unprocessable where no published plan takes such a form as input."""
    plan = plans.for_form(form)
    if plan is None:
        raise Unprocessable(
            f"no published plan assesses the form {str(form.get('questionnaire'))[:200]}; "
            "forms that are only extracted go to $extract",
            expression="QuestionnaireResponse.questionnaire",
        )
    return Assessment(plan, assess(plan, form))
