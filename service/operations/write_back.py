"""A submitted form and its results as one transaction for the EHR that the patient belongs to.

Sent again, it makes nothing twice: what is new is created only if the EHR has nothing of its identifier,
what has changed replaces what has it. Each entry is named by the id that the record has here
(``urn:uuid:…``); types that cannot be searched by identifier in R4 are put under that id itself.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from service.domain.addresses import base_of, normal
from service.fhir.json_text import decode, encode
from service.operations.ports import Message
from service.operations.searching.parameters import RECORD_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.operations.clients import Client
    from service.operations.ports import Records, Version

Resource = dict[str, Any]

_SPACE = uuid.UUID("0e1c5b0a-3c53-5d0b-8f0e-6f2a3a4c7d11")
_LEFT = frozenset({"AuditEvent", "Provenance"})
"""What stays here: the EHR keeps its own account of who wrote what."""
_BY_ID = frozenset({"AdverseEvent", "Binary"})
"""Types without an ``identifier`` search parameter in R4."""
_ONE = frozenset({"QuestionnaireResponse"})
"""Types whose ``identifier`` is one, not a list."""
_OWN = frozenset({"resourceType", "id", "meta"})
_KEPT = frozenset({"profile", "security", "tag"})
_URI = "urn:ietf:rfc:3986"
MEDIA_TYPE = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class WriteBacks:
    """Makes the messages for the clients whose results are sent. ``channels`` lists where they go."""

    clients: tuple[Client, ...]

    @property
    def channels(self) -> Mapping[str, Client]:
        """The channel of each client that results are sent to."""
        return {channel_of(client): client for client in self.clients if writes(client)}

    def __call__(self, form: Resource, versions: Sequence[Version], records: Records) -> tuple[Message, ...]:
        """The message for the EHR whose patient the form is about: one, or none.

        ``versions`` are the form, first, and all its results as they will stand, deleted ones too.
        ``records`` tell which other references lead to records of this service.
        """
        owner = owner_of(form, self.clients)
        if owner is None or owner.backend is None or not owner.backend.write_back:
            return ()
        stored = versions[0]
        named = f"{channel_of(owner)} {stored.reference} {stored.version}"
        return (
            Message(
                id=str(uuid.uuid5(_SPACE, named)),
                channel=channel_of(owner),
                subject=stored.reference,
                media_type=MEDIA_TYPE,
                body=encode(transaction(versions, owner.backend.server, records)),
                details={"version": str(stored.version)},
            ),
        )


def channel_of(client: Client) -> str:
    """The outbox's channel of a client."""
    return f"ehr:{client.name}"


def writes(client: Client) -> bool:
    """Whether results are sent to the client's EHR."""
    return client.backend is not None and client.backend.write_back


def owner_of(form: Resource, clients: Sequence[Client]) -> Client | None:
    """The client whose patient the form is about.

    An absolute reference belongs to the client with that server; a relative one, or an identifier alone, to
    the client with ``local_references``.
    """
    reference = str(form.get("subject", {}).get("reference", ""))
    if "://" not in reference:
        return next((client for client in clients if client.local_references), None)
    reference = normal(reference)
    for client in clients:
        own = (*client.servers, *((client.backend.server,) if client.backend else ()))
        if any(reference.startswith(f"{base_of(server)}/") for server in own):
            return client
    return None


def transaction(versions: Sequence[Version], server: str, records: Records) -> Resource:
    """The transaction Bundle that brings the records to the server at this address."""
    sent = [one for one in versions if one.type not in _LEFT and not (one.deleted and one.type not in _BY_ID)]
    names = {one.reference: _name(one) for one in sent}
    gone = frozenset(one.reference for one in sent if one.deleted)
    pointing = _Pointing(names, gone, f"{base_of(server)}/", records)
    entries = [_entry(one, pointing) for one in sent]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@dataclass(frozen=True, slots=True)
class _Pointing:
    """Where references lead there: by name among what is sent, by identifier to what was sent before."""

    names: Mapping[str, str]
    gone: frozenset[str]
    server: str
    records: Records

    def __call__(self, reference: str) -> str:
        """The reference as it stands in the transaction."""
        if reference in self.names:
            return self.names[reference]
        type_, _, id_ = reference.partition("/")
        if type_ in RECORD_TYPES and id_ and "/" not in id_:
            held = self.records.read(type_, id_)
            if held is not None and not held.deleted:
                name = _name(held)
                if type_ in _BY_ID:
                    return f"{type_}/{name.removeprefix('urn:uuid:')}"
                found = _identified(decode(held.body).resource, type_, name)[1]
                return f"{type_}?{found}"
        written = normal(reference)
        return written.removeprefix(self.server) if written.startswith(self.server) else reference


def _entry(one: Version, pointing: _Pointing) -> Resource:
    name = pointing.names[one.reference]
    own = name.removeprefix("urn:uuid:")
    if one.deleted:
        return {"request": {"method": "DELETE", "url": f"{one.type}/{own}"}}
    stored = decode(one.body).resource
    resource: Resource = {"resourceType": one.type}
    if one.type in _BY_ID:
        resource["id"] = own
    meta = {key: value for key, value in stored.get("meta", {}).items() if key in _KEPT}
    if meta:
        resource["meta"] = meta
    resource |= {key: _pointed(value, pointing) for key, value in stored.items() if key not in _OWN}
    if one.type in _BY_ID:
        request = {"method": "PUT", "url": f"{one.type}/{own}"}
        return {"fullUrl": name, "resource": resource, "request": request}
    resource, condition = _identified(resource, one.type, name)
    if one.version == 1:
        request = {"method": "POST", "url": one.type, "ifNoneExist": condition}
    else:
        request = {"method": "PUT", "url": f"{one.type}?{condition}"}
    return {"fullUrl": name, "resource": resource, "request": request}


def _name(one: Version) -> str:
    """The record's name: its own id where that is a UUID, else one made of it."""
    try:
        return f"urn:uuid:{uuid.UUID(one.id)}"
    except ValueError:
        return f"urn:uuid:{uuid.uuid5(_SPACE, one.reference)}"


def _identified(resource: Resource, type_: str, name: str) -> tuple[Resource, str]:
    """The resource with an identifier that it is found by, and the search that finds it."""
    own = {"system": _URI, "value": name}
    given = resource.get("identifier")
    if type_ in _ONE:
        if isinstance(given, dict) and given.get("value"):
            own = given
        return resource | {"identifier": own}, _condition(own)
    return resource | {"identifier": [*(given or ()), own]}, _condition(own)


def _condition(identifier: Mapping[str, Any]) -> str:
    token = f"{_escaped(identifier.get('system', ''))}|{_escaped(identifier['value'])}"
    return f"identifier={quote(token, safe='')}"


def _escaped(text: str) -> str:
    """The text as a search value: what has a meaning there is escaped (FHIR R4, search, 3.1.1.4.0.1)."""
    for character in "\\$,|":
        text = text.replace(character, f"\\{character}")
    return text


def _pointed(node: Any, pointing: _Pointing) -> Any:
    """The same with each reference as it leads there."""
    if isinstance(node, dict):
        reference = node.get("reference")
        if isinstance(reference, str) and reference in pointing.gone:
            # what is deleted there must not be pointed to any more: it is named, not led to
            said = {key: value for key, value in node.items() if key != "reference"}
            return said | {"identifier": {"system": _URI, "value": pointing.names[reference]}}
        return {
            key: pointing(value)
            if key == "reference" and isinstance(value, str)
            else _pointed(value, pointing)
            for key, value in node.items()
        }
    return [_pointed(part, pointing) for part in node] if isinstance(node, list) else node
