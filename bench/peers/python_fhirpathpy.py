"""Times fhirpathpy: a task on standard input, answers on standard output (see `bench/peers/__init__.py`)."""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import fhirpathpy
from fhirpathpy.models import models

if TYPE_CHECKING:
    from collections.abc import Callable


def _median(work: Callable[[], object], seconds: float, least: int) -> float:
    work()
    gc.collect()
    gc.disable()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    gc.enable()
    return statistics.median(times) * 1000


def _answer(case: dict[str, str], task: dict[str, Any]) -> dict[str, Any]:
    text, document = case["text"], task["documents"][case["over"]]
    model = models["r4"]
    try:
        run = fhirpathpy.compile(text, model)
        answer = run(document, {"resource": document})
    except Exception as error:  # noqa: BLE001 - whatever another engine raises is its answer
        return {"error": repr(error)}
    return {
        "answer": answer,
        "evaluate": _median(lambda: run(document, {"resource": document}), task["seconds"], 10),
        "compile": _median(lambda: fhirpathpy.compile(text, model), task["seconds"] / 4, 3),
    }


def main() -> None:
    """Answers the task."""
    task = json.load(sys.stdin)
    json.dump([_answer(case, task) for case in task["cases"]], sys.stdout, default=str)


if __name__ == "__main__":
    main()
