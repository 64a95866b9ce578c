"""A Questionnaire as a form that works: beyond HL7's que-* invariants, what needs the whole form to be seen.

An error is what the specifications forbid, or what can never work as written (a condition on a question that
is not there, a bound that no answer can keep). What is only doubtful, or could not be checked here, is a
warning. Sources: FHIR R4 Questionnaire; SDC 4.0, Form Behavior, Using Expressions, Form Data Extraction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.fhir.concepts import Terminology
from service.fhir.forms import form_of
from service.fhir.validation.questionnaires_checking import Checking
from service.fhir.validation.questionnaires_conditions import check_conditions
from service.fhir.validation.questionnaires_derivation import check_derivation
from service.fhir.validation.questionnaires_expressions import check_expressions
from service.fhir.validation.questionnaires_extraction import check_extraction
from service.fhir.validation.questionnaires_items import check_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from service.domain.issues import Issue
    from service.fhir.forms.elements import Json


def check(
    questionnaire: Json,
    *,
    resolve: Callable[[str], Json | None] | None = None,
    terminology: Terminology | None = None,
    contained: Mapping[str, Json] | None = None,
) -> Iterable[Issue]:
    """What is wrong with a form, or doubtful in it; never raises, whatever it is given.

    ``resolve`` leads from a canonical to the resource, ``terminology`` decides what value sets hold,
    ``contained`` are the resources beside a form that is itself contained. HL7's invariants are the base
    checker's, but for que-2, which is checked here.
    """
    resolve = resolve or _nothing
    checking = Checking(form_of(questionnaire), resolve, terminology or Terminology(resolve), contained or {})
    _check_tree(checking)
    for item in checking.form.all:
        check_item(checking, item)
        if item.conditions:
            check_conditions(checking, item)
    check_expressions(checking)
    check_extraction(checking)
    check_derivation(checking)
    return checking.issues


def _nothing(_: str) -> None:
    """The resolver of a caller that has none."""


def _check_tree(checking: Checking) -> None:
    for place in checking.form.too_deep:
        checking.error("structure", "items nest deeper here than any form does; flatten them", place, "depth")
    first: dict[str, str] = {}
    for item in checking.form.all:
        if not item.link_id:
            continue
        if item.link_id in first:
            checking.error(
                "invariant",
                f"the linkId {item.link_id} is that of {first[item.link_id]} already; give each item its own",
                f"{item.place}.linkId",
                "que-2",
            )
        else:
            first[item.link_id] = item.place
