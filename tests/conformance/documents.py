"""The documents that this project answers for: everything published, and every resource in every golden."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.conformance.reference import ROOT, Job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUBLISHED = ("profiles", "mappings", "tests/second_guidance")
GOLDEN = ROOT / "tests" / "golden"


def published() -> Iterator[Job]:
    """A job for each FHIR resource on disk, its text as it is served; data of other shapes is left out."""
    for folder in PUBLISHED:
        for path in sorted((ROOT / folder).rglob("*.json")):
            text = path.read_text(encoding="utf-8")
            value = json.loads(text)
            if isinstance(value, dict) and "resourceType" in value:
                yield Job(path.relative_to(ROOT).as_posix(), text)


def goldens() -> Iterator[Job]:
    """A job for each outermost resource in each golden, named by file and place.

    A request that its golden shows to be refused is left out: it is broken on purpose.
    """
    for path in sorted([*GOLDEN.rglob("*.json"), *GOLDEN.rglob("*.ndjson")]):
        texts = (
            path.read_text(encoding="utf-8").split("\n")
            if path.suffix == ".ndjson"
            else [path.read_text("utf-8")]
        )
        values = [json.loads(text, parse_float=Decimal) for text in texts if text.strip()]
        if _is_refused_request(path):
            continue
        for number, value in enumerate(values):
            name = path.relative_to(ROOT).as_posix() + (f":{number + 1}" if len(values) > 1 else "")
            yield from resources(name, value)


def resources(name: str, value: Any) -> Iterator[Job]:
    """A job for each outermost resource in any JSON value; a refused exchange gives only its answer."""
    if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        yield Job(name, value)
    elif isinstance(value, dict):
        refused = "request" in value and _refuses(value.get("response"))
        for key, inner in value.items():
            if not (refused and key == "request"):
                yield from resources(f"{name}#{key}", inner)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from resources(f"{name}#{position}", inner)


def _is_refused_request(path: Path) -> bool:
    answer = path.with_name(path.name.replace(".in.", ".out."))
    return (
        ".in." in path.name and answer.exists() and _refuses(json.loads(answer.read_text(encoding="utf-8")))
    )


def _refuses(answer: Any) -> bool:
    """Whether an answer, bare or under ``body``, is an OperationOutcome with an error."""
    if isinstance(answer, dict) and "resourceType" not in answer and isinstance(answer.get("body"), dict):
        answer = answer["body"]
    return (
        isinstance(answer, dict)
        and answer.get("resourceType") == "OperationOutcome"
        and any(issue.get("severity") in {"error", "fatal"} for issue in answer.get("issue", ()))
    )
