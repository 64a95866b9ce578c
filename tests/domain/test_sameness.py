"""Frozen JSON is the same where the JSON is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from service.domain.sameness import frozen

scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b", Decimal("1.0")])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@given(values, values)
@example([], {})
@example({"a": [1]}, {"a": [True]})
@example([["a", 1]], {"a": 1})
@example({"a": 1, "b": 2}, {"b": 2, "a": 1})
def test_frozen_values_are_equal_where_the_values_are(one: Any, other: Any) -> None:
    assert (frozen(one) == frozen(other)) is (one == other)
    assert one != other or hash(frozen(one)) == hash(frozen(other))


def test_json_as_deep_as_it_may_be_is_frozen() -> None:
    deep: Any = "leaf"
    for _ in range(500):
        deep = {"item": deep}
    assert hash(frozen(deep)) == hash(frozen(deep))
