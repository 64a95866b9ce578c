"""Whose a resource is: the call's patient's, somebody else's, or it cannot be told.

Another patient's data is never used, and what cannot be told is treated like it. An id names a patient on
one FHIR server only: a relative reference is one on the server that the resource came from, and an absolute
one is the patient's only on a server that is known to be the call's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.addresses import base_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.cds.model import Call

Resource = dict[str, Any]
ABOUT = ("subject", "patient")
"""The elements that name whom a resource is about."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The call's patient, as resources may name them.

    ``patient`` is ``Patient/id``, ``servers`` the FHIR servers whose patient that is, and ``identifiers``
    the value by system that the patient's own record gives. Without ``relative`` a relative reference is
    somebody else's.
    """

    patient: str
    servers: tuple[str, ...] = ()
    identifiers: Mapping[str, str] | None = None
    relative: bool = True

    def names(self, reference: object) -> bool | None:
        """Whether a Reference names the patient; None where it cannot be told."""
        if not isinstance(reference, dict):
            return None
        text = reference.get("reference")
        if isinstance(text, str) and text:
            return self._leads(text)
        identifier = reference.get("identifier")
        if isinstance(identifier, dict) and self.identifiers:
            own = self.identifiers.get(str(identifier.get("system")))
            return None if own is None else own == identifier.get("value")
        return None

    def is_elsewhere(self, reference: object) -> bool:
        """Whether a Reference names the patient's id on a server that is not known to be the call's."""
        text = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(text, str):
            return False
        server, id_ = _parted(text)
        return bool(server) and f"Patient/{id_}" == self.patient and not self.is_own(server)

    def owns(self, resource: Resource) -> bool | None:
        """Whether the resource is about the patient. One that names nobody was asked for by patient."""
        if resource.get("resourceType") == "Patient":
            return f"Patient/{resource.get('id')}" == self.patient
        for name in ABOUT:
            if name in resource:
                about = resource[name]
                if isinstance(about, dict) and about.get("reference") == self.patient:  # nearly always
                    return self.relative
                return self.names(about)
        return True

    def _leads(self, text: str) -> bool | None:
        if text == self.patient:
            return self.relative
        if text.startswith(("#", "urn:")):
            return None
        if "://" not in text:
            return self.relative and text.partition("/_history/")[0] == self.patient
        server, id_ = _parted(text)
        return bool(server) and f"Patient/{id_}" == self.patient and self.is_own(server)

    def is_own(self, server: str) -> bool:
        """Whether the server is among the call's, however its address is written."""
        if server in self.servers:
            return True
        written = base_of(server)
        return any(base_of(one) == written for one in self.servers)


def servers_of(call: Call, listed: Iterable[str] = ()) -> tuple[str, ...]:
    """The FHIR servers whose references the call speaks in: the one that it names, and those ``listed``.

    Listed are the servers of the call's client; nobody lists any where callers are not known.
    """
    named = (call.access.server,) if call.access else ()
    return tuple(dict.fromkeys(one.rstrip("/") for one in (*named, *listed)))


def identifiers_of(patient: Resource | None) -> Mapping[str, str]:
    """The value by system of a Patient's identifiers, without old and temporary ones and doubled systems."""
    found: dict[str, set[str]] = {}
    entries = (patient or {}).get("identifier", [])
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("use") in ("old", "temp"):
            continue
        system, value = entry.get("system"), entry.get("value")
        if not (isinstance(system, str) and isinstance(value, str)) or "\x00" in system + value:
            continue  # records are searched by them, and no record can hold a null character
        if system and value.strip():
            found.setdefault(system, set()).add(value)
    return {system: next(iter(values)) for system, values in found.items() if len(values) == 1}


def _parted(text: str) -> tuple[str, str]:
    """The server and the patient's id of an absolute reference to a Patient; both empty of any other."""
    server, found, id_ = text.partition("/_history/")[0].rpartition("/Patient/")
    return (server, id_) if found and "://" in server else ("", "")
