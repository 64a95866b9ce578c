"""The plans as published: what they cite, that they compile, and that rule, expression and table agree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service import fhirpath
from service.fhir.plans import assess, read_plan
from tests.content import content, logic
from tests.content.logic import Answers

if TYPE_CHECKING:
    from service.fhir.plans.reading import Plan

SELECTION = "htg117-patient-selection"
PLANS = ("htg117", SELECTION, "htg117-after-procedure")
ROLES = {"criteria": "criterion", "outcome": "outcome", "notes": "note", "proposals": "proposal"}
TREATMENT = (
    None,
    "failed",
    "controlling",
    "given-awaiting-effect",
    "unsuitable",
    "declined",
    "not-tried",
    "not-known",
)
ALL_MET = {
    "lesion.nature": "bone-metastasis",
    "lesion.site": ["ilium"],
    "pain.present": True,
    "aim": ["reduce-pain"],
    "treatment.analgesia": "failed",
    "treatment.radiotherapy": "failed",
    "treatment.radiotherapy.last-fraction": "2026-06-16",
    "mdt.outcome": "selected",
    "mdt.date": "2026-06-20",
    "arrangements.consent": True,
    "arrangements.audit": True,
    "arrangements.governance": True,
    "technique.fluoroscopy": True,
}


@cache
def plan() -> Plan:
    """The plan for patient selection, compiled."""
    found = read_plan(content.resource("PlanDefinition", SELECTION))
    assert found is not None
    return found


@cache
def program(expression: str) -> fhirpath.Program:
    """An expression of the plans, compiled over the form."""
    return fhirpath.compile(expression, context_type="QuestionnaireResponse")


def groups() -> dict[str, dict[str, Any]]:
    """The plan's groups of actions by id."""
    return {each["id"]: each for each in content.actions(content.resource("PlanDefinition", SELECTION))}


def days(around: str = "2026-06-30", spread: int = 40) -> st.SearchStrategy[str]:
    """FHIR dates of every precision near a day."""
    middle = date.fromisoformat(around)
    near = st.integers(-spread, spread).map(lambda shift: (middle + timedelta(days=shift)).isoformat())
    return st.one_of(near, near, near, near.map(lambda day: day[:7]), near.map(lambda day: day[:4]))


def forms() -> st.SearchStrategy[Answers]:
    """Forms of every kind, half of them near the one that meets every criterion."""
    yes_no = st.sampled_from([None, True, False])
    treatment = st.sampled_from(TREATMENT)
    answers = {
        "lesion.nature": st.sampled_from(
            [
                None,
                "bone-metastasis",
                "primary-malignant-bone-tumour",
                "haematological-malignancy",
                "benign",
                "not-established",
            ]
        ),
        "lesion.site": st.lists(
            st.sampled_from(["vertebra", "sacrum", "acetabulum", "femur", "rib"]), unique=True
        ),
        "lesion.near-joint": yes_no,
        "pain.present": yes_no,
        "pain.score": st.sampled_from([None, Decimal(0), Decimal("0.0"), Decimal("6.30")]),
        "aim": st.lists(st.sampled_from(["reduce-pain", "stabilise-bone", "other"]), unique=True),
        "treatment.analgesia": treatment,
        "treatment.radiotherapy": treatment,
        "treatment.radiotherapy.last-fraction": st.one_of(st.none(), days()),
        "mdt.outcome": st.sampled_from(
            [None, "selected", "not-selected", "pending", "not-discussed", "not-known"]
        ),
        "mdt.date": st.one_of(st.none(), days()),
        "arrangements.consent": yes_no,
        "arrangements.audit": yes_no,
        "arrangements.governance": yes_no,
        "technique.fluoroscopy": yes_no,
    }
    authored = st.sampled_from(
        [None, "2026-06-30T12:00:00+01:00", "2026-06-30T23:30:00Z", "2026-06-30", "2026-06", "2026"]
    )
    given_answers = st.one_of(
        st.fixed_dictionaries(answers),
        st.fixed_dictionaries({}, optional=answers).map(lambda changed: ALL_MET | changed),
    )
    return st.builds(lambda found, when: Answers(_enabled(found), when), given_answers, authored)


def _enabled(found: dict[str, Any]) -> dict[str, Any]:
    """The answers without those of questions that the others do not enable, and without empty ones."""
    kept = {link_id: value for link_id, value in found.items() if value not in (None, [])}
    if kept.get("treatment.radiotherapy") not in ("failed", "controlling", "given-awaiting-effect"):
        kept.pop("treatment.radiotherapy.last-fraction", None)
    if kept.get("mdt.outcome") not in ("selected", "not-selected", "pending"):
        kept.pop("mdt.date", None)
    return kept


@given(forms())
@settings(max_examples=250, deadline=None)
@example(Answers(ALL_MET))
@example(Answers({}))
@example(Answers(ALL_MET, None))
def test_the_plan_says_what_the_decision_tables_say(form: Answers) -> None:
    """Findings with reasons, outcome, notes and proposals, against the tables written a second time."""
    evaluation = assess(plan(), logic.response(form))
    expected = logic.findings(form)
    assert {
        each.criterion.code: (str(each.truth), each.reason and each.reason.code)
        for each in evaluation.findings
    } == expected
    assert evaluation.outcome.code.code == logic.outcome(expected)
    assert {note.code.code for note in evaluation.notes} == logic.notes(form, expected)
    assert {each.action for each in evaluation.proposals} == logic.proposals(form, expected)
    assert evaluation.issues == ()


@given(forms())
@settings(max_examples=250, deadline=None)
@example(Answers(ALL_MET))
@example(Answers({}))
@example(Answers(ALL_MET, None))
def test_a_rule_over_findings_and_the_expression_it_stands_on_agree(form: Answers) -> None:
    """An engine that knows no finding-rule evaluates the expressions alone and gets the same actions."""
    filled = logic.response(form)
    applying = {
        action["id"]
        for group in ("outcome", "notes", "proposals")
        for action in groups()[group]["action"]
        if all(
            program(condition["expression"]["expression"])(filled) == [True]
            for condition in action["condition"]
        )
    }
    found = logic.findings(form)
    assert applying == (
        {logic.outcome(found)}
        | {f"note-{code}" for code in logic.notes(form, found)}
        | logic.proposals(form, found)
    )


def _at(day: date, hour: int, minute: int, offset: timezone) -> str:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).astimezone(offset).isoformat()


def _sundays() -> list[date]:
    """The last Sundays of March and October over forty years: when the clocks change."""
    found = []
    for year in range(2006, 2046):
        for month in (3, 10):
            last = date(year, month, 31)
            found.append(last - timedelta(days=(last.weekday() + 1) % 7))
    return found


@pytest.mark.parametrize("offset", [UTC, timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))])
def test_the_assessment_date_is_londons_on_each_side_of_every_clock_change(offset: timezone) -> None:
    """A meeting on the day itself is not after the assessment; one on the next day is, to the minute."""
    selected = next(each for each in plan().criteria if each.code.code == "mdt-selected").condition.program
    wrong = []
    for sunday in _sundays():
        for shift in (-1, 0, 1, 2):
            day = sunday + timedelta(days=shift)
            for hour, minute in ((0, 0), (22, 59), (23, 0), (23, 30), (23, 59)):
                authored = _at(day, hour, minute, offset)
                for held in (day, day + timedelta(days=1)):
                    form = Answers({"mdt.outcome": "selected", "mdt.date": held.isoformat()}, authored)
                    expected = [True] if held <= logic.assessment_day(authored) else []  # type: ignore[operator]
                    if selected(logic.response(form)) != expected:
                        wrong.append((authored, held))
    assert wrong == []


@pytest.mark.parametrize(
    ("last", "authored", "truth"),
    [
        ("2026-06-17", "2026-06-30", "unknown"),
        ("2026-06-16", "2026-06-30", "met"),
        ("2026-06-15", "2026-06-30", "met"),
        ("2026-06", "2026-07-13", "unknown"),
        ("2026-06", "2026-07-14", "met"),
        ("2025", "2026-01-13", "unknown"),
        ("2025", "2026-01-14", "met"),
        ("2026-06-16", "2026-06-29T23:00:00Z", "met"),
        ("2026-06-16", "2026-06-29T22:59:59Z", "unknown"),
        ("2026-12-16", "2026-12-29T23:59:59Z", "unknown"),
        ("2026-12-16", "2026-12-30T00:00:00Z", "met"),
        ("2026-03-15", "2026-03-28T23:59:00Z", "unknown"),
        ("2026-03-15", "2026-03-29T00:00:00Z", "met"),
        ("2026-03-16", "2026-03-29T23:00:00Z", "met"),
        ("2026-10-11", "2026-10-24T23:00:00Z", "met"),
        ("2026-10-12", "2026-10-25T23:59:00Z", "unknown"),
    ],
)
def test_fourteen_days_are_counted_in_london(last: str, authored: str, truth: str) -> None:
    """The last fraction plus 14 days against the assessment date, at every boundary."""
    form = Answers(ALL_MET | {"treatment.radiotherapy.last-fraction": last, "mdt.date": "2020"}, authored)
    evaluation = assess(plan(), logic.response(form))
    found = {each.criterion.code: str(each.truth) for each in evaluation.findings}
    assert found == dict.fromkeys(found, "met") | {"other-treatment-failed": truth}


def test_reassessment_is_dated_fourteen_days_after_the_last_fraction() -> None:
    """The Task's date comes from the form, and from nothing where the form has none."""
    values = {
        (action["id"], entry["path"]): program(entry["expression"]["expression"])
        for action in groups()["proposals"]["action"]
        for entry in action.get("dynamicValue", ())
    }
    dated = values["reassess-after-radiotherapy", "restriction.period.start"]
    assert dated(logic.response(Answers(ALL_MET))) == ["2026-06-30"]
    partial = Answers(ALL_MET | {"treatment.radiotherapy.last-fraction": "2026-02"})
    assert dated(logic.response(partial)) == ["2026-03-14"]
    assert dated(logic.response(Answers({}))) == []
    about = values["complete-form", "focus.reference"]
    assert about(logic.response(Answers({}))) == ["QuestionnaireResponse/form"]
    assert about({"resourceType": "QuestionnaireResponse", "status": "completed"}) == []


def test_nothing_is_said_about_another_form() -> None:
    """Of a form that is not the plan's, no condition is true: another engine proposes less, never else."""
    other = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{content.BASE}/Questionnaire/htg117-follow-up|2006.1.0",
        "status": "completed",
        "authored": "2026-06-30",
    }
    true = [
        action["id"]
        for action in content.actions(content.resource("PlanDefinition", SELECTION))
        if action.get("condition")
        and all(program(each["expression"]["expression"])(other) == [True] for each in action["condition"])
    ]
    assert true == []


@pytest.mark.parametrize("name", PLANS)
def test_every_expression_compiles_over_the_form_and_uses_no_variable_of_its_own(name: str) -> None:
    """Another engine knows %resource, and needs no other."""
    plan_ = content.resource("PlanDefinition", name)
    decided = plan_ | {"action": [each for each in plan_["action"] if each["id"] != "attention"]}
    for place, text in content.expressions(decided):
        assert fhirpath.to_text(fhirpath.parse(text)), place
        if ".trigger[" in place:  # over the order, whose type the trigger names
            fhirpath.compile(text, context_type="ServiceRequest")
        else:
            program(text)
        assert "%" not in text.replace("%resource", ""), place
        assert "now()" not in text, place
        assert "today()" not in text, place


def test_every_linkid_that_the_plan_names_is_one_of_its_form() -> None:
    """A mistyped linkId would be unknown for ever."""
    known = content.link_ids(content.resource("Questionnaire", "htg117-eligibility"))
    found = content.resource("PlanDefinition", SELECTION)
    named = {
        value["valueString"]
        for _, value in content.nodes(found)
        if isinstance(value, dict) and value.get("url") == "item"
    }
    for _, text in content.expressions(found):
        pieces = text.split("linkId = '")
        named |= {piece.split("'")[0] for piece in pieces[1:]}
    assert named - known == set()
    assert "treatment.radiotherapy.last-fraction" in named


def test_the_outcomes_hold_the_criteria_word_for_word() -> None:
    """What another engine evaluates for the outcome is the criteria themselves, joined by `and`."""
    criteria = [each["condition"][0]["expression"]["expression"] for each in groups()["criteria"]["action"]]
    together = " and ".join(f"({each})" for each in criteria)
    outcomes = {
        each["id"]: each["condition"][0]["expression"]["expression"] for each in groups()["outcome"]["action"]
    }
    assert outcomes["criteria-met"] == together
    assert outcomes["criteria-not-met"] == f"({together}).not()"
    assert outcomes["information-needed"].endswith(f" and ({together}).empty()")


def test_the_groups_have_their_roles_and_codes() -> None:
    """The engine learns what an action is from its group's role alone."""
    for group, role in ROLES.items():
        assert groups()[group]["extension"] == [
            {"url": f"{content.BASE}/StructureDefinition/plan-role", "valueCode": role}
        ]
    for group, system in (("criteria", "criteria"), ("outcome", "outcomes"), ("notes", "notes")):
        held = content.resource("CodeSystem", f"htg117-{system}")
        displays = {each["code"]: each["display"] for each in held["concept"]}
        used = [each["code"][0]["coding"][0] for each in groups()[group]["action"]]
        assert {each["system"] for each in used} == {held["url"]}
        assert {each["code"]: each["display"] for each in used} == displays


def test_every_criterion_explains_itself_and_every_action_cites() -> None:
    """Title, When / Then, citation, and a last reason without a condition."""
    for name in PLANS:
        for action in content.actions(content.resource("PlanDefinition", name)):
            assert action.get("id"), name
            assert action.get("title"), action["id"]
            cited = [each for each in action.get("documentation", ()) if each["type"] == "citation"]
            assert cited, action["id"]
    for criterion in groups()["criteria"]["action"]:
        assert criterion["description"].startswith("When "), criterion["id"]
        assert " then " in criterion["description"], criterion["id"]
        last = criterion["extension"][-1]["extension"]
        assert "when" not in {part["url"] for part in last}, criterion["id"]


def test_titles_fit_a_card() -> None:
    """A card's summary has fewer than 140 characters."""
    for action in content.actions(content.resource("PlanDefinition", SELECTION)):
        assert len(action["title"]) < 140, action["id"]


def test_proposals_are_never_preselected() -> None:
    """Each is a proposal that the professional picks."""
    assert groups()["proposals"]["precheckBehavior"] == "no"
    for action in groups()["proposals"]["action"]:
        assert (action["precheckBehavior"], action["requiredBehavior"]) == ("no", "could"), action["id"]
    for activity in content.resources("ActivityDefinition"):
        assert activity["intent"] == "proposal", activity["id"]


@pytest.mark.parametrize("forbidden", ["approved", "refused", "eligible to proceed"])
def test_no_plan_sounds_like_a_decision(forbidden: str) -> None:
    """The service restates criteria; it does not decide."""
    for found in [*content.resources("PlanDefinition"), *content.resources("ActivityDefinition")]:
        for place, value in content.nodes(found):
            if isinstance(value, str):
                assert forbidden not in value.lower(), f"{found['id']}: {place}"


def test_the_triggers_are_ordering() -> None:
    """order-select, order-sign and order-dispatch, of an order that the value set names."""
    triggers = groups()["patient-selection"]["trigger"]
    assert [each["name"] for each in triggers] == ["order-select", "order-sign", "order-dispatch"]
    for trigger in triggers:
        wanted = f"{content.BASE}/ValueSet/htg117-order-triggers|2006.1.0"
        assert trigger["data"] == [
            {"type": "ServiceRequest", "codeFilter": [{"path": "code", "valueSet": wanted}]}
        ]
        assert "Y53.4" in trigger["condition"]["expression"]
