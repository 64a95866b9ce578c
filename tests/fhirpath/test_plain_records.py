"""The expressions that the published form is filled by answer over a record, however damaged, as the ordinary
code over nodes does."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import fhirpath
from service.fhir.json_text import decode
from service.fhirpath import EvaluationError

from .test_plain import ordinary_code, placed

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]
_FORM: Any = decode((_ROOT / "profiles/htg117/Questionnaire-htg117-eligibility.json").read_bytes()).resource
_CALL: Any = decode((_ROOT / "docs/examples/order-sign.json").read_bytes()).resource
_NOW = datetime(2026, 7, 2, 9, tzinfo=UTC)
_ODD: list[Any] = [None, "odd", 5, True, [], {}, [None], ["odd"], [[]], {"id": "s"}, {"resourceType": "Odd"}]


def _expressions(part: Any) -> Iterator[tuple[str, str]]:
    """The names and texts of the form's FHIRPath expressions, in order."""
    if isinstance(part, dict):
        if part.get("language") == "text/fhirpath":
            yield part.get("name", ""), part["expression"]
        for value in part.values():
            yield from _expressions(value)
    elif isinstance(part, list):
        for value in part:
            yield from _expressions(value)


_TEXTS = list(_expressions(_FORM))
_NAMES = frozenset(re.findall(r"%(\w+)", " ".join(text for _, text in _TEXTS))) - {"resource"}


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in list(part.items() if isinstance(part, dict) else enumerate(part)):
        yield part, key
        if isinstance(value, dict | list):
            yield from _places(value)


@st.composite
def _records(draw: st.DrawFn) -> dict[str, Any]:
    """The example's record with a few of its parts replaced, taken away, doubled, or given a sibling."""
    record: dict[str, Any] = copy.deepcopy(_CALL["prefetch"])
    for _ in range(draw(st.integers(0, 3))):
        places = [(part, key) for part, key in _places(record) if part is not record]
        part, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.sampled_from(["odd", "gone", "listed", "beside", "swapped"])):
            case "odd":
                part[key] = copy.deepcopy(draw(st.sampled_from(_ODD)))
            case "gone":
                del part[key]
            case "listed":
                part[key] = [part[key], copy.deepcopy(part[key])]
            case "beside" if isinstance(part, dict):
                part[f"_{key}"] = {"id": "s"}
            case _ if isinstance(part, dict):
                value = part.pop(key)
                part[draw(st.sampled_from(["effectivePeriod", "valueString", "code", "status"]))] = value
    return record


@cache
def _program(text: str, _ordinary: bool) -> fhirpath.Program:
    return fhirpath.compile(text, variables=_NAMES)


def _filled(record: dict[str, Any], ordinary: bool) -> list[Any]:
    """What each expression says, those that rest on one that failed over nothing in its stead."""
    known: dict[str, Any] = {name: [] for name in _NAMES} | record | {"questionnaire": _FORM}
    out: list[Any] = []
    for name, text in _TEXTS:
        try:
            found = _program(text, ordinary).nodes({}, variables=known, now=_NOW)
        except EvaluationError as error:
            out.append(str(error))
        else:
            out.append([placed(result) for result in found])
            known[name] = found
    return out


@settings(max_examples=80, deadline=None)
@given(_records())
def test_over_damaged_records(record: dict[str, Any]) -> None:
    answers = _filled(record, ordinary=False)
    with pytest.MonkeyPatch.context() as patch:
        ordinary_code(patch)
        expected = _filled(record, ordinary=True)
    assert answers == expected


def test_over_the_example_itself() -> None:
    answers = dict(zip([name for name, _ in _TEXTS], _filled(_CALL["prefetch"], ordinary=False), strict=True))
    assert [len(answers[name]) for name in ("conditions", "metastases", "radiotherapy", "painScores")] == [
        3,
        1,
        1,
        1,
    ]
