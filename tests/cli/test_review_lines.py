"""A line that nobody foresaw never stops the others, and only a finished form is assessed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_commands import ROOT, run
from tests.web.conftest import eligibility

if TYPE_CHECKING:
    from pathlib import Path

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


def test_the_input_is_never_written_over(tmp_path: Path) -> None:
    forms = tmp_path / "forms.ndjson"
    body = json.dumps(eligibility()) + "\n"
    forms.write_text(body, "utf-8")
    ended = run("assess", "--output", str(tmp_path / "." / "forms.ndjson"), str(forms))
    assert (ended.returncode, forms.read_text("utf-8")) == (2, body)
    assert "would be written over" in ended.stderr


@pytest.mark.parametrize("output", ["nowhere/out.ndjson", "/dev/full"])
def test_an_output_that_cannot_be_written_is_said_in_one_line(output: str, tmp_path: Path) -> None:
    ended = run("assess", "--output", str(tmp_path / output), given=json.dumps(eligibility()))
    assert (ended.returncode, ended.stderr.count("\n"), "None" in ended.stderr) == (2, 1, False)


def test_closed_streams_are_said_in_one_line() -> None:
    for closed, said in (("<&-", "stdin is closed"), ("</dev/null >&-", "stdout is closed")):
        ended = subprocess.run(
            ["/bin/sh", "-c", f'"$0" -m service assess {closed}', sys.executable],
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        assert (ended.returncode, said in ended.stderr, ended.stderr.count("\n")) == (2, True, 1)


@pytest.mark.parametrize("first", ['{"resourceType":', "nonsense", "[]"])
def test_a_bad_first_line_does_not_swallow_the_others(first: str) -> None:
    form = json.dumps(eligibility())
    ended = run("assess", given=f"{first}\n{form}\n{form}\n")
    said = [json.loads(line)["resourceType"] for line in ended.stdout.splitlines()]
    assert (ended.returncode, said) == (1, ["OperationOutcome", "Observation", "Observation"])
    assert ended.stderr.startswith("stdin:1: ")


def test_one_resource_over_many_lines_stays_one() -> None:
    form = json.dumps(eligibility(), indent=1)
    nested = form.replace('"item": [', '"item": [\n', 1)
    for given in (form, nested, f"\n{form}", form[:-1]):
        assert len(run("assess", given=given).stdout.splitlines()) == 1


def test_a_backup_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    ended = run("backup", str(tmp_path / "nowhere" / "b.gz"), url=f"sqlite:///{tmp_path}/r.sqlite3")
    assert (ended.returncode, ended.stderr.count("\n"), "nowhere" in ended.stderr) == (2, 1, True)
