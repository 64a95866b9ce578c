"""Rules over findings, against what they mean said plainly; conditions asked of one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service import fhirpath
from service.domain.evaluation import Code, Finding, Truth, UnknownReason
from service.fhir.plans.conditions import Asked
from service.fhir.plans.rules import Condition, FindingRule, Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from service.domain.issues import Issue

CODES = ("a", "b", "c", "d")
REASONS = ("missing", "awaiting", None)


def findings() -> st.SearchStrategy[dict[str, Finding]]:
    """Findings of some criteria, an unknown with a reason or with that of a rule that failed."""
    unknown = st.builds(
        lambda reason: (Truth.UNKNOWN, UnknownReason(reason, "words")), st.sampled_from(REASONS)
    )
    truths = st.one_of(st.sampled_from([(Truth.MET, None), (Truth.NOT_MET, None)]), unknown)
    return st.dictionaries(st.sampled_from(CODES), truths).map(
        lambda found: {code: Finding(Code("s", code), code, *truth) for code, truth in found.items()}
    )


def rules() -> st.SearchStrategy[FindingRule]:
    """Rules that name any of the criteria, or one that there is not, or none."""
    return st.builds(
        FindingRule,
        st.sampled_from(["any", "all", "none"]),
        st.sampled_from(list(Truth)),
        st.frozensets(st.sampled_from([*CODES, "other"])),
        st.frozensets(st.sampled_from(["missing", "awaiting", "contradictory"])),
    )


def plainly(rule: FindingRule, found: Mapping[str, Finding]) -> bool:
    """What the rule says of each finding that it names, one after the other."""
    chosen = [finding for code, finding in found.items() if not rule.criteria or code in rule.criteria]
    fits = [
        finding.truth is rule.truth
        and (not rule.reasons or (finding.reason is not None and finding.reason.code in rule.reasons))
        for finding in chosen
    ]
    return {"all": all(fits), "any": any(fits), "none": not any(fits)}[rule.quantifier]


@given(findings(), rules())
@settings(max_examples=600, deadline=None)
def test_a_rule_holds_where_the_findings_that_it_names_are_as_it_says(
    found: dict[str, Finding], rule: FindingRule
) -> None:
    assert rule.holds(Standing(found.values())) is plainly(rule, found)


FORM = {"resourceType": "QuestionnaireResponse", "status": "completed", "id": "f"}


def condition(text: str, index: int = 0) -> Condition:
    return Condition(fhirpath.compiled(text), (), f"condition[{index}]")


def test_what_several_conditions_say_is_evaluated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated = []
    among = fhirpath.Program.among

    def counted(program: fhirpath.Program, frame: fhirpath.Frame) -> list[Any]:
        evaluated.append(program.text)
        return among(program, frame)

    monkeypatch.setattr(fhirpath.Program, "among", counted)
    asked = Asked(FORM, [])
    held = condition("id = 'f'"), condition("status.empty()"), condition("{}")
    said = [asked.hold((one,), "action[0]") for one in (*held, *held)]
    assert said == [True, False, False] * 2
    assert evaluated == ["id = 'f'", "status.empty()", "{}"]


def test_one_form_does_not_know_what_another_was_asked() -> None:
    one = condition("id = 'f'")
    assert Asked(FORM, []).hold((one,), "") is True
    assert Asked(FORM | {"id": "g"}, []).hold((one,), "") is False


def test_a_condition_that_fails_is_said_at_each_place_that_asks_it() -> None:
    issues: list[Issue] = []
    asked = Asked(FORM, issues)
    for place in ("action[0]", "action[1]"):
        assert asked.hold((condition("(1 | 2).single()"), condition("true", 1)), place) is False
        assert asked.hold((condition("true"), condition("'words'", 1)), place) is False
    assert [(issue.expression, issue.message.rsplit(": ", 1)[1]) for issue in issues] == [
        ("action[0].condition[0]", "single() takes one item, found 2"),
        ("action[0].condition[1]", "it does not give true, false or nothing"),
        ("action[1].condition[0]", "single() takes one item, found 2"),
        ("action[1].condition[1]", "it does not give true, false or nothing"),
    ]


def test_a_form_that_is_no_fhir_json_fails_each_condition_with_its_own_place() -> None:
    issues: list[Issue] = []
    asked = Asked({"resourceType": 5}, issues)
    assert asked.hold((condition("true"),), "action[0]") is False
    assert asked.truth(condition("status").program, "action[1]", "condition[0]") is None
    assert [issue.expression for issue in issues] == ["action[0].condition[0]", "action[1].condition[0]"]
