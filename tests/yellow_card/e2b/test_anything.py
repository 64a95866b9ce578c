"""Whatever comes in, reader, rules and acknowledgements give findings or our own errors, and nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.errors import Malformed, Unprocessable
from service.yellow_card.e2b.acknowledgement import read_acknowledgement
from service.yellow_card.e2b.batch import Batch
from service.yellow_card.e2b.reader import read
from service.yellow_card.e2b.rules import check
from service.yellow_card.e2b.values import Attachment, Null
from service.yellow_card.e2b.writer import write
from tests.yellow_card.e2b.material import NOW, good, guide
from tests.yellow_card.e2b.test_acknowledgement import answer, case
from tests.yellow_card.e2b.test_round_trip import SEEDS, any_batch

GOOD = write(good(), guide())
ANSWER = answer("B-1", "AE", case("M-1", "CR", "E.i.7"))


def taken(body: bytes) -> None:
    try:
        batch = read(body, guide())
    except Malformed as fault:
        assert fault.issues
    else:
        check(batch, guide(), NOW)
    try:
        read_acknowledgement(body, guide())
    except Malformed as fault:
        assert fault.issues


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    taken(body)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([GOOD, ANSWER]), st.integers(0, 10_000), st.binary(max_size=6), st.integers(0, 40))
def test_a_message_damaged_anywhere_is_read_or_refused(body: bytes, at: int, put: bytes, cut: int) -> None:
    at %= len(body)
    taken(body[:at] + put + body[at + cut :])


_VALUES = st.one_of(
    st.text(max_size=5),
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=True),
    st.binary(max_size=3),
    st.builds(Null, st.text(max_size=4)),
    st.builds(Attachment, st.text(max_size=3), st.binary(max_size=3)),
    st.lists(st.integers() | st.dictionaries(st.sampled_from(["E.i.7", "G.k.9.i"]), st.integers())),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*guide().elements, *guide().names, "X.1", ""]), _VALUES, max_size=6))
def test_any_values_of_a_case_are_judged(values: dict[str, Any]) -> None:
    batch = Batch(good().header, ({**good().cases[0], **values},))
    found = check(batch, guide(), NOW)
    assert all(issue.message and issue.key is not None for issue in found)


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_any_message_is_judged(seed: int) -> None:
    assert check(any_batch(seed), guide(), NOW)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_written_or_refused_and_never_changed(text: str) -> None:
    batch = Batch(good().header, ({**good().cases[0], "H.1": f"[{text}]", "C.3.2": f"({text})"},))
    try:
        body = write(batch, guide())
    except Unprocessable:
        assert check(batch, guide(), NOW)
        return
    assert read(body, guide()).cases == batch.cases


def test_a_number_that_is_none_is_at_fault_and_not_a_crash() -> None:
    for value in (Decimal("NaN"), Decimal("Infinity"), Decimal("1E+9")):
        batch = Batch(good().header, ({**good().cases[0], "D.3": value},))
        assert [issue.key for issue in check(batch, guide(), NOW) if issue.fails][:1] == ["D.3"]
