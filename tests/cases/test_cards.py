"""Every case of a card at ordering: what the clinician reads, and what is drafted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.cds.cards import order_card
from service.cds.faces import Faces
from service.cds.model import Assessed
from service.fhir.plans import Application, Circumstances, apply
from tests.cases import Case, read, response
from tests.cases.test_cases import CONTENT, PLANS, evaluate
from tests.cds.shown import NOW, ORDER, PATIENT, USER, showing

if TYPE_CHECKING:
    from typing import Any

FACES = Faces(CONTENT)


@pytest.mark.parametrize("case", list(read("htg117", "summary")), ids=str)
def test_the_card_says_what_the_case_says(case: Case) -> None:
    evaluation = evaluate(case)
    published = CONTENT.read("Questionnaire", case.form)
    assert published is not None
    form = response(case, published.resource) | {"id": "case"}
    plan = PLANS.for_form(form)
    assert plan is not None
    circumstances = Circumstances(PATIENT, NOW, None, USER)
    applied = apply(Application(plan.resource, plan, form, circumstances, {}, CONTENT.resolve, evaluation))
    assessed = Assessed(plan, evaluation, form, True, "QuestionnaireResponse/case")
    card: dict[str, Any] = order_card(ORDER, assessed, applied, showing(), FACES)
    expect = case.expect
    assert card["summary"] == expect["summary"]
    assert card["indicator"] == expect["indicator"]
    assert [said for said in expect["detail"] if said not in card["detail"]] == []
    assert [said for said in expect.get("without", ()) if said in card["detail"]] == []
    suggestions = card.get("suggestions", [])
    assert [one["label"] for one in suggestions] == expect["suggestions"]
    if "dated" in expect:
        drafted = suggestions[0]["actions"][0]["resource"]
        assert drafted["restriction"] == {"period": {"start": expect["dated"]}}


def test_every_outcome_has_a_card() -> None:
    seen = {evaluate(case).outcome.code.code for case in read("htg117", "summary")}
    assert seen == {said.statement.code.code for plan in PLANS.all() for said in plan.outcomes}
