"""Population is what it is said to be plainly (``plainly.py``), for any form and any record."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from service.domain.errors import Unprocessable
from service.fhir.population import Surroundings, populate
from tests.fhir.population.plainly import populate_plainly

Resource = dict[str, Any]
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
VARIABLE = "http://hl7.org/fhir/StructureDefinition/variable"
FHIRPATH, QUERY = "text/fhirpath", "application/x-fhir-query"

TEXTS = some.sampled_from(
    [
        *("%patient.birthDate", "%patient.name.family", "%patient.name", "%patient", "%patient.id"),
        *("%user.name", "%record", "%record.entry.resource", "%record.entry.resource.value"),
        *("%record.entry.resource.code", "%record.entry.resource.code.coding"),
        *("%record.entry.resource.where(code.coding.code = 'a').value", "%record.entry.count()"),
        *("%v", "%w", "%x", "%one", "%v | %w", "%v.exists()", "%w.count() > %v.count()", "%x + 1"),
        *(
            "%one.family",
            "%one.value",
            "%record.entry.resource.value.value",
            "%one.code.coding",
            "%v.value.ofType(Quantity).value",
        ),
        *("1", "2.50", "true", "false", "'a'", "'words'", "@2026-01-02", "1 | 2", "{}", "today()"),
        *("(1 | 2).single()", "no (", "%nowhere", "%nowhere.exists().not()", "'%v'", "iif(%v.exists(), 'a')"),
        *("%resource.item.answer.value", "%resource.descendants().count()", "%context.item.count()"),
        *("%resource.item.where(linkId = '0').answer.value", "%resource.item.last().linkId"),
        *("%questionnaire.item.answerOption.value", "%questionnaire.item.where(linkId = '1').type"),
        *("%questionnaire.item.answerOption.value.where(code = 'a' and %v.exists()).first()", "%sct"),
        *("defineVariable('d', 1).select(%d)", "defineVariable('v', 1).select(%v)", "%questionnaire.title"),
    ]
)
FITTING = {
    "boolean": (
        "true",
        "%v.exists()",
        "%w.exists().not()",
        "%v.value.ofType(boolean).first()",
        "%x.exists()",
    ),
    "integer": ("1", "%v.count()", "%resource.item.count()", "%x + 1"),
    "decimal": ("2.50", "%v.value.value.first()", "%v.value.ofType(Quantity).first()", "%v.count()"),
    "string": ("'a'", "%patient.name.family", "%one.family", "%v.code.text.first()", "%v.id"),
    "date": ("@2026-01-02", "%patient.birthDate", "today()", "%v.effective.first()", "%one.effective"),
    "choice": (
        "'a'",
        "%v.code",
        "%v.code.coding.first()",
        "%one.code",
        "%questionnaire.item.answerOption.value",
    ),
    "quantity": ("3", "%v.value.ofType(Quantity)", "%one.value", "%v.value.first()"),
    "reference": ("%patient", "%v.first()", "%one", "%v"),
    "group": ("%v", "%patient.name", "%record.entry.resource", "%v.first()", "%w | %v"),
}
"""Expressions that often give what an item takes."""
QUERIES = some.sampled_from(
    [
        *("Observation?patient={{%patient.id}}", "Observation?x={{%v}}&y={{ %w }}", "Refused?x=1"),
        *("Condition?x={{no (}}", "Condition", "Observation?x={{%v.value.value}}"),
    ]
)
NAMES = some.sampled_from(["v", "w", "w", "x", "x", "x", "one", "one", "patient", "sct", "questionnaire"])


@some.composite
def expressions(draw: Any, name: bool = False, kind: str = "") -> Resource:
    language = draw(some.sampled_from([*[FHIRPATH] * 12, QUERY, "text/cql"]))
    texts = TEXTS
    if kind in FITTING and draw(some.integers(0, 3)) > 0:
        texts = some.sampled_from(FITTING[kind])
    made = {"language": language, "expression": draw(QUERIES if language == QUERY else texts)}
    return made | ({"name": draw(NAMES)} if name else {})


def extension(url: str, expression: Resource) -> Resource:
    return {"url": url, "valueExpression": expression}


def variables() -> some.SearchStrategy[list[Resource]]:
    return some.lists(
        expressions(name=True, kind="group").map(lambda one: extension(VARIABLE, one)), max_size=3
    )


CODING = some.fixed_dictionaries(
    {},
    optional={
        "system": some.sampled_from(["urn:s", "urn:t"]),
        "code": some.sampled_from(["a", "b"]),
        "display": some.sampled_from(["a", "Words"]),
    },
)
OPTION = some.one_of(
    CODING.filter(bool).map(lambda one: {"valueCoding": one}),
    some.sampled_from(["a", "words"]).map(lambda one: {"valueString": one}),
    some.just({"valueInteger": 1}),
).flatmap(lambda one: some.sampled_from([one, one, {**one, "initialSelected": True}]))
CONDITION = some.fixed_dictionaries(
    {"question": some.sampled_from("0123"), "operator": some.sampled_from(["=", "!=", ">", "exists"])}
).flatmap(
    lambda one: some.sampled_from(
        [
            {**one, "answerBoolean": True},
            {**one, "operator": "=", "answerInteger": 1},
            {**one, "operator": "=", "answerString": "a"},
            {**one, "operator": "=", "answerCoding": {"system": "urn:s", "code": "a"}},
        ]
    )
)
PERIOD = {"url": f"{SDC}observationLinkPeriod", "valueDuration": {"value": 30, "code": "d"}}
UNIT = {
    "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unit",
    "valueCoding": {"system": "urn:u", "code": "cm", "display": "cm"},
}
KINDS = (
    *("boolean", "integer", "decimal", "string", "date", "choice", "choice", "choice", "open-choice"),
    *("quantity", "reference", "attachment", "display", "group", "group", "group"),
)


@some.composite
def items(draw: Any, depth: int = 0) -> Resource:
    kind = draw(some.sampled_from(KINDS))
    own = variables() if draw(some.integers(0, 3)) == 0 else some.just([])
    made: Resource = {"type": kind, "extension": [*draw(own)]}
    if draw(some.booleans()):
        made["text"] = "Asked"
    if draw(some.booleans()):
        made |= {"repeats": True}
    if draw(some.integers(0, 4)) == 0:
        made["enableWhen"] = draw(some.lists(CONDITION, min_size=1, max_size=2))
        made["enableBehavior"] = draw(some.sampled_from(["all", "any"]))
    elif draw(some.integers(0, 7)) == 0:
        made["extension"] += [extension(f"{SDC}enableWhenExpression", draw(expressions()))]
    if kind == "group":
        if draw(some.booleans()):
            context = draw(expressions(name=draw(some.integers(0, 5)) > 0, kind=kind))
            made["extension"] += [extension(f"{SDC}itemPopulationContext", context)]
    else:
        if draw(some.integers(0, 4)) > 0:
            fitting = kind.removeprefix("open-")
            made["extension"] += [extension(f"{SDC}initialExpression", draw(expressions(kind=fitting)))]
        elif draw(some.booleans()):
            made["code"] = [{"system": "urn:s", "code": "a"}]
        if draw(some.integers(0, 3)) == 0:
            made["initial"] = [{"valueBoolean": True}]
        if "choice" in kind:
            made["answerOption"] = draw(some.lists(OPTION, max_size=4))
    if kind in ("decimal", "quantity"):
        made["extension"] += [UNIT]
    if draw(some.integers(0, 5)) == 0:
        made["extension"] += [PERIOD]
    if depth < 2 and kind != "display" and (kind == "group" or draw(some.integers(0, 3)) == 0):
        made["item"] = draw(some.lists(items(depth + 1), max_size=3))
    return made


@some.composite
def forms(draw: Any) -> Resource:
    roots = draw(some.lists(items(), min_size=3, max_size=8))
    count = iter(range(1000))

    def number(entries: list[Resource]) -> list[Resource]:
        return [
            {"linkId": str(next(count)), **one} | ({"item": number(one["item"])} if "item" in one else {})
            for one in entries
        ]

    launch = [
        {"url": f"{SDC}launchContext", "extension": [{"url": "name", "valueCoding": {"code": name}}]}
        for name in ("patient", "user")
    ]
    period = [PERIOD] if draw(some.booleans()) else []
    record = {"language": QUERY, "expression": "Observation?patient={{%patient.id}}", "name": "record"}
    held = {"language": FHIRPATH, "expression": "%record.entry.resource", "name": "v"}
    usual = [extension(VARIABLE, record), extension(VARIABLE, held)][: draw(some.integers(0, 4))]
    return {
        "resourceType": "Questionnaire",
        "url": "urn:form",
        "title": "A form",
        "extension": [*launch, *usual, *draw(variables()), *period],
        "item": number(roots),
    }


STRANGE: some.SearchStrategy[Any] = some.sampled_from([None, 1, "x", [], {}, [None], [{}], {"a": 1}])
OBSERVATION = some.fixed_dictionaries(
    {
        "resourceType": some.just("Observation"),
        "status": some.sampled_from(["final", "preliminary"]),
        "id": some.sampled_from(["1", "2", "3", "4", None]),
    },
    optional={
        "effectiveDateTime": some.sampled_from(["2026-02-20", "2026-02-21T10:00:00Z", "2020", "x"]),
        "issued": some.just("2026-02-20T10:00:00Z"),
        "code": some.lists(CODING, max_size=2).map(lambda codings: {"coding": codings, "text": "a"}),
        "valueBoolean": some.booleans(),
        "valueQuantity": some.sampled_from([Decimal("2.50"), 3, "high", None, [], {}]).map(
            lambda value: {"value": value, "system": "urn:u", "code": "cm"}
        ),
        "valueCodeableConcept": some.one_of(STRANGE, CODING).map(lambda one: {"coding": [one], "text": "a"}),
        "performer": STRANGE,
    },
)
PATIENT = some.fixed_dictionaries(
    {"resourceType": some.just("Patient"), "id": some.just("9990000018")},
    optional={
        "birthDate": some.just("1950-02-03"),
        "name": some.lists(some.sampled_from([{"family": "A"}, {"family": "B"}, {}]), max_size=2),
        "_birthDate": STRANGE,
    },
)
PATIENTS = some.integers(0, 5).flatmap(lambda one: some.lists(PATIENT, min_size=min(one, 1), max_size=1))


@settings(max_examples=150, deadline=None)
@given(forms(), some.lists(OBSERVATION, min_size=1, max_size=4), PATIENTS, some.data())
def test_population_is_what_it_is_said_to_be_plainly(
    form: Resource, held: list[Resource], patient: list[Resource], data: Any
) -> None:
    def search(text: str) -> Resource:
        kind = text.split("?", maxsplit=1)[0]
        if kind == "Refused":
            raise Unprocessable("the record does not answer")
        found = [{"resource": one} for one in held if one["resourceType"] == kind]
        return {"resourceType": "Bundle", "type": "searchset", "entry": found}

    context: dict[str, list[Resource]] = {"patient": patient} if patient else {}
    if data.draw(some.booleans()):
        context["v"] = held
    asked = data.draw(some.sampled_from([search, search, search, None]))
    subject = {"reference": "Patient/9990000018"} if patient else None
    url = data.draw(some.sampled_from(["urn:source", None]))
    for _ in range(2):  # what is kept of the form from the first time changes nothing in the second
        made = populate(form, context, Surroundings(asked, NOW), subject=subject, source_url=url)
        told = populate_plainly(form, context, asked, NOW, subject, url)
        assert made.response == told.response
        assert [(one.link_id, one.place, one.sources) for one in made.filled] == told.filled
        assert list(made.issues) == told.issues
        assert made.unknown == told.unknown
