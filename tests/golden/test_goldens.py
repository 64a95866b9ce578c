"""Every golden on the real service over HTTP: the whole answer, with headers, digits and order of keys."""

from __future__ import annotations

import os
import re
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from service.adapters.records import Store
from service.app import log_to
from service.fhir.resources import plain, typed
from tests.conformance.documents import goldens
from tests.golden import answer, pairs, pretty, read, service, unpaired

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.golden import Golden
    from tests.web.conftest import Client

GOLDENS = list(pairs())
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT.+")
RESOURCES = {job.id: job.document for job in goldens()}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        log_to(nowhere, "error")
        yield
    structlog.reset_defaults()


def test_every_file_is_one_half_of_a_pair() -> None:
    assert unpaired() == []
    assert {path.parts[-2] for path in (golden.request for golden in GOLDENS)} == {
        "submit", "extract", "populate", "apply", "errors", "reports", "hooks",
    }  # fmt: skip


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with service() as made:
        yield made


@pytest.mark.parametrize("golden", GOLDENS, ids=str)
def test_the_answer_is_the_golden_to_the_letter(golden: Golden, client: Client, tmp_path: Path) -> None:
    assert pretty(answer(golden, client, tmp_path)) == golden.answer.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["hooks/order-dispatch-criteria-met", "hooks/patient-view-"])
def test_records_that_take_long_change_no_answer(
    name: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that is busy they do; the service as it is told to be waits for 0.1 s."""
    golden = next(one for one in GOLDENS if name in str(one))
    for asked in ("subjects", "search"):
        monkeypatch.setattr(Store, asked, _late(getattr(Store, asked)))
    assert pretty(answer(golden, client, tmp_path)) == golden.answer.read_text(encoding="utf-8")


def _late(work: Callable[..., Any]) -> Callable[..., Any]:
    def late(*given: Any) -> Any:
        time.sleep(0.2)
        return work(*given)

    return late


@pytest.mark.parametrize("golden", GOLDENS, ids=str)
def test_files_are_formatted_and_say_what_they_show(golden: Golden) -> None:
    asked = read(golden.request)
    assert golden.request.read_text(encoding="utf-8") == pretty(asked)
    assert asked["says"].strip() == asked["says"] != ""


@pytest.mark.parametrize("golden", [one for one in GOLDENS if "/errors/" in str(one.request)], ids=str)
def test_an_error_names_what_is_wrong_and_never_is_a_fault_of_the_service(golden: Golden) -> None:
    told = read(golden.answer)
    assert 400 <= told["status"] < 500
    assert told["body"]["resourceType"] == "OperationOutcome"
    assert any(issue["severity"] in ("error", "fatal") for issue in told["body"]["issue"])


@pytest.mark.parametrize("name", list(RESOURCES))
def test_typed_models_read_each_resource_and_lose_nothing(name: str) -> None:
    resource = RESOURCES[name]
    assert isinstance(resource, dict)
    assert _meant(plain(typed(resource))) == _meant(resource)


def _meant(node: Any) -> Any:
    """What a value means: the models write numbers and moments in their own way."""
    if isinstance(node, dict):
        return {key: _meant(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_meant(part) for part in node]
    return datetime.fromisoformat(node) if isinstance(node, str) and _MOMENT.fullmatch(node) else node
