"""What the checks of one response share: the form filled in, how strict to be, and the issues found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from service.domain.issues import Issue, Severity
from service.fhir.forms import FilledForm
from service.fhir.forms.elements import contained_in, text

if TYPE_CHECKING:
    from service.fhir.concepts import Terminology
    from service.fhir.forms import Form
    from service.fhir.forms.elements import Json

COMPLETE = frozenset({"completed", "amended"})
"""The statuses at which nothing that the form requires may be missing (R4 questionnaire-answers-status)."""


HINTS = 20
"""After how many issues the costly hints (a near linkId, the codes of a value set) are left out."""


class Checking:
    """One response under examination. ``complete`` tells whether its status says that nothing is missing."""

    __slots__ = ("complete", "contained", "filled", "form", "issues", "noted", "now", "terminology")

    def __init__(
        self, form: Form, response: Json, terminology: Terminology, now: datetime | None = None
    ) -> None:
        """Reads the response beside its form."""
        self.form = form
        self.now = _instant(text(response, "authored")) or now
        self.filled = FilledForm(form, response, now=self.now)
        self.complete = text(response, "status") in COMPLETE
        self.terminology = terminology
        # A form that the response contains has its value sets contained in the response too.
        inner = str(response.get("questionnaire")).startswith("#")
        self.contained = contained_in(response) if inner else {}
        self.issues: list[Issue] = []
        self.noted: set[tuple[str, ...]] = set()

    def value_set(self, reference: str) -> Json | str:
        """What an answerValueSet points at: a contained ValueSet for ``#id``, else the canonical itself."""
        return self.form.value_set(reference, self.contained)

    def error(self, code: str, message: str, place: str, key: str) -> None:
        """Notes what refuses the response."""
        self.issues.append(Issue(Severity.ERROR, code, message, place, key))

    def warning(self, code: str, message: str, place: str, key: str) -> None:
        """Notes what does not refuse it."""
        self.issues.append(Issue(Severity.WARNING, code, message, place, key))

    def lacking(self, code: str, message: str, place: str, key: str) -> None:
        """Notes what a completed form may not lack and an unfinished one may."""
        severity = Severity.ERROR if self.complete else Severity.WARNING
        self.issues.append(Issue(severity, code, message, place, key))

    def unchecked(self, message: str, place: str, key: str, *about: str) -> None:
        """Says once of each thing that it could not be checked here."""
        if (key, *about) not in self.noted:
            self.noted.add((key, *about))
            self.issues.append(Issue(Severity.WARNING, "not-supported", message, place, key))


def _instant(authored: str | None) -> datetime | None:
    """The moment that the form's rules take for now: its own ``authored``; of a bare day, its beginning."""
    if authored is None:
        return None
    try:
        moment = datetime.fromisoformat(authored)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
