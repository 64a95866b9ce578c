"""A job over many resources: in this process or in several, answers in the order of the questions.

What goes wrong with one resource is told with its line, and the others are still done.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from service.cli.exits import Exit
from service.cli.lines import Line, read, size
from service.domain.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    Job = Callable[[bytes], bytes]
    Made = tuple[bytes, str]

_CHUNK = 50
_AHEAD = 3
_job: Job | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a job is made in the process that does it: a function of this package and its argument."""

    make: Callable[[dict[str, str]], Job]
    options: dict[str, str]


def run(plan: Plan, files: Sequence[str], workers: int, output: BinaryIO) -> Exit:
    """DONE, or FAULTS where a line failed, or USAGE where a file cannot be read."""
    failed = False
    try:
        total = size(files)
        with progress(total) as advance:
            for line, (made, fault) in _each(plan, read(files), workers):
                output.write(made + b"\n")
                if fault:
                    failed = True
                    print(f"{line.place}: {fault}", file=sys.stderr)
                advance(line)
        output.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader went away: no traceback
        return Exit.FAULTS
    except OSError as fault:
        print(f"{fault.filename or 'the output'}: {fault.strerror}", file=sys.stderr)
        return Exit.USAGE
    return Exit.FAULTS if failed else Exit.DONE


class progress:  # noqa: N801 - reads as a verb
    """A bar on stderr where that is a terminal; it goes by bytes, or by lines where the end is unknown."""

    def __init__(self, total: int | None) -> None:
        """Takes the number of bytes, if it is known."""
        self._total = total
        self._shown = sys.stderr.isatty()
        self._before = (0, "")

    def __enter__(self) -> Callable[[Line], None]:
        """The function that is told of each line done."""
        if not self._shown:
            return lambda _line: None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task("", total=self._total)
        return self._advance

    def _advance(self, line: Line) -> None:
        end, source = self._before
        step = line.end - (end if source == line.source else 0) if self._total else 1
        self._before = (line.end, line.source)
        self._bar.advance(self._task, step)

    def __exit__(self, *raised: object) -> None:
        """Takes the bar away."""
        if self._shown:
            self._bar.stop()


def _each(plan: Plan, lines: Iterator[Line], workers: int) -> Iterator[tuple[Line, Made]]:
    if workers <= 1:
        job = plan.make(plan.options)
        for line in lines:
            yield line, _do(job, line.body)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _prepare, (plan,)) as pool:
        waiting: deque[tuple[list[Line], object]] = deque()
        chunks = _chunks(lines)
        for chunk in islice(chunks, workers * _AHEAD):
            waiting.append((chunk, pool.submit(_do_all, [line.body for line in chunk])))
        while waiting:
            done, future = waiting.popleft()
            made = future.result()  # type: ignore[attr-defined]
            following = next(chunks, None)
            if following:
                waiting.append((following, pool.submit(_do_all, [line.body for line in following])))
            yield from zip(done, made, strict=True)


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    each = iter(lines)
    while chunk := list(islice(each, _CHUNK)):
        yield chunk


def _prepare(plan: Plan) -> None:
    global _job  # noqa: PLW0603 - one job a worker process, made when it starts
    _job = plan.make(plan.options)


def _do_all(bodies: list[bytes]) -> list[Made]:
    if _job is None:
        raise RuntimeError("the worker was not prepared")
    return [_do(_job, body) for body in bodies]


def _do(job: Job, body: bytes) -> Made:
    """The job's answer; for a resource that it refuses an OperationOutcome, and what to say of it."""
    from service.fhir.json_text import encode
    from service.web.errors import outcome

    try:
        return job(body), ""
    except ServiceError as fault:
        return encode(outcome(fault.issues)), "; ".join(str(issue) for issue in fault.issues if issue.fails)
