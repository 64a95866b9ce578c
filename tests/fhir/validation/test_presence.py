"""Judging an invariant by what is present never lets through what the engine would find broken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import fhirpath
from service.fhir.validation import invariants
from service.fhir.validation.presence import Judge, Verdict
from service.fhir.validation.tables import ELEMENTS
from service.fhirpath.model import R4

TYPES = sorted(name for name in R4.names if (ELEMENTS.get(name) or {}).get("invariants"))
SAMPLES: dict[str, list[Any]] = {
    "boolean": [True, False],
    "code": ["group", "display", "choice", "final", "transaction", "exists", "a"],
    "integer": [0, 3],
    "decimal": [0, 5],
    "date": ["2024-01-01"],
    "dateTime": ["2024-01-01", "2025-01-01T10:00:00Z"],
    "instant": ["2024-01-01T10:00:00Z"],
    "positiveInt": [1],
    "unsignedInt": [0],
    "time": ["10:00:00"],
}


def element(type_name: str, draw: st.DrawFn, depth: int = 0) -> Any:
    """A plausible value of a type: some of its elements, each with something in it."""
    info = R4.type(type_name)
    assert info is not None
    if info.kind == "primitive":
        return draw(st.sampled_from(SAMPLES.get(type_name, ["http://example.org/a", "#x", "A1"])))
    made: dict[str, Any] = {"id": "x"}
    if depth > 1:
        return made
    for entry in info.elements.values():
        if entry.name in ("id", "extension", "modifierExtension", "contained") or not draw(st.booleans()):
            continue
        kind, field = draw(st.sampled_from(sorted(entry.variants.items())))
        if kind == "Resource":
            continue
        values = [
            element(kind, draw, depth + 1) for _ in range(draw(st.integers(1, 2)) if entry.repeats else 1)
        ]
        made[field] = values if entry.repeats else values[0]
    return made


@st.composite
def objects(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    type_name = draw(st.sampled_from(TYPES))
    return type_name, element(type_name, draw)


@settings(max_examples=300, deadline=None)
@given(objects())
def test_an_invariant_that_is_not_run_would_have_held(drawn: tuple[str, dict[str, Any]]) -> None:
    type_name, value = drawn
    selection = invariants.that_may_fail(type_name, frozenset(value))
    run = selection.of(value) if selection is not None else ()
    for rule in invariants.of_type(type_name):
        if rule in run:
            continue
        found = rule.program(value, variables={"resource": value, "rootResource": value, "context": value})
        assert found == [True], (type_name, rule.key, rule.expression)


@pytest.mark.parametrize(
    ("text", "present", "codes", "lengths", "verdict"),
    [
        ("detail.empty() or reference.empty()", {"detail"}, {}, {}, Verdict.TRUE),
        ("detail.empty() or reference.empty()", {"detail", "reference"}, {}, {}, Verdict.FALSE),
        ("type != 'group' or item.exists()", {"type"}, {"type": "group"}, {}, Verdict.FALSE),
        ("type != 'group' or item.exists()", {"type"}, {"type": "string"}, {}, Verdict.TRUE),
        ("type != 'group' or item.exists()", {"type"}, {}, {}, Verdict.UNKNOWN),
        ("type in ('a' | 'b')", {"type"}, {"type": "b"}, {}, Verdict.TRUE),
        (
            "enableWhen.count() > 1 implies enableBehavior.exists()",
            {"enableWhen"},
            {},
            {"enableWhen": 2},
            Verdict.FALSE,
        ),
        (
            "enableWhen.count() > 1 implies enableBehavior.exists()",
            {"enableWhen"},
            {},
            {"enableWhen": 1},
            Verdict.TRUE,
        ),
        ("initial.count() <= 1", set(), {}, {}, Verdict.TRUE),
        ("type = 'group'", set(), {}, {}, Verdict.EMPTY),
        ("start.hasValue().not() or end.hasValue().not() or (start <= end)", {"start"}, {}, {}, Verdict.TRUE),
        (
            "start.hasValue().not() or end.hasValue().not() or (start <= end)",
            {"start", "end"},
            {},
            {},
            Verdict.UNKNOWN,
        ),
        ("a.exists() xor b.exists()", {"a"}, {}, {}, Verdict.TRUE),
        ("a.where(b = 1).exists()", {"a"}, {}, {}, Verdict.UNKNOWN),
        ("%resource.type = 'a'", {"a"}, {}, {}, Verdict.UNKNOWN),
    ],
)
def test_what_is_known_from_presence(
    text: str, present: set[str], codes: dict[str, str], lengths: dict[str, int], verdict: Verdict
) -> None:
    judge = Judge("Questionnaire.item", frozenset(present), codes, lengths)
    assert judge.of(fhirpath.parse(text)) is verdict


def test_every_invariant_of_hl7s_compiles() -> None:
    for name in TYPES:
        for rule in invariants.of_type(name):
            assert rule.program.text == rule.expression
