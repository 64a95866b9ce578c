"""A line that nobody foresaw never stops the others, and only a finished form is assessed."""

from __future__ import annotations

import json

import pytest

from tests.cli.test_commands import run
from tests.web.conftest import eligibility

_ODD = (
    '{"resourceType": "Parameters", "parameter": 5}',
    '{"resourceType": "Parameters", "parameter": [{"name": "questionnaire-response", "resource": "x"}]}',
    '{"resourceType": "Parameters", "parameter": [{"name": "questionnaire-response", "resource": null}]}',
    '{"resourceType": "Bundle", "entry": 5}',
    '{"resourceType": "Bundle", "entry": [{"resource": 5}]}',
    '{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": 5}}]}',
    '{"resourceType": "QuestionnaireResponse", "subject": []}',
    '{"resourceType": "QuestionnaireResponse", "subject": "x", "meta": 5, "identifier": 5}',
)


@pytest.mark.parametrize(
    "command",
    [
        ["assess"],
        ["extract"],
        ["populate", "--form", "htg117-eligibility"],
        ["apply", "--plan", "htg117-patient-selection"],
    ],
)
def test_odd_lines_are_refused_one_by_one(command: list[str]) -> None:
    ended = run(*command, given="".join(f"{line}\n" for line in _ODD))
    said = [json.loads(line)["resourceType"] for line in ended.stdout.splitlines()]
    assert (ended.returncode, said) == (1, ["OperationOutcome"] * len(_ODD))


def test_only_a_finished_form_is_assessed() -> None:
    statuses = ("in-progress", "stopped", "entered-in-error", "amended")
    ended = run("assess", given="".join(json.dumps(eligibility(status=one)) + "\n" for one in statuses))
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == 1
    assert [line["resourceType"] for line in lines] == [*["OperationOutcome"] * 3, "Observation"]
    assert [line["issue"][0]["expression"] for line in lines[:3]] == [["QuestionnaireResponse.status"]] * 3
