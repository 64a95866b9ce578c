"""Forms submitted over HTTP reach the EHR through the outbox: it is down, a worker is killed, in order."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from service import app as application
from service import outgoing
from service.adapters import content as published
from service.adapters import records
from service.adapters.ehr.faults import DOWN, RESTING
from service.domain.errors import Unavailable
from service.operations.outbox import Fate
from service.settings import Settings
from tests.adapters.ehr.keeping import Keeping
from tests.adapters.ehr.test_write_back import KEPT, KEY, form
from tests.web.conftest import FHIR_JSON, Client
from tests.web.test_process import serving

if TYPE_CHECKING:
    from asyncio import StreamWriter
    from collections.abc import Iterator
    from pathlib import Path

    from service.adapters.records import Store
    from tests.adapters.ehr.peer import Request

SUBMIT = "/fhir/QuestionnaireResponse/$submit"


@pytest.fixture
def ehr() -> Iterator[Keeping]:
    with Keeping(KEY) as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path, ehr: Keeping) -> Settings:
    (tmp_path / "key.json").write_text(json.dumps(KEY.as_dict(private=True)), encoding="utf-8")
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}), encoding="utf-8")
    (tmp_path / "clients.toml").write_text(
        f"""
        [royal]
        issuer = "https://ehr.royal.example"
        jwks = "keys.json"
        servers = ["{ehr.base}"]
        local_references = true
        [royal.backend]
        server = "{ehr.base}"
        client_id = "htg117"
        token_url = "{ehr.token_url}"
        key = "key.json"
        write_back = true
        """,
        encoding="utf-8",
    )
    return Settings(
        database_url=f"sqlite:///{tmp_path}/records.sqlite3", clients=str(tmp_path / "clients.toml")
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = records.connect(settings.database_url)
    yield opened
    opened.close()


def submit(settings: Settings, store: Store, *forms: dict[str, Any]) -> list[int]:
    """The statuses of forms submitted over HTTP; nothing is delivered meanwhile."""
    built = application.build(settings, store=store)
    http = Client(built)  # its lifespan, and so its worker, is not begun
    answers = [http.post(SUBMIT, headers=FHIR_JSON, content=json.dumps(one)).status_code for one in forms]
    http._runner.close()
    return answers


def deliver(settings: Settings, store: Store, later: timedelta = timedelta(0)) -> int:
    """How many attempts a worker makes now, or later on."""
    held = application.compose(
        settings, published.load(), store, ThreadPoolExecutor(1), records.Outbox(store)
    )
    object.__setattr__(held, "clock", lambda: datetime.now(UTC) + later)
    return outgoing.deliver(settings, held, lambda: 0.5, time.monotonic, Event(), until_empty=True)


def fates(store: Store) -> list[Fate]:
    return [one.fate for one in records.Outbox(store).page()[0]]


def test_a_form_waits_while_the_ehr_is_down_and_arrives_once_it_is_up(
    settings: Settings, store: Store, ehr: Keeping
) -> None:
    ehr.down = True
    assert submit(settings, store, form()) == [200]
    assert deliver(settings, store) == 1
    assert (fates(store), ehr.count()) == ([Fate.WAITING], {})
    ehr.down = False
    assert deliver(settings, store, timedelta(minutes=5)) == 1
    assert (fates(store), ehr.count()) == ([Fate.DELIVERED], KEPT)
    assert deliver(settings, store, timedelta(minutes=10)) == 0


def test_a_worker_killed_after_the_ehr_took_it_leaves_nothing_twice(
    settings: Settings, store: Store, ehr: Keeping
) -> None:
    submit(settings, store, form())
    held = application.compose(
        settings, published.load(), store, ThreadPoolExecutor(1), records.Outbox(store)
    )
    couriers = outgoing.open_couriers(held, lambda: 0.5, time.monotonic)
    assert couriers is not None
    now = datetime.now(UTC)
    (claim,) = records.Outbox(store).claim(["ehr:royal"], now, timedelta(minutes=1), 5)
    couriers.by_channel["ehr:royal"].deliver(claim.message)  # and then nobody notes it
    couriers.close()
    assert (ehr.count(), fates(store)) == (KEPT, [Fate.CLAIMED])
    assert deliver(settings, store, timedelta(minutes=2)) == 1
    assert (ehr.count(), fates(store)) == (KEPT, [Fate.DELIVERED])


def test_a_wall_clock_that_is_set_back_leaves_no_ehr_alone_for_longer(
    settings: Settings, store: Store, ehr: Keeping
) -> None:
    submit(settings, store, form())
    held = application.compose(
        settings, published.load(), store, ThreadPoolExecutor(1), records.Outbox(store)
    )
    now, seconds = [datetime.now(UTC)], [1000.0]
    object.__setattr__(held, "clock", lambda: now[0])
    couriers = outgoing.open_couriers(held, lambda: 0.0, lambda: seconds[0])
    assert couriers is not None
    courier = couriers.by_channel["ehr:royal"]
    (claim,) = held.outbox.claim(["ehr:royal"], now[0], timedelta(minutes=1), 5)
    ehr.__exit__()
    reasons = []
    for at in range(8):
        if at == 6:  # the wall clock is set back while the EHR is left alone
            now[0] -= timedelta(hours=1)
        if at == 7:
            seconds[0] += 11
        with pytest.raises(Unavailable) as raised:
            courier.deliver(claim.message)
        reasons.append(str(raised.value))
    couriers.close()
    assert reasons == [DOWN] * 5 + [RESTING] * 2 + [DOWN]


def test_amendments_arrive_in_their_order_whenever_they_are_sent(
    settings: Settings, store: Store, ehr: Keeping
) -> None:
    ehr.down = True
    submit(settings, store, form(), form(status="amended"), form(status="entered-in-error"))
    deliver(settings, store)
    ehr.down = False
    deliver(settings, store, timedelta(minutes=5))
    assert set(fates(store)) == {Fate.DELIVERED}
    assert len(fates(store)) == 3
    (answered,) = ehr.kept["QuestionnaireResponse"].values()
    assert answered["status"] == "entered-in-error"
    assert set(ehr.count().values()) == {1}


def test_the_running_service_delivers_beside_its_requests(settings: Settings, ehr: Keeping) -> None:
    with Client(application.build(settings)) as http:
        assert http.post(SUBMIT, headers=FHIR_JSON, content=json.dumps(form())).status_code == 200
        for _ in range(200):
            if ehr.count() == KEPT:
                break
            Event().wait(0.05)
    assert ehr.count() == KEPT


def test_a_process_killed_while_the_ehr_answers_leaves_nothing_twice_and_nothing_lost(
    settings: Settings, tmp_path: Path, ehr: Keeping
) -> None:
    taken = Event()

    async def take_and_keep_silent(request: Request, writer: StreamWriter) -> None:
        ehr.take(json.loads(request.body))
        taken.set()
        await asyncio.sleep(60)

    whole = ehr.routes["/fhir"]
    ehr.on("", take_and_keep_silent)
    with serving(tmp_path / "records.sqlite3", HTG117_CLIENTS=settings.clients) as (process, address):
        assert httpx.post(f"{address}{SUBMIT}", headers=FHIR_JSON, json=form()).status_code == 200
        assert taken.wait(30)
        process.kill()
        process.wait()
    assert ehr.count() == KEPT
    ehr.on("", whole)
    store = records.connect(settings.database_url)
    assert fates(store) == [Fate.CLAIMED]
    assert deliver(settings, store, timedelta(hours=1)) == 1
    assert (fates(store), ehr.count()) == ([Fate.DELIVERED], KEPT)
    store.close()


def test_synthetic_examples_are_never_sent(settings: Settings, store: Store, ehr: Keeping) -> None:
    assert application.load_examples(application.build(settings, store=store)) > 0
    assert fates(store) == []
    assert deliver(settings, store) == 0
    assert ehr.requests == []
