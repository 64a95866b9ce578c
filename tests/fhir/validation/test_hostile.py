"""No input makes the checker raise: mutated resources, other Python values, what a resolver brings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.errors import Invalid
from service.domain.issues import Issue
from service.fhir import resources, validation
from tests.fhir.validation.samples import QUESTIONNAIRE, SAMPLES, changed
from tests.fhir.validation.test_profiles import HELD

JUNK = st.sampled_from(
    [
        *(
            None,
            True,
            -1,
            2**31,
            10**500,
            1.5,
            float("nan"),
            Decimal("NaN"),
            Decimal("1E999999"),
            "",
            " ",
            "#",
        ),
        *("\ud800", "a/b", "Patient/1", "2024-13-01", "%x", "x" * 5000, b"x", (1,), object(), {}, [], [None]),
        *(
            [[]],
            {"a": 1},
            {None: 1},
            {"resourceType": "Patient"},
            {"resourceType": ["x"]},
            {"extension": [5]},
        ),
        {"coding": [5]},
    ]
)
VALUES = st.recursive(
    JUNK | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "extension", "url", "value", "valueString", "item", "linkId", "resourceType", "code"]
            )
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def paths(node: Any, prefix: str = "") -> list[str]:
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = []
    for key, inner in entries:
        path = f"{prefix}{key}"
        found += [path, *paths(inner, path + ".")]
    return found


@st.composite
def mutants(draw: st.DrawFn, sources: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    source = draw(st.sampled_from(sources))
    changes = draw(
        st.lists(st.tuples(st.sampled_from(paths(source)), VALUES), min_size=1, max_size=3).filter(
            lambda pairs: (
                not any(
                    one[0] != other[0] and other[0].startswith(one[0] + ".")
                    for one in pairs
                    for other in pairs
                )
            )
        )
    )
    return changed(source, *changes)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutants(SAMPLES), st.booleans())
def test_a_mutated_resource_gets_issues_and_no_exception(resource: dict[str, Any], resolving: bool) -> None:
    found = validation.check(resource, resolve=HELD.get if resolving else None)
    assert all(isinstance(issue, Issue) for issue in found)
    assert len(found) <= validation.LIMIT


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(VALUES)
def test_any_value_gets_issues_and_no_exception(value: Any) -> None:
    assert validation.check(value) != ()


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SAMPLES), mutants(tuple(HELD.values())), VALUES)
def test_what_a_resolver_brings_cannot_break_the_check(
    resource: dict[str, Any], brought: dict[str, Any], junk: Any
) -> None:
    for answer in (brought, junk):
        found = validation.check(
            {**resource, "meta": {"profile": ["https://example.org/p"]}},
            resolve=lambda canonical, answer=answer: answer,  # type: ignore[misc]
            profiles=[brought, junk],
            questionnaire=junk,
        )
        assert len(found) <= validation.LIMIT


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutants(SAMPLES))
def test_what_is_accepted_here_has_a_structure_that_the_typed_models_accept(resource: dict[str, Any]) -> None:
    if any(issue.fails for issue in validation.check(resource, questionnaire=QUESTIONNAIRE)):
        return
    try:
        resources.typed(resource)
    except Invalid as fault:
        raise AssertionError([str(issue) for issue in fault.issues]) from fault


@pytest.mark.parametrize("name", ["version", "url", "title", "description", "status"])
def test_half_of_a_surrogate_pair_is_no_text(name: str) -> None:
    """No text that can be stored or sent as UTF-8 holds one; JSON's escapes can."""
    form = {"resourceType": "Questionnaire", "url": "urn:x", "status": "active", name: "urn:a\ud800"}
    assert [issue.expression for issue in validation.check(form) if issue.fails] == [f"Questionnaire.{name}"]
