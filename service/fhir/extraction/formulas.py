"""The expressions of an extraction, compiled once; each knows its place in the Questionnaire.

SDC 4.0, Using Expressions, "$extract extensions": they may name %resource, %context, %questionnaire, %qitem,
the ids allocated on their item or above it, and the named contexts of their template, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service import fhirpath
from service.domain.issues import Issue, error
from service.fhirpath import syntax

if TYPE_CHECKING:
    from collections.abc import Mapping

FHIRPATH = "text/fhirpath"
ROOT = "QuestionnaireResponse"
ITEM = "QuestionnaireResponse.item"
STANDING: Mapping[str, str | None] = {
    "resource": ROOT,
    "rootResource": ROOT,
    "questionnaire": "Questionnaire",
    "qitem": "Questionnaire.item",
}
"""The variables that every expression of an extraction may name."""

_SAME_FOR_ALL = frozenset({"resource", "rootResource", "questionnaire", "ucum", "loinc", "sct"})
_ITERATING = frozenset({"where", "select", "exists", "all", "repeat", "aggregate"})
_CLOCK = frozenset({"now", "today", "timeOfDay"})


class Formula:
    """One compiled expression with its place and what it is for.

    ``same`` says that it gives the same wherever in the response it is asked; ``timed`` that it asks the
    clock.
    """

    __slots__ = ("place", "program", "same", "text", "timed", "what")

    def __init__(self, program: fhirpath.Program, text: str, place: str, what: str) -> None:
        """Takes the program of the text."""
        self.program = program
        self.text = text
        self.place = place
        self.what = what
        self.same = _is_same(program.tree)
        self.timed = _asks_clock(program.tree)


class Compilation:
    """The issues found while a Questionnaire is prepared, and the programs made so far."""

    def __init__(self) -> None:
        """Starts with none."""
        self.issues: list[Issue] = []
        self._programs: dict[tuple[object, ...], fhirpath.Program] = {}

    def fault(self, code: str, message: str, place: str, key: str = "extraction") -> None:
        """Notes a fault of the content."""
        self.issues.append(error(code, message, place, key))

    def formula(
        self,
        text: object,
        place: str,
        what: str,
        scope: Mapping[str, str | None],
        context_type: str | None = None,
    ) -> Formula | None:
        """The compiled expression; None, with an issue, where it is none."""
        if not isinstance(text, str) or not text.strip():
            self.fault("required", f"{what} has no expression", place)
            return None
        key = (text, context_type, tuple(scope.items()))
        known = self._programs.get(key)
        if known is not None:
            return Formula(known, text, place, what)
        try:
            try:
                program = fhirpath.compile(text, context_type=context_type, variables=scope)
                self._programs[key] = program
            except fhirpath.ExpressionError as fault:
                # Other engines find nothing on a path that no type has; it is a fault all the same.
                program = fhirpath.compile(text, variables=tuple(scope))
                self.fault("invalid", f"{what} cannot hold anything: {fault}", place)
        except fhirpath.ExpressionError as fault:
            self.fault("invalid", f"{what} is no expression that can be evaluated here: {fault}", place)
            return None
        return Formula(program, text, place, what)


def _parts(node: object) -> list[object]:
    if isinstance(node, tuple):
        return list(node)
    if isinstance(node, syntax.Part):
        return [getattr(node, name) for name in node.__slots__]
    return []


def _is_same(node: object) -> bool:
    """Whether a part starts from %resource or %questionnaire alone, never from the context."""
    if isinstance(node, syntax.Variable):
        return node.name in _SAME_FOR_ALL
    if isinstance(node, syntax.Special):
        return False
    if isinstance(node, syntax.Member):
        return node.source is not None and _is_same(node.source)
    if isinstance(node, syntax.Call):
        if node.name == "iif" and node.source is None:
            return all(_is_same(argument) for argument in node.arguments)
        if node.source is None or not _is_same(node.source):
            return False
        if node.name in _ITERATING:
            return all(_names_same(argument) for argument in node.arguments)
        return all(_is_same(argument) for argument in node.arguments)
    return all(_is_same(part) for part in _parts(node))


def _names_same(node: object) -> bool:
    """Whether a part that is evaluated over each item of another names only variables that are the same."""
    if isinstance(node, syntax.Variable):
        return node.name in _SAME_FOR_ALL
    return all(_names_same(part) for part in _parts(node))


def _asks_clock(node: object) -> bool:
    if isinstance(node, syntax.Call) and node.name in _CLOCK:
        return True
    return any(_asks_clock(part) for part in _parts(node))
