"""Published content: how it is read, that it is sound, and that each kind of fault is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from service.adapters.content import load
from service.adapters.content_checks import find_faults, require_sound
from service.domain.errors import ContentFault

ROOT = Path(__file__).parents[2]
FOLLOW_UP = "profiles/htg117/Questionnaire-htg117-follow-up.json"
FORM = "profiles/htg117/Questionnaire-htg117-eligibility.json"
PLAN = "profiles/htg117/PlanDefinition-htg117-patient-selection.json"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the release's content that a test may break."""
    for name in ("profiles", "mappings"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return (tmp_path / "profiles", tmp_path / "mappings")


def change(folders: tuple[Path, Path], file: str, old: str, new: str) -> None:
    path = folders[0].parent / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def edit(folders: tuple[Path, Path], file: str, **more: Any) -> None:
    path = folders[0].parent / file
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | more), encoding="utf-8")


def faults(folders: tuple[Path, Path]) -> list[str]:
    return [str(fault) for fault in find_faults(load(folders))]


def test_the_content_of_the_release_is_sound() -> None:
    assert find_faults(load()) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (FORM, '"resourceType"', '"resourceType": 1, "resourceType"', "stands twice"),
        (FORM, '"status": "active"', '"status": "aktive"', "Questionnaire.status: 'aktive'"),
        (
            FORM,
            "/StructureDefinition/guidance-paragraph",
            "/StructureDefinition/no-paragraph",
            "nothing published",
        ),
        (FORM, "/CodeSystem/htg117-lesion-nature", "/CodeSystem/htg117-aim", "is no concept of"),
        (
            PLAN,
            "linkId = 'pain.present'",
            "linkId = 'pain.presentt'",
            "no item of htg117-eligibility is 'pain.presentt'",
        ),
        (PLAN, "%resource", "%resource.item.where(", "expected an expression"),
        (PLAN, "/ValueSet/htg117-order-triggers", "/ValueSet/htg117-orders", "codes are not all held here"),
        (
            FOLLOW_UP,
            '"valueString": "%resource.authored"',
            '"valueString": "\'yesterday\'"',
            "extraction: templateExtractValue gives a string where a dateTime is wanted",
        ),
        (
            FOLLOW_UP,
            '"actuality": "actual"',
            '"actuality": "actually"',
            "'actually'",
        ),
    ],
)
def test_each_kind_of_fault_is_found(
    folders: tuple[Path, Path], file: str, old: str, new: str, said: str
) -> None:
    change(folders, file, old, new)
    found = faults(folders)
    assert any(fault.startswith(file) and said in fault for fault in found), found


def test_a_query_that_no_client_could_be_asked_is_found(folders: tuple[Path, Path]) -> None:
    change(folders, FORM, "CarePlan?patient={{%patient.id}}", "CarePlan?patient.name={{%patient.id}}")
    found = [fault for fault in faults(folders) if "recommended subset of prefetch queries" in fault]
    assert len(found) == 3
    assert all(fault.startswith(f"{PLAN}: PlanDefinition[htg117-patient-selection]") for fault in found)


def test_a_code_outside_the_table_is_found(folders: tuple[Path, Path]) -> None:
    topic = [{"coding": [{"system": "http://snomed.info/sct", "code": "11687002"}]}]
    edit(folders, PLAN, topic=topic)
    [fault] = faults(folders)
    assert fault == (
        f"{PLAN}: PlanDefinition.topic[0].coding[0]: '11687002' of http://snomed.info/sct "
        "is not in mappings/shared/code-table.csv"
    )


def test_a_question_that_cites_nothing_is_found(folders: tuple[Path, Path]) -> None:
    items = json.loads((folders[0].parent / FORM).read_text(encoding="utf-8"))["item"]
    edit(folders, FORM, item=[*items, {"linkId": "new", "type": "boolean", "text": "Something else?"}])
    place = f"Questionnaire.item[{len(items)}]"
    assert faults(folders) == [f"{FORM}: {place}: new cites no paragraph of the guidance"]


def test_a_misnamed_file_and_a_double_are_found(folders: tuple[Path, Path]) -> None:
    source = folders[0].parent / FORM
    shutil.copy(source, source.with_name("Questionnaire-copy.json"))
    found = faults(folders)
    assert any("the file of Questionnaire/htg117-eligibility is named" in fault for fault in found)
    assert any("stands in" in fault for fault in found)


def test_every_fault_is_told_at_once(folders: tuple[Path, Path]) -> None:
    change(folders, FORM, '"status": "active"', '"status": "aktive"')
    change(folders, PLAN, '"status": "active"', '"status": "aktive"')
    with pytest.raises(ContentFault, match="2 faults") as raised:
        require_sound(load(folders))
    assert [issue.message.partition(":")[0] for issue in raised.value.issues] == [PLAN, FORM]


def test_an_older_version_stays_readable_beside_the_current_one(folders: tuple[Path, Path]) -> None:
    old = folders[0] / "htg117/history/2006.0.9" / Path(FORM).name
    old.parent.mkdir(parents=True)
    text = (folders[0].parent / FORM).read_text(encoding="utf-8")
    old.write_text(text.replace("2006.1.0", "2006.0.9"), encoding="utf-8")
    content = load(folders)
    held = content.versions("Questionnaire", "htg117-eligibility")
    assert [(one.version, one.current) for one in held] == [("2006.1.0", True), ("2006.0.9", False)]
    url = held[0].url
    for name, version in (
        (f"{url}", "2006.1.0"),
        (f"{url}|2006.0.9", "2006.0.9"),
        (f"{url}|2006.1.0", "2006.1.0"),
    ):
        resource = content.resolve(name)
        assert resource is not None
        assert resource["version"] == version
    assert [one.id for one in content.of_type("Questionnaire")].count("htg117-eligibility") == 1
