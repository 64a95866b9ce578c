"""IMDRF adverse event terms as suggestions for the manufacturer's coder. They are never coding done.

They come from the published ConceptMaps (annexes A: device problem, E: clinical signs, F: health impact),
each with its release, how close it is, and when it holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.safety_report import Branch
from service.fhir.concepts.maps import translate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.domain.evaluation import Code
    from service.domain.safety_report import ReportedEvent, SafetyReport
    from service.fhir.concepts.maps import Match
    from service.yellow_card.fields import Form, Words

Resource = dict[str, Any]

NOTE = (
    "Suggestions from the project's maps, for the manufacturer's coder. Nobody has coded this report: "
    "each holds only under its own condition."
)
ANNEXES = {"A": "device problem", "E": "clinical signs, symptoms and conditions", "F": "health impact"}
_ANNEX = re.compile(r"/imdrf-annex-([a-g])$")
_CLOSE = {
    "equivalent": "the same meaning",
    "equal": "the same meaning",
    "wider": "a wider term",
    "narrower": "a narrower term",
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One term that may fit an event (``event`` counts from 1). ``because`` is what led to it."""

    event: int
    because: str
    annex: str
    system: str
    code: str
    term: str
    release: str
    closeness: str
    condition: str


def suggestions(
    report: SafetyReport, maps: Sequence[Resource], form: Form, words: Words
) -> tuple[Suggestion, ...]:
    """The terms that may fit each event of a device report; none for a report of another branch.

    What happened to nobody has no clinical sign or health impact: a near miss gets annex A alone. A term
    that depends on another answer is left out where the report says otherwise.
    """
    if report.branch is not Branch.DEVICE:
        return ()
    found: dict[tuple[int, str], Suggestion] = {}
    for number, event in enumerate(report.events, start=1):
        for reason in _reasons(event, words):
            for match in _matches(reason, maps):
                made = _suggestion(number, reason, match)
                if not made or not _may_hold(match, report, event, form):
                    continue
                if event.actuality != "potential" or made.annex == "A":
                    found.setdefault((number, made.code), made)
    return tuple(sorted(found.values(), key=lambda one: (one.event, one.annex)))


def _reasons(event: ReportedEvent, words: Words) -> Iterator[Code]:
    yield event.term
    for code in event.seriousness or ():
        known = words.get("event.seriousness", {}).get(code)
        if known:
            yield known


def _matches(reason: Code, maps: Sequence[Resource]) -> Iterator[Match]:
    for one in maps:
        yield from translate(one, reason.system, reason.code)


def _may_hold(match: Match, report: SafetyReport, event: ReportedEvent, form: Form) -> bool:
    """Whether nothing that is told speaks against what the match depends on (a linkId after ``#``)."""
    for property_, wanted in match.depends_on:
        link = property_.partition("#")[2]
        for section in form.sections:
            about: tuple[object, ...] = {"events": (event,), "devices": report.devices}.get(section.each, ())
            for row in section.fields:
                if link in row.links:
                    told = {getattr(one, row.source[0]) for one in about} - {None}
                    if any(str(one).lower() != wanted for one in told):
                        return False
    return True


def _suggestion(number: int, reason: Code, match: Match) -> Suggestion | None:
    annex = _ANNEX.search(match.system)
    if annex is None or not match.usable or match.code is None:
        return None
    return Suggestion(
        number,
        reason.display or reason.code,
        annex[1].upper(),
        match.system,
        match.code,
        match.display or "",
        match.version or "",
        _CLOSE.get(match.equivalence, "a related term"),
        match.comment or "",
    )
