"""``htg117 validate``: what it prints and how it exits."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from service.cli.validate import validate
from tests.fhir.forms.samples import answered, form, item, response

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

Json = dict[str, Any]
FORM = {**form(item("q", "integer", required=True), title="Form", name="Form"), "url": "https://forms.test/f"}
SUBJECT = {"reference": "Patient/1"}
TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">A form</div>'}
GOOD = {
    **response(answered("q", {"valueInteger": 3}), authored="2026-05-01", subject=SUBJECT, text=TEXT),
    "questionnaire": "https://forms.test/f|1",
}
BAD = {**GOOD, "item": [answered("p", {"valueInteger": 3})]}


FORM_XML = """<Questionnaire xmlns="http://hl7.org/fhir">
  <url value="https://forms.test/f"/><version value="1"/><title value="Form"/><status value="active"/>
  <item><linkId value="q"/><type value="integer"/><required value="true"/></item>
</Questionnaire>"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command in a folder of files; contents are resources, or text as it stands."""
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(validate)

    def call(files: dict[str, Json | str | bytes], *arguments: str) -> Result:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(
                    content if isinstance(content, str) else json.dumps(content, indent=2), "utf-8"
                )
        return CliRunner().invoke(app, list(arguments))

    return call


def test_a_good_response_against_the_form_that_is_brought(run: Any) -> None:
    done = run({"r.json": GOOD, "f.json": FORM}, "r.json", "--with", "f.json")
    assert (done.exit_code, done.stdout) == (0, "1 file checked: 0 errors, 0 warnings\n")


def test_a_bad_response_names_file_line_and_column(run: Any) -> None:
    done = run({"r.json": BAD, "f.json": FORM}, "r.json", "--with", "f.json")
    assert done.exit_code == 1
    assert done.stdout == (
        "r.json:6:5: error: QuestionnaireResponse.item[0]: 'p' is no linkId of Form [unknown-item]\n"
        "r.json:1:1: error: QuestionnaireResponse: q is required and has no answer [required]\n"
        "1 file checked: 2 errors, 0 warnings\n"
    )


def test_a_response_without_its_form_is_a_warning(run: Any) -> None:
    done = run({"r.json": BAD}, "r.json")
    assert done.exit_code == 0
    assert "warning" in done.stdout
    assert done.stdout.endswith("1 file checked: 0 errors, 1 warning\n")


def test_json_is_one_object_a_file(run: Any) -> None:
    done = run(
        {"r.json": BAD, "g.json": GOOD, "f.json": FORM}, "r.json", "g.json", "--with", "f.json", "--json"
    )
    bad, good = (json.loads(line) for line in done.stdout.splitlines())
    assert done.exit_code == 1
    assert (bad["file"], bad["ok"], good["file"], good["ok"]) == ("r.json", False, "g.json", True)
    assert bad["outcome"]["resourceType"] == "OperationOutcome"
    assert [issue["severity"] for issue in bad["outcome"]["issue"]] == ["error", "error"]
    assert [issue["severity"] for issue in good["outcome"]["issue"]] == ["information"]


def test_text_that_is_no_json_is_an_error_with_its_place(run: Any) -> None:
    done = run({"r.json": '{"resourceType": "Patient",\n  "active": tru}'}, "r.json")
    assert done.exit_code == 1
    assert done.stdout.startswith("r.json:2:13: error: ")


@pytest.mark.parametrize(
    "arguments", [("none.json",), ("r.json", "none.json"), ("r.json", "--with", "none.json")]
)
def test_a_missing_file_cannot_be_checked(run: Any, arguments: tuple[str, ...]) -> None:
    assert run({"r.json": GOOD}, *arguments).exit_code == 2


def test_an_unreadable_form_cannot_be_brought(run: Any) -> None:
    done = run({"r.json": GOOD, "f.json": "{"}, "r.json", "--with", "f.json")
    assert done.exit_code == 2
    assert done.stderr.startswith("--with f.json: ")


def test_an_unknown_type_is_an_error(run: Any) -> None:
    done = run({"r.json": {"resourceType": "Pateint"}}, "r.json")
    assert done.exit_code == 1


def test_nothing_to_check_is_a_usage_error(run: Any) -> None:
    assert run({}).exit_code == 2


def _package(*resources: Json) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        for number, resource in enumerate(resources):
            body = json.dumps(resource).encode()
            member = tarfile.TarInfo(f"package/r{number}.json")
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bundle.json", {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": FORM}]}),
        ("package.tgz", _package({"resourceType": "Patient"}, FORM)),
        ("folder/deep/f.json", FORM),
        (
            "f.xml",
            FORM_XML,
        ),
    ],
)
def test_forms_come_out_of_bundles_packages_folders_and_xml(run: Any, name: str, content: Any) -> None:
    done = run({"r.json": BAD, name: content}, "r.json", "--with", name.split("/", maxsplit=1)[0])
    assert done.exit_code == 1
    assert "'p' is no linkId of Form" in done.stdout


def test_another_version_of_the_form_is_not_taken_for_it(run: Any) -> None:
    other = {**BAD, "questionnaire": "https://forms.test/f|2"}
    done = run({"r.json": other, "f.json": FORM}, "r.json", "--with", "f.json")
    assert done.exit_code == 0
    assert "warning" in done.stdout


def test_a_package_that_is_none_cannot_be_brought(run: Any) -> None:
    assert run({"r.json": GOOD, "p.tgz": b"no"}, "r.json", "--with", "p.tgz").exit_code == 2


def test_xml_is_checked_and_placed(run: Any) -> None:
    text = '<Patient xmlns="http://hl7.org/fhir">\n  <active value="yes"/>\n</Patient>'
    done = run({"p.xml": text}, "p.xml")
    assert done.exit_code == 1
    assert done.stdout.startswith("p.xml:2:3: error: Patient.active")


def test_a_folder_is_every_resource_in_it(run: Any) -> None:
    done = run({"all/a.json": GOOD, "all/b.json": BAD, "f.json": FORM}, "all", "--with", "f.json")
    assert done.exit_code == 1
    assert done.stdout.endswith("2 files checked: 2 errors, 0 warnings\n")
