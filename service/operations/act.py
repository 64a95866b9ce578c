"""What a submitted form comes to: the outcome where a plan takes it as input, and what it extracts to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.issues import Issue
from service.fhir.plans import Application, Circumstances, Setting, apply, render_care_plan
from service.operations.assess import assess_form
from service.operations.representation import instant
from service.operations.results import Draft, drafts

if TYPE_CHECKING:
    from datetime import datetime

    from service.operations.assess import Plans
    from service.operations.ports import Content

Resource = dict[str, Any]
Extract = Callable[[Resource], tuple[Resource | None, tuple[Issue, ...]]]
"""What a form extracts to, None where its Questionnaire asks for no extraction, and issues."""
_SUBJECT = "urn:subject"
_CARE_PLAN = "urn:care-plan"


@dataclass(frozen=True, slots=True)
class Actor:
    """Acts on checked forms, by what is published."""

    content: Content
    plans: Plans
    extract: Extract

    def __call__(self, form: Resource, now: datetime) -> tuple[list[Draft], tuple[Issue, ...]]:
        """The form's results, and what is to be known of them."""
        made: list[Draft] = []
        issues: tuple[Issue, ...] = ()
        if self.plans.for_form(form) is not None:
            made, issues = self._assess(form, now)
        extracted, more = self.extract(form)
        if extracted is not None:
            made = [*made, *drafts(extracted)]
        return made, (*issues, *more)

    def _assess(self, form: Resource, now: datetime) -> tuple[list[Draft], tuple[Issue, ...]]:
        assessment = assess_form(form, self.plans)
        setting = Setting(f"QuestionnaireResponse/{form['id']}", instant(now), _CARE_PLAN)
        plan = assessment.plan
        circumstances = Circumstances(
            _SUBJECT, instant(now), _reference(form, "encounter"), _author(form, "Practitioner"), None
        )
        applied = apply(Application(plan.resource, plan, form, circumstances, {}, self.content.resolve))
        care_plan = _about(render_care_plan(applied), form["subject"])
        made = [
            Draft(assessment.outcome(form, setting)),
            Draft(assessment.guidance_response(form, setting)),
            Draft(care_plan, _CARE_PLAN),
        ]
        return made, (*assessment.evaluation.issues, *applied.issues)


def _reference(form: Resource, name: str) -> str | None:
    found = form.get(name, {}).get("reference")
    return found if isinstance(found, str) else None


def _author(form: Resource, type_: str) -> str | None:
    found = _reference(form, "author")
    return found if found and type_ in found.split("/") else None


def _about(node: Any, subject: Resource) -> Any:
    """The same with the form's own subject, which may be known by identifier alone."""
    if isinstance(node, dict):
        return (
            subject if node == {"reference": _SUBJECT} else {k: _about(v, subject) for k, v in node.items()}
        )
    return [_about(part, subject) for part in node] if isinstance(node, list) else node
