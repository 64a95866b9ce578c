"""The clerk's process: does what it is asked on its input, says what came of it on its output.

It ends when its input ends, after what it was asked: the worker is then gone, or wants it no longer. Signals
that end the worker are not for it to obey: what the worker has handed over is written first.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Literal, Self

from service.adapters.clerk import line
from service.adapters.records import connect

if TYPE_CHECKING:
    from io import RawIOBase
    from typing import BinaryIO

    from service.adapters.records import Store


class Desk:
    """The records, once they could be opened, and the output."""

    def __init__(self, output: RawIOBase, url: str) -> None:
        """Opens nothing yet."""
        self._output = output
        self._url = url
        self._lock = Lock()
        self._store: Store | None = None

    def do(self, request: line.Request) -> None:
        """Nothing; what was asked is done, and what came of it told."""
        with _Telling(self, request.number) as telling:
            telling.found = self._do(request)

    def tell(self, answer: line.Answer) -> None:
        """Nothing; the answer is out."""
        with self._lock, suppress(ConnectionError):  # the worker is gone; what it asked is done all the same
            left = memoryview(line.frame(answer))
            while left:
                left = left[self._output.write(left) :]

    def close(self) -> None:
        """Nothing; the records are closed."""
        if self._store is not None:
            self._store.close()

    def _do(self, request: line.Request) -> list[str]:
        store = self._open()
        match request:
            case line.Commit():
                store.commit(request.changes(), request.now, (), request.marks())
            case line.Stored():
                return [request.id] if store.read(request.type, request.id) else []
            case line.Subjects():
                return sorted(store.subjects(request.types, frozenset(request.names)))
        return []

    def _open(self) -> Store:
        """The records; opened by the first request for which that succeeds."""
        with self._lock:
            if self._store is None:
                self._store = connect(self._url)
            return self._store


class _Telling:
    """Tells what was found, or of whatever was raised instead; the thread goes on."""

    def __init__(self, desk: Desk, number: int) -> None:
        self._desk = desk
        self._number = number
        self.found: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, fault: BaseException | None, _trace: object) -> Literal[True]:
        told = line.Answer(self._number, self.found) if fault is None else line.failed(self._number, fault)
        self._desk.tell(told)
        return True


def serve(input_: BinaryIO, output: RawIOBase) -> None:
    """Nothing, once the input has ended and all that it asked is done. What is written is written in turn."""
    asked = line.requests(input_)
    opening = next(asked, None)
    if not isinstance(opening, line.Opening):
        return
    desk = Desk(output, opening.url)
    desk.do(opening)
    writing: SimpleQueue[line.Request | None] = SimpleQueue()
    reading: SimpleQueue[line.Request | None] = SimpleQueue()
    threads = [Thread(target=_work, args=(desk, queue)) for queue in (writing, reading)]
    for thread in threads:
        thread.start()
    try:
        for request in asked:
            (reading if isinstance(request, line.Subjects) else writing).put(request)
    finally:  # also where what comes in cannot be read: the process must not stay, deaf, for its threads
        for queue in (writing, reading):
            queue.put(None)
        for thread in threads:
            thread.join()
        desk.close()


def _work(desk: Desk, queue: SimpleQueue[line.Request | None]) -> None:
    while (request := queue.get()) is not None:
        desk.do(request)


def main() -> None:
    """Nothing, once the worker is gone."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    output = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what anything prints goes to the log, not among the answers
    serve(sys.stdin.buffer, output)
