"""Every case of every guidance, assessed by its published plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.adapters.content import load
from service.fhir import validation
from service.fhir.plans import assess
from service.operations.assess import Plans
from tests.cases import Case, read, response

if TYPE_CHECKING:
    from service.domain.evaluation import Evaluation

CONTENT = load()
PLANS = Plans(CONTENT)
WORDS = ("outcome", "notes", "without-notes", "proposals")


def evaluate(case: Case) -> Evaluation:
    published = CONTENT.read("Questionnaire", case.form)
    assert published is not None
    form = response(case, published.resource)
    issues = validation.check(form, questionnaire=published.resource, resolve=CONTENT.resolve)
    assert [str(issue) for issue in issues if issue.fails] == [], (
        "a case must be a form that the gate lets through"
    )
    plan = PLANS.for_form(form)
    assert plan is not None
    return assess(plan, form)


@pytest.mark.parametrize("case", list(read("htg117", "outcome")), ids=str)
def test_the_form_comes_to_what_the_case_says(case: Case) -> None:
    evaluation = evaluate(case)
    expect = case.expect
    found = {
        finding.criterion.code: str(finding.truth) + (f": {finding.reason.code}" if finding.reason else "")
        for finding in evaluation.findings
    }
    wanted = {name: truth for name, truth in expect.items() if name not in WORDS}
    assert {name: found[name] for name in wanted} == wanted
    assert evaluation.outcome.code.code == expect["outcome"]
    notes = [note.code.code for note in evaluation.notes]
    assert [note for note in expect.get("notes", ()) if note not in notes] == []
    assert [note for note in expect.get("without-notes", ()) if note in notes] == []
    if "proposals" in expect:
        assert [proposal.action for proposal in evaluation.proposals] == expect["proposals"]
    assert evaluation.issues == ()


def test_every_criterion_has_a_case_met_not_met_and_not_known() -> None:
    seen: dict[str, set[str]] = {}
    for case in read("htg117", "outcome"):
        for name, truth in case.expect.items():
            if name not in WORDS:
                seen.setdefault(name, set()).add(truth.split(":")[0])
    criteria = {criterion.code.code for plan in PLANS.all() for criterion in plan.criteria}
    assert seen == {criterion: {"met", "not-met", "unknown"} for criterion in criteria}


def test_every_outcome_and_note_and_proposal_has_a_case() -> None:
    cases = list(read("htg117", "outcome"))
    for plan in PLANS.all():
        outcomes = {said.statement.code.code for said in plan.outcomes}
        notes = {said.statement.code.code for said in plan.notes}
        proposals = {proposed.action["id"] for proposed in plan.proposals}
        assert {case.expect["outcome"] for case in cases} == outcomes
        assert {note for case in cases for note in case.expect.get("notes", ())} == notes
        assert {name for case in cases for name in case.expect.get("proposals", ())} == proposals
