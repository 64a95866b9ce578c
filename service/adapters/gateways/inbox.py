"""Acknowledgements that a folder gateway brings back: files in an inbox, each taken once.

A file is taken when it has stopped changing, by moving it aside, which one worker alone can do. When it was
accepted it lies in ``done``, else in ``failed`` with a file beside it that says why. One whose worker was
killed is taken again later, so what accepts must count the same bytes once.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from service.domain.errors import Conflict, Refused, ServiceError, TooLarge, Unavailable

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from service.operations.ports import Clock

TAKING, DONE, FAILED = ".taking", "done", "failed"
_UNFINISHED = (".part", ".partial", ".tmp", ".filepart", ".crdownload")
_OLD_SECONDS = 60
_LEASE_SECONDS = 600

Accept = Callable[[str, bytes], None]
"""Takes a file's name and bytes. Unavailable, Conflict: it is tried later. Another error: not accepted."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Taken:
    """One file that was taken: whether it was accepted, and why not."""

    name: str
    accepted: bool
    reason: str | None = None


class Inbox:
    """The acknowledgements in one folder. ``poll`` from one thread; other processes may poll it too."""

    def __init__(
        self, folder: Path, accept: Accept, clock: Clock, *, largest: int, quiet: float = 5.0
    ) -> None:
        """Takes who accepts, the most bytes of a file, and for how many seconds it must stand still."""
        self._folder = folder
        self._accept = accept
        self._clock = clock
        self._largest = largest
        self._quiet = quiet
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}

    def run(self, stop: Event, every: float = 10.0) -> None:
        """Polls until stopped."""
        while not stop.is_set():
            self.poll()
            stop.wait(every)

    def poll(self) -> tuple[Taken, ...]:
        """What was taken now. Logged and empty where the folder cannot be read."""
        now = self._clock().timestamp()
        try:
            for name in (TAKING, DONE, FAILED):
                (self._folder / name).mkdir(exist_ok=True)
            self._take_up_lost(now)
            ready = self._ready(now)
            return tuple(taken for name in ready if (taken := self._take(name, now)) is not None)
        except OSError as fault:
            _log.error("inbox_unreadable", reason=type(fault).__name__)
            return ()

    def _ready(self, now: float) -> list[str]:
        """The names of regular files that have stood still long enough."""
        seen: dict[str, tuple[tuple[int, int], float]] = {}
        ready = []
        for path in sorted(self._folder.iterdir()):
            if path.name.startswith(".") or path.name.lower().endswith(_UNFINISHED):
                continue
            with suppress(FileNotFoundError):
                found = path.lstat()
                if not stat.S_ISREG(found.st_mode):
                    continue
                mark = (found.st_size, found.st_mtime_ns)
                before, since = self._seen.get(path.name, (mark, now))
                seen[path.name] = (mark, since if before == mark else now)
                if (before == mark and now - since >= self._quiet) or now - found.st_mtime >= _OLD_SECONDS:
                    ready.append(path.name)
        self._seen = seen
        return ready

    def _take_up_lost(self, now: float) -> None:
        for path in (self._folder / TAKING).iterdir():
            with suppress(FileNotFoundError):
                if now - path.lstat().st_mtime >= _LEASE_SECONDS:
                    path.rename(self._folder / path.name)

    def _take(self, name: str, now: float) -> Taken | None:
        source, mine = self._folder / name, self._folder / TAKING / name
        if mine.exists():  # a file of the same name is being taken; this one's turn is later
            return None
        try:
            os.utime(source, (now, now), follow_symlinks=False)  # the lease begins
            source.rename(mine)
        except FileNotFoundError:
            return None  # another worker was quicker
        self._seen.pop(name, None)
        fault = self._try(mine)
        if fault is None:
            _move(mine, self._folder / DONE)
            return Taken(name, accepted=True)
        if isinstance(fault, (Unavailable, Conflict)):
            mine.rename(source)
            _log.warning("acknowledgement_waits", reason=str(fault))
            return None
        reason = (
            str(fault) if isinstance(fault, ServiceError) else f"an error of ours ({type(fault).__name__})"
        )
        kept = _move(mine, self._folder / FAILED)
        kept.with_name(f"{kept.name}.reason").write_text(f"{reason}\n", encoding="utf-8")
        _log.error("acknowledgement_failed", kind=type(fault).__name__)
        return Taken(name, accepted=False, reason=reason)

    def _try(self, path: Path) -> BaseException | None:
        """What went wrong when the file was read and given on. No error of ours stops the inbox."""
        with ThreadPoolExecutor(1) as thread:
            task = thread.submit(lambda: self._accept(_plain(path.name), _read(path, self._largest)))
            return task.exception()


def _read(path: Path, largest: int) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        body = file.read(largest + 1)
    if len(body) > largest:
        raise TooLarge(f"the file has more than {largest} bytes")
    if not body:
        raise Refused("the file is empty")
    return body


def _plain(name: str) -> str:
    """The file's name as it can be stored and shown: what is not to be printed becomes a low line."""
    return "".join(sign if sign.isprintable() else "_" for sign in name)


def _move(path: Path, folder: Path) -> Path:
    """Where the file went: a name that is taken gets a number."""
    number, target = 1, folder / path.name
    while target.exists():
        number += 1
        target = folder / f"{path.stem}.{number}{path.suffix}"
    return path.rename(target)
