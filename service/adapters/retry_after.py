"""When a server that cannot answer now asks to be asked again (RFC 9110, 10.2.3)."""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


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
