"""What a response says of itself against what its form says: canonical, version, subject, time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.fhir.forms.elements import child, cut, text
from service.fhir.forms.items import Value
from service.fhir.forms.references import type_of_reference
from service.fhir.forms.values import compare

if TYPE_CHECKING:
    from service.fhir.validation.responses_checking import Checking


def check_header(checking: Checking) -> None:
    """Checks ``questionnaire``, ``subject`` and ``authored`` against the form."""
    _check_canonical(checking)
    _check_subject(checking)
    _check_authored(checking)


def _check_canonical(checking: Checking) -> None:
    form = checking.form
    named = text(checking.filled.response, "questionnaire")
    place = "QuestionnaireResponse.questionnaire"
    if named is None or named.startswith("#") or form.url is None:
        return
    url, _, version = named.partition("|")
    if url != form.url:
        checking.error(
            "conflict",
            f"the response answers {cut(url, 120)}, and it was checked against {cut(form.url, 120)}; "
            "check it against its own form",
            place,
            "other-form",
        )
    elif version and form.version is not None and version != form.version:
        checking.error(
            "conflict",
            f"the response answers version {cut(version)} of the form; this is {cut(form.version)}; "
            "check it against the version it was filled in with",
            place,
            "other-version",
        )


def _check_subject(checking: Checking) -> None:
    kinds = checking.form.subject_types
    response = checking.filled.response
    subject = child(response, "subject")
    if not kinds or not subject:
        return
    kind = type_of_reference(subject, response)
    if kind is not None and kind not in kinds:
        checking.warning(
            "business-rule",
            f"the subject is a {cut(kind)}; the form is about {' or '.join(kinds)}",
            "QuestionnaireResponse.subject",
            "subject-type",
        )


def _check_authored(checking: Checking) -> None:
    period = child(checking.form.source, "effectivePeriod")
    authored = text(checking.filled.response, "authored")
    if not period or authored is None:
        return
    for name, outside, words in (
        ("start", -1, "before the form came into use"),
        ("end", 1, "after the form went out of use"),
    ):
        bound = text(period, name)
        if bound and compare(Value("dateTime", authored), Value("dateTime", bound)) == outside:
            checking.warning(
                "business-rule",
                f"the response was authored {words} ({cut(bound)})",
                "QuestionnaireResponse.authored",
                "effective-period",
            )
