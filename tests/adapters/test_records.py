"""The records' port, on each database."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert

from service.adapters.records import Outbox, connect
from service.adapters.records.migrations import upgrade
from service.adapters.records.tables import metadata, record, version
from service.domain.errors import PreconditionFailed, Refused
from service.fhir.json_text import encode
from service.operations.ports import Message, Version, Write
from service.operations.searching.dates import microseconds
from service.operations.searching.query import parse

if TYPE_CHECKING:
    from service.adapters.records import Store

NOW = datetime(2026, 7, 1, 9, 30, 0, 123456, UTC)


def observation(id_: str, **more: Any) -> dict[str, Any]:
    made = {"resourceType": "Observation", "id": id_, "status": "final",
            "code": {"coding": [{"system": "urn:codes", "code": "pain"}]},
            "subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2026-06-30"}  # fmt: skip
    return made | more


def write(resource: dict[str, Any], expected: int | None = None) -> Write:
    return Write(resource["resourceType"], resource["id"], resource, encode(resource), expected)


def ids(store: Store, *pairs: tuple[str, str], type_: str = "Observation") -> list[str]:
    return [one.id for one in store.search(parse(type_, pairs)).versions]


def test_a_record_is_read_as_it_was_written_and_each_version_stays(store: Store) -> None:
    first, second = observation("a"), observation("a", status="amended")
    later = NOW + timedelta(minutes=5)
    made = store.commit([write(first, 0)], NOW) + store.commit([write(second, 1)], later)
    gone = store.commit([Write("Observation", "a", None, expected=2)], later)
    assert made == (
        Version("Observation", "a", 1, NOW, "POST", encode(first)),
        Version("Observation", "a", 2, later, "PUT", encode(second)),
    )
    assert store.read("Observation", "a") == gone[0] == Version("Observation", "a", 3, later, "DELETE", b"")
    assert store.version("Observation", "a", 1) == made[0]
    assert store.version("Observation", "a", 4) is None
    assert store.read("Observation", "b") is None
    assert store.history("Observation", "a", count=50, cursor=None, since=None).versions == (
        gone[0], made[1], made[0],
    )  # fmt: skip
    assert ids(store) == []


def test_history_pages_lead_to_each_other_and_start_where_asked(store: Store) -> None:
    for at in range(5):
        store.commit([write(observation("a", note=[{"text": str(at)}]))], NOW + timedelta(seconds=at))
    page = store.history("Observation", None, count=3, cursor=None, since=None)
    assert ([one.version for one in page.versions], page.total) == ([5, 4, 3], 5)
    rest = store.history("Observation", None, count=3, cursor=page.cursor, since=None)
    assert ([one.version for one in rest.versions], rest.cursor) == ([2, 1], None)
    since = store.history("Observation", "a", count=9, cursor=None, since=NOW + timedelta(seconds=3))
    assert [one.version for one in since.versions] == [5, 4]


def test_writes_are_all_made_or_none(store: Store) -> None:
    store.commit([write(observation("a"))], NOW)
    with pytest.raises(PreconditionFailed, match="Observation/a is at version 1, not 0"):
        store.commit([write(observation("b"), 0), write(observation("a"), 0)], NOW)
    assert ids(store) == ["a"]
    assert store.read("Observation", "b") is None


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([("subject", "Patient/p1")], ["a", "b", "c"]),
        ([("patient", "p1")], ["a", "b", "c"]),
        ([("patient", "p2")], []),
        ([("subject", "https://ehr.example.org/fhir/Patient/p9")], ["d"]),
        ([("subject:identifier", "https://fhir.nhs.uk/Id/nhs-number|9990000018")], ["e"]),
        ([("code", "urn:codes|pain")], ["a", "b", "d", "e"]),
        ([("code", "urn:codes|")], ["a", "b", "c", "d", "e"]),
        ([("code", "|pain")], []),
        ([("code", "walk,pain"), ("status", "final")], ["a", "c", "d", "e"]),
        ([("status:not", "final")], ["b"]),
        ([("date", "2026-06-30")], ["a", "d", "e"]),
        ([("date", "ge2026-07-01")], ["b", "c"]),
        ([("date", "gt2026-06"), ("date", "lt2026-07-02")], ["b", "c"]),
        ([("date", "sa2026-07-01T08:00:00Z")], ["c"]),
        ([("date", "ne2026-06-30")], ["b", "c"]),
        ([("date", "ap2026-07-01")], ["b", "c"]),
        ([("derived-from", "QuestionnaireResponse/q")], ["b"]),
        ([("derived-from:missing", "true"), ("code", "walk")], ["c"]),
        ([("value-string", "élan")], ["c"]),
        ([("value-string:exact", "elan vital")], []),
        ([("value-string:contains", "VITAL")], ["c"]),
        ([("_id", "a,c,zz")], ["a", "c"]),
        ([("_lastUpdated", "gt2026-07-01T09:30:02Z")], ["d", "e"]),
        ([("_sort", "-date,_id"), ("subject", "Patient/p1")], ["c", "b", "a"]),
        ([("_sort", "-_lastUpdated"), ("_count", "2")], ["e", "d"]),
        ([("_count", "0")], []),
        ([("code", "pai%")], []),
        ([("value-string", "%")], []),
    ],
)
def test_search_finds_what_r4_says(store: Store, pairs: list[tuple[str, str]], found: list[str]) -> None:
    walk = {"coding": [{"system": "urn:codes", "code": "walk"}]}
    identifier = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}
    form = [{"reference": "QuestionnaireResponse/q"}]
    written = [
        observation("a"),
        observation("b", status="amended", derivedFrom=form, effectiveDateTime="2026-07-01T09:00:00+01:00"),
        observation("c", code=walk, valueString="Élan vital", effectiveDateTime="2026-07-01T10:00:00+01:00"),
        observation("d", subject={"reference": "https://ehr.example.org/fhir/Patient/p9"}),
        observation("e", subject={"identifier": identifier}),
    ]
    for at, resource in enumerate(written):
        store.commit([write(resource)], NOW + timedelta(seconds=at))
    assert ids(store, *pairs) == found


def test_search_pages_hide_nothing_when_records_change_meanwhile(store: Store) -> None:
    for at in range(7):
        store.commit([write(observation(f"o{at}"))], NOW)
    query = [("_count", "3"), ("_sort", "date")]
    page = store.search(parse("Observation", query))
    store.commit([write(observation("o0", status="amended")), write(observation("o00"))], NOW)
    seen = [one.id for one in page.versions]
    assert (seen, page.total) == (["o0", "o1", "o2"], 7)
    while page.cursor:
        page = store.search(parse("Observation", [*query, ("_cursor", page.cursor)]))
        seen += [one.id for one in page.versions]
    assert seen == ["o0", "o1", "o2", "o3", "o4", "o5", "o6"]


@pytest.mark.parametrize("cursor", ["", "!!", "WzFd", "e30=", "W251bGxd", "WzEsMiwz"])
def test_a_foreign_cursor_is_refused(store: Store, cursor: str) -> None:
    if cursor:
        with pytest.raises(Refused, match="_cursor"):
            store.search(parse("Observation", [("_cursor", cursor)]))


def test_requests_at_once_each_get_their_own_answer(store: Store) -> None:
    outcomes: list[str] = []

    def work(name: str) -> None:
        try:
            store.commit([write(observation(name), 0), write(observation(f"{name}-of-it"), 0)], NOW)
            outcomes.append(name)
        except PreconditionFailed:
            outcomes.append("refused")

    threads = [threading.Thread(target=work, args=(f"n{at % 8}",)) for at in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == sorted([f"n{at}" for at in range(8)] + ["refused"] * 16)
    assert len(ids(store)) == 16


def test_the_tables_are_those_that_the_migrations_make(store: Store) -> None:
    with store.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    assert found == []


def test_a_store_of_the_release_before_is_brought_up_to_date(database_url: str) -> None:
    engine = create_engine(database_url)
    upgrade(engine, "0001")
    body = encode(observation("a"))
    row = {"type": "Observation", "id": "a", "version": 1, "updated": microseconds(NOW), "method": "POST"}
    with engine.begin() as connection:
        connection.execute(insert(record), [row])
        connection.execute(insert(version), [row | {"body": body}])
    engine.dispose()
    opened = connect(database_url)
    opened.ping()
    assert opened.read("Observation", "a") == Version("Observation", "a", 1, NOW, "POST", body)
    opened.commit([], NOW, [Message("m1", "gateway", "Observation/a", "text/plain", b"x")])
    assert [one.id for one in Outbox(opened).about("Observation/a")] == ["m1"]
    opened.close()


def test_a_store_opened_again_holds_what_it_held(database_url: str) -> None:
    first = connect(database_url)
    first.commit([write(observation("a"))], NOW)
    first.close()
    again = connect(database_url)
    again.ping()
    assert ids(again) == ["a"]
    again.close()
