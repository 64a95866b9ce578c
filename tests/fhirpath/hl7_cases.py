"""HL7's R4 test file read as cases, and one case run under strict comparison: type, value and order."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from service import fhirpath

FOLDER = Path(__file__).parents[3] / "shared" / "conformance" / "fhirpath-r4"
SUITE = FOLDER / "fhirpath" / "tests-fhir-r4.xml"


@dataclass(frozen=True, slots=True)
class Case:
    """One test of the file. `name` is unique: a repeated name has its occurrence after a #."""

    name: str
    expression: str
    input: str | None
    outputs: tuple[tuple[str | None, str], ...]
    invalid: str | None
    predicate: bool
    ordered: bool
    require_order: bool


def read_cases() -> list[Case]:
    """Every case of the file, in its order."""
    cases: list[Case] = []
    seen: dict[str, int] = {}
    for group in ElementTree.parse(SUITE).getroot().iter("group"):
        for test in group.iter("test"):
            plain = f"{group.get('name')}/{test.get('name')}"
            seen[plain] = seen.get(plain, 0) + 1
            expression = test.find("expression")
            assert expression is not None
            cases.append(
                Case(
                    name=plain if seen[plain] == 1 else f"{plain}#{seen[plain]}",
                    expression=expression.text or "",
                    input=test.get("inputfile"),
                    outputs=tuple(
                        (output.get("type"), output.text or "") for output in test.findall("output")
                    ),
                    invalid=expression.get("invalid"),
                    predicate=test.get("predicate") == "true",
                    ordered=test.get("ordered") != "false",
                    require_order=test.get("checkOrderedFunctions") == "true",
                )
            )
    return cases


@lru_cache(maxsize=32)
def read_input(name: str) -> dict[str, Any]:
    """An input resource, decimals exact."""
    text = (FOLDER / name).with_suffix(".json").read_text(encoding="utf-8")
    resource: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return resource


def fault(case: Case) -> str:
    """What is wrong with the engine's answer to a case; empty when nothing is."""
    resource = read_input(case.input) if case.input else None
    context_type = resource["resourceType"] if resource else None
    try:
        program = fhirpath.compile(
            case.expression, context_type=context_type, require_order=case.require_order
        )
        results = program.nodes(resource)
    except fhirpath.ExpressionError as error:
        return "" if case.invalid else f"ExpressionError: {error}"
    except fhirpath.EvaluationError as error:
        if case.invalid == "syntax":
            return f"should not have compiled, failed at evaluation: {error}"
        return "" if case.invalid else f"EvaluationError: {error}"
    if case.invalid:
        return f"should have failed, gave {[result.value for result in results]}"
    if case.predicate:
        results = fhirpath.compile(f"({case.expression}).exists()").nodes(resource)
    found = [(result.type, _text(result)) for result in results]
    wanted = list(case.outputs)
    if not case.ordered:
        found.sort(key=lambda pair: pair[1])
        wanted.sort(key=lambda pair: pair[1])
    same = len(found) == len(wanted) and all(
        _same(pair, expected) for pair, expected in zip(found, wanted, strict=True)
    )
    return "" if same else f"gave {found}, expected {wanted}"


def _text(result: fhirpath.Result) -> str:
    """The value as the file writes it."""
    value = result.value
    kind = result.type.rpartition(".")[2]
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind == "Quantity" and isinstance(value, dict):
        return str(fhirpath.compile("%q.toString()", variables=["q"])(None, variables={"q": result})[0])
    if kind in ("date", "Date", "dateTime", "DateTime", "instant"):
        return f"@{value}"
    if kind in ("time", "Time"):
        return f"@T{value}"
    return str(value)


def _same(found: tuple[str, str], wanted: tuple[str | None, str]) -> bool:
    """Texts equal (numbers by value where the file states a type), types equal where the file states one."""
    (found_type, found_text), (type_, text) = found, wanted
    if type_ is not None:
        name = found_type.rpartition(".")[2]
        # The file writes System types with a small first letter.
        plain = (
            name[0].lower() + name[1:] if found_type.startswith("System.") and type_ != "Quantity" else name
        )
        if plain != type_:
            return False
        if type_ == "decimal":
            return Decimal(found_text) == Decimal(text)
    return found_text == text
