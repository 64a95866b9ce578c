"""What the checks of one Questionnaire share: the form, what is known outside it, and the issues found."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from service import fhirpath
from service.domain.issues import Issue, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.fhir.concepts import Terminology
    from service.fhir.forms import Form
    from service.fhir.forms.elements import Json


class Checking:
    """One form under examination."""

    __slots__ = ("contained", "form", "issues", "resolve", "terminology")

    def __init__(
        self,
        form: Form,
        resolve: Callable[[str], Json | None],
        terminology: Terminology,
        contained: Mapping[str, Json],
    ) -> None:
        """Takes what the checks may ask."""
        self.form = form
        self.contained = contained
        self.resolve = resolve
        self.terminology = terminology
        self.issues: list[Issue] = []

    def inside(self, reference: str) -> Json | None:
        """The contained resource that ``#id`` points at."""
        return self.form.contained.get(reference[1:]) or self.contained.get(reference[1:])

    def error(self, code: str, message: str, place: str, key: str) -> None:
        """Notes what makes the form unfit."""
        self.issues.append(Issue(Severity.ERROR, code, message, place, key))

    def warning(self, code: str, message: str, place: str, key: str) -> None:
        """Notes what is doubtful, or could not be checked here."""
        self.issues.append(Issue(Severity.WARNING, code, message, place, key))

    def expression(
        self, text: str, context: str | None, scope: Mapping[str, str | None], place: str, what: str
    ) -> None:
        """Compiles FHIRPath: what is none is an error, a path that FHIR's types do not have a warning."""
        fault = _fault(text, context, tuple(scope.items()))
        if fault is not None:
            severity, reason = fault
            self.issues.append(
                Issue(severity, "invalid", f"{what} does not compile: {reason}", place, "expression")
            )


_SUPPLEMENTS = frozenset({"sum()", "min()", "max()", "avg()", "weight()", "ordinal()"})
"""Functions that SDC adds to FHIRPath: where the engine lacks one, the form is right and is not run here."""


@lru_cache(maxsize=4096)
def _fault(
    text: str, context: str | None, scope: tuple[tuple[str, str | None], ...]
) -> tuple[Severity, str] | None:
    """How bad the text is and why, or None where it compiles. Kept: forms are checked again and again."""
    try:
        fhirpath.compile(text, context_type=context, variables=dict(scope))
    except fhirpath.ExpressionError as typed:
        try:
            fhirpath.compile(text, variables=[name for name, _ in scope])
        except fhirpath.ExpressionError as fault:
            known = fault.reason == "unknown function" and fault.found in _SUPPLEMENTS
            return Severity.WARNING if known else Severity.ERROR, str(fault)[:300]
        return Severity.WARNING, str(typed)[:300]
    return None
