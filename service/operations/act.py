"""What a submitted form comes to: the outcome where a plan takes it as input, and what it extracts to."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.errors import Unprocessable
from service.domain.issues import Issue, Severity
from service.fhir.extraction import extract, extracts
from service.fhir.plans import Application, Circumstances, Setting, apply, render_care_plan
from service.operations.assess import assess_form
from service.operations.checks import questionnaire_of
from service.operations.representation import instant
from service.operations.results import Draft, drafts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.fhirpath import Terminology
    from service.operations.assess import Plans
    from service.operations.ports import Content

Resource = dict[str, Any]
_SUBJECT = "urn:subject"
_CARE_PLAN = "urn:care-plan"
_OUTCOME = "urn:outcome"


@dataclass(frozen=True, slots=True)
class Actor:
    """Acts on checked forms, by what is published."""

    content: Content
    plans: Plans
    terms: Terminology

    def __call__(self, form: Resource, now: datetime) -> tuple[list[Draft], tuple[Issue, ...]]:
        """The form's results, and what is to be known of them."""
        made: list[Draft] = []
        issues: tuple[Issue, ...] = ()
        if self.plans.for_form(form) is not None:
            made, issues = self._assess(form, now)
        questionnaire = questionnaire_of(form, self.content)
        if not extracts(questionnaire, self.content.resolve):
            return made, issues
        found = extract(
            form, questionnaire, new_id=_named(form), resolve=self.content.resolve, terminology=self.terms
        )
        if found.fails:
            raise Unprocessable("the form's results cannot be made; nothing is stored", issues=found.issues)
        return [*made, *drafts(found.bundle)], (*issues, *(one for one in found.issues if _tells(one)))

    def _assess(self, form: Resource, now: datetime) -> tuple[list[Draft], tuple[Issue, ...]]:
        assessment = assess_form(form, self.plans)
        setting = Setting(
            f"QuestionnaireResponse/{form['id']}", instant(now), _CARE_PLAN, _OUTCOME, form.get("identifier")
        )
        plan = assessment.plan
        circumstances = Circumstances(
            _SUBJECT, instant(now), _reference(form, "encounter"), _author(form, "Practitioner"), None
        )
        applied = apply(
            Application(
                plan.resource, plan, form, circumstances, {}, self.content.resolve, assessment.evaluation
            )
        )
        care_plan = _about(render_care_plan(applied), form["subject"])
        made = [
            Draft(assessment.outcome(form, setting), _OUTCOME),
            Draft(assessment.guidance_response(form, setting)),
            Draft(care_plan, _CARE_PLAN),
        ]
        return made, tuple(applied.issues)


def _named(form: Resource) -> Callable[[str], str]:
    """Names for what is extracted, the same each time that the form is."""
    own = form["id"]
    return lambda key: f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{own} {key}')}"


def _tells(issue: Issue) -> bool:
    return issue.severity is not Severity.INFORMATION


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
