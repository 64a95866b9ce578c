"""A form filled from a record (SDC 4.0, Form Population): only what the record says, each with its source."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from service.domain.errors import Unprocessable
from service.fhir.population import Source, Surroundings, populate
from tests.fhir.population.samples import (
    NOW,
    PATIENT,
    SDC,
    URL,
    answers,
    expression,
    form,
    initial,
    item,
    observation,
    query,
    run,
    variable,
)


def test_the_whole_response_in_progress_with_its_source() -> None:
    made = run(
        form(
            item("born", "date", "%patient.birthDate") | {"text": "Born"}, {"linkId": "d", "type": "display"}
        )
    )
    assert made.response == {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "urn:form|1",
        "status": "in-progress",
        "subject": {"reference": "Patient/1"},
        "authored": "2026-03-01T09:30:00+00:00",
        "item": [
            {
                "linkId": "born",
                "text": "Born",
                "answer": [
                    {
                        "valueDate": "1950-02-03",
                        "extension": [{"url": URL, "valueReference": {"reference": "Patient/1"}}],
                    }
                ],
            }
        ],
    }
    assert made.issues == ()


def test_a_query_is_asked_with_its_parts_filled_in_and_what_it_finds_is_the_source() -> None:
    asked: list[str] = []
    made = run(
        form(
            item("score", "decimal", "%scores.entry.resource.value.ofType(Quantity).value.first()"),
            item("any", "boolean", "%scores.entry.resource.exists()"),
            extension=[query("scores", "Observation?patient={{%patient.id}}&code=urn:c|x")],
        ),
        observation("o1", "2026-02-01", Decimal("6.30")),
        asked=asked,
    )
    assert asked == ["Observation?patient=1&code=urn:c|x"]
    assert answers(made) == {"score": [Decimal("6.30")], "any": [True]}
    assert str(answers(made)["score"][0]) == "6.30"
    assert made.filled[0].sources == (Source("Observation/o1", "2026-02-01"),)


def test_a_computed_answer_names_the_records_behind_the_variables_it_uses() -> None:
    made = run(
        form(
            item("tall", "boolean", "%heights.exists()"),
            extension=[
                query("record", "Observation?patient={{%patient.id}}"),
                variable("heights", "%record.entry.resource.ofType(Observation)"),
            ],
        ),
        observation("o1", "2026-02-01", 6),
        observation("o2", "2026-02-02", 7),
    )
    assert [source.reference for source in made.filled[0].sources] == ["Observation/o1", "Observation/o2"]


def test_what_could_not_be_had_fills_nothing_and_is_said_never_no() -> None:
    questionnaire = form(
        item("any", "boolean", "%again.exists()"),
        item("none", "boolean", "%record.entry.empty()"),
        extension=[
            query("record", "Observation?patient={{%patient.id}}"),
            variable("again", "%record.entry.resource"),
        ],
    )

    def failing(_query: str) -> dict[str, Any]:
        raise Unprocessable("the record does not answer")

    for search in (failing, None):
        made = populate(questionnaire, {"patient": [PATIENT]}, Surroundings(search, NOW))
        assert answers(made) == {}
        assert [issue.code for issue in made.issues] == ["incomplete", "incomplete"]
        assert "any: what the record says could not be had: %again" in made.issues[0].message
    without = populate(questionnaire, {}, Surroundings(lambda _query: {}, NOW))
    assert "%patient: it was not given" in without.issues[0].message


def test_an_expression_that_fails_is_said() -> None:
    made = run(form(item("a", "string", "(1 | 2).single().toString()"), item("b", "string", "no (")))
    assert answers(made) == {}
    assert all("cannot be evaluated" in issue.message for issue in made.issues)
    assert len(made.issues) == 2


def test_several_values_for_one_answer_fill_none() -> None:
    made = run(form(item("one", "string", "'a' | 'b'"), item("many", "string", "'a' | 'b'", repeats=True)))
    assert answers(made) == {"many": ["a", "b"]}
    assert "the record gives 2 answers for one" in made.issues[0].message


def test_a_context_given_by_the_caller_takes_the_place_of_its_query() -> None:
    questionnaire = form(
        item("n", "integer", "%record.entry.count()"), extension=[query("record", "Observation?x=1")]
    )
    made = populate(
        questionnaire,
        {"record": [{"resourceType": "Bundle", "entry": [{}, {}]}], "other": [PATIENT]},
        Surroundings(None, NOW),
    )
    assert answers(made) == {"n": [2]}
    assert "no launch context or variable 'other'" in made.issues[0].message


OPTIONS: list[dict[str, Any]] = [
    {"valueCoding": {"system": "urn:s", "code": "a", "display": "A"}},
    {"valueString": "words"},
]


@pytest.mark.parametrize(
    ("asked", "text", "expected"),
    [
        (item("i", "integer"), "3", 3),
        (item("i", "integer"), "3.0", 3),
        (item("i", "integer"), "3.5", None),
        (item("i", "decimal"), "3.50", Decimal("3.50")),
        (item("i", "boolean"), "false", False),
        (item("i", "boolean"), "{}", None),
        (item("i", "date"), "@2026-01-02T10:00:00Z", "2026-01-02"),
        (item("i", "date"), "'2026-01-02'", None),
        (item("i", "dateTime"), "@2026-01-02T10:00:00Z", "2026-01-02T10:00:00Z"),
        (item("i", "time"), "@T10:00", "10:00"),
        (item("i", "string"), "%patient.name.family", "Test"),
        (item("i", "string"), "%patient.name", None),
        (item("i", "string"), "%patient", None),
        (item("i", "reference"), "%patient", {"reference": "Patient/1"}),
        (item("i", "choice", answerOption=OPTIONS), "'a'", OPTIONS[0]["valueCoding"]),
        (item("i", "choice", answerOption=OPTIONS), "'words'", "words"),
        (item("i", "choice", answerOption=OPTIONS), "'other'", None),
        (item("i", "open-choice", answerOption=OPTIONS), "'other'", "other"),
        (item("i", "quantity"), "%patient.birthDate", None),
    ],
)
def test_an_answer_is_of_the_items_type_and_options_or_there_is_none(
    asked: dict[str, Any], text: str, expected: Any
) -> None:
    made = run(form(asked | {"extension": initial(text)}))
    assert answers(made) == ({} if expected is None else {"i": [expected]})
    assert bool(made.issues) == (expected is None and text != "{}")


def test_a_number_becomes_a_quantity_of_the_items_unit() -> None:
    unit = {
        "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unit",
        "valueCoding": {"system": "http://unitsofmeasure.org", "code": "cm", "display": "cm"},
    }
    asked = item("q", "quantity", extension=[unit, *initial("3")])
    assert answers(run(form(asked))) == {
        "q": [{"value": 3, "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm"}]
    }


def population_context(text: str, **more: Any) -> dict[str, Any]:
    context = {"url": f"{SDC}itemPopulationContext", "valueExpression": expression(text, "one")}
    return {
        "linkId": "g",
        "type": "group",
        "extension": [context],
        "item": [item("v", "string", "%one.family")],
    } | more


def test_a_repeating_group_has_one_entry_for_each_result_of_its_context() -> None:
    person = PATIENT | {"name": [{"family": "A"}, {"family": "B"}]}
    made = populate(
        form(population_context("%patient.name", repeats=True)),
        {"patient": [person]},
        Surroundings(None, NOW),
    )
    assert [entry["item"][0]["answer"][0]["valueString"] for entry in made.response["item"]] == ["A", "B"]
    single = populate(
        form(population_context("%patient.name")), {"patient": [person]}, Surroundings(None, NOW)
    )
    assert "answer" not in single.response["item"][0]["item"][0]
    assert "the record holds 2" in single.issues[0].message


def test_later_items_may_read_earlier_answers_and_initial_values_stand_where_nothing_is_known() -> None:
    made = run(
        form(
            item("first", "integer", "2"),
            item("second", "integer", "%resource.item.where(linkId = 'first').answer.value * 2"),
            item("third", "string", initial=[{"valueString": "as usual"}]),
            item("fourth", "choice", answerOption=[{"valueString": "x", "initialSelected": True}]),
        )
    )
    assert answers(made) == {"first": [2], "second": [4], "third": ["as usual"], "fourth": ["x"]}


def test_an_item_that_is_not_enabled_keeps_no_answer_and_says_so() -> None:
    condition = [{"question": "on", "operator": "=", "answerBoolean": True}]
    made = run(
        form(item("on", "boolean", "false"), item("more", "date", "%patient.birthDate", enableWhen=condition))
    )
    assert answers(made) == {"on": [False]}
    assert [str(issue.severity) for issue in made.issues] == ["information"]
    assert "more: it is not enabled" in made.issues[0].message
    assert [entry.link_id for entry in made.filled] == ["on"]


PERIOD = {"url": f"{SDC}observationLinkPeriod", "valueDuration": {"value": 30, "system": "x", "code": "d"}}
CODED: dict[str, Any] = {"code": [{"system": "urn:c", "code": "x"}]}
UNIT = {
    "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unit",
    "valueCoding": {"system": "http://unitsofmeasure.org", "code": "cm"},
}


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([observation("a", "2026-02-20", 1), observation("b", "2026-02-25", 2)], 2),
        ([observation("a", "2026-01-01", 1)], None),
        ([observation("a", "2026-02-20", 1, status="preliminary")], None),
        ([observation("a", "2026-02-20", 1, focus=[{"reference": "Patient/2"}])], None),
        ([observation("a", "2026-02-20", 1), observation("b", "2026-02-25", 2, valueQuantity=None)], 1),
        ([], None),
    ],
)
def test_the_latest_observation_within_the_period_fills_a_coded_item(
    held: list[dict[str, Any]], expected: int | None
) -> None:
    clean = [{name: value for name, value in one.items() if value is not None} for one in held]
    made = run(form(item("v", "decimal", extension=[UNIT], **CODED), extension=[PERIOD]), *clean)
    assert answers(made) == ({} if expected is None else {"v": [expected]})


def test_a_variable_that_an_expression_defines_itself_is_known_to_the_rest_of_it() -> None:
    made = run(form(item("n", "integer", "defineVariable('n', 2).select(%n + 1)")))
    assert answers(made) == {"n": [3]}


def test_a_coding_without_a_code_names_the_option_of_its_words_only() -> None:
    options = [{"valueCoding": {"display": "Knee"}}, {"valueCoding": {"display": "Hip"}}]
    spoken = [{"language": {"coding": [{"display": "Hip"}]}}]
    person = PATIENT | {"communication": spoken, "contact": [{"name": {}}]}
    language = "%patient.communication.language"
    for asked, text, expected in (
        (options, language, {"i": [{"display": "Hip"}]}),
        (options, f"{language}.coding", {"i": [{"display": "Hip"}]}),
        (options[:1], language, {}),
        ([{"valueCoding": {"system": "urn:s"}}, options[0]], f"{language}.coding", {}),
        ([{"valueCoding": {"system": "urn:s"}}, options[0]], "%patient.contact", {}),
    ):
        made = populate(
            form(item("i", "choice", text, answerOption=asked)),
            {"patient": [person]},
            Surroundings(None, NOW),
        )
        assert answers(made) == expected


@pytest.mark.parametrize("coding", ["a", {"a": 1}, ["a", None, 3, ["a"]], [{"code": ["a"], "system": {}}]])
def test_a_concept_that_is_no_fhir_names_no_option(coding: Any) -> None:
    person = PATIENT | {"maritalStatus": {"coding": coding}}
    made = populate(
        form(item("i", "choice", "%patient.maritalStatus", answerOption=OPTIONS)),
        {"patient": [person]},
        Surroundings(None, NOW),
    )
    assert answers(made) == {}
    assert [issue.message for issue in made.issues] == [
        "i: what the record holds is not filled in: it is none of the item's options"
    ]


def test_a_population_context_in_another_language_is_not_asked_as_a_query() -> None:
    asked: list[str] = []
    group = population_context("Observation", repeats=True)
    group["extension"][0]["valueExpression"]["language"] = "text/cql"
    made = run(form(group), asked=asked)
    assert asked == []
    assert (
        "g: what the record says could not be had: text/cql is not evaluated here" in made.issues[0].message
    )


def test_a_value_that_is_no_fhir_is_not_to_be_had_and_the_rest_is_filled_in() -> None:
    made = run(
        form(
            item("high", "decimal", "%record.entry.resource.value.value"),
            item("asked", "boolean", "%more.exists()"),
            item("born", "date", "%patient.birthDate"),
            extension=[
                query("record", "Observation?patient={{%patient.id}}"),
                query("more", "Observation?value={{%record.entry.resource.value.value}}"),
            ],
        ),
        observation("o1", "2026-02-01", "high"),
    )
    assert answers(made) == {"born": ["1950-02-03"]}
    where = "Bundle.entry[0].resource.value.value"
    why = f"the expression cannot be evaluated: {where} is not a decimal; correct the resource"
    assert made.unknown == {"high": why, "asked": f"%more: {why}"}


def test_of_several_options_that_a_concept_names_the_forms_first_is_taken() -> None:
    options = [{"valueCoding": {"system": "urn:s", "code": code}} for code in ("a", "b")]
    person = PATIENT | {"maritalStatus": {"coding": [{"system": "urn:s", "code": code} for code in "cba"]}}
    made = populate(
        form(item("i", "choice", "%patient.maritalStatus", answerOption=options)),
        {"patient": [person]},
        Surroundings(None, NOW),
    )
    assert answers(made) == {"i": [{"system": "urn:s", "code": "a"}]}
