"""Who may call how often, and from which web pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from service.app import build
from service.settings import Settings
from service.web.errors import TooMany
from service.web.hooks.limits import Buckets, Used
from tests.web.conftest import Client
from tests.web.hooks.asking import BASE, SIGN, bearer, sign
from tests.web.hooks.conftest import hook_up
from tests.web.hooks.test_calling import told
from tests.web.hooks.test_tokens import now, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.hooks.conftest import Adviser

ORIGIN = "https://ehr.example.org"


@given(rate=some.integers(1, 50), steps=some.lists(some.floats(0, 5), max_size=200))
def test_a_client_is_let_through_no_oftener_than_its_rate(rate: int, steps: list[float]) -> None:
    clock = [0.0]
    buckets, through = Buckets(rate, lambda: clock[0]), 0
    for step in steps:
        clock[0] += step
        try:
            buckets.check("a")
        except TooMany as fault:
            assert 1 <= fault.seconds <= 60
        else:
            through += 1
        assert through <= rate + clock[0] * rate / 60 + 1e-6
    buckets.check("b")  # another client's calls cost this one nothing


def test_without_a_rate_there_is_no_limit() -> None:
    buckets = Buckets(0, lambda: 0.0)
    for _ in range(1000):
        buckets.check("a")


def test_a_token_is_forgotten_once_it_has_expired_and_not_before() -> None:
    clock = [100.0]
    used = Used(lambda: clock[0])
    assert used.use("a", "1", 200)
    assert used.use("b", "1", 200)
    clock[0] = 200.0
    assert not used.use("a", "1", 300)
    clock[0] = 200.5
    assert used.use("a", "1", 300)


def test_memory_for_used_tokens_has_a_bound() -> None:
    used = Used(lambda: 0.0, most=10)
    for number in range(100):
        assert used.use("a", str(number), 1000 + number // 7)
        assert len(used) == min(number + 1, 10)
    assert not used.use("a", "99", 2000)


@given(
    some.lists(
        some.tuples(some.sampled_from("ab"), some.integers(0, 5), some.integers(0, 40), some.integers(0, 8)),
        max_size=60,
    )
)
def test_a_token_is_taken_once_in_its_time_whatever_else_is_used(
    calls: list[tuple[str, int, int, int]],
) -> None:
    clock = [0]
    used, known = Used(lambda: clock[0]), dict[tuple[str, int], int]()
    for issuer, number, lasts, passes in calls:
        clock[0] += passes
        held = known.get((issuer, number), -1) >= clock[0]
        assert used.use(issuer, str(number), clock[0] + lasts) == (not held)
        if not held:
            known[issuer, number] = clock[0] + lasts
        assert len(used) == sum(end >= clock[0] for end in known.values())


def test_who_calls_too_often_is_told_when_to_come_back(tmp_path: Path, adviser: Adviser) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/r.sqlite3", rate_limit=2)
    with Client(build(settings)) as client:
        hook_up(client, adviser)
        for _ in range(2):
            assert client.post(SIGN, json=sign()).status_code == 200
        answer = client.post(SIGN, json=sign())
        assert (answer.status_code, told(answer)) == (429, [("throttled", "")])
        assert 1 <= int(answer.headers["retry-after"]) <= 30
        assert client.get("/fhir/metadata").status_code == 200


def test_bad_tokens_from_one_address_do_not_use_up_a_clients_rate(tmp_path: Path, adviser: Adviser) -> None:
    with serving(tmp_path, adviser, rate_limit=3) as client:
        found = [client.post(SIGN, json=sign()).status_code for _ in range(5)]
        assert found == [401, 401, 401, 429, 429]
        good = client.post(SIGN, json=sign(), headers=bearer(now(), f"{BASE}{SIGN}"))
        assert good.status_code == 429  # the same address
    with serving(tmp_path, adviser, rate_limit=3) as client:
        for _ in range(3):
            good = client.post(SIGN, json=sign(), headers=bearer(now(), f"{BASE}{SIGN}"))
            assert good.status_code == 200
        good = client.post(SIGN, json=sign(), headers=bearer(now(), f"{BASE}{SIGN}"))
        assert good.status_code == 429


def preflight(client: Client, path: str, **more: str) -> Any:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return client.request("OPTIONS", path, headers=headers | more)


@pytest.mark.requirement(
    "Cross-Origin Resource Sharing: browser-based clients are served where they are listed"
)
def test_a_listed_page_may_call_and_asks_beforehand_without_a_token(tmp_path: Path, adviser: Adviser) -> None:
    with serving(tmp_path, adviser, cors_origins=(ORIGIN,)) as client:
        asked = preflight(client, SIGN)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-credentials" not in asked.headers
        assert "authorization" in asked.headers["access-control-allow-headers"].lower()
        headers = bearer(now(), f"{BASE}{SIGN}") | {"Origin": ORIGIN}
        answer = client.post(SIGN, json=sign(), headers=headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
        refused = client.post(SIGN, json=sign(), headers={"Origin": ORIGIN})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)


def test_other_pages_and_other_addresses_are_not_opened(tmp_path: Path, adviser: Adviser) -> None:
    with serving(tmp_path, adviser, cors_origins=(ORIGIN,)) as client:
        assert preflight(client, SIGN, Origin="https://evil.example.org").status_code == 400
        assert "access-control-allow-origin" not in preflight(client, "/fhir/Observation").headers
        answer = client.get("/fhir/metadata", headers={"Origin": ORIGIN})
        assert "access-control-allow-origin" not in answer.headers


def test_without_the_setting_no_page_may_call(client: Client) -> None:
    asked = preflight(client, SIGN)
    assert asked.status_code == 405
    assert "access-control-allow-origin" not in asked.headers


def test_an_id_may_be_any_text() -> None:
    used = Used(lambda: 0.0)
    assert [used.use("a", one, 1) for one in ("\ud800", "\ud800", "x" * 500)] == [True, False, True]
