"""``extract``: published forms made into resources, the same each time."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from service.domain.errors import Invalid, Unprocessable
from service.operations.extract import extract_form, names_of
from tests.fhir.extraction.samples import ext, form, item, questionnaire

if TYPE_CHECKING:
    from service.operations.ports import Content

Json = dict[str, Any]
YES = ext("observationExtract", valueBoolean=True)
FORM = questionnaire({"linkId": "q", "type": "integer", "code": [{"code": "c"}]}, extension=[YES])
ANSWERED = form(item("q", {"valueInteger": 1}))


def content(*published: Json) -> Content:
    held = {one["url"]: one for one in published}
    return cast("Content", SimpleNamespace(resolve=held.get, of_type=lambda _type: ()))


def test_a_published_form_is_extracted_the_same_each_time() -> None:
    first = extract_form(ANSWERED, content(FORM))
    assert first.bundle == extract_form(ANSWERED, content(FORM)).bundle
    assert [entry.resource["valueInteger"] for entry in first.entries] == [1]
    assert first.entries[0].full_url == names_of(ANSWERED)("q[0]#observationExtract")


def test_a_questionnaire_sent_along_is_used() -> None:
    assert len(extract_form(ANSWERED, content(), questionnaire=FORM).entries) == 1


def test_an_unknown_questionnaire_is_refused() -> None:
    with pytest.raises(Invalid):
        extract_form(ANSWERED, content())


def test_an_extraction_with_errors_is_refused_with_its_issues() -> None:
    faulty = questionnaire(extension=[ext("templateExtractBundle", valueReference={"reference": "#none"})])
    with pytest.raises(Unprocessable) as refused:
        extract_form(ANSWERED, content(), questionnaire=faulty)
    assert refused.value.issues[0].expression == "Questionnaire.extension[0]"


def test_names_are_version_5_uuids_of_form_and_key() -> None:
    name = names_of(ANSWERED)("a")
    assert name.startswith("urn:uuid:")
    assert uuid.UUID(name[9:]).version == 5
    assert uuid.UUID(name[9:]).variant == uuid.RFC_4122
    assert names_of(ANSWERED)("b") != name


@pytest.mark.parametrize(
    "change", [{"identifier": {"value": "2"}}, {"identifier": None}, {"identifier": None, "id": None}]
)
def test_another_form_has_other_names(change: Json) -> None:
    other = {key: value for key, value in {**ANSWERED, **change}.items() if value is not None}
    assert names_of(other)("a") != names_of(ANSWERED)("a")
    assert names_of(other)("a") == names_of({**other, "meta": {"versionId": "2"}})("a")
