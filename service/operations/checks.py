"""The gate at every door: a form or resource checked, refused with all its issues, or let through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import Invalid, Refused
from service.domain.issues import Issue, error, ordered
from service.fhir import validation

if TYPE_CHECKING:
    from service.fhir.json_text import Document
    from service.operations.ports import Content

Resource = dict[str, Any]
FORM = "QuestionnaireResponse"


def check_form(document: Document, content: Content, form: Resource | None = None) -> tuple[Issue, ...]:
    """What is worth knowing of a form that passes; Invalid carries every issue of one that does not.

    ``form`` is the QuestionnaireResponse where the document wraps it in Parameters.
    """
    own = document.resource if form is None else form
    questionnaire = questionnaire_of(own, content)
    issues = validation.check(own, questionnaire=questionnaire, resolve=content.resolve)
    if form is None:
        issues = document.placed(issues)
    failed = [issue for issue in issues if issue.fails]
    if failed:
        count = "one fault" if len(failed) == 1 else f"{len(failed)} faults"
        raise Invalid(f"the form has {count}", issues=ordered(issues))
    return issues


def questionnaire_of(form: Resource, content: Content) -> Resource:
    """The published Questionnaire that a form answers; Invalid where it names none that is here."""
    if form.get("resourceType") != FORM:
        raise Refused(
            f"a {FORM} is wanted here, not '{str(form.get('resourceType'))[:64]}'", expression="resourceType"
        )
    canonical = form.get("questionnaire")
    place = f"{FORM}.questionnaire"
    if not isinstance(canonical, str):
        raise Invalid(
            "the form does not say which Questionnaire it answers; give its canonical, with its version",
            issues=[error("required", _say(content, "the form names no Questionnaire"), place)],
        )
    found = content.resolve(canonical)
    if found is None or found.get("resourceType") != "Questionnaire":
        said = _say(content, f"no Questionnaire '{canonical[:200]}' is published here")
        raise Invalid(said, issues=[error("not-found", said, place)])
    return found


def _say(content: Content, fault: str) -> str:
    known = ", ".join(f"{one.url}|{one.version}" for one in content.of_type("Questionnaire"))
    return f"{fault}; those published are: {known or 'none'}"
