"""EHRs over TLS: whose certificates are taken, and that a checked connection still verifies the name."""

from __future__ import annotations

import asyncio
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from service.adapters.ehr import Ehrs, faults
from service.adapters.ehr.retries import Retries
from service.cds.model import Access, Unread
from service.operations.clients import Client
from tests.adapters.ehr.peer import Peer, reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENT = {"resourceType": "Patient", "id": "1"}


def certify(folder: Path, *names: str) -> Path:
    """A certificate for the names that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    known = [x509.IPAddress(ip_address(one)) if one[0].isdigit() else x509.DNSName(one) for one in names]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(known), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "tls.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.fixture
def pem(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return certify(tmp_path, request.param)


@pytest.fixture
def peer(pem: Path) -> Iterator[Peer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    with Peer(context) as made:
        made.on("/Patient/1", reply(PATIENT))
        yield made


def read(server: str) -> object:
    async def run() -> object:
        pool = Ehrs(
            clock=lambda: datetime.now(UTC), monotonic=time.monotonic, new_id=lambda: "x", retries=Retries()
        )
        client = Client("royal", "https://i.example", jku="https://i.example/k", servers=(server,))
        found = await pool.of(client).read(Access(server, "token"), {"k": "Patient/1"}, 5)
        await pool.close()
        return found["k"]

    return asyncio.run(run())


@pytest.mark.parametrize("pem", ["127.0.0.1"], indirect=True)
def test_an_authority_of_the_systems_store_is_trusted(
    peer: Peer, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    assert read(f"https://127.0.0.1:{peer.port}/fhir") == PATIENT


@pytest.mark.parametrize("pem", ["127.0.0.1"], indirect=True)
@pytest.mark.requirement("FHIR Resource Access: the FHIR server is called over TLS, its certificate verified")
def test_a_certificate_that_nobody_vouches_for_is_refused(peer: Peer) -> None:
    assert read(f"https://127.0.0.1:{peer.port}/fhir") == Unread("k", "Patient", faults.DOWN)
    assert peer.requests == []


@pytest.mark.parametrize("pem", ["other.example.org"], indirect=True)
def test_a_certificate_for_another_name_is_refused(
    peer: Peer, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    assert read(f"https://127.0.0.1:{peer.port}/fhir") == Unread("k", "Patient", faults.DOWN)
    assert peer.requests == []
