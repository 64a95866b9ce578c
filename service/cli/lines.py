"""Resources in files or on stdin, one a file or one a line, without holding more than one at a time.

A file whose first line is a whole JSON object holds one resource a line (NDJSON), and so does one whose first
line is bad and a later one whole; any other is one resource.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST = 5_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One resource's text and where it stands. ``number`` counts from 1. ``end`` is the offset after it."""

    source: str
    number: int
    body: bytes
    end: int = 0

    @property
    def place(self) -> str:
        """``file:number``."""
        return f"{self.source}:{self.number}"


def read(files: Sequence[str], largest: int = LARGEST) -> Iterator[Line]:
    """The resources of the files in order; ``-`` (or no file) is stdin. OSError where one cannot be read."""
    for name in files or ["-"]:
        if name == "-":
            yield from _lines("stdin", sys.stdin.buffer, largest)
        else:
            with Path(name).open("rb") as stream:
                yield from _lines(name, stream, largest)


def size(files: Sequence[str]) -> int | None:
    """How many bytes the files have, or None where that cannot be known."""
    if not files or "-" in files:
        return None
    return sum(Path(name).stat().st_size for name in files)


def _lines(source: str, stream: BinaryIO, largest: int) -> Iterator[Line]:
    first = _line(stream, largest)
    number, end = 1, len(first)
    while first and not first.strip():
        first = _line(stream, largest)
        number, end = number + 1, end + len(first)
    if not first:
        return
    text = first.strip()
    if not (text.startswith(b"{") and text.endswith(b"}")) and not source.endswith((".ndjson", ".jsonl")):
        rest = stream.read(largest + 1)
        if len(first) + len(rest) > largest or _is_one(first + rest) or not _has_whole_lines(rest):
            yield Line(source, number, first + rest, end + len(rest))
            return
        stream = BytesIO(rest)
    while first:
        if first.strip():
            yield Line(source, number, first.rstrip(b"\r\n"), end)
        first = _line(stream, largest)
        number, end = number + 1, end + len(first)


def _is_one(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _has_whole_lines(rest: bytes) -> bool:
    """Whether what follows a first line that is no JSON has resources of its own: NDJSON with a bad start."""
    return any(line.startswith(b'{"') and line.rstrip().endswith(b"}") and _is_one(line)
               for line in rest.splitlines())  # fmt: skip


def _line(stream: BinaryIO, largest: int) -> bytes:
    """The next line; of one longer than the limit a little more than the limit, so that it is refused."""
    line = stream.readline(largest + 1)
    kept = line
    while line and not line.endswith(b"\n") and len(line) > largest:
        line = stream.readline(largest + 1)
    return kept
