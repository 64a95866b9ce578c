"""The file of clients read: which EHRs may call, and what each may do and be asked (``HTG117_CLIENTS``).

A TOML file with one table a client; ``docs/integrating.md`` explains every key. Files that it names (key
sets, private keys) are looked for beside it. Every fault is told at once, with its place.
"""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from service.adapters.keys import ALGORITHMS, read_keys, read_private
from service.adapters.toml_file import Reading, read_tables
from service.domain.addresses import fault_of
from service.domain.errors import ServiceError
from service.fhir.json_text import Limits, decode
from service.operations.clients import Backend, Client

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_LARGEST_KEYS = 1_000_000
_REVISIONS = (2, 3)
_KINDS: dict[str, tuple[type, str]] = {
    "table": (dict, "a table: [name.backend]"),
    "str": (str, "a text in quotes"),
    "bool": (bool, "true or false"),
    "int": (int, "a whole number"),
    "tuple[str, ...]": (list, "a list of texts in quotes"),
}
_CLIENT = {field.name: str(field.type) for field in fields(Client) if field.name != "name"} | {
    "jwks": "str | None",  # in the file: the name of the file that holds the key set
    "backend": "table",
}
_BACKEND = {field.name: str(field.type) for field in fields(Backend)}


def read_clients(path: Path) -> tuple[Client, ...]:
    """The clients of the file, in its order; ContentFault lists all that is wrong with it."""
    tables = read_tables(path, "a file of clients")
    reading = _Reading(path)
    clients = [reading.client(name, table) for name, table in tables.items()]
    reading.judge_together([client for client in clients if client is not None])
    if not tables:
        reading.fault("", "names no client; give each EHR a table: [its-name]")
    reading.require_sound()
    return tuple(client for client in clients if client is not None)


class _Reading(Reading):
    """One reading of the file of clients."""

    def client(self, name: str, table: Any) -> Client | None:
        """The client of a table; None where it is none at all."""
        if not isinstance(table, dict):
            self.fault(name, "stands outside a table; begin with the client's name: [its-name]")
            return None
        if not _NAME.fullmatch(name):
            self.fault(name, "a client's name has small letters, digits and hyphens, 64 at most")
        given = self._typed(name, table, _CLIENT, ("issuer",))
        jwks = given.pop("jwks", None)
        backend = given.pop("backend", None)
        made = Client(
            name=name,
            issuer=given.pop("issuer", ""),
            jwks=self._key_set(f"{name}.jwks", jwks) if jwks else None,
            backend=self._backend(name, backend) if backend is not None else None,
            **given,
        )
        self._judge(made, asked=bool(jwks or made.jku))
        return made

    def judge_together(self, clients: list[Client]) -> None:
        """Notes what two clients cannot both be."""
        issuers = [client.issuer for client in clients]
        for client in clients:
            if client.issuer and issuers.count(client.issuer) > 1:
                self.fault(f"{client.name}.issuer", f"another client has the issuer '{client.issuer}' too")
        local = [client.name for client in clients if client.local_references]
        if len(local) > 1:
            said = f"only one client can own the relative references; these claim them: {', '.join(local)}"
            self.fault(f"{local[-1]}.local_references", said)

    def _judge(self, client: Client, *, asked: bool) -> None:
        if not asked:
            said = "no keys: give jku (where the client publishes its JWK Set) or jwks (a file that holds it)"
            self.fault(client.name, said)
        self._algorithms(f"{client.name}.algorithms", client.algorithms)
        if client.revision not in _REVISIONS:
            self.fault(
                f"{client.name}.revision", f"is 2 or 3 (CDS Hooks' major version), not {client.revision}"
            )
        if client.jku:
            self._address(f"{client.name}.jku", client.jku)
        if client.form_app:
            self._address(f"{client.name}.form_app", client.form_app)
        for at, server in enumerate(client.servers):
            self._address(f"{client.name}.servers[{at}]", server)

    def _backend(self, client: str, table: dict[str, Any]) -> Backend:
        place = f"{client}.backend"
        required = ("server", "client_id", "token_url", "key")
        given = self._typed(place, table, _BACKEND, required)
        made = Backend(**dict.fromkeys(required, "") | given)
        for name in ("server", "token_url"):
            if name in given:
                self._address(f"{place}.{name}", given[name])
        if made.algorithm not in ALGORITHMS:
            self._algorithms(f"{place}.algorithm", (made.algorithm,))
        elif made.key:
            self._private_key(f"{place}.key", made)
        return Backend(
            **{name: getattr(made, name) for name in _BACKEND} | {"key": str(self.folder / made.key)}
        )

    def _typed(
        self, place: str, table: Mapping[str, Any], known: Mapping[str, str], required: tuple[str, ...]
    ) -> dict[str, Any]:
        """What the table says of known keys, each of its kind."""
        found: dict[str, Any] = {}
        for name, value in table.items():
            at = f"{place}.{name}"
            if name not in known:
                self.fault(at, f"is no key here; these are: {', '.join(sorted(known))}")
                continue
            kind, said = _KINDS[known[name].removesuffix(" | None")]
            texts = value if isinstance(value, list) else [value] if isinstance(value, str) else []
            if type(value) is not kind or not all(isinstance(one, str) and one for one in texts):
                self.fault(at, f"is {said}")
                continue
            found[name] = tuple(value) if isinstance(value, list) else value
        for name in required:
            if name not in table:
                self.fault(f"{place}.{name}", "is missing")
        return found

    def _algorithms(self, place: str, algorithms: tuple[str, ...]) -> None:
        wrong = [one for one in algorithms if one not in ALGORITHMS]
        if wrong or not algorithms:
            said = f"takes asymmetrical algorithms alone ({', '.join(ALGORITHMS)}), not '{', '.join(wrong)}'"
            self.fault(place, said)

    def _address(self, place: str, url: str) -> None:
        if said := fault_of(url):
            self.fault(place, f"'{url}' {said}")

    def _json(self, place: str, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        try:
            if path.stat().st_size > _LARGEST_KEYS:
                self.fault(place, f"'{name}' is larger than a set of keys can be")
                return None
            return decode(path.read_bytes(), Limits(_LARGEST_KEYS, 20)).resource
        except OSError as fault:
            self.fault(place, f"'{name}' cannot be read: {fault.strerror}")
        except ServiceError:
            self.fault(place, f"'{name}' is not JSON")
        return None

    def _key_set(self, place: str, name: str) -> Mapping[str, Any] | None:
        held = self._json(place, name)
        if held is None:
            return None
        try:
            keys = read_keys(held)
        except ValueError as fault:
            self.fault(place, f"'{name}' is {fault}")
            return None
        if not keys:
            self.fault(place, f"'{name}' holds no key that can verify (RSA from 2048 bits or EC, with a kid)")
        if any("d" in one for one in held["keys"] if isinstance(one, dict)):
            self.fault(
                place, f"'{name}' holds a private key; it is the client's secret: keep the public parts"
            )
        return held

    def _private_key(self, place: str, backend: Backend) -> None:
        held = self._json(place, backend.key)
        if held is None:
            return
        try:
            read_private(held, backend.algorithm)
        except ValueError as fault:
            self.fault(place, f"'{backend.key}' {fault}")
