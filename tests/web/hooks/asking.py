"""Requests of CDS Hooks by a synthetic EHR: bodies, tokens, and what is on record of them."""

from __future__ import annotations

import copy
import itertools
import json
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

if TYPE_CHECKING:
    from pathlib import Path

    from service.operations.ports import Records

ISSUER, OTHER_ISSUER = "https://ehr.example.org", "https://other.example.org"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
ELLIPTIC = ECKey.generate_key("P-384", {"kid": "two", "use": "sig"})
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
SIGN = "/cds-services/htg117-order-sign"
BASE = "https://cds.example.org"
_numbers = itertools.count()


def order(code: str | None = "W35.1", **more: Any) -> dict[str, Any]:
    """A draft order; without a code its text alone says what it is for."""
    coding = [{"system": "https://fhir.hl7.org.uk/CodeSystem/OPCS-4", "code": code}] if code else []
    concept: dict[str, Any] = {"text": "Percutaneous cementoplasty"} | ({"coding": coding} if coding else {})
    return {
        "resourceType": "ServiceRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "code": concept,
        "subject": {"reference": "Patient/9990000018"},
    } | more


def sign(**more: Any) -> dict[str, Any]:
    """A request of order-sign with one draft order and a whole prefetch that says: no data."""
    return copy.deepcopy(
        {
            "hook": "order-sign",
            "hookInstance": INSTANCE,
            "context": {
                "userId": "Practitioner/example",
                "patientId": "9990000018",
                "encounterId": "e-1",
                "draftOrders": {
                    "resourceType": "Bundle",
                    "type": "collection",
                    "entry": [{"resource": order()}],
                },
            },
            "prefetch": {},
        }
        | more
    )


def clients_file(folder: Path, **more: str) -> Path:
    """A file of clients with one EHR, its keys beside it."""
    keys = KeySet([KEY, ELLIPTIC]).as_dict(private=False)
    (folder / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
    lines = {"issuer": f'"{ISSUER}"', "jwks": '"keys.json"', "servers": f'["{ISSUER}/fhir"]'} | more
    file = folder / "clients.toml"
    file.write_text("[ehr]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items()), "utf-8")
    return file


def token(now: float, endpoint: str, key: Any = KEY, algorithm: str = "RS384", **more: Any) -> str:
    """A token of the EHR for an endpoint; None among ``more`` leaves a claim out."""
    claims: dict[str, Any] = {
        "iss": ISSUER, "aud": endpoint, "iat": int(now), "exp": int(now) + 300, "jti": f"j{next(_numbers)}",
    }  # fmt: skip
    given = {name: value for name, value in (claims | more).items() if value is not None}
    header = {"alg": algorithm, "kid": key.kid, "typ": "JWT"}
    return jwt.encode(header, given, key, algorithms=[algorithm])


def bearer(now: float, endpoint: str, **more: Any) -> dict[str, str]:
    """The header of a new token for an endpoint."""
    return {"Authorization": f"Bearer {token(now, endpoint, **more)}"}


def stored(records: Records, type_: str) -> list[dict[str, Any]]:
    """Every record of a type, as it was written, the oldest first."""
    page = records.history(type_, None, count=1000, cursor=None, since=None)
    return [json.loads(version.body) for version in reversed(page.versions)]
