"""The exit codes of every command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """0 all done, 1 done with faults found, 2 could not be done."""

    DONE = 0
    FAULTS = 1
    USAGE = 2
