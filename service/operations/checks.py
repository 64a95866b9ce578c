"""The gate at every door: a form or resource checked, refused with all its issues, or let through."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from service.domain.errors import Invalid, Refused
from service.domain.issues import Issue, error, ordered
from service.fhir import validation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.fhir.json_text import Document
    from service.operations.ports import Content

Resource = dict[str, Any]
FORM = "QuestionnaireResponse"
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""Not every database can keep it: PostgreSQL's texts cannot."""


def check(
    resource: Resource,
    content: Content,
    *,
    questionnaire: Resource | None = None,
    profiles: Sequence[str] = (),
) -> tuple[Issue, ...]:
    """What is wrong with a resource beside what is published, whose terminology is indexed once for all."""
    return validation.check(
        resource,
        questionnaire=questionnaire,
        profiles=profiles,
        resolve=content.resolve,
        terminology=content.terminology,
    )


def check_form(document: Document, content: Content, form: Resource | None = None) -> tuple[Issue, ...]:
    """What is worth knowing of a form that passes; Invalid carries every issue of one that does not.

    ``form`` is the QuestionnaireResponse where the document wraps it in Parameters.
    """
    own = document.resource if form is None else form
    if _NUL.search(document.text):
        said = "a text holds the character U+0000, which FHIR R4 does not allow in any string; leave it out"
        raise Invalid(said, issues=[error("value", said, FORM)])
    questionnaire = questionnaire_of(own, content)
    issues = check(own, content, questionnaire=questionnaire)
    if form is None:
        issues = document.placed(issues)
    failed = [issue for issue in issues if issue.fails]
    if failed:
        count = "one fault" if len(failed) == 1 else f"{len(failed)} faults"
        raise Invalid(f"the form has {count}", issues=ordered(issues))
    return issues


def check_data(bundle: Resource | None, content: Content) -> list[Resource]:
    """The resources of a Bundle of data; Invalid where an entry has none, or one that cannot be read.

    What a record holds may break a rule of a profile and still be true, so only the shape is asked for.
    """
    entries = bundle.get("entry", []) if bundle else []
    if not isinstance(entries, list):
        raise Refused("data is a Bundle with entries", expression="Parameters.parameter:data")
    found, issues = [], []
    for at, entry in enumerate(entries):
        place = f"Bundle.entry[{at}]"
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            found.append(resource)
            issues += _misshapen(resource, f"{place}.resource", content)
        else:
            issues.append(error("structure", "the entry holds no resource; send one, or leave it out", place))
    if issues:
        raise Invalid("the data cannot be read", issues=issues)
    return found


def check_given(resources: Sequence[Resource], place: str, content: Content) -> None:
    """Nothing, where each resource is shaped as R4 has it; else Invalid."""
    issues = [issue for one in resources for issue in _misshapen(one, place, content)]
    if issues:
        raise Invalid("a resource cannot be read", issues=issues)


def _misshapen(resource: Resource, place: str, content: Content) -> list[Issue]:
    return [
        replace(issue, expression=f"{place}{issue.expression[len(issue.expression.split('.')[0]) :]}")
        for issue in check(resource, content)
        if issue.fails and issue.code == "structure"
    ]


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
