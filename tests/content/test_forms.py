"""The published forms: what they ask, what they cite, when they ask it, and what their expressions name."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from service import fhirpath
from tests.content import content
from tests.content.form_contract import CONTRACT, FORMS

if TYPE_CHECKING:
    from collections.abc import Iterator

SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
CORE = "http://hl7.org/fhir/StructureDefinition/"
TEMPLATE = (SDC + "templateExtractValue", SDC + "templateExtractContext", "fullUrl")
PARAGRAPH = f"{content.BASE}/StructureDefinition/guidance-paragraph"
CITABLE = re.compile(r"[12]\.[1-5](\.[1-4])?|Title|Your responsibility|Further information|project")

LEAKS = ["cement-leak", "intra-articular-leak", "venous-cement-embolus"]
ENABLED = {
    "treatment.radiotherapy.last-fraction": (
        "treatment.radiotherapy",
        ["failed", "controlling", "given-awaiting-effect"],
    ),
    "mdt.date": ("mdt.outcome", ["selected", "not-selected", "pending"]),
    "event.other": ("event.term", ["other"]),
    "event.symptomatic": ("event.term", LEAKS),
    "event.leak-site": ("event.term", LEAKS),
}


def form(name: str) -> content.Resource:
    """A published form."""
    return content.resource("Questionnaire", name)


def items(parent: content.Resource) -> Iterator[content.Resource]:
    """Every item of a form, parents first."""
    for item in parent.get("item", ()):
        yield item
        yield from items(item)


def questions(name: str) -> dict[str, content.Resource]:
    """The questions and groups of a form by linkId, headings left out."""
    return {item["linkId"]: item for item in items(form(name)) if item["type"] != "display"}


def extensions(element: content.Resource, url: str) -> list[Any]:
    """The values of an element's extensions of one kind."""
    return [
        next((value for key, value in each.items() if key.startswith("value")), each.get("extension"))
        for each in element.get("extension", ())
        if each["url"] == url
    ]


@pytest.mark.parametrize("name", FORMS)
def test_a_form_asks_what_the_decision_tables_ask(name: str) -> None:
    asked = {}
    for link, item in questions(name).items():
        codes = [option["valueCoding"]["code"] for option in item.get("answerOption", ())]
        asked[link] = " ".join([item["type"] + "+" * item["repeats"], *codes])
    assert asked == CONTRACT[name]
    assert list(asked) == list(CONTRACT[name])


@pytest.mark.parametrize("name", FORMS)
def test_every_linkid_stands_once_and_only_headings_are_added(name: str) -> None:
    links = [item["linkId"] for item in items(form(name))]
    assert len(set(links)) == len(links)
    headings = [item["linkId"] for item in items(form(name)) if item["type"] == "display"]
    assert all(link.startswith("section.") for link in headings)


@pytest.mark.parametrize("name", FORMS)
def test_every_item_cites_a_paragraph_of_the_guidance_or_says_that_it_is_the_projects(name: str) -> None:
    for item in items(form(name)):
        cited = extensions(item, PARAGRAPH)
        assert cited, item["linkId"]
        assert all(CITABLE.fullmatch(each) for each in cited), item["linkId"]
        assert len(set(cited)) == len(cited)


@pytest.mark.parametrize("name", FORMS)
def test_answers_carry_the_paragraphs_of_their_concepts(name: str) -> None:
    for item in questions(name).values():
        for option in item.get("answerOption", ()):
            coding = option["valueCoding"]
            system = content.resource("CodeSystem", coding["system"].rsplit("/", 1)[1])
            concept = next(each for each in system["concept"] if each["code"] == coding["code"])
            values = {(p["code"], next(v for k, v in p.items() if k != "code")) for p in concept["property"]}
            cited = {value for code, value in values if code == "paragraph"}
            cited |= {"project"} if ("project", True) in values else set()
            assert set(extensions(option, PARAGRAPH)) == cited, coding["code"]


@pytest.mark.parametrize("name", FORMS)
def test_no_question_is_required_because_unanswered_is_an_answer(name: str) -> None:
    assert [item["linkId"] for item in items(form(name)) if item.get("required")] == []


@pytest.mark.parametrize("name", FORMS)
def test_questions_are_enabled_as_the_decision_tables_say(name: str) -> None:
    known = questions(name)
    found = {}
    for link, item in known.items():
        if "enableWhen" in item:
            (asked,) = {each["question"] for each in item["enableWhen"]}
            assert {each["operator"] for each in item["enableWhen"]} == {"="}
            assert item.get("enableBehavior", "any") == "any"
            answers = [each["answerCoding"] for each in item["enableWhen"]]
            options = [option["valueCoding"] for option in known[asked]["answerOption"]]
            assert all(answer in options for answer in answers)
            found[link] = (asked, [answer["code"] for answer in answers])
    assert found == {link: rule for link, rule in ENABLED.items() if link in known}


@pytest.mark.parametrize(
    ("link", "unit", "low", "high"),
    [
        ("pain.score", "{score}", 0, 10),
        ("walking.score", None, 0, 4),
        ("temperature", "Cel", 25, 45),
        ("creatinine", "umol/L", 0, 5000),
        ("creatinine.baseline", "umol/L", 0, 5000),
    ],
)
def test_numbers_have_their_range_and_unit(link: str, unit: str | None, low: int, high: int) -> None:
    item = questions("htg117-follow-up")[link]
    units = extensions(item, CORE + "questionnaire-unit") + extensions(
        item, CORE + "questionnaire-unitOption"
    )
    assert [each["code"] for each in units] == ([unit] if unit else [])
    bounds = extensions(item, CORE + "minValue") + extensions(item, CORE + "maxValue")
    bounds += [each["value"] for each in extensions(item, f"{SDC}maxQuantity")]
    if item["type"] == "quantity":  # HL7's validator compares minQuantity the wrong way round (core #2374)
        least = [
            part["valueString"]
            for one in item["extension"]
            if one["url"] == f"{CORE}questionnaire-constraint"
            for part in one["extension"]
            if part["url"] == "expression"
        ]
        assert least == [f"answer.value.where(value < {low}).empty()"]
        bounds = [low, *bounds]
    assert bounds == [low, high]


@pytest.mark.parametrize("name", FORMS[1:])
def test_none_stands_alone_and_an_event_is_actual_unless_said_otherwise(name: str) -> None:
    seriousness, actuality = (questions(name)[link] for link in ("event.seriousness", "event.actuality"))
    exclusive = [
        option["valueCoding"]["code"]
        for option in seriousness["answerOption"]
        if extensions(option, CORE + "questionnaire-optionExclusive") == [True]
    ]
    assert exclusive == ["none"]
    selected = [o["valueCoding"]["code"] for o in actuality["answerOption"] if o.get("initialSelected")]
    assert selected == ["actual"]


# --- expressions


def texts(name: str) -> Iterator[tuple[str, str, str]]:
    """Every FHIRPath of a form: its kind (template, fill or constraint), its path and its text."""
    for place, value in content.nodes(form(name)):
        if not isinstance(value, dict) or "url" not in value:
            continue
        if (
            value["url"] in (SDC + "templateExtractValue", SDC + "templateExtractContext")
            or value["url"] == "fullUrl"
        ):
            yield "template", place, value["valueString"]
        elif value["url"] == "expression":
            yield "constraint", place, value["valueString"]
        elif value.get("valueExpression", {}).get("language") == "text/fhirpath":
            yield "fill", place, value["valueExpression"]["expression"]


@cache
def variables(name: str) -> tuple[str, ...]:
    """The variables that filling a form defines, in order."""
    return tuple(each["name"] for each in extensions(form(name), CORE + "variable"))


ALLOCATED = {
    "htg117-eligibility": set(),
    "htg117-procedure": {"procedureId", "deviceId", "leakEventId", "adverseEventId", "eventDeviceId"},
    "htg117-follow-up": {"adverseEventId", "eventDeviceId"},
}


@pytest.mark.parametrize("name", FORMS)
def test_every_expression_compiles_and_uses_only_the_variables_it_may(name: str) -> None:
    allowed = {
        "template": {"resource", "questionnaire"} | ALLOCATED[name],
        "constraint": {"resource"},
        "fill": {"resource", "questionnaire", "patient", "cement", *variables(name)},
    }
    found = list(texts(name))
    assert len(found) > 20
    for kind, place, text in found:
        assert set(re.findall(r"%(\w+)", text)) <= allowed[kind], place
        fhirpath.compile(text, variables=tuple(allowed[kind]))


@pytest.mark.parametrize("name", FORMS)
def test_every_linkid_that_an_expression_names_is_one_of_the_form(name: str) -> None:
    known = set(questions(name))
    for _, place, text in texts(name):
        named = set(re.findall(r"linkId !?= '([^']+)'", text))
        if form(name)["id"] != "htg117-procedure":
            named -= {"procedure.date"} if ".contained[" in place else set()
        assert named <= known, place


@pytest.mark.parametrize("name", FORMS)
def test_every_code_that_an_expression_names_is_one_of_the_form_or_of_the_code_table(name: str) -> None:
    known = {
        option["valueCoding"]["code"]
        for item in questions(name).values()
        for option in item.get("answerOption", ())
    }
    known |= {code for (_, code) in _codes()}
    known |= {
        "final",
        "amended",
        "corrected",
        "active",
        "recurrence",
        "relapse",
        "completed",
        "confirmed",
        "1",
    }
    for _, place, text in texts(name):
        for group in re.findall(r"code (?:!?= |in \()('[^)]*?')(?:\)| and| or|$)", text):
            assert set(re.findall(r"'([^']+)'", group)) <= known, place


@cache
def _codes() -> frozenset[tuple[str, str]]:
    found = set()
    for resource in content.resources():
        for _, value in content.nodes(resource):
            if isinstance(value, dict) and isinstance(value.get("code"), str):
                found.add((str(value.get("system")), value["code"]))
    return frozenset(found)


@pytest.mark.parametrize("name", FORMS)
def test_every_template_is_contained_and_every_allocated_id_is_in_scope(name: str) -> None:
    contained = {each["id"]: each for each in form(name).get("contained", ())}
    used = set()

    def walk(element: content.Resource, scope: frozenset[str]) -> None:
        scope |= set(extensions(element, SDC + "extractAllocateId"))
        for parts in extensions(element, SDC + "templateExtract"):
            by_url = {part["url"]: next(v for k, v in part.items() if k != "url") for part in parts}
            template = contained[by_url["template"]["reference"].removeprefix("#")]
            used.add(template["id"])
            wanted = {by_url["fullUrl"][1:]} if "fullUrl" in by_url else set()
            for _, value in content.nodes(template):
                if isinstance(value, dict) and value.get("url", "").startswith(SDC + "templateExtract"):
                    wanted |= set(re.findall(r"%(\w+Id)\b", value["valueString"]))
            assert wanted <= scope, template["id"]
        for item in element.get("item", ()):
            walk(item, scope)

    walk(form(name), frozenset())
    assert used == set(contained)


SETS = {
    "metastases": "htg117-bone-metastasis-codes",
    "primaries": "htg117-primary-bone-tumour-codes",
    "haematological": "htg117-haematological-malignancy-codes",
    "radiotherapy": "htg117-radiotherapy-codes",
    "meetings": "htg117-multidisciplinary-meeting-codes",
    "heldMeetings": "htg117-multidisciplinary-meeting-codes",
    "meetingPlans": "htg117-multidisciplinary-meeting-codes",
    "listedMeetings": "htg117-multidisciplinary-meeting-codes",
}


@pytest.mark.parametrize("variable", SETS)
def test_the_record_is_searched_for_the_codes_that_are_published(variable: str) -> None:
    expression = next(
        each["expression"]
        for each in extensions(form("htg117-eligibility"), CORE + "variable")
        if each["name"] == variable
    )
    searched = {
        (system, code)
        for system, codes in re.findall(
            r"(?<!bodySite\.)coding\.where\(system = '([^']+)' and code in \(([^)]*)\)", expression
        )
        for code in re.findall(r"'([^']+)'", codes)
    }
    published = {
        (include["system"], concept["code"])
        for include in content.resource("ValueSet", SETS[variable])["compose"]["include"]
        for concept in include["concept"]
    }
    assert searched == published


def test_every_form_says_what_it_is_and_is_not() -> None:
    for name in FORMS:
        found = form(name)
        assert found["subjectType"] == ["Patient"]
        assert "not endorsed by NICE" in found["copyright"]
        assert (found["version"], found["date"], found["lastReviewDate"]) == (
            "2006.1.0",
            "2006-06-28",
            "2026-01-31",
        )
    assert form("htg117-eligibility")["title"] == "HTG117 criteria record"
    texts_ = " ".join(item["text"] for name in FORMS for item in items(form(name))).lower()
    for word in ("approved", "refused", "eligible"):
        assert word not in texts_
