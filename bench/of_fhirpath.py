"""FHIRPath: expressions as this product has them, beside the other engines, in one run.

Every engine compiles an expression once and evaluates it over the same document; its answer is compared with
ours before it is timed, and one that differs is reported in place of a time.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from bench import samples
from bench.measure import Row, median
from bench.peers import peers
from service import fhirpath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.peers import Peer

_FORM = "QuestionnaireResponse"
_TERMS = (
    "%resource.item.where(linkId = 'q3').answer.value = true"
    " and %resource.item.where(linkId = 'q26').answer.value > 2"
    " and %resource.item.where(linkId = 'q16').answer.value.code.where($this in ('one' | 'two')).exists()"
)
_KNOWN = (
    "%resource.select(iif(item.where(linkId = 'q3').answer.value = false and"
    " item.where(linkId = 'q2').answer.value > 0, {}, item.where(linkId = 'q3').answer.value = true))"
)
CASES = (
    ("a number answered is above a threshold", _FORM, "item.where(linkId = 'q26').answer.value > 2"),
    (
        "a choice answered is one of two",
        _FORM,
        "%resource.item.where(linkId = 'q8').answer.value.code.where($this in ('one' | 'two')).exists()",
    ),
    ("a criterion of three terms", _FORM, _TERMS),
    ("a code among the answers", _FORM, "'two' in %resource.item.where(linkId = 'q32').answer.value.code"),
    (
        "fourteen days after a date answered",
        _FORM,
        "item.where(linkId = 'q36').answer.value.toDate() + 14 days < @2026-02-01",
    ),
    (
        "known, not known, neither",
        _FORM,
        _KNOWN,
    ),
    (
        "how many questions are answered",
        _FORM,
        "item.where(answer.value.exists()).select(linkId).distinct().count()",
    ),
    (
        "an Observation by its code, from a Bundle",
        "Bundle",
        "entry.resource.ofType(Observation).where(code.coding.where(code = 'c40').exists()).value.value",
    ),
    (
        "the subjects of a Bundle",
        "Bundle",
        "entry.resource.where(status = 'final').subject.reference.distinct()",
    ),
    (
        "quantities of a Bundle, compared and counted",
        "Bundle",
        "entry.resource.value.ofType(Quantity).where(value > 25 and unit = 'cm').count()",
    ),
)
_CRITERION = 2
_SECONDS = 0.5


def measure() -> Iterator[Row]:
    """The rows of the group."""
    documents = {_FORM: samples.response(), "Bundle": samples.bundle()}
    task = {
        "documents": documents,
        "cases": [{"text": text, "over": over} for _, over, text in CASES],
        "seconds": _SECONDS,
    }
    programs = [fhirpath.compile(text, context_type=over) for _, over, text in CASES]
    answers = [_plain(run(documents[over])) for run, (_, over, _) in zip(programs, CASES, strict=True)]
    times = [_evaluation(run, documents[over]) for run, (_, over, _) in zip(programs, CASES, strict=True)]
    yield Row("a criterion of three terms over a form", times[_CRITERION], 0.2, 0.05)
    compiling = [
        median(partial(fhirpath.compile, text, context_type=over), seconds=_SECONDS)
        for _, over, text in CASES
    ]
    for peer in peers():
        yield from _beside(peer, task, answers, times, compiling)
    yield Row("compile an expression, the slowest of the ten", max(compiling), 1)
    yield Row("import, in a fresh process", _start("import service.fhirpath"), 50)
    first = f"import service.fhirpath as f; f.compile({CASES[0][2]!r}, context_type={_FORM!r})"
    yield Row("import and first compile, the type tables read", _start(first))


def _beside(
    peer: Peer, task: dict[str, Any], answers: list[Any], times: list[float], compiling: list[float]
) -> Iterator[Row]:
    """A row for each expression, and the sums of those answered alike."""
    answered = [{"error": peer.reason}] * len(CASES) if peer.run is None else peer.run(task)
    alike = []
    for number, found in enumerate(answered):
        what, ours = CASES[number][0], times[number]
        if "error" in found:
            yield Row(what, ours, peer=f"{peer.name}: {found['error'][:60]}")
        elif found["answer"] != answers[number]:
            yield Row(what, ours, peer=f"{peer.name} answers {str(found['answer'])[:40]}")
        else:
            alike.append((ours, found["evaluate"], compiling[number], found["compile"]))
            yield Row(what, ours, peer=peer.name, peers=found["evaluate"])
    if not alike:
        yield Row("evaluate the ten", sum(times), peer=f"{peer.name}: nothing to compare with")
        return
    ours, theirs, compiled, their_compiled = (sum(column) for column in zip(*alike, strict=True))
    target = 2 if peer.name.startswith("npm") else 40
    what = f"evaluate the {len(alike)} answered alike"
    yield Row(what, ours, round(theirs / target, 2), None, f"{peer.name} (must: {target}×)", theirs)
    yield Row(f"compile the {len(alike)}", compiled, peer=peer.name, peers=their_compiled)


def _evaluation(program: fhirpath.Program, document: Any) -> float:
    return median(lambda: program(document), seconds=_SECONDS)


def _plain(value: Any) -> Any:
    """An answer as JSON has it."""
    return json.loads(json.dumps(value, default=lambda one: float(one) if isinstance(one, Decimal) else one))


def _start(code: str, runs: int = 15) -> float:
    """Milliseconds that the code takes in a fresh process, by that process's own clock; the median of runs.
    Bytecode is compiled beforehand, as it is where a package is installed."""
    timed = f"import time; start = time.perf_counter(); {code}; print((time.perf_counter() - start) * 1000)"
    with tempfile.TemporaryDirectory() as compiled:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = compiled
        taken = [
            float(
                subprocess.run(
                    [sys.executable, "-c", timed], env=environment, check=True, capture_output=True
                ).stdout
            )
            for _ in range(runs + 1)
        ]
    return statistics.median(taken[1:])
