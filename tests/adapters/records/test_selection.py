"""Searches of one shape share their statements; the database finds what is found in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.adapters.records import selection
from service.fhir.json_text import encode
from service.operations.ports import Published, Write
from service.operations.searching.matching import find
from service.operations.searching.query import parse

if TYPE_CHECKING:
    from service.adapters.records import Store

NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)


def observation(id_: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": id_} | more


def code(*codes: tuple[str, str]) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": one} for system, one in codes]}


KEPT = (
    observation("a", status="final", code=code(("urn:a", "pain")), effectiveDateTime="2026-06-30"),
    observation(
        "b", status="amended", code=code(("urn:b", "pain"), ("urn:a", "walk")), valueString="50% pain"
    ),
    observation("c", code=code(("urn:a", "walk")), valueString="Élan_vital", effectiveDateTime="2026-07"),
    observation(
        "d", subject={"reference": "Patient/p1"}, valueString="a/b", effectiveDateTime="2026-07-01T10:00Z"
    ),
    observation("e", subject={"identifier": {"system": "urn:n", "value": "1"}}, instantiates="x"),
)
PROCEDURE: tuple[dict[str, Any], ...] = (
    {
        "resourceType": "Procedure",
        "id": "p",
        "instantiatesUri": ["http://x.example/a/b", "http://x.example/A_b"],
    },
)
TEXTS = {
    "status": ["final", "amended", "none"],
    "status:not": ["final", "none"],
    "code": ["pain", "walk", "urn:a|pain", "urn:b|pain", "urn:a|", "|pain"],
    "code:not": ["urn:a|walk", "pain"],
    "date": [
        "2026-06-30",
        "ge2026-07-01",
        "lt2026-07-01",
        "ne2026-07",
        "sa2026-06-30",
        "eb2026-07-01",
        "ap2026",
    ],
    "subject": ["Patient/p1", "Patient/p2", "p1"],
    "subject:identifier": ["urn:n|1", "1", "urn:n|", "2"],
    "subject:missing": ["true", "false"],
    "value-string": ["elan", "50%", "50_", "a/", "%", "ELAN_"],
    "value-string:exact": ["Élan_vital", "50% pain", "elan vital"],
    "value-string:contains": ["%", "_", "/", "VITAL"],
    "_id": ["a", "b", "zz", "|a", "urn:a|"],
}
PAIRS = st.sampled_from(sorted(TEXTS)).flatmap(
    lambda name: st.tuples(
        st.just(name),
        st.sampled_from(TEXTS[name])
        if name.endswith("missing")
        else st.lists(st.sampled_from(TEXTS[name]), min_size=1, max_size=2).map(",".join),
    )
)
SEARCHES = st.lists(PAIRS, min_size=1, max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SEARCHES, min_size=1, max_size=8))
def test_the_database_finds_what_memory_finds(store: Store, searches: list[list[tuple[str, str]]]) -> None:
    store.commit([Write("Observation", one["id"], one, encode(one)) for one in KEPT], NOW)
    published = [Published(one["id"], encode(one), one) for one in KEPT]
    for pairs in searches:
        query = parse("Observation", pairs, strict=True)
        page = store.search(query)
        wanted = sorted(one.id for one in find(query, published)[0])
        assert (sorted(one.id for one in page.versions), page.total) == (wanted, len(wanted)), pairs


def test_searches_that_differ_only_in_what_they_look_for_share_their_statements(store: Store) -> None:
    store.commit([Write("Procedure", one["id"], one, encode(one)) for one in PROCEDURE], NOW)
    selection._statements.cache_clear()
    found = [
        [one.id for one in store.search(parse("Procedure", [("instantiates-uri:below", text)])).versions]
        for text in (
            "http://x.example/a",
            "http://x.example/a/b/",
            "http://x.example/a/",
            "http://x.example/_",
        )
    ]
    assert found == [["p"], [], ["p"], []]
    assert selection._statements.cache_info().misses == 1
