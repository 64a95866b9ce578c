"""An evaluation as FHIR: the outcome Observation, and the GuidanceResponse that names plan and result.

The Observation restates each criterion with its truth, the reason of an unknown and its paragraphs; the
professional decides. Profiles: ``StructureDefinition/eligibility-outcome``; R4 ``guidanceresponse.html``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.evaluation import Truth
from service.fhir.plans.rendering import render_issues

if TYPE_CHECKING:
    from service.domain.evaluation import Code, Evaluation, Finding, Statement
    from service.fhir.plans.reading import Plan

Resource = dict[str, Any]
CATEGORY = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "survey",
            "display": "Survey",
        }
    ]
}
_ABSENT = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
            "code": "error",
            "display": "Error",
        }
    ]
}
_TRUTH_DISPLAY = {Truth.MET: "Met", Truth.NOT_MET: "Not met", Truth.UNKNOWN: "Not known"}
_MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where results belong. References are FHIR's (``Patient/1``); ``form`` leads to the stored form.

    ``now`` is a FHIR instant; it dates the GuidanceResponse, never a criterion. ``outcome`` leads to the
    outcome Observation, which a GuidanceResponse names as its reason: R4 lets none name a form.
    """

    form: str
    now: str
    care_plan: str | None = None
    outcome: str | None = None
    request_identifier: Resource | None = None


def canonical_base(plan: Plan) -> str:
    """The base that the plan's publisher gives its canonicals."""
    return str(plan.resource["url"]).rsplit("/PlanDefinition/", 1)[0]


def render_outcome(evaluation: Evaluation, plan: Plan, form: Resource, setting: Setting) -> Resource:
    """The outcome Observation of a form, without id. Its date is the form's ``authored``."""
    base = canonical_base(plan)
    observation: Resource = {
        "resourceType": "Observation",
        "meta": {"profile": [f"{base}/StructureDefinition/eligibility-outcome"]},
        "status": "amended" if form.get("status") == "amended" else "final",
        "category": [CATEGORY],
        "code": {"coding": [_coding(plan.outcome_code)]},
        "subject": form.get("subject"),
        "encounter": form.get("encounter"),
        "effectiveDateTime": form.get("authored"),
        "performer": [form["author"]] if _may_perform(form.get("author")) else None,
        "valueCodeableConcept": {
            "coding": [_coding(evaluation.outcome.code)],
            "text": evaluation.outcome.title,
        },
        "note": [{"text": _said(note)} for note in evaluation.notes] or None,
        "derivedFrom": [{"reference": setting.form}],
        "component": [_component(finding, base) for finding in evaluation.findings],
    }
    return {name: value for name, value in observation.items() if value is not None}


def render_guidance_response(evaluation: Evaluation, form: Resource, setting: Setting) -> Resource:
    """The GuidanceResponse, without id: ``data-required`` where answers are asked for, else ``success``.

    Its data requirements name the linkIds; rules that failed are in a contained OperationOutcome.
    """
    missing = evaluation.missing_items
    response: Resource = {
        "resourceType": "GuidanceResponse",
        "contained": None,
        "requestIdentifier": setting.request_identifier,
        "moduleCanonical": evaluation.plan,
        "status": "data-required" if missing else "success",
        "subject": form.get("subject"),
        "encounter": form.get("encounter"),
        "occurrenceDateTime": setting.now,
        "reasonReference": [{"reference": setting.outcome}] if setting.outcome else None,
        "evaluationMessage": None,
        "result": {"reference": setting.care_plan} if setting.care_plan else None,
        "dataRequirement": [_requirement(form, missing)] if missing else None,
    }
    if evaluation.issues:
        messages = {"resourceType": "OperationOutcome", "id": _MESSAGES}
        response["contained"] = [messages | render_issues(evaluation.issues)]
        response["evaluationMessage"] = [{"reference": f"#{_MESSAGES}"}]
    return {name: value for name, value in response.items() if value is not None}


def _said(note: Statement) -> str:
    """A note in one text; a title that says the same as the text is not said twice."""
    return note.text if note.text.startswith(note.title) else f"{note.title}. {note.text}"


def _component(finding: Finding, base: str) -> Resource:
    extensions = [
        {"url": f"{base}/StructureDefinition/guidance-paragraph", "valueString": citation.label}
        for citation in finding.citations
        if citation.kind == "citation"
    ]
    truth = {
        "system": f"{base}/CodeSystem/criterion-truth",
        "code": str(finding.truth),
        "display": _TRUTH_DISPLAY[finding.truth],
    }
    component: Resource = {
        "extension": extensions,
        "code": {"coding": [_coding(finding.criterion)], "text": finding.title},
        "valueCodeableConcept": {"coding": [truth]},
    }
    reason = finding.reason
    if reason is not None and reason.code is None:
        component["dataAbsentReason"] = _ABSENT | {"text": reason.text}
    elif reason is not None:
        parts = [{"url": "reason", "valueCode": reason.code}, {"url": "text", "valueString": reason.text}]
        parts += [{"url": "item", "valueString": item} for item in reason.items]
        url = f"{base}/StructureDefinition/unknown-reason"
        component["extension"] = [{"extension": parts, "url": url}, *extensions]
    if not component["extension"]:
        del component["extension"]
    return component


def _requirement(form: Resource, items: tuple[str, ...]) -> Resource:
    """Which answers of which form are asked for. A form is a URI; a linkId is a code of its form."""
    questionnaire = str(form.get("questionnaire", "")).split("|")[0]
    named = {"system": "urn:ietf:rfc:3986", "code": questionnaire}
    asked = [{"system": questionnaire, "code": item} for item in items]
    return {
        "type": "QuestionnaireResponse",
        "codeFilter": [{"path": "questionnaire", "code": [named]}, {"path": "item.linkId", "code": asked}],
    }


def _coding(code: Code) -> Resource:
    coding = {"system": code.system, "code": code.code, "display": code.display}
    return {name: value for name, value in coding.items() if value}


def _may_perform(author: Resource | None) -> bool:
    """Whether the form's author may perform an Observation: R4 has no Device among the performers."""
    kind = str((author or {}).get("type") or _kind((author or {}).get("reference")))
    return kind in (
        "Practitioner",
        "PractitionerRole",
        "Organization",
        "CareTeam",
        "Patient",
        "RelatedPerson",
    )


def _kind(reference: str | None) -> str:
    """The type in a reference, relative or absolute; empty where it has none."""
    return ["", *str(reference or "").split("/")][-2]
