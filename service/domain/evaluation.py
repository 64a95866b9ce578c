"""What a plan's criteria come to for one form: findings, the outcome, notes and proposals.

Met, not met or unknown; an unknown carries its reason. Nothing here decides: an outcome restates criteria,
and the professional decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.domain.issues import Issue


class Truth(StrEnum):
    """The three answers to a criterion."""

    MET = "met"
    NOT_MET = "not-met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Code:
    """A coded idea: its system (a canonical or URI), code and display."""

    system: str
    code: str
    display: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """Where the guidance says it: ``label`` is the paragraph (``2.1.2``), ``text`` says what it says."""

    label: str
    text: str = ""
    url: str = ""
    kind: str = "documentation"


@dataclass(frozen=True, slots=True)
class UnknownReason:
    """Why a criterion is not known.

    ``code`` is one of the plan's reasons (``missing``, ``contradictory`` …), or None where the rule itself
    could not be evaluated. ``text`` is for the clinician; ``items`` are the linkIds that it is about.
    """

    code: str | None
    text: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One criterion and its truth. ``reason`` stands exactly where the truth is unknown."""

    criterion: Code
    title: str
    truth: Truth
    reason: UnknownReason | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that the plan says of the form: its outcome, or a note.

    ``priority`` is FHIR's request-priority: ``routine``, ``urgent`` or ``stat``.
    """

    code: Code
    title: str
    text: str
    priority: str = "routine"
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """An action that the plan proposes, by the action's id; never preselected, never carried out here."""

    action: str
    title: str
    text: str
    definition: str | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A plan applied to one form. ``plan`` and ``form`` are canonical|version of plan and Questionnaire.

    ``issues`` tell of rules that could not be evaluated; each also makes its criterion unknown or leaves its
    action out, and never passes in silence.
    """

    plan: str
    form: str
    findings: tuple[Finding, ...]
    outcome: Statement
    notes: tuple[Statement, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    issues: tuple[Issue, ...] = ()

    def of(self, truth: Truth) -> tuple[Finding, ...]:
        """The findings of one truth, in the plan's order."""
        return tuple(finding for finding in self.findings if finding.truth is truth)

    @property
    def missing_items(self) -> tuple[str, ...]:
        """The linkIds that unknown findings ask for, each once, in the plan's order."""
        asked = (item for finding in self.findings if finding.reason for item in finding.reason.items)
        return tuple(dict.fromkeys(asked))
