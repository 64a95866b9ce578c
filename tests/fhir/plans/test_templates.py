"""Copies of published JSON: equal, and nothing of one is part of another."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.fhir.plans.templates import Copies, fresh

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.just(Decimal("1.50")))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)


def parts(value: Any) -> list[int]:
    """The identity of every object and array in a value."""
    if not isinstance(value, dict | list):
        return []
    entries = value.values() if isinstance(value, dict) else value
    return [id(value), *(one for entry in entries for one in parts(entry))]


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_a_copy_is_equal_and_shares_no_part(value: Any) -> None:
    first, second = fresh(value), fresh(value)
    assert first == second == value
    if isinstance(value, dict):
        assert list(first) == list(value)
    if isinstance(value, dict | list):
        make = Copies(value)
        made = [make(), make(), make()]
        assert made == [value, value, value]
        assert all(list(one) == list(value) for one in made)
        held = [*parts(value), *parts(first), *parts(second), *parts(made)]
        assert len(held) == len(set(held))
