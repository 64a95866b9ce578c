"""Tokens taken apart, and their signatures: what joserfc says of whole tokens is said of their parts."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as some
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from service.adapters.compact import Compact, read_compact

KEYS: dict[str, RSAKey | ECKey] = {
    "RS384": RSAKey.generate_key(2048, {"kid": "one"}),
    "ES384": ECKey.generate_key("P-384", {"kid": "one"}),
}
CLAIMS = b'{"iss":"https://ehr.example.org"}'
FORM = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}", re.ASCII)


def registry(*algorithms: str) -> jws.JWSRegistry:
    return jws.JWSRegistry(algorithms=algorithms or ("RS384", "ES384"), strict_check_header=False)


def made(algorithm: str = "RS384") -> str:
    return jws.serialize_compact(
        {"alg": algorithm, "kid": "one", "typ": "JWT"}, CLAIMS, KEYS[algorithm], registry=registry()
    )


def test_the_parts_of_a_token() -> None:
    token = made()
    head = {"alg": "RS384", "kid": "one", "typ": "JWT"}
    segments = tuple(token.split("."))
    assert read_compact(token, 1000) == Compact(head, json.loads(CLAIMS), segments)  # type: ignore[arg-type]
    assert read_compact(token, len(token)).verify(KEYS["RS384"], registry())
    with pytest.raises(ValueError, match="not a signed token"):
        read_compact(token, len(token) - 1)


@given(some.text(alphabet="ab.=+/é-_ \n\udcff", max_size=12), some.integers(0, 400), some.booleans())
def test_only_three_parts_of_base64url_are_taken_apart(text: str, at: int, inside: bool) -> None:
    token = made("ES384")
    changed = token[:at] + text + token[at:] if inside else text
    if FORM.fullmatch(changed) is None:
        with pytest.raises(ValueError):  # noqa: PT011 - whichever the reason
            read_compact(changed, 10_000)


def test_a_header_that_is_kept_lets_no_other_token_in() -> None:
    header, payload, signature = made().split(".")
    assert read_compact(f"{header}.{payload}.{signature}", 1000).verify(KEYS["RS384"], registry())
    other = base64.urlsafe_b64encode(b'{"iss":"https://elsewhere.example.org"}').decode().rstrip("=")
    found = read_compact(f"{header}.{other}.{signature}", 1000)
    assert found.claims == {"iss": "https://elsewhere.example.org"}
    assert not found.verify(KEYS["RS384"], registry())
