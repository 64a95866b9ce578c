"""Issues as an OperationOutcome that is itself sound."""

from __future__ import annotations

from service.domain.issues import error, warning
from service.fhir import validation
from service.fhir.validation.outcome import PROFILE, outcome


def test_each_issue_is_written_out() -> None:
    made = outcome(
        [error("required", "it is missing", "Patient.name", "pat-x").at(3, 7), warning("value", "it is odd")]
    )
    assert made == {
        "resourceType": "OperationOutcome",
        "meta": {"profile": [PROFILE]},
        "issue": [
            {
                "severity": "error",
                "code": "required",
                "details": {"text": "it is missing"},
                "diagnostics": "rule pat-x; line 3, column 7",
                "expression": ["Patient.name"],
            },
            {"severity": "warning", "code": "value", "details": {"text": "it is odd"}},
        ],
    }
    assert [issue for issue in validation.check(made) if issue.fails] == []


def test_no_issues_are_said_to_be_none() -> None:
    assert outcome([])["issue"] == [
        {"severity": "information", "code": "informational", "details": {"text": "No issues were found"}}
    ]
