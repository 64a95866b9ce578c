"""What holds of every extraction: nothing unanswered is extracted, no input is changed, and only one kind of
error comes out, whatever goes in."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.errors import ServiceError
from service.fhir.extraction import check, extract
from tests.fhir.extraction.samples import SDC, fill, form, new_id, published

Json = dict[str, Any]
PROCEDURE, FOLLOW_UP = published("procedure"), published("follow-up")

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["a", "b", "", "%resource.id", "item", "Patient", "#t", "answer.value"])
)
names = st.sampled_from(
    [
        "linkId",
        "item",
        "answer",
        "valueString",
        "valueCoding",
        "valueInteger",
        "extension",
        "url",
        "code",
        "type",
        "definition",
        "valueBoolean",
        "valueReference",
        "reference",
        "_valueString",
        "text",
        "repeats",
    ]
)
addresses = st.sampled_from(
    [
        SDC + name
        for name in (
            "templateExtract",
            "templateExtractValue",
            "templateExtractContext",
            "definitionExtract",
            "definitionExtractValue",
            "observationExtract",
            "observationExtractEntry",
            "extractAllocateId",
            "isSubject",
            "itemExtractionContext",
        )
    ]
)
json = st.recursive(
    scalars | addresses,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=25,
)
items = st.lists(
    st.fixed_dictionaries(
        {"linkId": st.sampled_from(["a", "b"]), "type": st.sampled_from(["group", "string", "integer"])},
        optional={
            "extension": st.lists(
                st.fixed_dictionaries(
                    {"url": addresses},
                    optional={
                        "valueBoolean": json,
                        "valueString": json,
                        "valueCode": json,
                        "extension": json,
                    },
                )
                | json,
                max_size=3,
            ),
            "code": json,
            "definition": json,
            "answer": json,
            "item": json,
        },
    ),
    max_size=4,
)


@settings(max_examples=120, deadline=None)
@given(items, items, json)
def test_only_service_errors_come_out(questions: list[Any], answers: list[Any], template: Any) -> None:
    source: Json = {
        "resourceType": "Questionnaire",
        "item": questions,
        "contained": [{"resourceType": "Patient", "id": "t", "name": [template]}],
    }
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": answers}
    before = deepcopy((source, response))
    with suppress(ServiceError):
        check(source)
        extract(response, source, new_id=new_id)
    assert (source, response) == before


@settings(max_examples=50, deadline=None)
@given(json)
def test_published_forms_take_any_response(noise: Any) -> None:
    response = {**form(), "item": noise, "author": noise, "basedOn": noise, "identifier": noise}
    for source in (PROCEDURE, FOLLOW_UP):
        with suppress(ServiceError):
            extract(response, source, new_id=new_id)


def _unanswered(entry: Json) -> Json:
    return {
        "linkId": entry["linkId"],
        **({"item": [_unanswered(one) for one in entry["item"]]} if "item" in entry else {}),
    }


def test_a_form_without_answers_extracts_to_nothing() -> None:
    filled = fill(FOLLOW_UP)
    found = extract(
        {**filled, "item": [_unanswered(one) for one in filled["item"]]}, FOLLOW_UP, new_id=new_id
    )
    assert found.bundle == {"resourceType": "Bundle", "type": "transaction"}
    assert not found.fails


def test_a_deep_form_ends() -> None:
    entry: Json = {"linkId": "a", "answer": [{"valueString": "x"}]}
    question: Json = {"linkId": "a", "type": "string", "code": [{"code": "c"}]}
    for _ in range(30):
        entry = {"linkId": "a", "answer": [{"valueString": "x", "item": [entry]}]}
        question = {"linkId": "a", "type": "string", "code": [{"code": "c"}], "item": [question]}
    source: Json = {
        "resourceType": "Questionnaire",
        "extension": [{"url": SDC + "observationExtract", "valueBoolean": True}],
        "item": [question],
    }
    assert len(extract(form(entry), source, new_id=new_id).entries) == 31
