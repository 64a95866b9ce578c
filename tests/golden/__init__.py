"""Goldens: whole exchanges in pairs, ``<guidance>/<journey>/<case>.in.json`` and ``.out.json``.

A request is an object with ``says`` (what the case shows), ``method``, ``url``, ``body`` (a resource) or
``text`` (bytes that are no resource), ``headers`` beyond the media type, and ``before``: requests that are
answered first. One of CDS Hooks or of reports goes as application/json. An answer is its ``status``, the
``headers`` that say something of the resource, and ``body``, or ``text`` by line where it is no JSON.
Clock and ids are fixed, and nothing is given up because it takes long, so that an answer is the same every
time and on every machine, to the last digit of a decimal.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.adapters import content as published
from service.adapters import records
from service.adapters.clerk.inside import Inside
from service.app import build, open_desk
from service.fhir.json_text import encode
from service.operations.report.renderings import make_renderers
from service.settings import Settings
from service.web.tracing import Metrics
from tests.patience import PATIENCE
from tests.web.conftest import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

FOLDER = Path(__file__).parent
FHIR_JSON = "application/fhir+json"
REPORTS = "/reports"
HOOKS = "/cds-services"
SETTINGS = Settings(
    database_url="sqlite://", base_url="https://htg117.example", hook_records="threads", **PATIENCE
)
BEGIN = datetime(2026, 8, 1, 9, 0, tzinfo=UTC)
STEP = timedelta(hours=1)
TOLD = ("content-type", "content-location", "etag", "location", "retry-after", "allow")
_MARK = "decimal:"


@dataclass(frozen=True, slots=True)
class Golden:
    """One pair of files."""

    request: Path
    answer: Path

    def __str__(self) -> str:
        """The test's name."""
        return self.request.relative_to(FOLDER).as_posix().removesuffix(".in.json")


def pairs() -> Iterator[Golden]:
    """Every pair, by its request."""
    for path in sorted(FOLDER.rglob("*.in.json")):
        yield Golden(path, path.with_name(path.name.replace(".in.json", ".out.json")))


def unpaired() -> list[str]:
    """The files that are no half of a pair."""
    held = {path for golden in pairs() for path in (golden.request, golden.answer) if path.exists()}
    halves = {golden.request for golden in pairs() if not golden.answer.exists()}
    found = {path for path in FOLDER.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    return sorted(str(path.relative_to(FOLDER)) for path in (found - held) | halves)


def read(path: Path) -> dict[str, Any]:
    """A golden's value, decimals as they are written."""
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return value


def pretty(value: Any) -> str:
    """JSON for reading, every decimal with the digits that it has."""
    text = json.dumps(_marked(value), indent=2, ensure_ascii=False)
    return re.sub(rf'"{_MARK}([^"]*)"', r"\1", text) + "\n"


def _marked(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{_MARK}{value}"
    if isinstance(value, dict):
        return {key: _marked(inner) for key, inner in value.items()}
    return [_marked(inner) for inner in value] if isinstance(value, list) else value


@contextmanager
def service() -> Iterator[Client]:
    """The service on the published content, for as long as the block; each golden gets records of its own."""
    with Client(build(SETTINGS, published.load())) as client:
        yield client


def answer(golden: Golden, client: Client, folder: Path) -> dict[str, Any]:
    """What the service answers to a golden's request, the records in a folder of its own."""
    asked = read(golden.request)
    app = client.app
    numbers, others = itertools.count(1), itertools.count(1)
    moments = (BEGIN + STEP * step for step in itertools.count())
    store = records.connect(f"sqlite:///{folder}/records.sqlite3")
    composed, desk = app.state.services, app.state.desk
    now = [BEGIN]
    app.state.services = held = dataclasses.replace(
        composed,
        records=store,
        clock=lambda: now[0],
        new_id=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}",
    )
    desk_of_reports = dataclasses.replace(
        held.reports,
        records=store,
        clock=held.clock,
        new_id=lambda: f"00000000-0000-4000-8001-{next(others):012d}",
        renderers=make_renderers(held.content, held.clock),
    )
    app.state.services = held = dataclasses.replace(held, reports=desk_of_reports)
    try:
        steps = [*asked.get("before", ()), asked]
        if any(one["url"].startswith(HOOKS) for one in steps):
            app.state.desk = open_desk(SETTINGS, held, Metrics(), Inside(store))
        for now[0], one in zip(moments, steps, strict=False):
            given = _send(client, one)
            if one is not asked:
                assert given.status_code < 400, f"{golden}: a request before failed: {given.text}"
        return _told(given)
    finally:
        if app.state.desk is not desk:
            client.run(app.state.desk.close())
        app.state.services, app.state.desk = composed, desk
        store.close()


def _send(client: Client, one: dict[str, Any]) -> httpx.Response:
    body = one["text"].encode("utf-8", "surrogatepass") if "text" in one else None
    if "body" in one:
        body = encode(one["body"])
    kind = "application/json" if one["url"].startswith((HOOKS, REPORTS)) else FHIR_JSON
    headers = {"Content-Type": kind} if body is not None else {}
    found: httpx.Response = client.request(
        one["method"], one["url"], content=body, headers=headers | one.get("headers", {})
    )
    return found


def _told(given: httpx.Response) -> dict[str, Any]:
    headers = {name: given.headers[name] for name in TOLD if name in given.headers}
    made: dict[str, Any] = {"status": given.status_code}
    if headers:
        made["headers"] = headers
    if given.content and "json" in given.headers["content-type"]:
        made["body"] = json.loads(given.text, parse_float=Decimal)
    elif given.content:
        made["text"] = given.text.split("\n")
    return made
