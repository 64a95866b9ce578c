"""The line between a worker and its clerk: what is said arrives, in whatever pieces, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from service.adapters.clerk import line
from service.domain.errors import Conflict, Malformed, PreconditionFailed, Repeated, Unavailable
from service.operations.ports import Once, Write

NOW = datetime(2026, 8, 1, 9, 0, 0, 123456, tzinfo=UTC)
words = st.text(max_size=20)
numbers = st.integers(0, 1 << 40)
times = st.datetimes(timezones=st.just(UTC))
requests = st.one_of(
    st.builds(line.Opening, numbers, words),
    st.builds(line.Stored, numbers, words, words),
    st.builds(line.Subjects, numbers, st.lists(words, max_size=3), st.lists(words, max_size=5)),
    st.builds(
        line.Commit,
        numbers,
        st.lists(
            st.tuples(words, words, st.none() | st.binary(max_size=50), st.none() | st.integers(0, 9)),
            max_size=3,
        ),
        times,
        st.lists(st.tuples(words, words, times), max_size=3),
    ),
)
answers = st.builds(
    line.Answer, numbers, st.lists(words, max_size=4), st.none() | st.tuples(st.just("Repeated"), words)
)


@given(st.lists(requests, max_size=5), st.integers(0, 40))
def test_requests_come_out_as_they_went_in_and_one_cut_short_is_left_out(
    asked: list[line.Request], cut: int
) -> None:
    sent = b"".join(map(line.frame, asked))
    assert list(line.requests(BytesIO(sent))) == asked
    short = BytesIO(sent[: max(len(sent) - 1 - cut, 0)])
    found = list(line.requests(short))
    assert found == asked[: len(found)]
    assert len(found) < max(len(asked), 1)


@given(st.lists(answers, max_size=5), st.lists(st.integers(1, 30), max_size=20))
def test_answers_come_out_as_they_went_in_whatever_the_pieces(
    told: list[line.Answer], sizes: list[int]
) -> None:
    sent, taken, found = b"".join(map(line.frame, told)), line.Answers(), []
    for size in sizes:
        piece, sent = sent[:size], sent[size:]
        found += taken.take(piece)
    assert found + taken.take(sent) == told


def test_a_commit_arrives_as_it_was_meant() -> None:
    body = b'{"resourceType":"Observation","id":"a","valueQuantity":{"value":6.30}}'
    writes = [
        Write("Observation", "a", {"resourceType": "Observation"}, body, expected=0),
        Write("Observation", "b", None, expected=None),
    ]
    once = (Once("jti", "key", NOW + timedelta(minutes=5)),)
    (found,) = line.requests(BytesIO(line.frame(line.commit(7, writes, NOW, once))))
    assert isinstance(found, line.Commit)
    first, second = found.changes()
    assert (first.type, first.id, first.body, first.expected) == ("Observation", "a", body, 0)
    assert first.resource is not None
    assert str(first.resource["valueQuantity"]["value"]) == "6.30"
    assert second == writes[1]
    assert (found.number, found.now, tuple(found.marks())) == (7, NOW, once)


def test_errors_of_the_records_arrive_as_themselves_and_others_without_what_they_say() -> None:
    for fault in (Repeated("a"), PreconditionFailed("b"), Conflict("c"), Unavailable("d")):
        found = line.failed(1, fault).error()
        assert (type(found), str(found)) == (type(fault), str(fault))
    for unforeseen in (ValueError("Jane Doe"), Malformed("Jane Doe"), KeyboardInterrupt()):
        found = line.failed(1, unforeseen).error()
        assert type(found) is RuntimeError
        assert str(found) == f"the clerk failed: {type(unforeseen).__name__}"
    assert line.Answer(1).error() is None
