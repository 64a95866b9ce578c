"""The commands, run as people run them: lines in, lines out in order, faults told and the rest done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.web.conftest import eligibility

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "profiles/htg117/examples/QuestionnaireResponse-example-eligibility.json"


def run(*arguments: str, given: str = "", folder: Path = ROOT, url: str | None = None) -> Any:
    environment = {"HTG117_DATABASE_URL": url} if url else {}
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        input=given, capture_output=True, text=True, cwd=folder, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )  # fmt: skip


def forms(count: int) -> list[str]:
    """Forms that differ in their id, every other one with another outcome."""
    found = []
    for number in range(count):
        form = eligibility(id=f"f{number}")
        if number % 2:
            form["item"][8]["answer"][0]["valueCoding"]["code"] = "pending"
        found.append(json.dumps(form))
    return found


def outcomes(text: str) -> list[tuple[str, str]]:
    """The form and the outcome's code of each line."""
    lines = [json.loads(line) for line in text.splitlines()]
    return [
        (line["derivedFrom"][0]["reference"], line["valueCodeableConcept"]["coding"][0]["code"])
        for line in lines
    ]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_many_forms_are_assessed_in_order(workers: str) -> None:
    ended = run("assess", "--workers", workers, given="\n".join(forms(130)))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert outcomes(ended.stdout) == [
        (f"QuestionnaireResponse/f{number}", "information-needed" if number % 2 else "criteria-met")
        for number in range(130)
    ]


def test_a_bad_line_is_told_by_its_number_and_the_rest_is_done(tmp_path: Path) -> None:
    file = tmp_path / "forms.ndjson"
    first, second = forms(2)
    file.write_text(
        "\n".join([first, "{bad", "", second, json.dumps(eligibility(status="x"))]), encoding="utf-8"
    )
    ended = run("assess", str(file))
    kinds = [json.loads(line)["resourceType"] for line in ended.stdout.splitlines()]
    assert (ended.returncode, kinds) == (
        1, ["Observation", "OperationOutcome", "Observation", "OperationOutcome"],
    )  # fmt: skip
    assert [line.split(":")[1] for line in ended.stderr.splitlines()] == ["2", "5"]


def test_one_resource_a_file_may_be_spread_over_lines() -> None:
    ended = run("assess", str(EXAMPLE), str(EXAMPLE))
    assert [code for _, code in outcomes(ended.stdout)] == ["criteria-met"] * 2


def test_a_file_that_is_not_there_cannot_be_done() -> None:
    ended = run("assess", "nowhere.json")
    assert (ended.returncode, ended.stderr) == (2, "nowhere.json: No such file or directory\n")


def test_plans_are_applied_and_forms_are_filled() -> None:
    plan = run("apply", "--plan", "htg117-patient-selection", given=json.dumps(eligibility()))
    assert json.loads(plan.stdout)["resourceType"] == "CarePlan"
    patient = {"resourceType": "Patient", "id": "9990000018"}
    record = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]}
    filled = run("populate", "--form", "htg117-eligibility", given=json.dumps(record))
    response = json.loads(filled.stdout)["parameter"][0]["resource"]
    assert response["subject"] == {"reference": "Patient/9990000018"}


def test_the_plans_are_explained_with_their_paragraphs() -> None:
    ended = run("explain", "htg117-patient-selection")
    assert "### " in ended.stdout
    assert "Other treatment has failed [1.1, 2.1.1" in ended.stdout
    assert "- unknown: awaiting" in ended.stdout
    assert run("explain", "none").returncode == 2


def test_the_package_holds_every_published_resource_under_the_base_asked_for(tmp_path: Path) -> None:
    for name in ("one.tgz", "two.tgz"):
        made = run(
            "package", "--output", name, "--canonical-base", "https://fhir.trust.example", folder=tmp_path
        )
        assert made.returncode == 0, made.stderr
    assert (tmp_path / "one.tgz").read_bytes() == (tmp_path / "two.tgz").read_bytes()
    with tarfile.open(tmp_path / "one.tgz") as package:
        files = {one.name: package.extractfile(one).read() for one in package}  # type: ignore[union-attr]
    manifest = json.loads(files["package/package.json"])
    assert (manifest["canonical"], manifest["fhirVersions"]) == ("https://fhir.trust.example", ["4.0.1"])
    index = {entry["filename"] for entry in json.loads(files["package/.index.json"])["files"]}
    assert {f"package/{name}" for name in index} | {"package/package.json", "package/.index.json"} == set(
        files
    )
    published = {path.name for path in (ROOT / "profiles/htg117").glob("*.json")}
    assert published <= index
    assert b"htg117.example/" not in b"".join(files.values())


def test_the_content_is_checked() -> None:
    ended = run("check")
    assert (ended.returncode, ended.stdout.endswith(" resources, no fault\n")) == (0, True), ended.stdout


def test_the_file_of_clients_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "clients.toml"
    file.write_text('[royal]\nissuer = "https://i.example"\njku = "https://i.example/k"\n', encoding="utf-8")
    monkeypatch.setenv("HTG117_CLIENTS", str(file))
    ended = run("check")
    assert (ended.returncode, ended.stdout.endswith(" resources, 1 client, no fault\n")) == (0, True)
    file.write_text('[royal]\nissuer = "https://i.example"\njku = "http://i.example/k"\n', encoding="utf-8")
    ended = run("check")
    assert ended.returncode == 1
    assert ended.stdout.startswith("clients.toml: royal.jku: 'http://i.example/k' is not https")


def test_the_file_of_the_site_and_its_table_are_checked_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, table = tmp_path / "site.toml", tmp_path / "meddra.csv"
    sound = (
        'organisation = "Example Trust"\nnation = "wales"\n[meddra]\ntable = "meddra.csv"\nversion = "29.0"\n'
    )
    table.write_text("local_key,llt_code\nfever,10016558\n", encoding="utf-8")
    site.write_text(sound, encoding="utf-8")
    monkeypatch.setenv("HTG117_SITE", str(site))
    ended = run("check")
    told = " resources, the site Example Trust, no fault\n"
    assert (ended.returncode, ended.stdout.endswith(told)) == (0, True), ended.stdout
    table.write_text("key,code\nfever,10016558\n", encoding="utf-8")
    ended = run("check")
    told = "meddra.csv has the columns local_key,llt_code and, if wished, version\n"
    assert (ended.returncode, ended.stdout) == (1, told)
    site.write_text(sound.replace("wales", "uk"), encoding="utf-8")
    ended = run("check")
    assert (ended.returncode, ended.stdout) == (
        1,
        "site.toml: nation: is one of england, wales, scotland, northern-ireland\n",
    )


def test_who_is_asked_for_tokens_is_said(tmp_path: Path) -> None:
    from service.cli.serve import said_of_tokens
    from service.settings import Settings

    whole = "development mode: no tokens are asked for, and only this machine is served"
    assert said_of_tokens(Settings()) == whole
    assert said_of_tokens(Settings(clients="clients.toml")) == (
        "development mode: only this machine is served; no tokens are asked for, but of the clients of CDS "
        "Hooks (HTG117_CLIENTS)"
    )
    assert said_of_tokens(Settings(issuers=("https://login.example",))) == ""


def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    url = "postgresql://someone:hidden@127.0.0.1:1/records?sslmode=disable"
    said = "HTG117_DATABASE_URL names postgresql://127.0.0.1:1/records: see that it is there"
    for command, code in (("feedback", 2), ("serve", 1)):
        ended = run(command, url=url)
        assert (ended.returncode, said in ended.stderr) == (code, True), ended.stderr
        assert "hidden" not in ended.stderr


def test_records_are_saved_put_back_and_erased(tmp_path: Path) -> None:
    first = f"sqlite:///{tmp_path}/one.sqlite3"
    second = f"sqlite:///{tmp_path}/two.sqlite3"
    _submit_examples(first)
    saved = run("backup", str(tmp_path / "b.gz"), url=first)
    back = run("restore", str(tmp_path / "b.gz"), url=second)
    assert saved.stdout.split()[0] == back.stdout.split()[0] != "0"
    assert run("restore", str(tmp_path / "b.gz"), url=second).returncode == 1
    patient = "https://fhir.nhs.uk/Id/nhs-number|9990000018"
    would = run("erase", "--identifier", patient, url=second)
    done = run("erase", "--identifier", patient, "--yes", url=second)
    assert would.stdout.count("would be erased: ") == done.stdout.count("erased: ") >= 8
    assert "Kept, and why" in done.stdout
    assert b"9990000018" not in (tmp_path / "two.sqlite3").read_bytes()
    again = run("erase", "--identifier", patient, "--yes", url=second)
    assert ("erased: " in again.stdout, again.stderr) == (
        False,
        "there are no records of this patient here\n",
    )
    assert run("erase").returncode == 2


def _submit_examples(url: str) -> None:
    from service.app import build, load_examples
    from service.settings import Settings

    app = build(Settings(database_url=url))
    load_examples(app)
    app.state.services.records.close()


def test_help_teaches() -> None:
    ended = run("assess", "--help")
    assert "NDJSON" in ended.stdout
    assert "met, not met or unknown" in ended.stdout
