"""A circuit breaker: what has failed several times running is left alone for a while, then tried once."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Closed: everything goes through. Open: nothing. Trying: one, and the rest wait for how it ends."""

    CLOSED = "closed"
    OPEN = "open"
    TRYING = "trying"


class Breaker:
    """One host's breaker. The time is handed in, in seconds of any monotonic clock."""

    def __init__(self, failures: int = 5, pause: float = 10.0) -> None:
        """Opens after so many failures running, for so many seconds."""
        self._most = failures
        self._pause = pause
        self._failures = 0
        self._until = 0.0
        self.state = State.CLOSED

    def admits(self, now: float) -> bool:
        """Whether a call may be made now. Who is admitted must say how it ended (``succeed``, ``fail``)."""
        if self.state is State.CLOSED:
            return True
        if now < self._until:
            return False
        # the one that tries is given as long again: if it never says how it ended, another one tries
        self.state, self._until = State.TRYING, now + self._pause
        return True

    def succeed(self) -> None:
        """The host answered: everything goes through."""
        self.state, self._failures = State.CLOSED, 0

    def fail(self, now: float) -> None:
        """The host did not answer. Failures of calls made before it opened change nothing."""
        if self.state is State.OPEN:
            return
        self._failures += 1
        if self.state is State.TRYING or self._failures >= self._most:
            self.state, self._until = State.OPEN, now + self._pause
