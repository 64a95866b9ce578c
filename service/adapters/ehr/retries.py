"""When a question that may be asked again is asked again: how often, after how long, and not in vain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


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


def read_retry_after(text: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110, 10.2.3); None where it says nothing clear."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year or an offset of a hundred digits
        return None
    if until.tzinfo is None:
        return None
    seconds = (until - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
