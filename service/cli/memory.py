"""The worker's memory in large pages, where Linux gives them.

What is published lies over many megabytes, and each answer touches it in hundreds of places: in pages of 4 KB
the processor has to look most of them up anew. In pages of 2 MB an answer of CDS Hooks takes about 4 % less.
"""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

_LARGE = 2 * 1024 * 1024
_WANTED, _NOW = 14, 25
"""What madvise(2) is told: large pages are wanted (MADV_HUGEPAGE), and at once (MADV_COLLAPSE, Linux 6.1)."""
_MAPS = Path("/proc/self/maps")
_OWN = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p [0-9a-f]+ 00:00 0 *(?:\[heap\])?", re.ASCII)


def take_large_pages() -> int:
    """How many bytes of what the process holds now are to lie in large pages; 0 where there are none."""
    try:
        maps = _MAPS.read_text(encoding="utf-8")
        advise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):  # no Linux
        return 0
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    taken = 0
    for start, size in large_parts(maps):
        if advise(start, size, _WANTED) == 0:
            advise(start, size, _NOW)  # a kernel that does not know this does it in its own time
            taken += size
    return taken


def large_parts(maps: str) -> list[tuple[int, int]]:
    """Start and size of what large pages can hold of a process's own memory, by ``/proc/self/maps``."""
    found = []
    for line in maps.splitlines():
        if own := _OWN.fullmatch(line.rstrip()):
            start = -(-int(own[1], 16) // _LARGE) * _LARGE
            size = int(own[2], 16) // _LARGE * _LARGE - start
            if size > 0:
                found.append((start, size))
    return found
