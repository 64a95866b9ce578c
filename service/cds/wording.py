"""A plan's own words as Markdown, made once for all its cards: what its criteria can come to, and its notes.

A plan makes the findings and the notes that an evaluation of it holds, once; by them its words are known.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from service.cds.tables import escape, link, published
from service.domain.evaluation import Truth

if TYPE_CHECKING:
    from service.domain.evaluation import Citation, Finding, Statement
    from service.fhir.plans import Plan

INDICATORS = {"routine": "info", "urgent": "warning", "asap": "warning", "stat": "critical"}
_TRUTH = {Truth.MET: "met", Truth.NOT_MET: "**not met**", Truth.UNKNOWN: "not known"}


class Wording:
    """The words of one plan."""

    def __init__(self, plan: Plan) -> None:
        """Words everything that the plan can say of a form."""
        self.plan = plan  # as long as its findings live, no other object is at their place
        self._rows = {
            id(finding): finding_row(finding)
            for one in plan.criteria
            for finding in (one.met, one.not_met, *one.unknowns, one.failed)
        }
        self._notes = {id(one.statement): note_line(one.statement) for one in plan.notes}

    def row(self, finding: Finding) -> tuple[str, str, str]:
        """A finding as a row; one that says more than the plan does is worded now."""
        found = self._rows.get(id(finding))
        return finding_row(finding) if found is None else found

    def note(self, note: Statement) -> str:
        """A note as a line."""
        found = self._notes.get(id(note))
        return note_line(note) if found is None else found


@lru_cache(maxsize=1024)
def paragraphs(citations: tuple[Citation, ...]) -> str:
    """The paragraphs as links, each once; what the project chose is said to be the project's."""
    said = []
    for one in citations:
        if one.kind == "citation" or one.url:
            said.append(link(one.label or one.text, one.url))
        else:
            said.append(f"({escape(one.label)})")
    return ", ".join(dict.fromkeys(said))


def finding_row(finding: Finding) -> tuple[str, str, str]:
    """A criterion, what it came to, and its paragraphs."""
    said = _TRUTH[finding.truth]
    if finding.reason:
        said = f"{said}: {escape(finding.reason.text, 600)}"
    return published(finding.title), said, paragraphs(finding.citations)


def note_line(note: Statement) -> str:
    """A note as a line of a list; a title that says the same as the text is not said twice."""
    title, text = note.title.rstrip("."), note.text
    said = published(text) if text.startswith(title) else f"{published(title)}. {published(text)}"
    marked = f"**{said}**" if INDICATORS.get(note.priority, "info") != "info" else said
    return f"- {marked} {paragraphs(note.citations)}".rstrip()
