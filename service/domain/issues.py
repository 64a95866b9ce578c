"""What is wrong, or worth knowing, about a piece of input: one shape from every check to every answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How bad it is (FHIR R4 value set issue-severity)."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding of a check.

    ``code`` is of FHIR R4's issue-type value set (``structure``, ``required``, ``value``, ``invariant``,
    ``code-invalid``, ``not-found`` …). ``message`` says what is wrong, what is allowed and what to do, and
    holds no patient data beyond the faulty value itself cut short. ``expression`` is the FHIRPath of the
    place. ``line`` and ``column`` count from 1 and stand where the text is at hand. ``key`` names the rule
    that was broken (an invariant's key, or the check's own name).
    """

    severity: Severity
    code: str
    message: str
    expression: str = ""
    key: str = ""
    line: int | None = None
    column: int | None = None

    @property
    def fails(self) -> bool:
        """Whether the input may not be accepted because of it."""
        return self.severity in (Severity.FATAL, Severity.ERROR)

    def at(self, line: int, column: int) -> Issue:
        """The same issue with its place in the text."""
        return replace(self, line=line, column=column)

    def __str__(self) -> str:
        """The issue as one line: place, then message."""
        return f"{self.expression}: {self.message}" if self.expression else self.message


def error(code: str, message: str, expression: str = "", key: str = "") -> Issue:
    """An issue that refuses the input."""
    return Issue(Severity.ERROR, code, message, expression, key)


def warning(code: str, message: str, expression: str = "", key: str = "") -> Issue:
    """An issue that does not refuse the input."""
    return Issue(Severity.WARNING, code, message, expression, key)


def information(code: str, message: str, expression: str = "", key: str = "") -> Issue:
    """A remark, such as a profile that could not be checked here."""
    return Issue(Severity.INFORMATION, code, message, expression, key)


def ordered(issues: Iterable[Issue], limit: int | None = None) -> tuple[Issue, ...]:
    """The issues, most severe first and otherwise as found; past the limit they are counted, not listed."""
    found = sorted(issues, key=lambda issue: _RANK[issue.severity])
    if limit is None or len(found) <= limit:
        return tuple(found)
    kept, rest = found[: limit - 1], found[limit - 1 :]
    worst = rest[0].severity
    more = Issue(worst, "too-costly", f"{len(rest)} more issues are not listed; mend these first")
    return (*kept, more)
