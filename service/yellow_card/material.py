"""What every rendering rests on beside the report itself: the table of fields, words, maps, and the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.safety_report import Branch
from service.yellow_card.fields import MINIMUM, Missing, Part, fill, missing
from service.yellow_card.heading import Heading, head
from service.yellow_card.imdrf import Suggestion, suggestions
from service.yellow_card.wording import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.domain.safety_report import SafetyReport
    from service.domain.site import Site
    from service.yellow_card.fields import Form, Held, Words
    from service.yellow_card.heading import Destination

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Material:
    """``maps`` are ConceptMaps to IMDRF's annexes. ``base`` is the canonical base of the published content.

    ``guidance`` names the guidance that the event belongs to. ``destination`` says where a report goes.
    """

    form: Form
    words: Words
    maps: tuple[Resource, ...]
    destination: Callable[[SafetyReport, Site], Destination | None]
    now: datetime
    base: str = ""
    guidance: str = ""


@dataclass(frozen=True, slots=True)
class Laid:
    """A report laid out: the same for every rendering."""

    report: SafetyReport
    heading: Heading
    parts: tuple[Part, ...]
    missing: tuple[Missing, ...]
    suggestions: tuple[Suggestion, ...]
    words: Words

    def said(self, held: Held) -> str | None:
        """What the report holds for a field, in words."""
        return say(held, self.report, self.words)

    @property
    def minimum(self) -> tuple[Missing, ...]:
        """What must be there and is not."""
        return tuple(one for one in self.missing if one.need == MINIMUM)

    @property
    def helpful(self) -> tuple[Missing, ...]:
        """What would help and is not there."""
        return tuple(one for one in self.missing if one.need != MINIMUM)


def lay_out(report: SafetyReport, site: Site, material: Material) -> Laid:
    """The report's heading, its fields in form order, what it lacks, and the terms that may fit."""
    reportable = report.branch not in (Branch.LOCAL, Branch.UNKNOWN)
    instructions = material.form.instructions.get(report.branch.value, ())
    destination = material.destination(report, site) if reportable else None
    return Laid(
        report,
        head(report, instructions, destination),
        fill(report, material.form),
        missing(report, material.form),
        suggestions(report, material.maps, material.form, material.words),
        material.words,
    )


def file_name(report: SafetyReport, ending: str) -> str:
    """A name for a file of the report: its case, what it is and its version, and nothing of the patient."""
    case = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in report.case)
    return f"{case[:80].lstrip('.')}-{report.branch.value}-v{report.version}{ending}"
