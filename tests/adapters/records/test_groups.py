"""Groups of new records and marks: a clash names the right one, a mark set twice in one group is refused."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from service.adapters.records.tables import once, record
from service.domain.errors import PreconditionFailed, Repeated
from service.fhir.json_text import encode
from service.operations.ports import Once, Write
from service.operations.searching.query import parse

if TYPE_CHECKING:
    from service.adapters.records import Store

NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
SERVER = "https://ehr.example.org/fhir"


def new(id_: str, type_: str = "AuditEvent", **more: Any) -> Write:
    resource = {"resourceType": type_, "id": id_} | more
    return Write(type_, id_, resource, encode(resource), expected=0)


def mark(key: str, minutes: int = 5) -> Once:
    return Once("jti", key, NOW + timedelta(minutes=minutes))


def held(store: Store) -> list[str]:
    with store.engine.connect() as connection:
        return sorted(row.id for row in connection.execute(select(record)))


@pytest.mark.parametrize("clash", ["a", "c", "z"])
def test_a_clash_among_several_new_records_names_the_one_that_stands(store: Store, clash: str) -> None:
    store.commit([new(clash)], NOW)
    with pytest.raises(PreconditionFailed, match=f"AuditEvent/{clash} is at version 1, not 0"):
        store.commit([new(one) for one in ("z", "a", "c")], NOW)
    assert held(store) == [clash]


def test_a_clash_names_the_version_that_stands_even_where_it_was_deleted(store: Store) -> None:
    store.commit([new("b")], NOW)
    store.commit([Write("AuditEvent", "b", None, expected=1)], NOW)
    with pytest.raises(PreconditionFailed, match="AuditEvent/b is at version 2, not 0"):
        store.commit([new("a"), new("b"), new("b", "GuidanceResponse")], NOW)
    assert held(store) == ["b"]


def test_the_same_new_record_twice_in_one_group_is_refused_by_its_name(store: Store) -> None:
    with pytest.raises(PreconditionFailed, match="AuditEvent/a is at version 1, not 0"):
        store.commit([new("b"), new("a"), new("a")], NOW)
    assert held(store) == []


def test_a_clash_past_the_rows_of_one_statement_undoes_all_of_them(store: Store) -> None:
    store.commit([new("r0150")], NOW)
    with pytest.raises(PreconditionFailed, match="AuditEvent/r0150 is at version 1, not 0"):
        store.commit([new(f"r{at:04}") for at in range(200)], NOW)
    assert held(store) == ["r0150"]
    store.commit([new(f"s{at:04}") for at in range(200)], NOW)
    assert held(store) == ["r0150", *(f"s{at:04}" for at in range(200))]


def test_the_same_mark_twice_in_one_group_is_refused_and_none_is_set(store: Store) -> None:
    with pytest.raises(Repeated):
        store.commit([new("a")], NOW, once=[mark("x"), mark("y"), mark("x", 6)])
    assert held(store) == []
    with store.engine.connect() as connection:
        assert connection.execute(select(once)).all() == []
    store.commit([new("a")], NOW, once=[mark("x"), mark("y")])
    with pytest.raises(Repeated):
        store.commit([new("b")], NOW, once=[mark("z"), mark("y")])
    assert held(store) == ["a"]
    store.commit([new("b")], NOW + timedelta(minutes=5), once=[mark("z", 9), mark("y", 9)])  # it has expired
    assert held(store) == ["a", "b"]


def test_of_requests_that_are_written_together_each_keeps_or_loses_its_own(store: Store) -> None:
    """The writer is held while they line up, so that one transaction has them all."""
    store.commit([new("taken")], NOW, once=[mark("used")])
    jobs: list[tuple[list[Write], list[Once]]] = [
        ([new("one")], [mark("1")]), ([new("two"), new("taken")], [mark("2")]),
        ([new("three")], [mark("used")]), ([new("four")], [mark("4")]), ([new("five")], [mark("1")]),
    ]  # fmt: skip
    came: dict[int, str] = {}

    def send(at: int) -> None:
        try:
            store.commit(jobs[at][0], NOW, once=jobs[at][1])
        except (PreconditionFailed, Repeated) as fault:
            came[at] = type(fault).__name__
        else:
            came[at] = "made"

    threads = [threading.Thread(target=send, args=(at,)) for at in range(len(jobs))]
    with store.writer.connect() as connection, connection.begin():  # SQLite: nobody else may write
        for thread in threads:
            thread.start()
            thread.join(0.05)
    for thread in threads:
        thread.join(30)
    assert [came[at] for at in (1, 2, 3)] == ["PreconditionFailed", "Repeated", "made"]
    assert sorted(came[at] for at in (0, 4)) == ["Repeated", "made"]
    made = ["one"] if came[0] == "made" else ["five"]
    assert held(store) == sorted(["taken", "four", *made])


def subject(id_: str, reference: Any, type_: str = "AdverseEvent") -> Write:
    return new(id_, type_, subject=reference)


def test_subjects_are_found_by_id_by_address_and_by_identifier_while_they_are_current(store: Store) -> None:
    number = {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}}
    store.commit(
        [
            subject("a", {"reference": "Patient/p1"}), subject("b", {"reference": f"{SERVER}/Patient/p2"}),
            subject("c", number), subject("d", {"reference": "Patient/p4"}, "CarePlan"),
            subject("e", {"reference": "Patient/p5"}), new("f", recorder={"reference": "Patient/p6"}),
        ],
        NOW,
    )  # fmt: skip
    store.commit([Write("AdverseEvent", "e", None, expected=1)], NOW)
    asked = frozenset({"p1", "p2", f"{SERVER}/Patient/p2", "9990000018", "p4", "p5", "p6", "Patient/p1"})
    kept = store.subjects(("QuestionnaireResponse", "AdverseEvent"), asked)
    assert kept == {"p1", f"{SERVER}/Patient/p2", "9990000018"}
    assert store.subjects(("CarePlan",), asked) == {"p4"}
    assert store.subjects(("AdverseEvent",), frozenset()) == frozenset()
    many = frozenset(f"n{at}" for at in range(300)) | {"p1"}
    assert store.subjects(("AdverseEvent",), many) == {"p1"}


@pytest.mark.parametrize("names", [("Patient/p1",), (f"{SERVER}/Patient/p1",), ("Patient/p9", "Patient/p1")])
def test_whoever_a_search_finds_by_reference_is_among_the_subjects(
    store: Store, names: tuple[str, ...]
) -> None:
    references = ("Patient/p1", f"{SERVER}/Patient/p1", "Patient/p2")
    store.commit([subject(f"r{at}", {"reference": one}) for at, one in enumerate(references)], NOW)
    found = store.search(parse("AdverseEvent", [("subject", ",".join(names))])).versions
    plain = frozenset(name if "://" in name else name.partition("/")[2] for name in names)
    assert bool(found) == bool(store.subjects(("AdverseEvent",), plain)) is True
