"""The latest pain score of a record: which it is, and that a long record of scores does not hide it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import fhirpath
from tests.content import content

LATEST = "(effective.ofType(dateTime) = %painLatest)"
NEVER_EARLIER = "%painScores.all(effective.ofType(dateTime) <= %painLatest)"
VALUE = ".value.ofType(Quantity).value.distinct().single()"
VARIABLES = frozenset({"painScores", "painLatest"})
DATES = ("2026", "2026-07", "2026-07-01", "2026-07-01T08:30:00+01:00", "2026-07-01T08:00:00Z", "2026-06-30")
RESOURCE = {"resourceType": "Patient", "id": "1"}


def score(when: str, value: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "effectiveDateTime": when,
        "valueQuantity": {"value": value},
    }


def pre_fills(form: str) -> str:
    """The form's expression for its pain score."""
    held = content.resource("Questionnaire", form)
    (item,) = (one for one in _items(held) if one["linkId"] == "pain.score")
    (found,) = (one for one in item["extension"] if one["url"].endswith("initialExpression"))
    return str(found["valueExpression"]["expression"])


def _items(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for item in node.get("item", ()) for one in (item, *_items(item))]


def latest(scores: list[dict[str, Any]]) -> list[Any]:
    told = fhirpath.compiled(
        "%painScores.effective.ofType(dateTime)"
        ".aggregate(iif($total.empty() or $this > $total, $this, $total))",
        variables=frozenset({"painScores"}),
    )
    return told.nodes(RESOURCE, variables={"painScores": scores})


def read(expression: str, scores: list[dict[str, Any]]) -> Any:
    """What the expression comes to; the words of an error where it fails."""
    given_ = {"painScores": scores, "painLatest": latest(scores)}
    try:
        return fhirpath.compiled(expression, variables=VARIABLES)(RESOURCE, variables=given_)
    except fhirpath.EvaluationError as fault:
        return type(fault).__name__


@pytest.mark.parametrize("form", ["htg117-eligibility", "htg117-procedure"])
@given(st.lists(st.builds(score, st.sampled_from(DATES), st.integers(0, 2)), max_size=6))
def test_that_none_is_later_is_asked_once_and_not_of_each(form: str, scores: list[dict[str, Any]]) -> None:
    expression = pre_fills(form)
    assert expression == f"iif({NEVER_EARLIER}, %painScores.where{LATEST}{VALUE})"
    for asked_of_each in (f"where{LATEST}.where({NEVER_EARLIER})", f"where({NEVER_EARLIER}).where{LATEST}"):
        assert read(expression, scores) == read(f"%painScores.{asked_of_each}{VALUE}", scores)


@pytest.mark.parametrize("form", ["htg117-eligibility", "htg117-procedure"])
def test_a_long_record_of_scores_gives_the_latest(form: str) -> None:
    scores = [score(f"2026-{1 + at // 672:02d}-{1 + at // 24 % 28:02d}T{at % 24:02d}:00:00Z", 3)
              for at in range(3000)]  # fmt: skip
    assert read(pre_fills(form), [*scores, score("2026-07-01T08:30:00Z", 8)]) == [8]


@pytest.mark.parametrize("form", ["htg117-eligibility", "htg117-procedure"])
def test_a_long_record_of_one_day_gives_its_score(form: str) -> None:
    assert read(pre_fills(form), [score("2026-07-01", 3)] * 3000) == [3]
