"""The HTTP gateway against a real peer on a socket."""

from __future__ import annotations

import json
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.adapters.gateways.config import Gateway
from service.adapters.gateways.http import Http
from service.adapters.retry_after import read_retry_after
from service.domain.errors import Forbidden, Refused, ServiceError, Unauthenticated, Unavailable
from service.operations.ports import Message, Receipt
from tests.adapters.gateways.peer import Answer, Asked, Peer, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
MESSAGE = Message("urn:uuid:1", "gateway", "SafetyReport/1", "application/xml", b"<case>\xc3\xa4</case>")


@pytest.fixture
def peer() -> Iterator[Peer]:
    with serving(Peer()) as serving_peer:
        yield serving_peer


def courier(peer: Peer, **more: Any) -> Http:
    return Http(Gateway(kind="http", url=peer.url, **{"timeout": 5, **more}), lambda: NOW)


def test_a_message_is_posted_with_its_id_and_the_answer_is_the_receipt(peer: Peer) -> None:
    body = b"<acknowledgement/>"
    peer.answer = lambda _asked, _times: Answer(
        202, {"Location": "/reports/77", "Content-Type": "application/xml"}, body
    )
    http = courier(peer, id_header="X-Message-ID")
    assert http.deliver(MESSAGE) == Receipt("/reports/77", "application/xml", body)
    http.close()
    (asked,) = peer.asked
    names = ("content-type", "x-message-id", "user-agent", "authorization")
    assert (asked.path, asked.body) == ("/reports", MESSAGE.body)
    assert [asked.headers.get(name) for name in names] == ["application/xml", "urn:uuid:1", "htg117", None]


@pytest.mark.parametrize(
    ("status", "headers", "kind", "wait"),
    [
        (400, {}, Refused, None),
        (409, {}, Refused, None),
        (413, {}, Refused, None),
        (422, {"Retry-After": "9"}, Refused, None),
        (401, {}, Unauthenticated, None),
        (403, {}, Forbidden, None),
        (404, {}, Unavailable, None),
        (408, {}, Unavailable, None),
        (425, {}, Unavailable, None),
        (429, {"Retry-After": "120"}, Unavailable, 120.0),
        (500, {}, Unavailable, None),
        (503, {"Retry-After": "Wed, 01 Jul 2026 09:31:30 GMT"}, Unavailable, 90.0),
        (503, {"Retry-After": "Wed, 01 Jul 2020 09:31:30 GMT"}, Unavailable, 0.0),
        (503, {"Retry-After": "soon"}, Unavailable, None),
        (503, {"Retry-After": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, Unavailable, None),
        (301, {"Location": "http://127.0.0.1:1/"}, Unavailable, None),
        (307, {"Location": "/elsewhere"}, Unavailable, None),
    ],
)
def test_a_status_is_the_message_s_end_or_another_try(
    peer: Peer, status: int, headers: dict[str, str], kind: type[ServiceError], wait: float | None
) -> None:
    peer.answer = lambda _asked, _times: Answer(status, headers, b"Mrs Example, born 1958-03-04")
    http = courier(peer)
    with pytest.raises(ServiceError) as caught:
        http.deliver(MESSAGE)
    http.close()
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"the gateway answered {status}")
    assert "Example" not in str(caught.value)
    assert getattr(caught.value, "retry_after", None) == wait
    assert [asked.path for asked in peer.asked] == ["/reports"]


def test_no_cookie_is_kept(peer: Peer) -> None:
    peer.answer = lambda _asked, _times: Answer(201, {"Set-Cookie": "session=1; Path=/"})
    http = courier(peer)
    for _ in range(2):
        http.deliver(MESSAGE)
    http.close()
    assert [asked.headers.get("cookie") for asked in peer.asked] == [None, None]


def test_a_gateway_says_that_it_has_the_message_already(peer: Peer) -> None:
    peer.answer = lambda _asked, _times: Answer(409, {"Idempotency-Key": "urn:uuid:1"}, b"there")
    http = courier(peer)
    assert http.deliver(MESSAGE) == Receipt()
    peer.answer = lambda _asked, _times: Answer(409, {"Idempotency-Key": "urn:uuid:2"})
    with pytest.raises(Refused):
        http.deliver(MESSAGE)
    http.close()
    http = courier(peer, present=(409,))
    assert http.deliver(MESSAGE) == Receipt()
    http.close()


def test_a_gateway_that_does_not_answer_is_unavailable(peer: Peer) -> None:
    http = courier(peer, timeout=1)
    for answer in (
        Answer(0),
        Answer(201, seconds=1.3),
        Answer(201, {"Content-Length": "5"}, b"x", takes=True),
    ):
        peer.answer = lambda _asked, _times, answer=answer: answer  # type: ignore[misc]
        with pytest.raises(Unavailable, match="cannot be reached"):
            http.deliver(MESSAGE)
    http.close()
    gone = Http(Gateway(kind="http", url="http://127.0.0.1:9/reports", timeout=2), lambda: NOW)
    with pytest.raises(Unavailable, match=r"cannot be reached \(ConnectError\)"):
        gone.deliver(MESSAGE)
    gone.close()


def test_an_answer_larger_than_may_be_read_is_an_answer_all_the_same(peer: Peer) -> None:
    peer.answer = lambda _asked, _times: Answer(201, {"Location": "/7"}, b"x" * 20_000)
    http = courier(peer, largest=10_000)
    assert http.deliver(MESSAGE) == Receipt("/7", None, b"")
    http.close()


def test_an_answer_that_never_ends_is_given_up(peer: Peer) -> None:
    peer.answer = lambda _asked, _times: Answer(201, {}, b"x" * 500_000)
    moments = iter(NOW + timedelta(seconds=seconds) for seconds in range(0, 1000, 100))
    http = Http(Gateway(kind="http", url=peer.url, timeout=5), lambda: next(moments))
    with pytest.raises(Unavailable, match="too long"):
        http.deliver(MESSAGE)
    http.close()


RAISED = [one for one in vars(httpx).values() if isinstance(one, type) and issubclass(one, Exception)]


def failing(kind: type[Exception]) -> Exception:
    if issubclass(kind, httpx.HTTPStatusError):
        request = httpx.Request("POST", "https://gateway.example.org")
        return kind("x", request=request, response=httpx.Response(500))
    return kind() if issubclass(kind, (httpx.StreamConsumed, httpx.ResponseNotRead, httpx.RequestNotRead,
                                       httpx.StreamClosed)) else kind("x")  # fmt: skip


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.__name__)
def test_whatever_httpx_raises_is_unavailable(kind: type[Exception]) -> None:
    def handle(_request: httpx.Request) -> httpx.Response:
        raise failing(kind)

    gateway = Gateway(kind="http", url="https://gateway.example.org/reports")
    http = Http(gateway, lambda: NOW, httpx.MockTransport(handle))
    with pytest.raises(Unavailable, match=kind.__name__):
        http.deliver(MESSAGE)
    http.close()


@given(
    st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|[+-]\d{4})?")
)
def test_a_time_to_try_again_is_read_or_it_is_none(text: str) -> None:
    seconds = read_retry_after(text, NOW)
    assert seconds is None or seconds >= 0


def test_an_id_that_no_header_can_carry_is_refused(peer: Peer) -> None:
    http = courier(peer)
    for id_ in ("a\nb", "ä"):
        with pytest.raises(Refused):
            http.deliver(Message(id_, "gateway", "SafetyReport/1", "text/plain", b"x"))
    http.close()
    assert peer.asked == []


class Authority:
    """Answers as a token endpoint on ``/token``; what it granted opens ``/reports`` until it is revoked."""

    def __init__(self) -> None:
        self.granted = 0
        self.revoked: set[str] = set()
        self.answer = Answer(200)
        self.lasts: object = 600

    def __call__(self, asked: Asked, _times: int) -> Answer:
        if asked.path == "/token":
            self.granted += 1
            body = json.dumps({"access_token": f"t{self.granted}", "expires_in": self.lasts}).encode()
            return Answer(self.answer.status, self.answer.headers, self.answer.body or body, takes=False)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        sound = token not in self.revoked and token == f"t{self.granted}"
        return Answer(201 if sound else 401, takes=sound)


def with_token(peer: Peer, folder: Path, clock: Callable[[], datetime] = lambda: NOW) -> Http:
    secret = folder / "secret"
    secret.write_text("s3cret&\n", encoding="utf-8")
    url = peer.url.replace("/reports", "/token")
    return Http(
        Gateway(kind="http", url=peer.url, token_url=url, client_id="htg", secret_file=secret, scope="send"),
        clock,
    )


def test_a_token_is_asked_for_once_kept_and_asked_for_anew(peer: Peer, tmp_path: Path) -> None:
    peer.answer = authority = Authority()
    times = [NOW]
    http = with_token(peer, tmp_path, lambda: times[0])
    for _ in range(3):
        http.deliver(MESSAGE)
    first = peer.asked[0]
    assert (first.path, first.body) == ("/token", b"grant_type=client_credentials&scope=send")
    assert first.headers["authorization"] == "Basic aHRnOnMzY3JldCY="
    assert [asked.path for asked in peer.asked] == ["/token", "/reports", "/reports", "/reports"]
    times[0] += timedelta(seconds=580)  # shortly before it expires
    http.deliver(MESSAGE)
    assert authority.granted == 2
    authority.revoked.add("t2")
    http.deliver(MESSAGE)
    assert (authority.granted, peer.asked[-1].headers["authorization"]) == (3, "Bearer t3")
    authority.revoked |= {"t3", "t4"}
    with pytest.raises(Unauthenticated):
        http.deliver(MESSAGE)
    http.close()


@pytest.mark.parametrize(
    "answer",
    [Answer(400, {}, b'{"error": "invalid_client"}'), Answer(200, {}, b"<html>"), Answer(200, {}, b"[]"),
     Answer(200, {}, b'{"access_token": ""}'), Answer(200, {}, b'{"access_token": "a\\nb"}'),
     Answer(302, {"Location": "/login"})],
)  # fmt: skip
def test_a_token_that_is_not_given_is_no_reason_to_refuse_a_report(
    peer: Peer, tmp_path: Path, answer: Answer
) -> None:
    peer.answer = authority = Authority()
    authority.answer = answer
    http = with_token(peer, tmp_path)
    with pytest.raises(Unavailable, match="token"):
        http.deliver(MESSAGE)
    http.close()
    assert peer.taken == {}


def make_certificate(folder: Path, name: str, by: str | None = None) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, signed by another of the folder or by itself."""
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    signed = ["-CA", str(folder / f"{by}.pem"), "-CAkey", str(folder / f"{by}.key")] if by else []
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "30", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
         *signed, "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def test_both_sides_prove_who_they_are_by_certificate(tmp_path: Path) -> None:
    ca, _ = make_certificate(tmp_path, "ca")
    server, server_key = make_certificate(tmp_path, "server", by="ca")
    cert, key = make_certificate(tmp_path, "client", by="ca")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(server, server_key)
    tls.load_verify_locations(ca)
    tls.verify_mode = ssl.CERT_REQUIRED
    with serving(Peer(), tls) as peer:
        trusted = courier(peer, ca=ca, cert=cert, key=key)
        assert trusted.deliver(MESSAGE) == Receipt()
        trusted.close()
        for more in ({"ca": ca}, {"cert": cert, "key": key}):  # no certificate of ours; theirs not trusted
            other = courier(peer, **more)
            with pytest.raises(Unavailable, match="cannot be reached"):
                other.deliver(MESSAGE)
            other.close()
        assert len(peer.taken) == 1
        with pytest.raises(Unavailable, match="cert and"):
            courier(peer, ca=ca, cert=cert, key=server_key)
        with pytest.raises(Unavailable, match="ca cannot"):
            courier(peer, ca=key)
