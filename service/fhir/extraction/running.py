"""One extraction as it runs: the response, its clock, what was evaluated before, and the issues found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import Unprocessable
from service.domain.issues import Issue, error, warning
from service.fhirpath import EvaluationError, Limits
from service.fhirpath.frame import Frame, Surroundings
from service.fhirpath.model import R4
from service.fhirpath.nodes import Node
from service.fhirpath.shapes import shapes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from service.fhir.extraction.formulas import Formula
    from service.fhirpath import Terminology

Json = dict[str, Any]
SHAPES = shapes_of(R4)
ELEMENTS = 100_000
"""How many elements one extraction may make. A template of nested loops must end somewhere."""
_LISTED = 200
_LIMITS = Limits()


class Site:
    """Where in the response expressions stand: the context and the variables in scope, as engine's items."""

    __slots__ = ("context", "key", "variables")

    def __init__(self, context: list[Any], variables: Mapping[str, list[Any]], key: str) -> None:
        """``key`` names the place by linkIds: ``site[0]/pain[1]``."""
        self.context = context
        self.variables = variables
        self.key = key

    def named(self, name: str, items: list[Any]) -> Site:
        """The same place with one more variable."""
        return Site(self.context, {**self.variables, name: items}, self.key)


class Run:
    """What one extraction is lent and what it has found so far."""

    __slots__ = ("_ids", "_known", "_left", "_surroundings", "issues", "new_id", "now", "response", "root")

    def __init__(
        self,
        response: Json,
        new_id: Callable[[str], str],
        now: datetime | None,
        terminology: Terminology | None,
    ) -> None:
        """``now`` is the clock of the expressions."""
        self.response = response
        self.root = Node(
            response, SHAPES.shape("QuestionnaireResponse"), None, None, "QuestionnaireResponse", None
        )
        self.new_id = new_id
        self.now = now
        self.issues: list[Issue] = []
        self._surroundings = Surroundings(None, terminology, None, None)
        self._known: dict[str, list[Any]] = {}
        self._ids: dict[str, str] = {}
        self._left = ELEMENTS

    def allocated(self, key: str) -> str:
        """The id allocated under a key: made once (SDC 4.0, extractAllocateId)."""
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = self.new_id(key)
        return found

    def items(self, formula: Formula, focus: list[Any], site: Site) -> list[Any]:
        """What an expression gives; nothing, with an issue, where it cannot be evaluated.

        SDC 4.0, Template-based extraction: "log the error and continue processing the next property".
        """
        if formula.same:
            known = self._known.get(formula.text)
            if known is None:
                known = self._known[formula.text] = self._evaluate(formula, focus, site)
            return known
        return self._evaluate(formula, focus, site)

    def _evaluate(self, formula: Formula, focus: list[Any], site: Site) -> list[Any]:
        if self.now is None and formula.timed:
            self.fault(
                "required",
                f"{formula.what} asks for the time, and the form does not say when it was authored",
                formula.place,
            )
            return []
        frame = Frame(site.context, SHAPES, site.variables, self.now, _LIMITS, self._surroundings)
        frame.this = focus
        try:
            found = formula.program.over(frame)
        except EvaluationError as fault:
            self.fault("processing", f"{formula.what} cannot be evaluated: {fault}", formula.place)
            return []
        self.spend(len(found))
        return found

    def spend(self, elements: int) -> None:
        """Counts elements; Unprocessable when there are too many."""
        self._left -= elements
        if self._left < 0:
            said = f"the extraction makes more than {ELEMENTS} elements; the form's templates repeat too much"
            raise Unprocessable(said, issues=[error("too-costly", said, "QuestionnaireResponse")])

    def fault(self, code: str, message: str, place: str) -> None:
        """Notes an error; the extraction goes on."""
        self._note(error(code, message, place, "extraction"))

    def warn(self, code: str, message: str, place: str) -> None:
        """Notes a warning."""
        self._note(warning(code, message, place, "extraction"))

    def _note(self, issue: Issue) -> None:
        if len(self.issues) < _LISTED and issue not in self.issues:
            self.issues.append(issue)
