"""A safety report as JSON and back, whatever it holds."""

from __future__ import annotations

from dataclasses import is_dataclass
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import Malformed
from service.domain.evaluation import Code
from service.domain.report_json import from_json, shape, to_json
from service.domain.safety_report import Branch, Reporter, SafetyReport, State, Subject
from service.fhir.json_text import decode, encode

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=999)
PLAIN = {str: TEXTS, Decimal: DECIMALS, int: st.integers(1, 99), bool: st.booleans()}

SMALL: dict[str, Any] = {
    "case": "c",
    "version": 1,
    "branch": "device",
    "state": "draft",
    "decided_by": "why",
    "events": [],
    "subject": {},
    "reporter": {},
}


@given(st.data())
def test_what_is_written_is_what_is_read(data: st.DataObject) -> None:
    report = data.draw(drawn(SafetyReport))
    assert from_json(to_json(report)) == report
    assert from_json(decode(encode(to_json(report))).resource) == report


def drawn(type_: type) -> st.SearchStrategy[Any]:
    """Any value of one of a report's parts: each field by its type."""
    return st.builds(type_, **{name: _of(kind) for name, kind in shape(type_).items()})


def _of(kind: Any) -> st.SearchStrategy[Any]:
    if isinstance(kind, UnionType):
        return st.one_of(st.none(), *(_of(one) for one in get_args(kind) if one is not NoneType))
    if get_origin(kind) is tuple:
        return st.lists(_of(get_args(kind)[0]), max_size=2).map(tuple)
    if is_dataclass(kind):
        return drawn(kind)  # type: ignore[arg-type]
    return PLAIN[kind] if kind in PLAIN else st.sampled_from(list(kind))


def test_the_least_report_is_read() -> None:
    assert from_json(SMALL) == SafetyReport(
        "c", 1, Branch.DEVICE, State.DRAFT, "why", (), Subject(), Reporter()
    )


def test_nothing_answered_and_none_of_the_criteria_are_told_apart() -> None:
    for seriousness in (None, ()):
        event: dict[str, Any] = {
            "reference": "AdverseEvent/1",
            "term": {"system": "s", "code": "c"},
            "text": "t",
        }
        if seriousness is not None:
            event["seriousness"] = []
        report = from_json(SMALL | {"events": [event]})
        assert report.events[0].seriousness == seriousness
        assert report.events[0].term == Code("s", "c")
        assert to_json(report)["events"][0].get("seriousness") == event.get("seriousness")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"state": "lost"}, "report.state"),
        ({"version": "1"}, "report.version"),
        ({"version": True}, "report.version"),
        ({"events": {}}, "report.events"),
        ({"events": [3]}, "report.events[0]"),
        ({"events": [{"reference": "x"}]}, "report.events[0]"),
        ({"subject": {"age": "76"}}, "report.subject.age"),
        ({"subject": {"name": "A"}}, "report.subject"),
        ({"nhs": "9990000018"}, "report"),
        ({"narrative": None}, "report.narrative"),
    ],
)
def test_what_does_not_fit_names_its_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(Malformed) as refused:
        from_json(SMALL | change)
    assert refused.value.issues[0].expression == place


def test_what_is_missing_is_named() -> None:
    with pytest.raises(Malformed, match="'case' is missing"):
        from_json({name: value for name, value in SMALL.items() if name != "case"})
