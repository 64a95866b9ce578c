"""Laws over whole resources: of any shape, from any number of threads, as often as one likes."""

from __future__ import annotations

import copy
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import service.fhirpath.r4
from service import fhirpath
from service.fhirpath import EvaluationError, Limits, Model
from tests.fhirpath import strategies
from tests.fuzz.seeds import EXPRESSIONS, RESOURCES

_NOW = datetime(2026, 1, 2, 10, 0, tzinfo=UTC)
_LIMITS = Limits(steps=50_000)
_PROGRAMS = [fhirpath.compile(text, variables=("a", "b", "c")) for text in EXPRESSIONS]


def _answer(program: fhirpath.Program, resource: Any) -> object:
    try:
        return repr(program(resource, variables={"a": resource, "b": 1, "c": "x"}, now=_NOW, limits=_LIMITS))
    except EvaluationError as error:
        return str(error)


@settings(deadline=None, max_examples=150)
@given(st.one_of(strategies.JSON, strategies.CLAIMED))
def test_a_resource_of_any_shape_is_answered_or_an_evaluation_error(resource: Any) -> None:
    before = repr(resource)
    for program in _PROGRAMS:
        assert _answer(program, resource) == _answer(program, resource)
    assert repr(resource) == before


@settings(deadline=None, max_examples=150)
@given(strategies.walks())
def test_a_path_that_leads_somewhere_compiles_and_finds_it(
    walk: tuple[dict[str, Any], str, list[Any]],
) -> None:
    resource, path, wanted = walk
    program = fhirpath.compile(path, context_type=resource["resourceType"])
    assert program(resource) == wanted


@settings(deadline=None, max_examples=100)
@given(strategies.resources())
def test_every_expression_runs_over_resources_of_the_right_shape(resource: dict[str, Any]) -> None:
    kept = copy.deepcopy(resource)
    for program in _PROGRAMS:
        _answer(program, resource)
    assert resource == kept
    everything = fhirpath.evaluate(resource, "descendants().count() + children().count()")
    assert everything[0] >= 0


def test_eight_threads_share_programs_and_fill_the_tables_at_once() -> None:
    model = Model(str(Path(service.fhirpath.r4.__file__).parent / "types.json"))
    programs = [fhirpath.compile(text, model=model, variables=("a", "b", "c")) for text in EXPRESSIONS]
    wanted = [_answer(program, resource) for program in _PROGRAMS for resource in RESOURCES]
    start = threading.Barrier(8)
    found: list[list[object]] = []

    def work() -> None:
        start.wait()
        for _ in range(3):
            found.append([_answer(program, resource) for program in programs for resource in RESOURCES])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 24
