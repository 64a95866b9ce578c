"""Cases that a clinician can read: answers in, and what must come of them. ``tests/cases/<guidance>/*.toml``.

A file names its form and the answers that its cases start from; a case says in a sentence what it shows,
which paragraph it rests on, what it changes (``false``-like absence is written ``"unanswered"``; a case that
names a form of its own starts from nothing) and what must come of it. The runner knows FHIR and the form,
and nothing of the guidance.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = Path(__file__).parent
UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Case:
    """One case: the sentence, the paragraph, the form's canonical, its answers and what must come of it."""

    file: str
    says: str
    cites: str
    form: str
    authored: str
    answers: Mapping[str, Any]
    expect: Mapping[str, Any]

    def __str__(self) -> str:
        """The test's name."""
        return f"{self.file}: {self.says}"


def read(guidance: str, expecting: str) -> Iterator[Case]:
    """The cases of a guidance that expect something of that name (``outcome``, ``events``)."""
    for path in sorted((FOLDER / guidance).glob("*.toml")):
        with path.open("rb") as file:
            held = tomllib.load(file, parse_float=Decimal)
        for case in held.get("case", ()):
            if expecting in case["expect"]:
                yield Case(
                    path.stem,
                    case["says"],
                    str(case["cites"]),
                    case.get("form", held["form"]),
                    str(case.get("authored", held["authored"])),
                    ({} if "form" in case else held.get("from", {})) | case.get("answers", {}),
                    case["expect"],
                )


def response(case: Case, questionnaire: dict[str, Any]) -> dict[str, Any]:
    """The completed form of a case: each answer of the type that the form's item has."""
    made: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": "https://cases.example.org", "value": "case"},
        "questionnaire": f"{questionnaire['url']}|{questionnaire['version']}",
        "status": "completed",
        "subject": {"reference": "Patient/case"},
        "authored": case.authored,
    }
    if items := list(_items(questionnaire["item"], case.answers)):
        made["item"] = items
    unknown = set(case.answers) - {entry["linkId"] for entry in questionnaire["item"]}
    assert not unknown, f"{case}: the form has no {', '.join(sorted(unknown))}"
    return made


def _items(items: list[dict[str, Any]], answers: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for item in items:
        given = answers.get(item["linkId"], UNANSWERED)
        if given == UNANSWERED or item["type"] == "display":
            continue
        if item["type"] == "group":
            unknown = set().union(*given) - {entry["linkId"] for entry in item["item"]}
            assert not unknown, f"the group {item['linkId']} has no {', '.join(sorted(unknown))}"
            for group in given:
                yield {"linkId": item["linkId"], "item": list(_items(item["item"], group))}
        else:
            values = given if isinstance(given, list) else [given]
            yield {"linkId": item["linkId"], "answer": [_answer(item, value) for value in values]}


def _answer(item: dict[str, Any], value: Any) -> dict[str, Any]:
    match item["type"]:
        case "choice" | "open-choice":
            options = [option["valueCoding"] for option in item["answerOption"]]
            coding = next((option for option in options if option["code"] == value), None)
            assert coding is not None, f"{item['linkId']} has no option '{value}'"
            return {"valueCoding": coding}
        case "quantity":
            number, code = str(value).split(" ")
            units = [one["valueCoding"] for one in item["extension"] if one["url"].endswith("unitOption")]
            unit = next((one for one in units if one["code"] == code), None)
            assert unit is not None, f"{item['linkId']} is not measured in '{code}'"
            quantity = {"value": Decimal(number), "unit": unit["display"], "system": unit["system"]}
            return {"valueQuantity": quantity | {"code": code}}
        case "date" | "dateTime" as kind:
            text = value.isoformat() if isinstance(value, date | datetime) else value
            return {"valueDate" if kind == "date" else "valueDateTime": text}
        case "text":
            return {"valueString": value}
        case kind:
            return {f"value{kind[0].upper()}{kind[1:]}": value}
