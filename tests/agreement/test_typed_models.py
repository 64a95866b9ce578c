"""What ours accepts, ``fhir.resources`` (R4B) accepts in structure and gives back with the same content."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from service.fhir import resources
from service.fhir.validation import check
from tests.agreement.corpus import Case, cases, resolve


def _accepted(case: Case) -> bool:
    return not any(issue.fails for issue in check(case.document, resolve=resolve))


ACCEPTED = tuple(filter(_accepted, cases()))
_FRACTION = re.compile(r"(T\d\d:\d\d:\d\d)(?:\.(\d*?)0*)?(Z|[+-]\d\d:\d\d)")


def _same_moment(match: re.Match[str]) -> str:
    return match[1] + (f".{match[2]}" if match[2] else "") + match[3]


def _plain(value: Any) -> Any:
    """The value as far as the typed models keep it.

    They drop a moment's trailing zeros and those of a decimal, and its digits past a float's. R4 gives
    these a meaning (data types page, decimal), so that nothing is stored that comes back from the models.
    """
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return float(value)
    return _FRACTION.sub(_same_moment, value) if isinstance(value, str) else value


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.id)
def test_accepted_by_the_typed_models(case: Case) -> None:
    found = resources.plain(resources.typed(case.document))
    assert _plain(found) == _plain(case.document)
