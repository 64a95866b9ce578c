"""Tokens of CDS clients: which are taken, which refused, and where keys come from."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, RSAKey
from structlog.testing import capture_logs

from service.adapters.cds_clients import LONGEST, SKEW, CdsClients, Unconfigured
from service.adapters.client_keys import DEAD, FRESH, PAUSE, RETRY, STALE
from service.domain.errors import Unauthenticated
from service.operations.clients import CdsCaller, Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

NOW = 1_790_000_000
ISSUER, JKU = "https://ehr.example.org", "https://ehr.example.org/keys"
ENDPOINT = "https://cds.example.org/cds-services/order-sign"
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
ELLIPTIC = ECKey.generate_key("P-384", {"kid": "ec", "use": "sig"})
P256 = ECKey.generate_key("P-256", {"kid": "p256"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"})
PUBLIC = KeySet([RSA, ELLIPTIC, P256]).as_dict(private=False)
CLIENT = Client("royal", ISSUER, jwks=PUBLIC, jku=JKU, algorithms=("ES384", "RS384"))
TRUST = "Trusting CDS Clients"


def segment(held: Any) -> str:
    raw = held if isinstance(held, bytes) else json.dumps(held).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(key: Any = RSA, header: Any = None, raw_claims: bytes | None = None, **claims: Any) -> str:
    """A token signed with the key. A claim or header member of None is left out."""
    algorithm = "RS384" if isinstance(key, RSAKey) else "ES384"
    head = {"alg": algorithm, "typ": "JWT", "kid": key.kid} | (header or {})
    body = {"iss": ISSUER, "aud": ENDPOINT, "exp": NOW + 300, "iat": NOW, "jti": "one"} | claims
    kept = {name: value for name, value in body.items() if value is not None}
    return jws.serialize_compact(
        {name: value for name, value in head.items() if value is not None},
        raw_claims or json.dumps(kept),
        key,
        registry=jws.JWSRegistry(algorithms=[head["alg"] or algorithm], strict_check_header=False),
    )


def signed(header: bytes, claims: bytes) -> str:
    """A token of these very bytes, with a sound RS384 signature."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    text = f"{segment(header)}.{segment(claims)}"
    return f"{text}.{segment(RSA.private_key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA384()))}"  # type: ignore[union-attr]


def judge(text: str, client: Client = CLIENT, endpoint: str = ENDPOINT) -> CdsCaller:
    return asyncio.run(CdsClients([client], lambda: float(NOW)).judge(text, endpoint))


def refused(text: str, client: Client = CLIENT, endpoint: str = ENDPOINT) -> bool:
    """Whether the token is refused in the words that every refusal has."""
    with pytest.raises(Unauthenticated) as raised:
        judge(text, client, endpoint)
    fault = raised.value
    return [str(fault), *(issue.message for issue in fault.issues)] == ["the token does not hold"] * 2


@pytest.mark.parametrize("key", [RSA, ELLIPTIC], ids=["RS384", "ES384"])
@pytest.mark.requirement(
    f"{TRUST}: a JWT signed with ES384 or RS384 by a key of the client is accepted",
    f"{TRUST}: iss names the client",
)
def test_a_sound_token_names_its_client(key: Any) -> None:
    assert judge(token(key)) == CdsCaller(CLIENT, None, "one", NOW + 300 + SKEW)


@pytest.mark.requirement(f"{TRUST}: tenant, where the token has it, is carried")
def test_the_tenant_is_carried_and_must_be_one_that_is_listed() -> None:
    listed = Client("royal", ISSUER, jwks=PUBLIC, tenants=("north", "south"))
    assert judge(token(tenant="north")).tenant == "north"
    assert judge(token(tenant="south"), listed).tenant == "south"
    assert refused(token(tenant="west"), listed)
    assert refused(token(), listed)
    assert refused(token(tenant=""))
    assert refused(token(tenant=["north"]))


@pytest.mark.requirement(
    f"{TRUST}: aud is a string or an array that holds the exact URL of the endpoint called"
)
def test_the_audience_is_this_very_endpoint() -> None:
    others = ["https://other.example.org", ENDPOINT]
    assert judge(token(aud=others)).token_id == "one"
    for wrong in (
        None, "", [], [1], {"a": 1}, 1, "https://cds.example.org/cds-services", f"{ENDPOINT}/",
        ENDPOINT.upper(), f"{ENDPOINT}?x=1", ENDPOINT.replace("https", "http"), others[:1],
    ):  # fmt: skip
        assert refused(token(aud=wrong))
    assert refused(token(), endpoint=f"{ENDPOINT}/feedback")


@pytest.mark.requirement(f"{TRUST}: exp and iat are required and hold now, with a small skew")
def test_the_time_is_right() -> None:
    judge(token(exp=NOW - SKEW + 1, iat=NOW - 300))
    judge(token(iat=NOW + SKEW, exp=NOW + 300))
    judge(token(nbf=NOW + SKEW))
    judge(token(exp=NOW + LONGEST))
    judge(token(iat=NOW - 0.5, exp=NOW + 300.25))
    wrong: dict[str, Any]
    for wrong in (
        {"exp": NOW - SKEW}, {"exp": None}, {"iat": None}, {"iat": NOW + SKEW + 1}, {"nbf": NOW + SKEW + 1},
        {"exp": NOW + LONGEST + 2 * SKEW + 1}, {"exp": "soon"}, {"iat": True}, {"exp": str(NOW + 300)},
        {"exp": 10**400}, {"exp": -1}, {"nbf": None, "iat": [NOW]}, {"nbf": "x"}, {"exp": {}},
    ):  # fmt: skip
        assert refused(token(**wrong)), wrong


def test_a_use_is_remembered_until_the_token_is_surely_over() -> None:
    for part in (0, 0.25, 0.999):
        assert judge(token(exp=NOW + 300 + part)).expires >= NOW + 300 + part + SKEW


@pytest.mark.requirement(f"{TRUST}: jti is required")
def test_a_token_has_an_id() -> None:
    for wrong in (None, "", 7, ["one"], "x" * 501, "a\0b"):  # PostgreSQL keeps no text with U+0000
        assert refused(token(jti=wrong))
    assert judge(token(jti="x" * 500)).token_id == "x" * 500


@pytest.mark.requirement(f"{TRUST}: only issuers of the allow-list are trusted")
def test_only_issuers_that_are_listed_are_heard() -> None:
    for wrong in (None, "", "https://elsewhere.example.org", f"{ISSUER}/", ISSUER.upper(), [ISSUER], 3):
        assert refused(token(iss=wrong))


@pytest.mark.requirement(
    f"{TRUST}: typ is JWT",
    f"{TRUST}: kid is required and names the key",
    f"{TRUST}: jku is the one that is known; no key is fetched from where a token says",
)
def test_the_header_is_whole_and_points_nowhere_else() -> None:
    assert judge(token(header={"jku": JKU})).token_id == "one"
    assert judge(token(header={"cty": "x", "x5t": "abc", "vendor": {"a": 1}})).token_id == "one"
    for wrong in (
        {"typ": None}, {"typ": "at+jwt"}, {"typ": "JWE"}, {"kid": None}, {"kid": "other"}, {"kid": ""},
        {"jku": "https://attacker.example.org/keys"}, {"jku": f"{JKU}/"},
    ):  # fmt: skip
        assert refused(token(header=wrong)), wrong
    given = Client("royal", ISSUER, jwks=PUBLIC)
    assert refused(token(header={"jku": JKU}), given)
    own = {"alg": "RS384", "typ": "JWT", "kid": "rsa", "jwk": STRANGER.as_dict(private=False)}
    assert refused(token(STRANGER, header=own))


@pytest.mark.requirement(
    f"{TRUST}: members marked critical that are not understood refuse the token (RFC 7515)"
)
def test_a_critical_extension_is_refused() -> None:
    for more in (b'"crit":["exp"],"exp":1', b'"crit":[]', b'"b64":false', b'"b64":true'):
        claims = json.dumps({"iss": ISSUER, "aud": ENDPOINT, "exp": NOW + 9, "iat": NOW, "jti": "1"}).encode()
        assert refused(signed(b'{"alg":"RS384","typ":"JWT","kid":"rsa",' + more + b"}", claims))


@pytest.mark.requirement(
    f"{TRUST}: the algorithm none is never accepted",
    f"{TRUST}: HMAC is never accepted",
    f"{TRUST}: only the client's algorithms are accepted",
)
def test_algorithms_are_asymmetrical_and_the_clients_own() -> None:
    _, claims, signature = token().split(".")
    assert refused(f"{segment({'alg': 'none', 'typ': 'JWT', 'kid': 'rsa'})}.{claims}.")
    assert refused(f"{segment({'alg': 'none', 'typ': 'JWT', 'kid': 'rsa'})}.{claims}.{signature}")
    text = f"{segment({'alg': 'HS384', 'typ': 'JWT', 'kid': 'rsa'})}.{claims}"
    confused = hmac.digest(RSA.as_pem(private=False), text.encode(), "sha384")  # the public key as a secret
    unsafe = Client("royal", ISSUER, jwks=PUBLIC, algorithms=("HS384", "none", "RS384"))
    for client in (CLIENT, unsafe):
        assert refused(f"{text}.{segment(confused)}", client)
    assert refused(token(RSA, header={"alg": "RS256"}))
    assert refused(token(RSA, header={"alg": "PS384"}))
    only = Client("royal", ISSUER, jwks=PUBLIC, algorithms=("ES384",))
    assert refused(token(RSA), only)
    wide = Client("royal", ISSUER, jwks=PUBLIC, algorithms=("PS384", "ES256"))
    assert judge(token(RSA, header={"alg": "PS384"}), wide).token_id == "one"
    assert judge(token(P256, header={"alg": "ES256"}), wide).token_id == "one"
    assert refused(signed(b'{"alg":["RS384"],"typ":"JWT","kid":"rsa"}', b"{}"))


@pytest.mark.requirement(f"{TRUST}: the signature is verified")
def test_a_signature_that_is_not_the_clients_is_refused() -> None:
    whole = token()
    header, claims, signature = whole.split(".")
    assert refused(token(STRANGER))
    assert refused(f"{header}.{claims}.{signature[:-8]}AAAAAAAA")
    assert refused(f"{header}.{segment({'iss': ISSUER})}.{signature}")
    assert refused(f"{header}.{token(jti='two').split('.')[1]}.{signature}")
    assert refused(f"{header}.{claims}.{token(ELLIPTIC).split('.')[2]}")
    assert refused(token(P256, header={"alg": "ES256", "kid": "ec"}))
    assert refused(token(ELLIPTIC, header={"kid": "p256"}))


def test_keys_own_words_on_their_use_are_kept() -> None:
    for more in ({"use": "enc"}, {"alg": "RS256"}, {"key_ops": ["encrypt"]}):
        key_set = {"keys": [RSA.as_dict(private=False) | {"use": "sig"} | more]}
        assert refused(token(), Client("royal", ISSUER, jwks=key_set))


@pytest.mark.requirement(f"{TRUST}: what is not a JWT is refused")
def test_what_is_no_token_is_refused() -> None:
    header, claims, signature = token().split(".")
    for wrong in (
        "", "a", "a.b", "a.b.c", "...", f"{header}..{signature}", f"{header}.{claims}", f"{token()}.x",
        f"{token()}\n", f" {token()}", f"{header}=.{claims}.{signature}", token() + "é",
        f"{segment([1])}.{claims}.{signature}", f"{segment(b'{')}.{claims}.{signature}",
        f"{header}.{segment(b'[]')}.{signature}", f"{header}.{segment(bytes([255]))}.{signature}",
        token(padding="x" * 8_000), token(nest=[[[[[[[[[[[[1]]]]]]]]]]]]),
    ):  # fmt: skip
        assert refused(wrong), wrong[:80]


@pytest.mark.requirement(f"{TRUST}: a token whose members are ambiguous is refused")
def test_a_key_that_stands_twice_is_refused() -> None:
    claims = f'{{"iss":"{ISSUER}","aud":"{ENDPOINT}","exp":{NOW + 9},"iat":{NOW},"jti":"a"'.encode()
    header = b'{"alg":"RS384","typ":"JWT","kid":"rsa"'
    assert judge(signed(header + b"}", claims + b"}")).token_id == "a"
    assert refused(signed(header + b"}", claims + b',"aud":"x"}'))
    assert refused(signed(header + b',"kid":"ec"}', claims + b"}"))
    assert refused(signed(header + b"}", claims + b',"n":NaN}'))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_change_of_a_sound_token_is_sound(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(WHOLE) - 2))  # the last character of Base64 has bits to spare
    other = data.draw(st.sampled_from("ABab019-_.="))
    if WHOLE[at] != other:
        assert refused(WHOLE[:at] + other + WHOLE[at + 1 :])


WHOLE = token()


@given(st.text(max_size=60))
def test_no_text_is_a_token_or_ends_otherwise(text: str) -> None:
    assert refused(text)


def test_nobody_gets_in_where_no_clients_are_configured() -> None:
    with pytest.raises(Unauthenticated, match="the token does not hold"):
        asyncio.run(Unconfigured().judge(token(), ENDPOINT))


class Body(httpx.AsyncByteStream):
    """A body that is read once, as from a connection."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.content), 60_000):
            yield self.content[at : at + 60_000]


class Keyserver:
    """Where a client publishes its keys, and the time."""

    def __init__(self, *keys: Any, patience: float = 60) -> None:
        self.keys = keys
        self.calls = 0
        self.now = float(NOW)
        self.answer: Callable[[httpx.Request], httpx.Response] | None = None
        self.gate: asyncio.Event | None = None
        client = Client("royal", ISSUER, jku=JKU)
        self.clients = CdsClients([client], lambda: self.now, self.http(), patience)

    def http(self) -> httpx.AsyncClient:
        async def serve(request: httpx.Request) -> httpx.Response:
            self.calls += 1
            await (self.gate.wait() if self.gate else asyncio.sleep(0))
            found = httpx.Response(200, json=KeySet(list(self.keys)).as_dict(private=False))
            if self.answer:
                found = self.answer(request)
            return httpx.Response(found.status_code, headers=found.headers, stream=Body(found.content))

        return httpx.AsyncClient(transport=httpx.MockTransport(serve))

    async def takes(self, key: Any = RSA) -> bool:
        """Whether a token signed with the key is taken now."""
        made = token(key, iat=int(self.now), exp=int(self.now) + 300)
        try:
            await self.clients.judge(made, ENDPOINT)
        except Unauthenticated as fault:
            assert str(fault) == "the token does not hold"
            return False
        return True

    async def settle(self) -> None:
        """Lets a fetch beside the calls end."""
        for _ in range(20):
            await asyncio.sleep(0)


def test_keys_are_fetched_once_for_many_calls_at_once() -> None:
    async def run() -> None:
        keys = Keyserver(RSA, ELLIPTIC)
        assert await asyncio.gather(*(keys.takes() for _ in range(50))) == [True] * 50
        assert await keys.takes(ELLIPTIC)
        assert keys.calls == 1

    asyncio.run(run())


@pytest.mark.requirement(
    f"{TRUST}: keys rotate; an unknown kid makes the service look again, at most once a minute"
)
def test_a_new_key_is_found_and_unknown_ones_do_not_make_a_storm() -> None:
    async def run() -> None:
        keys = Keyserver(RSA)
        assert await keys.takes()
        keys.keys = (ELLIPTIC,)
        assert [await keys.takes(ELLIPTIC) for _ in range(9)] == [False] * 9
        assert keys.calls == 1
        keys.now += PAUSE
        assert await asyncio.gather(*(keys.takes(ELLIPTIC) for _ in range(9))) == [True] * 9
        assert not await keys.takes(RSA)  # withdrawn
        assert keys.calls == 2

    asyncio.run(run())


def test_known_keys_are_renewed_beside_the_calls_and_a_withdrawn_one_ends() -> None:
    async def run() -> None:
        keys = Keyserver(RSA)
        assert await keys.takes()
        keys.keys = (ELLIPTIC,)
        keys.now += FRESH
        assert await keys.takes()  # the call does not wait
        await keys.settle()
        assert not await keys.takes()
        keys.keys = (RSA,)
        keys.now += STALE
        assert not await keys.takes(ELLIPTIC)  # after an hour it does wait
        assert await keys.takes()

    asyncio.run(run())


def test_known_keys_serve_while_their_server_is_down_but_not_for_ever() -> None:
    async def run() -> None:
        keys = Keyserver(RSA)
        assert await keys.takes()
        keys.answer = lambda request: httpx.Response(503)
        for _ in range(3):
            keys.now += STALE
            assert await keys.takes()
            await keys.settle()
        assert keys.calls == 4
        keys.now += DEAD
        assert not await keys.takes()
        keys.answer = None
        keys.now += RETRY
        assert await keys.takes()

    asyncio.run(run())


def test_known_keys_serve_while_their_server_keeps_silent() -> None:
    async def run() -> None:
        keys = Keyserver(RSA)
        assert await keys.takes()
        keys.gate = asyncio.Event()
        keys.now += STALE
        assert await keys.takes()
        assert keys.calls == 2  # it is asked still, and nobody waits for it
        keys.gate.set()
        await keys.clients.close()

    asyncio.run(run())


@pytest.mark.parametrize("known", [False, True])
def test_a_call_waits_for_keys_so_long_and_the_next_one_finds_them(known: bool) -> None:
    async def run() -> None:
        keys = Keyserver(RSA, patience=0.001)
        if known:  # other keys are, and they are old
            keys.keys = (ELLIPTIC,)
            await keys.takes(ELLIPTIC)
            await keys.settle()
            assert await keys.takes(ELLIPTIC)
            keys.keys, keys.now = (RSA,), keys.now + STALE
        before = keys.calls
        keys.gate = asyncio.Event()
        assert [await keys.takes(), await keys.takes()] == [False, False]
        keys.gate.set()
        await keys.settle()
        assert await keys.takes()
        assert keys.calls == before + 1
        await keys.clients.close()

    asyncio.run(run())


def broken(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("down", request=request)


@pytest.mark.parametrize(
    "answer",
    [
        broken,
        lambda _: httpx.Response(500),
        lambda _: httpx.Response(302, headers={"Location": "https://attacker.example.org/keys"}),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json=[]),
        lambda _: httpx.Response(200, json={"keys": {}}),
        lambda _: httpx.Response(200, content=b'{"keys": [' + b" " * 300_000 + b"]}"),
        lambda _: httpx.Response(200, content=b"{}", headers={"Content-Encoding": "x-own"}),
        lambda _: httpx.Response(200, json={"keys": [{"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "x"}]}),
    ],
)
def test_a_key_server_that_fails_lets_nobody_in_and_is_asked_again_soon(answer: Any) -> None:
    async def run() -> None:
        keys = Keyserver(RSA)
        keys.answer = answer
        assert [await keys.takes() for _ in range(5)] == [False] * 5
        assert keys.calls == 1
        keys.answer = None
        keys.now += PAUSE
        assert await keys.takes()
        await keys.clients.close()

    asyncio.run(run())


def test_a_call_that_is_given_up_does_not_end_the_fetch_for_the_others() -> None:
    async def run() -> None:
        keys = Keyserver(RSA)
        first, second = asyncio.create_task(keys.takes()), asyncio.create_task(keys.takes())
        await asyncio.sleep(0)
        first.cancel()
        assert await second
        assert keys.calls == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "why", "client"),
    [
        (token(aud="https://elsewhere.example.org"), f"its audience is not {ENDPOINT}", "royal"),
        (token(STRANGER), "its signature does not hold", "royal"),
        (token(iss="https://nobody.example.org"), "its issuer is not in the file of clients", None),
        ("not.a.token", "it is no signed JWT", None),
    ],
)
def test_the_error_says_why_for_the_log_and_nothing_of_the_token(
    text: str, why: str, client: str | None
) -> None:
    with capture_logs() as lines, pytest.raises(Unauthenticated) as raised:
        judge(text)
    assert (raised.value.why, raised.value.client) == (why, client)
    assert [issue.message for issue in raised.value.issues] == ["the token does not hold"]
    assert lines == []  # whoever asked logs it, once
