"""When a question that may be asked again is asked again: how often, after how long, and not in vain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Retries:
    """``attempts`` in all; the first pause is up to ``first`` seconds, each further one twice as long.

    ``chance`` gives numbers from 0 to 1: pauses differ, so that many callers do not come back as one.
    """

    attempts: int = 2
    first: float = 0.06
    chance: Callable[[], float] = lambda: 1.0

    def pause(self, attempt: int, asked: float | None, left: float) -> float | None:
        """Seconds to wait after the attempt (from 1) failed; None: do not ask again.

        ``asked`` is the server's Retry-After, which is kept to; ``left`` the seconds until the answer is due.
        """
        if attempt >= self.attempts:
            return None
        drawn = self.first * 2 ** (attempt - 1) * (0.5 + self.chance() / 2)
        wait = drawn if asked is None else asked + drawn
        return wait if wait < left else None
