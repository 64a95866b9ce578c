"""The clients of the house as it knows them: each EHR that calls, and what it may do and be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.operations.ports import Ehr


@dataclass(frozen=True, slots=True)
class Backend:
    """How the service itself reaches an EHR's FHIR server for background work (SMART Backend Services).

    ``key`` names the private JWK's file; ``write_back`` says whether results of submitted forms are sent.
    """

    server: str
    client_id: str
    token_url: str
    key: str
    algorithm: str = "ES384"
    scopes: str = "system/*.rs"
    write_back: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    """One CDS client (an EHR), as the file of clients lists it.

    ``issuer`` is the ``iss`` of its tokens; its keys are ``jwks`` (given) or are fetched from ``jku``, and a
    token's ``jku`` header must equal that. ``servers`` are the FHIR servers that it may name. ``private``:
    hosts among them may have private addresses. ``form_app`` is the launch address of a SMART form
    application. ``system_actions``: this client asks for them. ``revision``: the CDS Hooks major version that
    it knows. ``local_references``: records with relative references to patients are this client's.
    """

    name: str
    issuer: str
    jwks: Mapping[str, Any] | None = None
    jku: str | None = None
    algorithms: tuple[str, ...] = ("ES384", "RS384")
    tenants: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    private: bool = False
    form_app: str | None = None
    system_actions: bool = False
    revision: int = 2
    local_references: bool = False
    backend: Backend | None = field(default=None)


@dataclass(frozen=True, slots=True)
class CdsCaller:
    """Whoever a sound CDS Hooks token speaks for. ``client`` None: development mode, nobody was asked."""

    client: Client | None
    tenant: str | None = None
    token_id: str | None = None
    expires: int = 0


class CdsGuard(Protocol):
    """Judges the tokens of CDS clients (CDS Hooks 2.0.1, Trusting CDS Clients)."""

    async def judge(self, token: str, endpoint: str) -> CdsCaller:
        """Whoever a sound token speaks for. ``endpoint`` is the address called, as the client knows it.

        Unauthenticated, always in the same words, where it does not hold or cannot be verified now; its
        ``why`` and ``client`` are for the log.
        Whether its ``jti`` was used before is for the caller to see (``Once``).
        """

    async def close(self) -> None:
        """Nothing, once the connections to where keys lie are closed."""


class Ehrs(Protocol):
    """The EHRs of the clients, reached within what each client's entry in the file of clients permits."""

    def of(self, client: Client | None) -> Ehr:
        """The reader of that client's FHIR servers; with None (development mode), of this machine's."""

    async def close(self) -> None:
        """Nothing, once the connections are closed."""
