"""The record read from a real server on a socket: what comes through, and what is unknown, and why."""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog

from service.adapters.ehr import Ehrs, faults
from service.adapters.ehr.retries import Retries
from service.adapters.ehr.search import Bounds
from service.cds.model import Access, Unread
from service.operations.clients import Client
from tests.adapters.ehr import peer as fhir
from tests.adapters.ehr.peer import (
    after,
    always,
    condition,
    dropping,
    in_turn,
    outcome,
    packed,
    reply,
    searchset,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.adapters.ehr.peer import Peer, Request

TOKEN = "the-clinicians-own-token"
ANOTHERS = {
    "resourceType": "Condition",
    "id": "a",
    "subject": {"reference": "https://x.example/fhir/Patient/2/_history/3"},
}
PATIENT = {"resourceType": "Patient", "id": "1"}


def ehrs(**more: Any) -> Ehrs:
    return Ehrs(
        clock=lambda: datetime.now(UTC), monotonic=time.monotonic, new_id=lambda: str(uuid.uuid4()),
        retries=Retries(first=0.01), **more,
    )  # fmt: skip


def client(server: str, **more: Any) -> Client:
    return Client(
        "royal", "https://ehr.example.org", jku="https://ehr.example.org/keys", servers=(server,), **more
    )


def read(
    server: str, queries: Mapping[str, str], *, seconds: float = 5.0, listed: str | None = None,
    scopes: str = "", **more: Any,
) -> Mapping[str, Any]:  # fmt: skip
    """What one call reads from the server."""

    async def run() -> Mapping[str, Any]:
        pool = ehrs(**more)
        try:
            access = Access(server, TOKEN, frozenset(scopes.split()))
            return await pool.of(client(listed or server)).read(access, queries, seconds)
        finally:
            await pool.close()

    return asyncio.run(run())


def one(peer: Peer, query: str = "Condition?patient=1", **more: Any) -> Any:
    return read(peer.base, {"k": query}, **more)["k"]


def unread(reason: str, *, title: str = "Condition", denied: bool = False) -> Unread:
    return Unread("k", title, reason, denied)


def entries(*resources: Any) -> dict[str, Any]:
    made = searchset(*resources)
    made.pop("link", None)
    return made


def test_a_resource_and_a_search_are_read_together(peer: Peer) -> None:
    peer.on("/Patient/1", reply(PATIENT))
    peer.on("/Condition", reply(searchset(condition("a"), condition("b"))))
    found = read(peer.base, {"patient": "Patient/1", "conditions": "Condition?patient=1&code=a|b,c|d"})
    assert found == {"patient": PATIENT, "conditions": entries(condition("a"), condition("b"))}
    assert {request.target for request in peer.requests} == {
        "/fhir/Patient/1", "/fhir/Condition?patient=1&code=a%7Cb,c%7Cd"
    }  # fmt: skip


def test_nothing_asked_is_nothing_read(peer: Peer) -> None:
    assert read(peer.base, {}) == {}
    assert peer.requests == []


@pytest.mark.requirement(
    "FHIR Resource Access: the access token is sent as a bearer token to the FHIR server alone"
)
def test_a_request_carries_the_token_what_it_takes_and_ids(peer: Peer) -> None:
    peer.on("/Patient/1", reply(PATIENT))
    peer.on("/Condition", reply(searchset()))
    read(peer.base, {"a": "Patient/1", "b": "Condition?patient=1"})
    headers = [request.headers for request in peer.requests]
    assert [
        (one["authorization"], one["accept"], one["accept-encoding"], one["user-agent"]) for one in headers
    ] == [(f"Bearer {TOKEN}", "application/fhir+json", "gzip, identity", "htg117")] * 2
    assert len({uuid.UUID(one["x-request-id"]) for one in headers}) == 2
    assert len({uuid.UUID(one["x-correlation-id"]) for one in headers}) == 1


def test_all_pages_are_one_searchset_and_none_comes_twice(peer: Peer) -> None:
    async def serve(request: Request, writer: Any) -> None:
        at = int(request.search.get("page", ["0"])[0])
        links = [f"{peer.base}/Condition?page=1", f"{peer.base}?page=2", "?page=3", None]
        writer.write(reply(searchset(condition(str(at)), condition(str(at + 1)), following=links[at])))

    peer.on("/Condition", serve)
    peer.on("", serve)
    peer.on("/", serve)
    assert one(peer) == entries(*(condition(str(at)) for at in range(5)))
    assert len(peer.requests) == 4


def test_a_search_that_finds_nothing_is_empty_and_no_fault(peer: Peer) -> None:
    peer.on("/Condition", reply({"resourceType": "Bundle", "type": "searchset", "total": 0}))
    assert one(peer) == {"resourceType": "Bundle", "type": "searchset"}


def test_what_a_server_found_and_did_not_give_is_told(peer: Peer) -> None:
    """An empty page of four was taken for a patient without any."""
    peer.on("/Condition", reply({"resourceType": "Bundle", "type": "searchset", "total": 4}))
    assert one(peer) == {"resourceType": "Bundle", "type": "searchset", "total": 4}
    peer.on("/Condition", reply(searchset(condition("a")) | {"total": 2}))
    assert one(peer) == entries(condition("a")) | {"total": 2}


@pytest.mark.parametrize("total", [0, 1, 2, 3, True, "9", None, [9]])
def test_a_total_that_counts_remarks_or_is_none_tells_nothing(peer: Peer, total: Any) -> None:
    page = searchset(condition("a"), outcome("information"), condition("b")) | {"total": total}
    peer.on("/Condition", reply(page))
    assert one(peer) == entries(condition("a"), condition("b"))


def test_decimals_stay_as_they_were_written(peer: Peer) -> None:
    peer.on(
        "/Observation/o", reply(b'{"resourceType":"Observation","id":"o","valueQuantity":{"value":6.30}}')
    )
    found = one(peer, "Observation/o")["valueQuantity"]["value"]
    assert (found, str(found)) == (Decimal("6.30"), "6.30")


def test_compressed_answers_are_read(peer: Peer) -> None:
    peer.on("/Condition", packed(searchset(condition("a"))))
    assert one(peer) == entries(condition("a"))


def test_what_an_included_resource_says_is_kept(peer: Peer) -> None:
    practitioner = {"resourceType": "Practitioner", "id": "p"}
    page = searchset(condition("a"))
    page["entry"].append({"resource": practitioner, "search": {"mode": "include"}})
    peer.on("/Condition", reply(page))
    assert one(peer) == page


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(b"<html>busy</html>", kind="text/html"), faults.NOT_FHIR),
        (reply(b"<html>busy</html>"), faults.BROKEN),
        (reply(b""), faults.BROKEN),
        (reply(b'{"resourceType": "Bundle", "type": "sear'), faults.BROKEN),
        (reply(b'{"resourceType": "Bundle", "resourceType": "Bundle"}'), faults.BROKEN),
        (reply(b'{"a": NaN}'), faults.BROKEN),
        (reply(b"[]"), faults.BROKEN),
        (reply(b"\xff\xfe{}"), faults.BROKEN),
        (reply(b'{"a":' * 200 + b"1" + b"}" * 200), faults.BROKEN),
        (reply(searchset(), kind="application/fhir+xml"), faults.NOT_FHIR),
        (reply(searchset(), kind=""), faults.NOT_FHIR),
        (reply(searchset(), kind="application/fhir+json; charset=iso-8859-1"), faults.NOT_FHIR),
        (reply(searchset(), kind="application/fhir+json; fhirVersion=5.0"), faults.NOT_FHIR),
        (reply(searchset(), headers={"Content-Encoding": "br"}), faults.NOT_FHIR),
        (reply(b"not gzip", headers={"Content-Encoding": "gzip"}), faults.BROKEN),
        (reply(packed(searchset())[-40:-8], headers={"Content-Encoding": "gzip"}), faults.BROKEN),
        (reply(outcome("error")), faults.NOT_FHIR),
        (reply({"resourceType": "Bundle", "type": "collection"}), faults.NOT_FHIR),
        (reply({"resourceType": "Bundle", "type": "searchset", "entry": {}}), faults.NOT_FHIR),
        (reply({"resourceType": "Bundle", "type": "searchset", "entry": [1]}), faults.NOT_FHIR),
        (reply({"resourceType": "Bundle", "type": "searchset", "entry": [{}]}), faults.NOT_FHIR),
        (reply({"resourceType": "Bundle", "type": "searchset", "link": 1}), faults.NOT_FHIR),
        (reply(searchset({"resourceType": "Observation", "id": "x"})), faults.NOT_FHIR),
        (reply(searchset(condition("a"), outcome("error"))), faults.REPORTED),
        (reply(searchset({"resourceType": "OperationOutcome"})), faults.REPORTED),
        (reply(searchset(condition("a"), condition("b", "2"))), faults.OTHERS),
        (reply(searchset(ANOTHERS)), faults.OTHERS),
        (reply(outcome("error"), 400), faults.MISUNDERSTOOD),
        (reply(outcome("error"), 404), faults.MISSING),
        (reply(outcome("error"), 410), faults.MISSING),
        (reply(outcome("error"), 500), faults.FAILED),
        (reply(b"<html>", 502, "text/html"), faults.FAILED),
        (reply(outcome("error"), 503), faults.FAILED),
        (reply(outcome("error"), 429, headers={"Retry-After": "60"}), faults.BUSY),
        (reply(b"", 302, headers={"Location": "/fhir/Patient/1"}), faults.ELSEWHERE),
        (reply(b"", 307, headers={"Location": "http://127.0.0.1:1/"}), faults.ELSEWHERE),
        (reply(b"", 304), faults.ELSEWHERE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", faults.BROKEN),
        (b"this is not HTTP\r\n\r\n", faults.BROKEN),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_believed_is_unknown_with_its_reason(
    peer: Peer, answer: bytes, reason: str
) -> None:
    peer.on("/Condition", dropping(answer))
    peer.on("/Patient/1", reply(PATIENT))
    found = read(peer.base, {"k": "Condition?patient=1", "p": "Patient/1"})
    assert found == {"k": unread(reason), "p": PATIENT}


@pytest.mark.parametrize(("status", "reason"), [(401, faults.UNKNOWN_CALLER), (403, faults.DENIED)])
def test_a_refusal_is_told_apart_from_a_failure(peer: Peer, status: int, reason: str) -> None:
    peer.on("/Condition", reply(outcome("error"), status))
    assert one(peer) == unread(reason, denied=True)
    assert len(peer.requests) == 1


def test_warnings_in_a_search_are_kept_and_remarks_left_out(peer: Peer) -> None:
    peer.on("/Condition", reply(searchset(condition("a"), outcome("warning"), outcome("information"))))
    assert one(peer) == entries(condition("a"), outcome("warning"))


@pytest.mark.parametrize(
    ("query", "answer", "found"),
    [
        ("Patient/1", {"resourceType": "Patient", "id": "2"}, unread(faults.OTHERS, title="Patient")),
        ("Patient/1", {"resourceType": "Person", "id": "1"}, unread(faults.NOT_FHIR, title="Patient")),
        ("Patient/1", outcome("error"), unread(faults.NOT_FHIR, title="Patient")),
        ("Encounter/1", {"resourceType": "Encounter", "id": "9"}, unread(faults.NOT_FHIR, title="Encounter")),
        ("Patient?_id=1", searchset(PATIENT | {"id": "2"}), unread(faults.OTHERS, title="Patient")),
        ("Patient?_id=1", searchset(PATIENT), entries(PATIENT)),
    ],
)  # fmt: skip
def test_another_patients_data_is_never_taken(peer: Peer, query: str, answer: Any, found: Any) -> None:
    peer.on("/" + query.partition("?")[0], reply(answer))
    assert one(peer, query) == found


def test_what_is_late_is_unknown_and_the_rest_is_there_in_time(peer: Peer) -> None:
    peer.on("/Condition", after(5, reply(searchset(condition("a")))))
    peer.on("/Patient/1", reply(PATIENT))
    found = read(peer.base, {"k": "Condition?patient=1", "p": "Patient/1"}, seconds=0.3)
    assert found == {"k": unread(faults.SLOW), "p": PATIENT}


def test_a_body_that_trickles_is_late_too(peer: Peer) -> None:
    async def trickle(_request: Request, writer: Any) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 9999\r\n\r\n{"
        )
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    peer.on("/Condition", trickle)
    assert one(peer, seconds=0.2) == unread(faults.SLOW)


def test_a_search_cut_off_by_the_deadline_gives_no_part_of_it(peer: Peer) -> None:
    async def serve(request: Request, writer: Any) -> None:
        if request.search.get("page"):
            await asyncio.sleep(5)
        writer.write(reply(searchset(condition("a"), following=f"{peer.base}/Condition?page=1")))

    peer.on("/Condition", serve)
    assert one(peer, seconds=0.3) == unread(faults.SLOW)


def test_pages_for_ever_end(peer: Peer) -> None:
    async def serve(request: Request, writer: Any) -> None:
        at = int(request.search.get("page", ["0"])[0])
        writer.write(reply(searchset(condition(str(at)), following=f"{peer.base}/Condition?page={at + 1}")))

    peer.on("/Condition", serve)
    assert one(peer, bounds=Bounds(pages=4)) == unread(faults.MANY_PAGES)
    assert len(peer.requests) == 4


@pytest.mark.parametrize("bounds", [Bounds(size=500), Bounds(entries=2)])
def test_a_search_is_bounded_in_bytes_and_entries(peer: Peer, bounds: Bounds) -> None:
    async def serve(request: Request, writer: Any) -> None:
        at = int(request.search.get("page", ["0"])[0])
        writer.write(reply(searchset(condition(str(at)), following=f"{peer.base}/Condition?page={at + 1}")))

    peer.on("/Condition", serve)
    assert one(peer, bounds=bounds) == unread(faults.MANY_PAGES)


def test_pages_in_a_circle_end(peer: Peer) -> None:
    peer.on("/Condition", reply(searchset(condition("a"), following=f"{peer.base}/Condition?patient=1")))
    assert one(peer) == unread(faults.MANY_PAGES)
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:1/fhir/Condition",
        "https://attacker.example.org/fhir/Condition",
        "//attacker.example.org/x",
        "/other/Condition",
        "../other/Condition",
        "http://user@127.0.0.1:{port}/fhir/Condition",
        "file:///etc/passwd",
        "http://127.0.0.1:{port}/fhir/../other",
        "http://127.0.0.1:{port}/fhir/%2e%2e/other",
        "a b",
        "http://[",
        "",
    ],
)
@pytest.mark.requirement("FHIR Resource Access: the token is not sent where a next link leads astray")
def test_a_next_page_elsewhere_is_not_asked_for(peer: Peer, link: str) -> None:
    page = searchset(condition("a"), following="x")
    page["link"][1]["url"] = link.replace("{port}", str(peer.port))
    peer.on("/Condition", reply(page))
    assert one(peer) == unread(faults.ASTRAY)
    assert len(peer.requests) == 1


def test_a_huge_answer_is_not_read(peer: Peer) -> None:
    peer.on("/Condition", reply(b" " * 3_000_000))
    assert one(peer) == unread(faults.LARGE)


def test_a_small_answer_that_unpacks_to_a_huge_one_is_not_read(peer: Peer) -> None:
    peer.on("/Condition", packed(b" " * 50_000_000))
    assert one(peer) == unread(faults.LARGE)


def test_a_connection_that_breaks_off_is_tried_once_more(peer: Peer) -> None:
    half = reply(searchset(condition("a")))[:-20]
    peer.on("/Condition", dropping(half))
    assert one(peer) == unread(faults.BROKEN)
    assert len(peer.requests) == 2
    answers = [half, reply(searchset(condition("a")))]

    async def mend(_request: Request, writer: Any) -> None:
        writer.write(answers.pop(0))
        writer.close()

    peer.on("/Condition", mend)
    assert one(peer) == entries(condition("a"))


def test_a_busy_server_is_asked_again_when_it_says_within_the_deadline(peer: Peer) -> None:
    busy = reply(outcome("error"), 429, headers={"Retry-After": "0"})
    peer.on("/Condition", in_turn(busy, reply(searchset(condition("a")))))
    assert one(peer) == entries(condition("a"))
    peer.on("/Condition", in_turn(reply(outcome("error"), 503, headers={"Retry-After": "30"}), busy))
    before = len(peer.requests)
    assert one(peer, seconds=2) == unread(faults.FAILED)
    assert len(peer.requests) == before + 1


def test_a_server_that_is_down_is_unknown_and_then_left_alone(peer: Peer) -> None:
    with fhir.Peer() as gone:
        base = gone.base

    async def run() -> list[Any]:
        pool = ehrs()
        reader = pool.of(client(base))
        found = [await reader.read(Access(base), {"k": "Condition?patient=1"}, 2) for _ in range(7)]
        await pool.close()
        return [one["k"].reason for one in found if isinstance(one["k"], Unread)]

    assert asyncio.run(run()) == [faults.DOWN] * 5 + [faults.RESTING] * 2


def test_one_answer_is_enough_to_keep_asking(peer: Peer) -> None:
    peer.on("/Condition", reply(outcome("error"), 500))
    peer.on("/Patient/1", reply(PATIENT))

    async def run() -> list[Any]:
        pool = ehrs()
        reader = pool.of(client(peer.base))
        queries = {"k": "Condition?patient=1", "p": "Patient/1"}
        found = [await reader.read(Access(peer.base), queries, 2) for _ in range(8)]
        await pool.close()
        return found

    assert asyncio.run(run()) == [{"k": unread(faults.FAILED), "p": PATIENT}] * 8


@pytest.mark.requirement("FHIR Resource Access: only servers of the client's own allow-list are called")
def test_a_server_that_is_not_listed_is_not_asked(peer: Peer) -> None:
    port = peer.port
    for server in (
        f"{peer.base}x", f"http://127.0.0.1:{port}", f"http://localhost:{port}/fhir", f"{peer.base}/../x",
        f"http://127.0.0.1.:{port}/fhir", f"http://u@127.0.0.1:{port}/fhir", f"{peer.base}?x",
        f"{peer.base}#x", f"http://127.1:{port}/fhir", "",
    ):  # fmt: skip
        found = read(server, {"k": "Condition?patient=1"}, listed=peer.base)["k"]
        assert found == unread(faults.NOT_PERMITTED, denied=True), server
    assert peer.requests == []
    assert one(peer, listed=peer.base + "/") == unread(faults.MISSING)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?patient=1",
        "../x",
        "Condition/../../x",
        "/Condition?patient=1",
        "//attacker.example.org/x",
        "Condition/%2e%2e",
        "Condition?a=1#x",
        "Condition?a=b c",
        "Condition?a=1\r\nX: y",
        "Condition/é",
        "https://attacker.example.org/x",
    ],
)
def test_a_query_leads_nowhere_but_to_the_server(peer: Peer, query: str) -> None:
    assert isinstance(one(peer, query), Unread)
    assert all(
        request.target.startswith("/fhir/") and ".." not in request.target for request in peer.requests
    )
    assert all("attacker" not in request.headers["host"] for request in peer.requests)


def test_a_name_that_leads_to_this_machine_is_not_followed(peer: Peer) -> None:
    server = f"https://ehr.example.org:{peer.port}/fhir"

    async def run(address: str, *, private: bool) -> Any:
        async def resolved(_host: str, _port: int) -> list[str]:
            return [address]

        from service.adapters.ehr import network

        pool = ehrs()
        transport = network.CheckedTransport(private=private, resolve=resolved)
        pool._http[private] = httpx.AsyncClient(transport=transport)
        found = await pool.of(client(server, private=private)).read(Access(server), {"k": "Patient/1"}, 1)
        await pool.close()
        return found["k"].reason  # type: ignore[union-attr]

    with structlog.testing.capture_logs() as lines:
        assert asyncio.run(run("127.0.0.1", private=False)) == faults.DOWN
    told = {"event": "ehr-address-refused", "host": "ehr.example.org", "private": False, "log_level": "error"}
    assert told in lines
    assert asyncio.run(run("127.0.0.1", private=True)) == faults.DOWN
    assert asyncio.run(run("169.254.169.254", private=True)) == faults.DOWN
    assert peer.requests == []


def test_without_a_client_only_this_machine_is_asked(peer: Peer) -> None:
    peer.on("/Patient/1", reply(PATIENT))

    async def run() -> list[Any]:
        pool = ehrs()
        queries = {"k": "Patient/1"}
        found = [
            await pool.of(None).read(Access(server), queries, 2)
            for server in (peer.base, "https://a.example")
        ]
        await pool.close()
        return found

    assert asyncio.run(run()) == [
        {"k": PATIENT}, {"k": unread(faults.NOT_PERMITTED, title="Patient", denied=True)}
    ]  # fmt: skip


@pytest.mark.requirement("FHIR Resource Access: reading stays within the scopes of the token")
def test_what_the_scopes_do_not_reach_is_not_asked(peer: Peer) -> None:
    peer.on("/Condition", reply(searchset()))
    empty = {"resourceType": "Bundle", "type": "searchset"}
    for scopes in (
        "patient/Condition.rs",
        "user/*.read",
        "system/*.*",
        "patient/Condition.s?category=x",
        "openid",
        "",
    ):
        assert one(peer, scopes=scopes) == empty
    before = len(peer.requests)
    for scopes in (
        "patient/Observation.rs",
        "user/*.write",
        "patient/Condition.cud",
        "openid patient/Patient.read",
    ):
        assert one(peer, scopes=scopes) == unread(faults.DENIED, denied=True)
    assert len(peer.requests) == before


def test_cookies_of_one_call_do_not_travel_with_another(peer: Peer) -> None:
    peer.on("/Patient/1", reply(PATIENT, headers={"Set-Cookie": "session=of-one-clinician; Path=/"}))

    async def run() -> None:
        pool = ehrs()
        for _ in range(2):
            await pool.of(client(peer.base)).read(Access(peer.base, TOKEN), {"k": "Patient/1"}, 2)
        await pool.close()

    asyncio.run(run())
    assert [request.headers.get("cookie") for request in peer.requests] == [None, None]


@pytest.mark.requirement(
    "FHIR Resource Access: the access token is transient: not in logs, errors or representations"
)
def test_neither_token_nor_patient_is_in_logs_or_reasons(peer: Peer) -> None:
    peer.on("/Condition", reply(outcome("error"), 500))
    with structlog.testing.capture_logs() as lines:
        found = read(peer.base, {"k": "Condition?patient=SECRET-1", "p": "Patient/SECRET-1"}, seconds=1)
    told = repr((lines, found, Access(peer.base, TOKEN)))
    assert (TOKEN in told, "SECRET" in told, len(lines)) == (False, False, 1)


def test_a_slow_server_does_not_hold_up_another_call(peer: Peer) -> None:
    peer.on("/Condition", after(30, b""))
    peer.on("/Patient/1", always(reply(PATIENT)))

    async def run() -> list[Any]:
        pool = ehrs()
        reader = pool.of(client(peer.base))
        slow = [reader.read(Access(peer.base), {"k": "Condition?patient=1"}, 0.4) for _ in range(30)]
        quick = reader.read(Access(peer.base), {"p": "Patient/1"}, 0.4)
        found = await asyncio.gather(*slow, quick)
        await pool.close()
        return found

    assert asyncio.run(run()) == [{"k": unread(faults.SLOW)}] * 30 + [{"p": PATIENT}]
