"""One thing that leaves the house for a report: its bytes, and what they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from service.domain.safety_report import SafetyReport
from service.domain.site import Site


@dataclass(frozen=True, slots=True)
class Rendered:
    """A report as a file. ``kind`` is the renderer's name (``sheet``, ``json``, ``bundle``, ``e2b`` …).

    ``numbers`` is what a message calls each report in it for ever (ICH C.1.1), in order; else empty.
    """

    media_type: str
    file_name: str
    body: bytes = field(repr=False)
    kind: str = ""
    numbers: tuple[str, ...] = ()


Renderer = Callable[[SafetyReport, Site], Rendered]
"""Gives the report as a file. Raises Unprocessable where it cannot, with the reason and the remedy.

Unsupported: reports of this branch are never given as such a file.
"""

Batches = Callable[[Sequence[SafetyReport], Site], Rendered]
"""Gives several reports as one message. Raises as ``Renderer`` does."""
