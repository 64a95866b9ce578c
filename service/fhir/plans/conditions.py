"""Conditions asked of one form: each expression is evaluated once, however many conditions say it.

The answers belong to one call, as the form does; nothing of them is kept after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.domain.issues import Issue, error
from service.fhir.plans.rules import FAILED, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.domain.evaluation import Finding
    from service.fhir.plans.rules import Condition

Resource = dict[str, Any]


class Asked:
    """What is asked of one form. ``findings`` are what its criteria have come to, once they have.

    A condition that cannot be evaluated adds its issue each time that it is asked.
    """

    __slots__ = ("_form", "_found", "_frame", "_standing", "findings", "issues")

    def __init__(self, form: Resource, issues: list[Issue]) -> None:
        """Takes the form, and the list that issues are added to."""
        self._form = form
        self._frame: fhirpath.Frame | None = None
        self._found: dict[fhirpath.Program, list[Any]] = {}
        self._standing: Standing | None = None
        self.findings: Iterable[Finding] = ()
        self.issues = issues

    def hold(self, conditions: tuple[Condition, ...], place: str) -> bool:
        """Whether every condition is true; one that cannot be evaluated is not."""
        for condition in conditions:
            if condition.rules:
                standing = self._standing
                if standing is None:
                    standing = self._standing = Standing(self.findings)
                for rule in condition.rules:
                    if not rule.holds(standing):
                        return False
            elif self.truth(condition.program, place, condition.place) is not True:
                return False
        return True

    def truth(self, program: fhirpath.Program, place: str, part: str) -> bool | None:
        """True, false, or None for empty; an error or another result is None too, and adds its issue.

        ``part`` is the condition's place below that of its action.
        """
        try:
            result = self.values(program)
        except fhirpath.EvaluationError as fault:
            self._fail(str(fault), place, part)
            return None
        if not result:
            return None
        if len(result) == 1 and isinstance(result[0], bool):
            return result[0]
        self._fail("it does not give true, false or nothing", place, part)
        return None

    def values(self, program: fhirpath.Program) -> list[Any]:
        """What an expression gives over the form; EvaluationError too where the form is no FHIR JSON."""
        found = self._found.get(program)
        if found is None:
            if self._frame is None:
                try:
                    self._frame = fhirpath.framed(self._form)
                except fhirpath.EvaluationError:
                    return program(self._form)  # which says it of this expression
            found = self._found[program] = program.among(self._frame)
        return found

    def _fail(self, why: str, place: str, part: str) -> None:
        self.issues.append(error("exception", f"{FAILED}: {why}", f"{place}.{part}"))
