"""Public keys that tokens are verified with: read from a JWK Set, chosen by id and type. RFC 7517, RFC 7518.

Symmetrical keys, keys for encryption and keys too short to trust are left out.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    Key = RSAKey | ECKey

ALGORITHMS = ("ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512")
"""Every algorithm that may be chosen: asymmetrical all of them."""
_PUBLIC = {
    "RSA": ("kty", "kid", "use", "key_ops", "alg", "n", "e"),
    "EC": ("kty", "kid", "use", "key_ops", "alg", "crv", "x", "y"),
}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_LEAST_BITS = 2048
_MOST = 100


def key_type(algorithm: str) -> str:
    """The ``kty`` of the keys that the algorithm takes."""
    return "EC" if algorithm.startswith("ES") else "RSA"


def read_keys(key_set: Mapping[str, Any]) -> dict[tuple[str, str], Key]:
    """The keys of a JWK Set that signatures can be verified with, by ``kid`` and ``kty``.

    Raises ValueError where it is no JWK Set. A key that cannot serve is left out; private parts are dropped.
    """
    found: dict[tuple[str, str], Key] = {}
    for one in _listed(key_set):
        named = isinstance(one, dict) and isinstance(one.get("kid"), str) and one["kid"]
        key = _read(one) if named else None
        if key is not None:
            found[str(one["kid"]), str(one["kty"])] = key
    return found


def read_all(key_set: Mapping[str, Any]) -> list[Key]:
    """The same as a list, keys without a ``kid`` among them; ValueError where none can serve."""
    found = [key for one in _listed(key_set) if isinstance(one, dict) and (key := _read(one)) is not None]
    if not found:
        raise ValueError("no key in it can verify a signature")
    return found


def fits(key: Key, algorithm: str) -> bool:
    """Whether the key may verify signatures of the algorithm: its type, curve and own ``alg`` say so."""
    if key.key_type != key_type(algorithm) or key.get("alg") not in (None, algorithm):
        return False
    return isinstance(key, RSAKey) or key.curve_name == _CURVES[algorithm]


def read_private(jwk: Mapping[str, Any], algorithm: str) -> Key:
    """The private key of a JWK that signs with the algorithm. ValueError says why it cannot."""
    try:
        key: Key = (ECKey if key_type(algorithm) == "EC" else RSAKey).import_key(dict(jwk))
    except (JoseError, ValueError, TypeError, KeyError):
        raise ValueError(f"is no JWK of type {key_type(algorithm)}, which {algorithm} needs") from None
    if not key.is_private:
        raise ValueError("is a public key: what is signed with is the private one")
    if not isinstance(jwk.get("kid"), str) or not jwk["kid"]:
        raise ValueError("has no kid, by which the EHR would know it")
    if not fits(key, algorithm) or (isinstance(key, RSAKey) and _bits(jwk) < _LEAST_BITS):
        raise ValueError(
            f"does not fit {algorithm} (its curve, its own alg, or fewer than {_LEAST_BITS} bits)"
        )
    return key


def _listed(key_set: Mapping[str, Any]) -> list[Any]:
    listed = key_set.get("keys")
    if not isinstance(listed, list) or len(listed) > _MOST:
        raise ValueError("not a JWK Set: 'keys' is no list, or too long a one")
    return listed


def _read(jwk: dict[str, Any]) -> Key | None:
    kind, use = jwk.get("kty"), jwk.get("use", "sig")
    if (
        not isinstance(kind, str)
        or kind not in _PUBLIC
        or use != "sig"
        or not isinstance(jwk.get("kid"), str)
        or not jwk["kid"]
    ):
        return None
    if kind == "RSA" and _bits(jwk) < _LEAST_BITS:
        return None
    public = {name: jwk[name] for name in _PUBLIC[kind] if name in jwk}
    try:
        key: Key = (RSAKey if kind == "RSA" else ECKey).import_key(public)
        key.check_key_op("verify")
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key


def _bits(jwk: Mapping[str, Any]) -> int:
    """How long an RSA key is; 0 where it cannot be told."""
    text = jwk.get("n")
    if not isinstance(text, str):
        return 0
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return 0
    return int.from_bytes(raw, "big").bit_length()
