"""What is served differs from what was received in id and meta alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as some

from service.fhir.json_text import decode, encode
from service.operations.ports import Version
from service.operations.representation import instant, members, parameter_text, resource_of, serve, stamp

_numbers = some.decimals(allow_nan=False, allow_infinity=False).map(float)
_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text() | _numbers,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=12,
)
_objects = some.dictionaries(some.text(), _values, max_size=6)


@given(_objects, some.sampled_from([None, 1, 4]), some.booleans())
def test_everything_but_id_and_meta_stays(
    resource: dict[str, object], indent: int | None, plain: bool
) -> None:
    text = json.dumps(resource, indent=indent, ensure_ascii=plain)
    served = json.loads(stamp(text.encode(), "new", {"versionId": "2"}))
    kept = {key: value for key, value in resource.items() if key not in ("id", "meta")}
    assert {key: value for key, value in served.items() if key not in ("id", "meta")} == kept
    assert (served["id"], served["meta"]["versionId"]) == ("new", "2")


@given(_objects | some.dictionaries(some.sampled_from(["id", "meta", "resourceType", "x"]), _values))
def test_a_version_is_read_as_it_is_served(resource: dict[str, object]) -> None:
    at = datetime(2026, 7, 1, 9, 30, 0, 123_999, UTC)
    for body in (encode(resource), json.dumps(resource, indent=2).encode("utf-8-sig")):
        version = Version("Observation", "o", 3, at, "PUT", body)
        assert resource_of(version) == decode(serve(version)).resource


@given(_objects)
def test_each_member_keeps_its_source_text(resource: dict[str, object]) -> None:
    text = json.dumps(resource)
    assert [(key, source) for key, _, source in members(text)] == [
        (key, f"{json.dumps(key)}: {json.dumps(value)}") for key, value in resource.items()
    ]


def test_a_version_is_served_with_its_number_and_time_and_the_senders_own_meta() -> None:
    body = b'{ "resourceType" : "Observation", "meta": {"source": "a", "versionId": "9"},'
    body += b' "id":"x",\n "value": 6.30}'
    at = datetime(2026, 7, 1, 9, 30, 0, 123_999, UTC)
    assert serve(Version("Observation", "o", 3, at, "PUT", body)) == (
        b'{"resourceType" : "Observation","id":"o",'
        b'"meta":{"source":"a","versionId":"3","lastUpdated":"2026-07-01T09:30:00.123Z"},"value": 6.30}'
    )


def test_a_form_is_cut_out_of_parameters_as_it_stands() -> None:
    text = (
        '{"resourceType":"Parameters", "parameter" : [ {"name":"a","valueString":"]}"} ,'
        '{"resource": {"x": 6.30,  "y":"\\u00e9"}, "name":"form"}]}'
    )
    assert parameter_text(text, "form") == '{"x": 6.30,  "y":"\\u00e9"}'
    assert parameter_text(text, "other") is None


@given(some.datetimes(timezones=some.just(UTC)))
def test_an_instant_has_milliseconds_and_none_that_have_not_passed(moment: datetime) -> None:
    text = instant(moment)
    assert len(text) == len("2026-07-02T09:00:00.000Z")
    assert datetime.fromisoformat(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
