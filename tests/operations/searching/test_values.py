"""Search values: what a resource says to each parameter, whatever its JSON holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.operations.searching.dates import microseconds, span
from service.operations.searching.parameters import INTERNAL_TYPES, RECORD_TYPES, parameters
from service.operations.searching.values import Entry, entries, reference_parts

IDENTIFIER = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}
SERVER = "https://ehr.example.org/fhir"
TYPES = (*RECORD_TYPES, *INTERNAL_TYPES, "ValueSet", "PlanDefinition", "Patient")


def test_an_audit_event_says_who_what_and_when() -> None:
    event = {
        "resourceType": "AuditEvent",
        "id": "a",
        "type": {"system": "urn:types", "code": "rest"},
        "recorded": "2026-07-02T09:00:00.000Z",
        "outcome": "0",
        "agent": [
            {"who": {"reference": "Practitioner/1"}, "requestor": True},
            {"who": {"identifier": IDENTIFIER, "type": "Device"}},
        ],
        "entity": [{"what": {"reference": f"{SERVER}/Patient/p"}}, {"what": {"reference": "#inside"}}, {}],
    }
    nine = 1782982800_000_000
    patient = f"{SERVER}/Patient/p"
    assert entries(event) == (
        Entry("agent", "Practitioner", "1"),
        Entry("agent:identifier", IDENTIFIER["system"], IDENTIFIER["value"]),
        Entry("date", "", "", nine, nine + 999),
        Entry("entity", "Patient", patient),
        Entry("outcome", "", "0"),
        Entry("patient:identifier", IDENTIFIER["system"], IDENTIFIER["value"]),
        Entry("patient", "Patient", patient),
        Entry("type", "urn:types", "rest"),
    )


def test_codes_are_found_at_every_depth_of_an_expansion_and_of_a_form() -> None:
    inner = {"code": "b", "contains": [{"code": "c"}]}
    listed = {"contains": [{"code": "a", "contains": [inner]}, {"code": "d"}]}
    found = entries({"resourceType": "ValueSet", "expansion": listed})
    assert found == tuple(Entry("code", "", code) for code in "abcd")
    form = {"item": [{"code": [{"code": "1"}], "item": [{"code": [{"system": "s", "code": "2"}]}]}]}
    assert entries({"resourceType": "Questionnaire"} | form) == (
        Entry("code", "", "1"),
        Entry("code", "s", "2"),
    )


def test_a_choice_is_read_whatever_its_type_and_a_period_by_its_ends() -> None:
    base = {"resourceType": "Observation"}
    start, day = microseconds(datetime(2026, 1, 2, tzinfo=UTC)), 86_400_000_000
    assert entries(base | {"effectiveDateTime": "2026-01-02"}) == (
        Entry("date", "", "", start, start + day - 1),
    )
    period = {"start": "2026-01-02", "end": "2026-01-03"}
    assert entries(base | {"effectivePeriod": period}) == (Entry("date", "", "", start, start + 2 * day - 1),)
    timing = {"event": ["2026-01-02", "2026-01-03"]}
    assert entries(base | {"effectiveTiming": timing}) == (
        Entry("date", "", "", start, start + day - 1),
        Entry("date", "", "", start + day, start + 2 * day - 1),
    )
    assert entries(base | {"effective": "2026-01-02", "effectiveness": "2026-01-02"}) == ()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Patient/1", ("Patient", "1")),
        ("Patient/1/_history/2", ("Patient", "1")),
        (f"{SERVER}/Patient/1/_history/2", ("Patient", f"{SERVER}/Patient/1")),
        ("HTTPS://EHR.example.org:443/Fhir/Patient/A", ("Patient", "https://ehr.example.org/Fhir/Patient/A")),
        ("http://Example/1", ("Example", "http://example/1")),
        ("urn:uuid:1", ("", "urn:uuid:1")),
        ("/1", ("", "/1")),
        ("1", ("", "1")),
        ("", ("", "")),
        ("a/b", ("", "a/b")),
        ("/Patient/1", ("Patient", "/Patient/1")),
    ],
)
def test_a_reference_is_its_type_and_its_id_or_its_whole_address(text: str, parts: tuple[str, str]) -> None:
    assert reference_parts(text) == parts


PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
JSON = st.recursive(
    PLAIN | st.sampled_from(["Patient/1", "2026-01-02"]),
    lambda below: st.lists(below, max_size=3)
    | st.dictionaries(
        st.sampled_from(["reference", "identifier", "value", "system", "code", "coding", "type", "start",
                         "end", "event", "contains", "item", "what", "who"]),
        below, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.data())
def test_whatever_the_json_holds_only_text_and_whole_numbers_come_of_it_each_once(
    data: st.DataObject,
) -> None:
    type_ = data.draw(st.sampled_from(TYPES))
    paths = [path for one in parameters(type_).values() for path in one.paths]
    names = sorted({path[0].replace("[x]", "Period").rstrip("*") for path in paths} - {"id", "meta"})
    resource: dict[str, Any] = data.draw(st.dictionaries(st.sampled_from(names), JSON)) if names else {}
    found = entries(resource | {"resourceType": type_})
    assert [tuple(type(part) for part in one) for one in found] == [(str, str, str, int, int)] * len(found)
    assert len(set(found)) == len(found)


MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(9998, 12, 31))  # noqa: DTZ001 - the zone comes after
WIDTHS = {"minutes": 60_000_000, "seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}


@given(MOMENTS, st.sampled_from(sorted(WIDTHS)), st.integers(-14 * 60, 14 * 60))
def test_a_time_with_a_zone_spans_its_precision(moment: datetime, precision: str, ahead: int) -> None:
    there = timezone(timedelta(minutes=ahead))
    said = moment.isoformat(timespec=precision)
    low = microseconds(datetime.fromisoformat(said).replace(tzinfo=there))
    zone = f"{'-' if ahead < 0 else '+'}{abs(ahead) // 60:02}:{abs(ahead) % 60:02}"
    assert span(said + zone) == (low, low + WIDTHS[precision] - 1)
    shifted = low + ahead * 60_000_000
    assert span(f"{said}Z") == (shifted, shifted + WIDTHS[precision] - 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-13",
        "2026-02-30",
        "2026-01-01T25:00Z",
        "2026-01-01T00:00:00+24:00",
        "2026-1-1",
        "2026-01-01 00:00",
    ],
)
def test_what_is_no_date_spans_nothing(text: str) -> None:
    assert span(text) is None


def test_the_last_second_that_can_be_written_is_a_time_too() -> None:
    last = microseconds(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert span("9999-12-31T23:59:59Z") == (last, last + 999_999)
