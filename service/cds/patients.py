"""Whose a resource is: the call's patient's, somebody else's, or it cannot be told.

Another patient's data is never used, and what cannot be told is treated like it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Whose:
    """The call's patient, as resources may name them.

    ``patient`` is ``Patient/id``, ``servers`` the FHIR servers whose patient that is (none: any), and
    ``identifiers`` the value by system that the patient's own record gives. Without ``relative`` a
    relative reference is somebody else's.
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

    def _leads(self, text: str) -> bool | None:
        if text.startswith(("#", "urn:")):
            return None
        text = text.partition("/_history/")[0]
        if "://" not in text:
            return self.relative and text == self.patient
        server, found, id_ = text.rpartition("/Patient/")
        if not found or f"Patient/{id_}" != self.patient:
            return False
        return not self.servers or server in self.servers

    def owns(self, resource: Resource) -> bool | None:
        """Whether the resource is about the patient. One that names nobody was asked for by patient."""
        if resource.get("resourceType") == "Patient":
            return f"Patient/{resource.get('id')}" == self.patient
        for name in ("subject", "patient"):
            if name in resource:
                return self.names(resource[name])
        return True


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
