"""PlanDefinitions run: read once, assessed over a form, applied, and rendered as FHIR.

``read_plan`` → ``assess`` gives an Evaluation; ``apply`` gives drafts, which ``rendering`` shows as a
CarePlan or a Bundle. One evaluation, several renderings: see ``docs/decisions/0003-rules-as-data.md``.
"""

from service.fhir.plans.application import Application, Applied, apply, propose
from service.fhir.plans.assessment import UndecidedOutcome, assess
from service.fhir.plans.definitions import asked_form, canonical, input_form, input_forms
from service.fhir.plans.outcome import Setting, render_guidance_response, render_outcome
from service.fhir.plans.reading import Plan, read_plan
from service.fhir.plans.realisation import Circumstances
from service.fhir.plans.rendering import render_bundle, render_care_plan

__all__ = [
    "Application",
    "Applied",
    "Circumstances",
    "Plan",
    "Setting",
    "UndecidedOutcome",
    "apply",
    "asked_form",
    "assess",
    "canonical",
    "input_form",
    "input_forms",
    "propose",
    "read_plan",
    "render_bundle",
    "render_care_plan",
    "render_guidance_response",
    "render_outcome",
]
