"""Regular expressions compiled when first used: compiling all of them would be a quarter of the import."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def pattern(text: str, flags: int = 0) -> Callable[[], re.Pattern[str]]:
    """What gives the compiled expression, the same one each time. Safe from any thread."""

    @cache
    def compiled() -> re.Pattern[str]:
        return re.compile(text, flags)

    return compiled
