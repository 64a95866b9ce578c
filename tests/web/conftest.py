"""The application in-process, on its published content and an empty SQLite file."""

from __future__ import annotations

import asyncio
import os
from functools import partialmethod
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx
import pytest
import structlog

from service.app import build, log_to
from service.settings import Settings
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

    from starlette.applications import Starlette

T = TypeVar("T")
BASE = "https://htg117.example/fhir"
FHIR_JSON = {"Content-Type": "application/fhir+json"}


class Client:
    """Requests to an application in-process, one after the other, its start and stop included."""

    def __init__(self, app: Starlette) -> None:
        """Takes the application; nothing runs yet."""
        self.app = app
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver")
        self._life = app.router.lifespan_context(app)

    def __enter__(self) -> Self:
        """Starts the application."""
        self._runner.run(self._life.__aenter__())
        return self

    def __exit__(self, *raised: object) -> None:
        """Stops it."""
        self._runner.run(self._http.aclose())
        self._runner.run(self._life.__aexit__(None, None, None))
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work comes to, on the application's event loop."""
        return self._runner.run(work)

    def request(self, method: str, url: str, **rest: Any) -> httpx.Response:
        """The answer to one request."""
        return self._runner.run(self._http.request(method, url, **rest))

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        log_to(nowhere, "error")
        yield
    structlog.reset_defaults()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of a fresh service."""
    app = build(Settings(database_url=f"sqlite:///{tmp_path}/records.sqlite3", **PATIENCE))
    with Client(app) as made:
        yield made


def coded(link: str, code: str, system: str) -> dict[str, Any]:
    """One item answered with a coding of the project's own."""
    return {
        "linkId": link,
        "answer": [{"valueCoding": {"system": f"{BASE}/CodeSystem/{system}", "code": code}}],
    }


def yes(link: str) -> dict[str, Any]:
    """One item answered with true."""
    return {"linkId": link, "answer": [{"valueBoolean": True}]}


def eligibility(**more: Any) -> dict[str, Any]:
    """A completed eligibility form of a synthetic patient with every criterion met."""
    status = "htg117-treatment-status"
    form: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": "https://ehr.example.org/forms", "value": "f-1"},
        "questionnaire": f"{BASE}/Questionnaire/htg117-eligibility|2006.1.0",
        "status": "completed",
        "subject": {"reference": "https://ehr.example.org/fhir/Patient/9990000018"},
        "authored": "2026-07-01T10:00:00+01:00",
        "item": [
            coded("lesion.nature", "bone-metastasis", "htg117-lesion-nature"),
            coded("lesion.site", "femur", "htg117-bone-site"),
            yes("pain.present"),
            {"linkId": "pain.score", "answer": [{"valueDecimal": 8}]},
            coded("aim", "reduce-pain", "htg117-aim"),
            coded("treatment.analgesia", "failed", status),
            coded("treatment.radiotherapy", "failed", status),
            {"linkId": "treatment.radiotherapy.last-fraction", "answer": [{"valueDate": "2026-06-01"}]},
            coded("mdt.outcome", "selected", "htg117-mdt-outcome"),
            yes("arrangements.consent"),
            yes("arrangements.audit"),
            yes("arrangements.governance"),
            yes("technique.fluoroscopy"),
        ],
    }
    return form | more


def resources(answer: httpx.Response) -> list[dict[str, Any]]:
    """The resources of a Bundle that was answered."""
    return [entry["resource"] for entry in answer.json().get("entry", ())]
