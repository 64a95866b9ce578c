"""Requests with anything wrong anywhere: an OperationOutcome with a 4xx, or cards; never a 5xx or nothing."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from service.app import build
from service.settings import Settings
from tests.patience import PATIENCE
from tests.web.conftest import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
REQUESTS = {
    name: json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("order-sign", "order-select-uncoded", "patient-view")
}
JUNK: some.SearchStrategy[Any] = some.sampled_from(
    [
        None, "", " ", "x", "Patient/", "../..", "\x00", "é" * 300, 0, -1, 1e300, True, "2026-13-45",
        [], [None], [[[]]], {}, {"a": {}}, {"reference": 5}, {"coding": "W35.1"},
        {"resourceType": "Patient"}, {"resourceType": "Bundle", "entry": None},
        {"resourceType": "OperationOutcome"}, {"resourceType": "Nobody", "id": 7},
    ]
)  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a value."""
    if path:
        yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from places(value, (*path, key))
    elif isinstance(node, list):
        for at, value in enumerate(node):
            yield from places(value, (*path, at))


@some.composite
def mutated(draw: some.DrawFn) -> tuple[str, Any]:
    """A request with one to three places replaced, taken out, or given twice."""
    request = copy.deepcopy(REQUESTS[draw(some.sampled_from(sorted(REQUESTS)))])
    hook = request["hook"]
    for _ in range(draw(some.integers(1, 3))):
        found = list(places(request))
        if not found:
            break
        *way, last = draw(some.sampled_from(found))
        node = request
        for step in way:
            node = node[step]
        match draw(some.sampled_from(["put", "put", "put", "out", "twice"])):
            case "put":
                node[last] = copy.deepcopy(draw(JUNK))
            case "out":
                del node[last]
            case "twice" if isinstance(node, list):
                node.append(copy.deepcopy(node[last]))
            case _:
                node["more"] = copy.deepcopy(draw(JUNK))
    return hook, request


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("mutated")
    with Client(build(Settings(database_url=f"sqlite:///{folder}/r.sqlite3", **PATIENCE))) as made:
        yield made


@given(asked=mutated())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_anything_wrong_anywhere_is_told_and_never_breaks_the_service(
    client: Client, asked: tuple[str, Any]
) -> None:
    hook, request = asked
    answer = client.post(f"/cds-services/htg117-{hook}", json=request)
    told = answer.json()
    if answer.status_code == 200:
        assert isinstance(told["cards"], list)
    else:
        assert answer.status_code in (400, 412), (answer.status_code, told)
        assert told["resourceType"] == "OperationOutcome"
        assert told["issue"]
