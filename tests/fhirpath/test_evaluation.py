"""Evaluation over resources: nodes, places, variables, the caller's services, clock, limits and errors."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from service import fhirpath
from service.fhirpath import EvaluationError, LimitError, Limits

FORM: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "item": [
        {"linkId": "pain", "item": [{"linkId": "pain.score", "answer": [{"valueInteger": 7}]}]},
        {
            "linkId": "dates",
            "item": [
                {"linkId": "dates.seen", "answer": [{"valueDate": "2026-03"}, {"valueDate": "2026-04-01"}]}
            ],
        },
        {"linkId": "cause", "answer": [{"valueCoding": {"system": "http://example.org/s", "code": "a"}}]},
    ],
}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Held"}],
    "managingOrganization": {"reference": "#o"},
    "generalPractitioner": [{"reference": "Practitioner/1"}, {"reference": "Practitioner/none"}],
    "active": True,
    "birthDate": "1960-02-29",
    "_birthDate": {
        "extension": [{"url": "http://example.org/time", "valueDateTime": "1960-02-29T10:00:00Z"}]
    },
    "name": [
        {"use": "official", "family": "Test", "given": [None, "Bea"], "_given": [{"id": "g0"}, None]},
        {"use": "usual", "given": ["B"]},
    ],
    "multipleBirthInteger": 2,
    "gender": "female",
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "x"},
    "valueQuantity": {
        "value": Decimal("6.30"),
        "unit": "mg",
        "system": "http://unitsofmeasure.org",
        "code": "mg",
    },
}
NOW = datetime(2026, 11, 20, 9, 30, 15, 250000, tzinfo=timezone(timedelta(hours=1)))


def ask(resource: Any, text: str, **surroundings: Any) -> list[Any]:
    return fhirpath.evaluate(resource, text, now=NOW, **surroundings)


@pytest.mark.parametrize(
    ("resource", "text", "expected"),
    [
        (FORM, "item.item.where(linkId = 'pain.score').answer.value > 6", [True]),
        (FORM, "repeat(item).where(linkId = 'dates.seen').answer.value", ["2026-03", "2026-04-01"]),
        (FORM, "repeat(item).linkId", ["pain", "dates", "cause", "pain.score", "dates.seen"]),
        (FORM, "repeat(item).where(linkId = 'none').answer.value > 6", []),
        (FORM, "descendants().where($this is Coding).code", ["a"]),
        (
            FORM,
            "item.where(linkId = 'cause').answer.value",
            [{"system": "http://example.org/s", "code": "a"}],
        ),
        (FORM, "item.answer.exists(value.code = 'a')", [True]),
        (OBSERVATION, "value", [OBSERVATION["valueQuantity"]]),
        (OBSERVATION, "value.value", [Decimal("6.30")]),
        (OBSERVATION, "value = 0.0063 'g'", [True]),
        (OBSERVATION, "(value + 1 'mg') > 7 'mg'", [True]),
        (OBSERVATION, "value.ofType(Quantity).unit", ["mg"]),
        (OBSERVATION, "value.ofType(string)", []),
        (PATIENT, "name.given", [{"id": "g0"}, "Bea", "B"]),
        (PATIENT, "name.given.hasValue()", [False]),
        (PATIENT, "name.given.select(hasValue())", [False, True, True]),
        (PATIENT, "name.given.id", ["g0"]),
        (PATIENT, "multipleBirth + 1", [3]),
        (PATIENT, "birthDate.extension('http://example.org/time').value > @1960-02-29T09:59:59Z", [True]),
        (PATIENT, "birthDate + 1 year", ["1961-02-28"]),
        (
            PATIENT,
            "birthDate.type().name | active.type().namespace | 1.type().name",
            ["date", "FHIR", "Integer"],
        ),
        (PATIENT, "managingOrganization.resolve().name", ["Held"]),
        (PATIENT, "contained.id", ["o"]),
        (PATIENT, "contained.name = %resource.contained.first().name", [True]),
        (PATIENT, "contained.select(%rootResource.id)", ["p"]),
        (PATIENT, "name[1].given", ["B"]),
        (PATIENT, "name[9].given", []),
        (PATIENT, "name.select($index)", [0, 1]),
        (PATIENT, "name.sort(use desc).use", ["usual", "official"]),
        (PATIENT, "gender in ('male' | 'female')", [True]),
        (
            PATIENT,
            "%`vs-x` & %`ext-y`",
            ["http://hl7.org/fhir/ValueSet/xhttp://hl7.org/fhir/StructureDefinition/y"],
        ),
        (PATIENT, "4 days", [{"value": Decimal(4), "unit": "day"}]),
        (PATIENT, "(1 | 2 | 3).aggregate($this + $total, 10)", [16]),
        (PATIENT, "name.defineVariable('n').select(%n.use).distinct()", ["official", "usual"]),
        (PATIENT, "now()", ["2026-11-20T09:30:15.250+01:00"]),
        (PATIENT, "today() | timeOfDay()", ["2026-11-20", "09:30:15.250"]),
        (PATIENT, "conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", [True]),
        (None, "1 + 1", [2]),
        (
            None,
            "(1 | 2 | 3.5).sum() | (1 | 2 | 6).avg() | (3 | 1 | 2).min() | ('a' | 'c').max()",
            [Decimal("6.5"), Decimal(3), 1, "c"],
        ),
        (None, "{}.sum() | {}.avg() | {}.min() | {}.max()", []),
        (None, "(4 'mg').value | (4 'mg').unit", [Decimal(4), "mg"]),
        (PATIENT, "birthDate.yearOf() + birthDate.monthOf() + birthDate.dayOf()", [1991]),
        (PATIENT, "birthDate.duration(today(), 'years')", [66]),
        ([PATIENT, OBSERVATION], "Patient.id | Observation.status", ["p", "final"]),
        ({"a": [{"b": 1}, {"b": "x", "c": True}]}, "a.b", [1, "x"]),
        ({"a": {"b": Decimal("1.5")}}, "a.b * 2", [Decimal("3.0")]),
    ],
)
def test_answers(resource: Any, text: str, expected: list[Any]) -> None:
    found = ask(resource, text)
    if text == "4 days":
        assert (found[0]["value"], found[0]["unit"]) == (expected[0]["value"], expected[0]["unit"])
    else:
        assert found == expected
        assert [type(item) for item in found] == [type(item) for item in expected]


AND = ["true", "false", "{}", "false", "false", "false", "{}", "false", "{}"]
OR = ["true", "true", "true", "true", "false", "{}", "true", "{}", "{}"]
XOR = ["false", "true", "{}", "true", "false", "{}", "{}", "{}", "{}"]
IMPLIES = ["true", "false", "{}", "true", "true", "true", "true", "{}", "{}"]


@pytest.mark.parametrize(
    ("operator", "table"),
    [("and", AND), ("or", OR), ("xor", XOR), ("implies", IMPLIES)],
    ids=lambda value: str(value)[:8],
)
def test_three_valued_logic(operator: str, table: list[str]) -> None:
    values = ["true", "false", "{}"]
    pairs = [f"{left} {operator} {right}" for left in values for right in values]
    found = [{(True,): "true", (False,): "false", (): "{}"}[tuple(ask({}, pair))] for pair in pairs]
    assert found == table


def test_an_operator_that_is_settled_asks_no_further() -> None:
    assert ask({}, "false and (1 | 2).single()") == [False]
    assert ask({}, "true or (1 | 2).single()") == [True]
    assert ask({}, "false implies (1 | 2).single()") == [True]


def test_results_tell_type_and_place() -> None:
    program = fhirpath.compile("repeat(item).answer.value", context_type="QuestionnaireResponse")
    assert [(result.value, result.type, result.location) for result in program.nodes(FORM)] == [
        (
            {"system": "http://example.org/s", "code": "a"},
            "FHIR.Coding",
            "QuestionnaireResponse.item[2].answer[0].value",
        ),
        (7, "FHIR.integer", "QuestionnaireResponse.item[0].item[0].answer[0].value"),
        ("2026-03", "FHIR.date", "QuestionnaireResponse.item[1].item[0].answer[0].value"),
        ("2026-04-01", "FHIR.date", "QuestionnaireResponse.item[1].item[0].answer[1].value"),
    ]
    computed = fhirpath.compile("name.count()").nodes(PATIENT)[0]
    assert (computed.value, computed.type, computed.location) == (2, "System.Integer", None)


def test_a_result_keeps_its_type_and_resource_in_another_program() -> None:
    seen = fhirpath.compile("repeat(item).where(linkId = 'dates.seen').answer.value").nodes(FORM)
    program = fhirpath.compile("%seen.first() < @2026-04 and %seen.last() = @2026-04-01", variables=["seen"])
    assert program(None, variables={"seen": seen}) == [True]
    answer = fhirpath.compile("repeat(item).answer.first()").nodes(FORM)
    assert fhirpath.compile("%resource.status & value.code")(answer) == ["completeda"]


def test_elements_are_evaluated_by_their_context_type() -> None:
    program = fhirpath.compile("linkId & answer.value.code", context_type="QuestionnaireResponse.item")
    assert program(FORM["item"][2]) == ["causea"]
    assert program.nodes(FORM["item"][2])[0].type == "System.String"


def test_variables_are_values_json_or_lists() -> None:
    program = fhirpath.compile(
        "%a + 1 > 3.5 and %b = 'x' and %c.value > 2 'mg' and %d.given = 'B' and %e.count() = 2 and %f < now()"
        " and %g = @2026-01-02 and %h.empty() and %i.year",
        variables=["a", "b", "d", "e", "f", "g", "h", "i"]
        and {**dict.fromkeys("abdefghi"), "c": "Observation"},
    )
    given = {
        "a": 3,
        "b": "x",
        "c": OBSERVATION,
        "d": PATIENT["name"][1],
        "e": [1, Decimal(2)],
        "f": datetime(2020, 1, 1, tzinfo=UTC),
        "g": datetime(2026, 1, 2, tzinfo=UTC).date(),
        "h": [],
        "i": {"year": True},
    }
    assert program(PATIENT, variables=given, now=NOW) == [True]


def test_a_variable_that_is_not_given_is_an_error() -> None:
    program = fhirpath.compile("1 + %a", variables=["a"])
    with pytest.raises(EvaluationError, match="line 1, column 5: the variable %a is not given"):
        program({})


def test_the_callers_resolver_terminology_profiles_and_sink() -> None:
    class Terms:
        def member_of(self, value_set: str, coded: str | dict[str, Any]) -> bool | None:
            return None if value_set == "unknown" else coded == "female"

        def subsumes(self, general: dict[str, Any], special: dict[str, Any]) -> bool | None:
            return bool(general["code"] <= special["code"])

    told: list[tuple[str, list[Any]]] = []
    surroundings: dict[str, Any] = {
        "resolver": {"Practitioner/1": {"resourceType": "Practitioner", "id": "1"}}.get,
        "terminology": Terms(),
        "profiles": lambda resource, url: resource["id"] == url,
        "trace": lambda name, values: told.append((name, values)),
    }
    assert ask(PATIENT, "generalPractitioner.resolve().id", **surroundings) == ["1"]
    assert ask(PATIENT, "generalPractitioner.resolve()") == []
    assert ask(PATIENT, "gender.memberOf('x')", **surroundings) == [True]
    assert ask(PATIENT, "gender.memberOf('unknown')", **surroundings) == []
    assert ask(FORM, "item.answer.value.subsumes(%context.item.answer.value)", **surroundings) == [True]
    assert ask(PATIENT, "conformsTo('p')", **surroundings) == [True]
    assert ask(PATIENT, "name.trace('n', use).count() + name.given.trace('g').count()", **surroundings) == [5]
    assert told == [("n", ["official", "usual"]), ("g", [{"id": "g0"}, "Bea", "B"])]
    with pytest.raises(EvaluationError, match="needs a terminology"):
        ask(PATIENT, "gender.memberOf('x')")
    with pytest.raises(EvaluationError, match="cannot find the profile"):
        ask(PATIENT, "conformsTo('http://example.org/x')")


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("name.given.single()", 12, "takes one item, found 3"),
        ("1 + 'a'", 3, "+ cannot take System.Integer and System.String"),
        ("active and\n name.given > 'a'", 13, "> takes one item, found 3"),
        ("birthDate > 3", 11, "System.Date and System.Integer cannot be compared"),
        ("name.where(given)", 6, "takes one item"),
        ("'a'.matches('(?=b)')", 5, "look-ahead"),
        ("'a'.matches('(')", 5, "not a regular expression"),
        ("'a'.encode('rot13')", 5, "hex, base64 and urlbase64"),
        ("@2020-01-01 + 1 'cm'", 13, "cm"),
        ("(true | 'a').allTrue()", 14, "takes Booleans"),
        ("-name.first()", 1, "takes a number"),
        ("name.as(HumanName)", 6, "ofType() takes many"),
    ],
)
def test_errors_tell_where_in_the_text(text: str, column: int, said: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        ask(PATIENT, text)
    assert said in str(caught.value)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("resource", "text", "said"),
    [
        ({"resourceType": "Patiant"}, "id", "no resource type"),
        ({"resourceType": 7}, "id", "without a resourceType"),
        ({"resourceType": "Patient", "name": "x"}, "name", "Patient.name should be an object"),
        ({"resourceType": "Patient", "name": [[]]}, "name", "Patient.name should be an object"),
        ({"resourceType": "Patient", "gender": {}}, "gender", "Patient.gender should be a plain value"),
        ({"resourceType": "Patient", "gender": 7}, "gender = 'a'", "Patient.gender is not a text"),
        ({"resourceType": "Patient", "_gender": "x"}, "gender", "Patient._gender should be an object"),
        ({"resourceType": "Patient", "birthDate": "2020-13"}, "birthDate > today()", "is not a date"),
        ({"resourceType": "Patient", "active": "true"}, "active = true", "is not a boolean"),
        (
            {"resourceType": "Bundle", "entry": [{"resource": {"id": "x"}}]},
            "entry.resource",
            "without a resourceType",
        ),
        (
            {"resourceType": "QuestionnaireResponse", "item": [{"linkId": 7}]},
            "item.where(linkId = 'x')",
            "not a text",
        ),
        (
            {"resourceType": "QuestionnaireResponse", "item": ["x"]},
            "item.where(linkId = 'x')",
            "should be an object",
        ),
        (object(), "id", "neither JSON nor a System value"),
    ],
)
def test_a_misshapen_resource_is_an_error_that_names_the_place(resource: Any, text: str, said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        ask(resource, text)


GROWING = f"(1 | 2 | 3 | 4).aggregate({' & '.join(['$total'] * 30)}, 'xx')"
REPLACING = "'aaaaaaaaaa'" + "".join(
    f".replace('{one}', '{other * 32}')" for one, other in ("ab", "bc", "cd", "de")
)


@pytest.mark.parametrize(
    "text",
    [
        "(1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10).repeat($this + 1)",
        "repeat(item).select(%resource.descendants().select(%resource.descendants()))",
        "(1 | 2 | 3 | 4).aggregate($total.combine($total | 5).combine(1), 1).select(%resource.descendants())",
        GROWING,
        REPLACING,
    ],
)
def test_evaluation_is_bounded(text: str) -> None:
    with pytest.raises(LimitError):
        ask(FORM, text, limits=Limits(steps=300))


def test_a_pattern_cannot_run_away() -> None:
    assert ask({}, f"'{'a' * 5000}'.matches('^(a+)+$b')") == [False]
    assert ask({}, f"'{'a' * 200}!'.replaceMatches('(a|aa)+$', '')") == ["a" * 200 + "!"]
    assert ask({}, "'2026-11-20'.replaceMatches('(\\\\d+)-(?<m>\\\\d+)-(\\\\d+)', '$3/${m}/$1')") == [
        "20/11/2026"
    ]


def test_a_resource_nested_beyond_reason_ends_in_an_error() -> None:
    deep: dict[str, Any] = {"linkId": "x"}
    for _ in range(50_000):
        deep = {"linkId": "x", "item": [deep]}
    form = {"resourceType": "QuestionnaireResponse", "item": [deep]}
    assert ask(form, "descendants().count()") == [100_002]
    with pytest.raises(LimitError, match="nested too deeply"):
        ask(form, "repeat(item).count()")
    other = json.loads(json.dumps({"resourceType": "QuestionnaireResponse", "item": [FORM["item"][0]]}))
    assert ask(other, "descendants().count()") == [6]


def test_a_resource_is_left_as_it_was() -> None:
    before = json.dumps([FORM, PATIENT], default=str)
    ask(FORM, "descendants().distinct() | repeat(item).sort(linkId).answer")
    ask(PATIENT, "descendants().select($this.children())")
    assert json.dumps([FORM, PATIENT], default=str) == before


def test_the_clock_is_one_instant_and_needs_a_zone() -> None:
    assert fhirpath.evaluate({}, "now() = now() and today() = now().toDate()") == [True]
    with pytest.raises(ValueError, match="time zone"):
        fhirpath.evaluate({}, "now()", now=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_program_serves_many_threads_each_with_its_own_variables() -> None:
    program = fhirpath.compile(
        "repeat(item).where(linkId = 'pain.score').select(answer.value + %n + $index).sum2()".replace(
            ".sum2()", ""
        ),
        variables=["n"],
    )
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: program(FORM, variables={"n": n}), range(400)))
    assert found == [[7 + n] for n in range(400)]
