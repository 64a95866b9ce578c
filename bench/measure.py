"""How a piece of work is timed, and how a measurement is shown."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. Times are milliseconds (medians) unless ``unit`` says otherwise.

    ``must`` and ``hoped`` are the targets; ``peer`` and ``peers`` name another's program and its time for
    the same work in the same run.
    """

    what: str
    ours: float
    must: float | None = None
    hoped: float | None = None
    peer: str = ""
    peers: float | None = None
    unit: str = "ms"
    more_is_better: bool = False

    @property
    def verdict(self) -> str:
        """How the measurement stands to its targets."""
        if self.must is None:
            return ""
        if self._reaches(self.hoped if self.hoped is not None else self.must):
            return "hoped for" if self.hoped is not None else "met"
        return "met" if self._reaches(self.must) else "MISSED"

    @property
    def ratio(self) -> str:
        """How many times better ours is than the peer's."""
        if not self.peers or not self.ours:
            return ""
        times = self.ours / self.peers if self.more_is_better else self.peers / self.ours
        return f"{times:.1f}×"

    def _reaches(self, target: float) -> bool:
        return self.ours >= target if self.more_is_better else self.ours <= target


def median(work: Callable[[], object], *, seconds: float = 1.0, least: int = 20) -> float:
    """The median time of one call in milliseconds, over as many calls as fit (at least ``least``)."""
    work()
    gc.collect()
    gc.disable()
    try:
        times: list[float] = []
        end = time.perf_counter() + seconds
        while len(times) < least or time.perf_counter() < end:
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    finally:
        gc.enable()
    return statistics.median(times) * 1000
