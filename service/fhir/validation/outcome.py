"""Issues as an OperationOutcome of the UK Core shape.

Source: FHIR R4 OperationOutcome; UKCore-OperationOutcome. R4 itself defines no extension for a line and a
column, so that they stand in ``diagnostics``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.domain.issues import Issue

PROFILE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-OperationOutcome"


def outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """The OperationOutcome of the issues; without any, one issue that says that all is well."""
    entries = [_entry(issue) for issue in issues] or [
        {"severity": "information", "code": "informational", "details": {"text": "No issues were found"}}
    ]
    return {"resourceType": "OperationOutcome", "meta": {"profile": [PROFILE]}, "issue": entries}


def _entry(issue: Issue) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "severity": issue.severity.value,
        "code": issue.code,
        "details": {"text": issue.message},
    }
    diagnostics = []
    if issue.key:
        diagnostics.append(f"rule {issue.key}")
    if issue.line is not None:
        diagnostics.append(f"line {issue.line}, column {issue.column}")
    if diagnostics:
        entry["diagnostics"] = "; ".join(diagnostics)
    if issue.expression:
        entry["expression"] = [issue.expression]
    return entry
