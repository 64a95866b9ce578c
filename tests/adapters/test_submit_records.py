"""Forms submitted at once to one store, on each database: each stored once, whole, and by the same ids."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from service import app
from service.adapters import content as published
from service.adapters.records import Outbox
from service.fhir.json_text import decode
from service.operations.searching.query import parse
from service.operations.submit import Sent, submit
from service.settings import Settings
from tests.web.conftest import eligibility

if TYPE_CHECKING:
    from service.adapters.records import Store
    from service.operations.submit import Submission
    from service.web.services import Services

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def services(store: Store) -> Services:
    return app.compose(Settings(), published.load(), store, ThreadPoolExecutor(1), Outbox(store))


def send(held: Services, form: dict[str, Any]) -> Submission:
    body = json.dumps(form).encode()
    document = decode(body)
    return submit(
        Sent(document, document.resource, body), held.records, held.content, held.act, now=held.clock()
    )


def ids(made: Submission) -> list[str]:
    return [one.reference for one in made.versions]


def test_one_form_sent_many_times_at_once_is_stored_once(store: Store) -> None:
    held = services(store)
    with ThreadPoolExecutor(8) as clients:
        made = list(clients.map(lambda _: send(held, eligibility()), range(16)))
    assert [ids(one) for one in made] == [ids(made[0])] * 16
    assert sum(one.fresh for one in made) == 1
    assert store.search(parse("Provenance", [("_count", "0")])).total == 1
    assert all(version.version == 1 for version in made[0].versions)


def test_many_forms_at_once_are_each_stored_whole(store: Store) -> None:
    held = services(store)
    named = [{"system": "https://ehr.example.org/forms", "value": f"f-{number}"} for number in range(24)]
    with ThreadPoolExecutor(8) as clients:
        made = list(clients.map(lambda one: send(held, eligibility(identifier=one)), named))
    assert len({reference for one in made for reference in ids(one)}) == 24 * 5
    for type_ in ("QuestionnaireResponse", "Observation", "GuidanceResponse", "CarePlan", "Provenance"):
        assert store.search(parse(type_, [("_count", "0")])).total == 24


def test_amendments_at_once_follow_each_other(store: Store) -> None:
    held = services(store)
    send(held, eligibility())

    def amend(number: int) -> Submission:
        form = eligibility(status="amended")
        form["item"][3]["answer"][0]["valueDecimal"] = number
        return send(held, form)

    with ThreadPoolExecutor(4) as clients:
        made = list(clients.map(amend, range(1, 5)))
    assert sorted(one.versions[0].version for one in made) == [2, 3, 4, 5]
    assert store.search(parse("Provenance", [("_count", "0")])).total == 5
