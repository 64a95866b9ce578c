"""Bearer tokens: which are taken, which refused, and how far their scopes reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from service import app as application
from service.adapters import tokens as token_adapter
from service.adapters.tokens import Tokens
from service.domain.errors import Unauthenticated, Unavailable
from service.operations.ports import Caller
from service.settings import Settings
from service.web.security import Gate
from tests.web.conftest import FHIR_JSON, Client, eligibility

if TYPE_CHECKING:
    from pathlib import Path

ISSUER, AUDIENCE, NOW = "https://issuer.example.org", "https://fhir.example.org", 1_780_000_000
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
ELLIPTIC = ECKey.generate_key("P-384", {"kid": "two", "use": "sig"})


def issuer(*keys: Any, calls: list[str] | None = None) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        if calls is not None:
            calls.append(request.url.path)
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json={"jwks_uri": f"{ISSUER}/keys"})
        return httpx.Response(200, json=KeySet(list(keys)).as_dict(private=False))

    return httpx.Client(transport=httpx.MockTransport(answer))


def token(key: Any = KEY, algorithm: str = "RS384", **more: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": NOW + 300,
        "client_id": "ehr",
        "scope": "system/*.rs",
    } | more
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": key.kid}, given, key, algorithms=[algorithm])


def tokens(*keys: Any, calls: list[str] | None = None) -> Tokens:
    return Tokens([ISSUER], AUDIENCE, lambda: float(NOW), issuer(*(keys or (KEY, ELLIPTIC)), calls=calls))


@pytest.mark.parametrize(("key", "algorithm"), [(KEY, "RS384"), (KEY, "PS256"), (ELLIPTIC, "ES384")])
def test_a_sound_token_names_its_caller(key: Any, algorithm: str) -> None:
    caller = tokens().judge(token(key, algorithm))
    assert caller == Caller(ISSUER, "ehr", frozenset({"system/*.rs"}))


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a.b.c",
        token(exp=NOW - 300),
        token(exp=None),
        token(aud="https://elsewhere.example.org"),
        token(aud=None),
        token(iss="https://elsewhere.example.org"),
        token(iss=None),
        token(nbf=NOW + 300),
        token(OTHER),
        token()[:-8] + "AAAAAAAA",
        "eyJhbGciOiJub25lIn0." + token().split(".")[1] + ".",
    ],
)
def test_a_token_that_does_not_hold_is_refused_without_a_reason(bad: str) -> None:
    with pytest.raises(Unauthenticated, match="the token does not hold"):
        tokens().judge(bad)


def test_keys_are_fetched_once_and_again_when_a_new_key_signs() -> None:
    calls: list[str] = []
    judge = tokens(calls=calls)
    for _ in range(3):
        judge.judge(token())
    assert calls == ["/.well-known/openid-configuration", "/keys"]
    with pytest.raises(Unauthenticated):
        judge.judge(token(OTHER))
    assert len(calls) == 2  # not again within the minute


def test_an_issuer_that_does_not_answer_is_no_reason_to_let_anyone_in() -> None:
    silent = httpx.Client(transport=httpx.MockTransport(lambda _request: httpx.Response(500)))
    with pytest.raises(Unavailable):
        Tokens([ISSUER], AUDIENCE, lambda: float(NOW), silent).judge(token())


class _Named:
    """A guard for which the token is its scopes."""

    def judge(self, text: str) -> Caller:
        if text == "bad":
            raise Unauthenticated("the token does not hold")
        return Caller(ISSUER, "ehr", frozenset(text.split("+")))

    def close(self) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("method", "path", "scopes", "status"),
    [
        ("GET", "/fhir/Observation", "", 401),
        ("GET", "/fhir/Observation", "bad", 401),
        ("GET", "/fhir/Observation", "system/*.rs", 200),
        ("GET", "/fhir/Observation", "user/Observation.read", 200),
        ("GET", "/fhir/Observation", "system/Procedure.rs", 403),
        ("GET", "/fhir/Observation", "patient/Observation.rs", 403),
        ("GET", "/fhir/Observation", "openid", 403),
        ("POST", "/fhir/QuestionnaireResponse/$submit", "system/*.rs", 403),
        ("POST", "/fhir/QuestionnaireResponse/$submit", "system/QuestionnaireResponse.cruds", 200),
        ("POST", "/fhir/QuestionnaireResponse/$validate", "system/QuestionnaireResponse.r", 200),
        ("GET", "/fhir/metadata", "", 200),
        ("GET", "/health", "", 200),
        ("GET", "/", "", 200),
        ("GET", "/fhir/PlanDefinition/htg117", "", 200),
        ("HEAD", "/fhir/PlanDefinition/htg117", "", 200),
        ("GET", "/fhir/PlanDefinition/htg117/_history", "bad", 200),
        ("GET", "/fhir/Questionnaire?status=active", "", 200),
        ("GET", "/fhir/Questionnaire/htg117-eligibility/$populate", "", 401),
        ("GET", "/fhir/Questionnaire/htg117-eligibility/%24populate", "", 401),
        ("GET", "/fhir/CodeSystem/$lookup", "", 401),
        ("POST", "/fhir/PlanDefinition", "", 401),
        ("PUT", "/fhir/PlanDefinition/htg117", "", 401),
        ("GET", "/fhir/QuestionnaireResponse", "", 401),
        ("GET", "/fhir/QuestionnaireResponse/1/_history", "", 401),
        ("GET", "/fhir/AuditEvent", "", 401),
        ("GET", "/fhir/GuidanceResponse", "", 401),
        ("GET", "/fhir/Patient", "", 401),
        ("GET", "/fhir/plandefinition", "", 401),
        ("GET", "/cds-services-other", "", 401),
    ],
)
def test_scopes_say_how_far_a_token_reaches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, path: str, scopes: str, status: int
) -> None:
    monkeypatch.setattr(token_adapter, "Tokens", lambda *_given: _Named())
    settings = Settings(database_url=f"sqlite:///{tmp_path}/r.sqlite3", issuers=(ISSUER,), audience=AUDIENCE)
    headers = FHIR_JSON | ({"Authorization": f"Bearer {scopes}"} if scopes else {})
    with Client(application.build(settings)) as client:
        body = {"json": eligibility()} if method == "POST" else {}
        answer = client.request(method, path, headers=headers, **body)
    assert answer.status_code == status, answer.text
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_type_that_records_are_kept_of_stays_closed_though_content_of_it_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A published Device would else open everybody's."""
    gate = Gate(_Named(), _Named(), published=["Device", "PlanDefinition"])  # type: ignore[arg-type]

    def opened(method: str, path: str) -> bool:
        return gate.opens({"type": "http", "method": method, "path": path})

    assert opened("GET", "/fhir/PlanDefinition")
    assert opened("POST", "/fhir/PlanDefinition/_search")
    assert not opened("POST", "/fhir/PlanDefinition/1/_search")
    assert not opened("GET", "/fhir/Device")
    assert not opened("GET", "/fhir/Device/1")
