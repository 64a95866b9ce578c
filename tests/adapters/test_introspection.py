"""Opaque tokens, asked about at a real server on a socket; signed ones judged by keys that are renewed."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet

from service import app
from service.adapters.introspection import Either, Introspection
from service.adapters.tokens import Tokens
from service.domain.errors import Unauthenticated, Unavailable
from service.operations.ports import Caller
from service.settings import Settings
from service.web.security import check_scope
from tests.adapters.ehr.peer import Peer, always, reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW, AUDIENCE, ISSUER = 1_790_000_000, "https://fhir.example.org", "https://issuer.example.org"
SOUND = {"active": True, "scope": "system/*.rs", "client_id": "ehr", "exp": NOW + 300, "iss": ISSUER}
EHR = Caller(ISSUER, "ehr", frozenset({"system/*.rs"}))


class Server:
    """Where tokens are asked about, and the time."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.now = float(NOW)
        self.url = f"http://127.0.0.1:{peer.port}/introspect"
        self.guard = Introspection(self.url, "us & them", "s:ecret", AUDIENCE, lambda: self.now)
        self.says(SOUND)

    def says(self, answer: Any) -> None:
        made = answer if isinstance(answer, bytes) else reply(answer, kind="application/json")
        self.peer.routes["/introspect"] = always(made)


@pytest.fixture
def server() -> Iterator[Server]:
    with Peer() as peer:
        made = Server(peer)
        yield made
        made.guard.close()


def test_a_sound_token_names_its_caller_and_is_asked_about_once_a_minute(server: Server) -> None:
    assert [server.guard.judge("opaque-1") for _ in range(3)] == [EHR] * 3
    (request,) = server.peer.requests
    assert request.form == {"token": ["opaque-1"], "token_type_hint": ["access_token"]}
    login = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert login == "us+%26+them:s%3Aecret"
    server.now += 60
    assert server.guard.judge("opaque-1") == EHR
    assert len(server.peer.requests) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"active": "true"},
        {"active": None},
        {"active": 1},
        {"exp": NOW - 30},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": NOW + 31},
        {"aud": "https://elsewhere.example.org"},
        {"aud": []},
        {"aud": None},
        {"scope": ["system/*.rs"]},
        {"token_type": "mac"},
    ],
)
def test_a_token_that_does_not_hold_is_refused_without_a_reason(
    server: Server, change: dict[str, Any]
) -> None:
    server.says(SOUND | change)
    for _ in range(2):
        with pytest.raises(Unauthenticated, match=r"^the token does not hold$"):
            server.guard.judge("opaque-1")
    assert len(server.peer.requests) == 1
    server.says(SOUND)
    server.now += 10
    assert server.guard.judge("opaque-1") == EHR


def test_what_may_be_left_out_may_be(server: Server) -> None:
    server.says({"active": True, "sub": "a-service", "scope": "system/Observation.rs"})
    assert server.guard.judge("t") == Caller(server.url, "a-service", frozenset({"system/Observation.rs"}))
    server.says(SOUND | {"aud": ["https://other.example.org", AUDIENCE], "token_type": "Bearer", "nbf": NOW})
    assert server.guard.judge("u") == EHR


def test_what_was_said_is_not_kept_beyond_the_tokens_end(server: Server) -> None:
    server.says(SOUND | {"exp": NOW + 5})
    assert server.guard.judge("t") == EHR
    server.now += 36
    with pytest.raises(Unauthenticated):
        server.guard.judge("t")


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<html>", kind="text/html"),
        reply(b"[]"),
        reply(SOUND, 500),
        reply(SOUND, 401),
        reply(SOUND, 302),
        reply(b" " * 70_000),
        reply(SOUND, headers={"Content-Encoding": "gzip"}),
        b"nonsense\r\n\r\n",
        reply(b"\xff"),
    ],
)
def test_a_server_that_cannot_say_lets_nobody_in(server: Server, answer: bytes) -> None:
    server.says(answer)
    with pytest.raises(Unavailable, match=r"^whether the token holds cannot be asked now"):
        server.guard.judge("t")
    server.says(SOUND)
    assert server.guard.judge("t") == EHR


def test_a_server_that_is_gone_lets_nobody_in(server: Server) -> None:
    server.peer.__exit__()
    with pytest.raises(Unavailable):
        server.guard.judge("t")


@pytest.mark.parametrize("token", ["x" * 20_001, "a b", "a\nb", "é"])
def test_what_is_no_token_is_not_asked_about(server: Server, token: str) -> None:
    with pytest.raises(Unauthenticated):
        server.guard.judge(token)
    assert server.peer.requests == []


def test_only_a_digest_of_the_token_is_kept(server: Server) -> None:
    server.guard.judge("opaque-secret")
    assert "opaque-secret" not in repr(vars(server.guard))


def test_every_kind_of_scope_reaches_as_far_as_it_says(server: Server) -> None:
    for scope, reads in (("system/*.rs", True), ("system/Observation.read", True), ("system/Task.rs", False)):
        server.says(SOUND | {"scope": scope})
        caller = server.guard.judge(scope)
        reached = True
        try:
            check_scope(caller, "GET", "/fhir/Observation/1")
        except Exception as fault:  # noqa: BLE001 - told apart by its name
            reached = type(fault).__name__ != "Forbidden"
        assert reached is reads


# --- signed tokens beside opaque ones

KEY = ECKey.generate_key("P-384", {"kid": "one", "use": "sig"})
NEXT = ECKey.generate_key("P-384", {"kid": "two", "use": "sig"})


class Issuer:
    """An issuer of signed tokens, and the time."""

    def __init__(self) -> None:
        self.keys: list[Any] = [KEY]
        self.others: list[Any] = []
        self.calls = 0
        self.now = float(NOW)
        self.broken: httpx.Response | None = None
        http = httpx.Client(transport=httpx.MockTransport(self.serve))
        self.tokens = Tokens([ISSUER], AUDIENCE, lambda: self.now, http)

    def serve(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self.broken:
            return self.broken
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(200, json={"jwks_uri": f"{ISSUER}/keys"})
        keys = self.others + KeySet(self.keys).as_dict(private=False)["keys"]
        return httpx.Response(200, json={"keys": keys})

    def token(self, key: Any = KEY, **header: Any) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "exp": int(self.now) + 300,
            "client_id": "ehr",
            "scope": "x",
        }
        registry = jws.JWSRegistry(algorithms=["ES384"], strict_check_header=False)
        registry.max_header_length = 8_000
        return jwt.encode({"alg": "ES384", "kid": key.kid} | header, claims, key, registry=registry)

    def takes(self, key: Any = KEY) -> bool:
        try:
            self.tokens.judge(self.token(key))
        except Unauthenticated:
            return False
        return True


def test_keys_and_headers_that_are_not_understood_do_no_harm() -> None:
    issuer = Issuer()
    issuer.others = [
        {"kty": "AKP", "alg": "ML-DSA-65", "kid": "new", "pub": "x"},
        {"kty": ["EC"]},
        7,
        {},
        {"kty": "RSA", "kid": "short", "n": "AQAB", "e": "AQAB"},
        {"kty": "oct", "k": "c2VjcmV0"},
    ]
    more = {"nonce": "n", "x5c": ["A" * 3_000], "vendor": {"a": 1}}
    assert issuer.tokens.judge(issuer.token(**more)) == Caller(ISSUER, "ehr", frozenset({"x"}))


HEADERS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "cty", "x"]),
    st.none() | st.booleans() | st.integers() | st.sampled_from(["ES384", "none", "HS256", "one", "crit"])
    | st.lists(st.sampled_from(["alg", "x", "exp"]), max_size=2) | st.just({}),
)  # fmt: skip


@given(HEADERS)
def test_no_forged_header_lets_anybody_in_or_breaks_anything(header: dict[str, Any]) -> None:
    issuer = Issuer()
    _, claims, signature = issuer.token().split(".")
    forged = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    with pytest.raises(Unauthenticated):
        issuer.tokens.judge(f"{forged}.{claims}.{signature}")


def test_a_withdrawn_key_ends_within_the_hour() -> None:
    issuer = Issuer()
    assert issuer.takes()
    issuer.keys = [NEXT]
    assert issuer.takes()
    issuer.now += 3600
    assert (issuer.takes(), issuer.takes(NEXT)) == (False, True)


@pytest.mark.parametrize(
    "broken",
    [
        httpx.Response(500),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(302, headers={"Location": "https://attacker.example.org"}),
        httpx.Response(200, json={"jwks_uri": "http://issuer.example.org/keys"}),
        httpx.Response(200, json={"jwks_uri": 1}),
        httpx.Response(200, text=" " * 300_000),
    ],
)
def test_known_keys_serve_while_the_issuer_fails_which_is_asked_seldom(broken: httpx.Response) -> None:
    issuer = Issuer()
    assert issuer.takes()
    issuer.broken = broken
    issuer.now += 3600
    assert [issuer.takes() for _ in range(4)] == [True] * 4
    assert [issuer.takes(NEXT) for _ in range(4)] == [False] * 4
    assert issuer.calls == 3
    issuer.broken, issuer.keys = None, [NEXT]
    issuer.now += 60
    assert issuer.takes(NEXT)


def test_signed_tokens_are_judged_by_keys_and_others_by_asking(server: Server) -> None:
    issuer = Issuer()
    either = Either(issuer.tokens, server.guard)
    assert either.judge(issuer.token()) == Caller(ISSUER, "ehr", frozenset({"x"}))
    assert server.peer.requests == []
    assert either.judge("opaque") == EHR
    assert len(server.peer.requests) == 1
    forged = issuer.token(ECKey.generate_key("P-384", {"kid": "one"}))
    with pytest.raises(Unauthenticated):
        either.judge(forged)
    assert len(server.peer.requests) == 1  # a token of an issuer is for its keys alone to judge


def test_the_settings_make_the_guard(server: Server, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s\n", encoding="utf-8")
    made = app._guard(
        Settings(introspection=server.url, introspection_client="us", introspection_secret=str(secret),
                 audience=AUDIENCE)
    )  # fmt: skip
    server.says(SOUND | {"exp": 4_000_000_000})
    assert made is not None
    assert made.judge("opaque") == EHR
    made.close()
    assert base64.b64decode(server.peer.requests[0].headers["authorization"][6:]) == b"us:s"
