"""A service that holds one procedure form with a leak and a near miss, and the reports of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.conftest import FHIR_JSON, resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.conftest import Client

GOLDEN = Path(__file__).parents[2] / "golden" / "htg117" / "submit" / "procedure-with-event.in.json"


def the_form() -> dict[str, Any]:
    """The procedure form."""
    body: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))["body"]
    return body


def with_narrative(text: str) -> dict[str, Any]:
    """The form with words about what happened in its first event."""
    form = the_form()
    event = next(item for item in form["item"] if item["linkId"] == "event")
    event["item"] = [one for one in event["item"] if one["linkId"] != "event.narrative"]
    event["item"].append({"linkId": "event.narrative", "answer": [{"valueString": text}]})
    return form


def events_of(client: Client, form: dict[str, Any]) -> list[str]:
    """Submits the form; its AdverseEvents as references, in the form's order."""
    answer = client.post("/fhir/QuestionnaireResponse/$submit", json=form, headers=FHIR_JSON)
    assert answer.status_code == 200, answer.text
    return [f"AdverseEvent/{one['id']}" for one in resources(answer) if one["resourceType"] == "AdverseEvent"]


@pytest.fixture
def made(client: Client) -> Callable[..., list[dict[str, Any]]]:
    """Makes the reports of a form's events: the summaries, the leak's first."""

    def make(form: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        found = []
        for event in events_of(client, form or the_form()):
            answer = client.post("/reports", json={"event": event, "by": "Dr A Example"})
            assert answer.status_code == 200, answer.text  # it was drafted with the form
            found += answer.json()["reports"]
        return found

    return make
