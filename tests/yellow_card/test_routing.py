"""The table of routes: what is wrong with a row is said with its place."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.errors import ContentFault
from service.domain.safety_report import Branch
from service.yellow_card.routing import FILE, find_routes, route_of

ROW: dict[str, Any] = {
    "branch": "device",
    "nation": "wales",
    "name": "Somewhere",
    "contact": "https://somewhere.example.org",
    "why": "So",
    "country": "GB",
    "source": "https://source.example.org",
    "read": "2026-11-21",
}


def table(*rows: dict[str, Any]) -> dict[str, Any]:
    return {FILE: {"routes": list(rows)}}


def test_the_first_row_that_fits_holds() -> None:
    rows = find_routes(
        table(ROW | {"private": True, "name": "A"}, ROW | {"name": "B"}, ROW | {"nation": "*", "name": "C"})
    )
    named = [
        route_of(rows, Branch.DEVICE, nation, private=private)
        for nation, private in (("wales", True), ("wales", False), ("scotland", False), (None, False))
    ]
    assert [one.name for one in named if one is not None] == ["A", "B", "C", "C"]
    assert route_of(rows, Branch.MEDICINE, "wales") is None


def test_without_a_table_there_are_no_routes() -> None:
    assert find_routes({}) == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({name: value for name, value in ROW.items() if name != "source"}, "'source' is missing"),
        (ROW | {"branch": "moon"}, "'moon' is no branch"),
        (ROW | {"nation": "france"}, "'france' is no nation"),
    ],
)
def test_a_row_that_is_not_fit_is_named(row: dict[str, Any], said: str) -> None:
    with pytest.raises(ContentFault) as refused:
        find_routes(table(ROW, row))
    [issue] = refused.value.issues
    assert (issue.expression, said in issue.message) == ("routes[1]", True)
