"""A hook request, read: every demand of CDS Hooks on a request is checked, and all faults said at once.

    call = read_call(body, service)          # a Call, or Invalid with an issue for each fault

Sources: CDS Hooks 2.0.1, Calling a CDS Service and FHIR Resource Access; the hook library's contexts. Strict
in what they demand of the request's own elements; fields that they do not know are let through, and what is
inside FHIR resources is FHIR's: judged where it is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.cds.contexts import ID, Read, read_context
from service.cds.model import Access, Call
from service.domain.errors import Invalid
from service.domain.issues import Issue, error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.cds.model import Service

Resource = dict[str, Any]
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", re.IGNORECASE)
_MISSING = object()
_LONGEST_TOKEN = 20_000


@dataclass(slots=True)
class _Faults:
    """The faults found so far."""

    issues: list[Issue] = field(default_factory=list)

    def add(self, code: str, place: str, message: str) -> None:
        self.issues.append(error(code, message, place))


def read_call(body: object, service: Service, *, revision: int = 2) -> Call:
    """The call of a service. ``revision`` is the major version of CDS Hooks that the client knows.

    Invalid lists every fault, each with its place (``context.draftOrders``) and the remedy.
    """
    if not isinstance(body, dict):
        said = "a hook request is a JSON object with hook, hookInstance and context"
        raise Invalid(said, issues=[error("structure", said, "$this")])
    faults = _Faults()
    hook = _text(body, "hook", "", faults)
    if hook is not None and hook != service.hook:
        said = f"this service is for the hook {service.hook}, not '{hook[:60]}'; see GET /cds-services"
        faults.add("value", "hook", said)
    instance = _text(body, "hookInstance", "", faults)
    if instance is not None and not _UUID.fullmatch(instance):
        faults.add("value", "hookInstance", "hookInstance is a UUID, a new one for each call of a hook")
    access = _access(body, faults)
    prefetch = _prefetch(body, faults)
    extension = body.get("extension", _MISSING)
    if extension is not _MISSING and not isinstance(extension, dict):
        faults.add("structure", "extension", "extension is a JSON object whose members are extensions")
    read = Read()
    context = body.get("context", _MISSING)
    if not isinstance(context, dict) or not context:
        _refuse(context, "context", "an object with the fields of the hook", faults)
    elif hook in (None, service.hook):  # another hook has another context
        read = read_context(service.hook, context, faults.add)
    if faults.issues or instance is None or not isinstance(context, dict):
        count = "one fault" if len(faults.issues) == 1 else f"{len(faults.issues)} faults"
        raise Invalid(f"the hook request has {count}", issues=faults.issues)
    return Call(
        service=service.id,
        hook=service.hook,
        instance=instance,
        patient=read.patient,
        user=read.user,
        context=context,
        orders=read.orders,
        chosen=read.chosen,
        encounter=read.encounter,
        prefetch=prefetch,
        access=access,
        revision=revision,
    )


def _text(source: Mapping[str, Any], name: str, path: str, faults: _Faults) -> str | None:
    """A required text; None where it is missing, empty or no text, which is a fault."""
    value = source.get(name, _MISSING)
    if isinstance(value, str) and value.strip():
        return value
    _refuse(value, f"{path}{name}", "a text that is not empty", faults)
    return None


def _refuse(value: object, place: str, wanted: str, faults: _Faults) -> None:
    if value is _MISSING:
        faults.add("required", place, f"{place} is required: {wanted}")
    elif value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip()):
        faults.add("value", place, f"{place} may be neither null nor empty: give {wanted}")
    else:
        faults.add("structure", place, f"{place} is {wanted}, not {_kind(value)}")


def _access(body: Resource, faults: _Faults) -> Access | None:
    """The FHIR server that the call opens, or None where it opens none."""
    server = body.get("fhirServer", _MISSING)
    if server is not _MISSING and not (isinstance(server, str) and _URL.fullmatch(server)):
        _refuse(server, "fhirServer", "the absolute http(s) address of a FHIR server, without query", faults)
        server = _MISSING
    given = body.get("fhirAuthorization", _MISSING)
    if given is _MISSING:
        return Access(server.rstrip("/")) if isinstance(server, str) else None
    if not isinstance(given, dict) or not given:
        _refuse(given, "fhirAuthorization", "an object with access_token, token_type and scope", faults)
        return None
    if "fhirServer" not in body:
        said = "fhirServer is required with fhirAuthorization: the FHIR server that the token opens"
        faults.add("required", "fhirServer", said)
    path = "fhirAuthorization."
    token = _text(given, "access_token", path, faults)
    if token is not None and (len(token) > _LONGEST_TOKEN or not token.isprintable() or not token.isascii()):
        faults.add("value", f"{path}access_token", "access_token holds characters that no bearer token has")
    kind = _text(given, "token_type", path, faults)
    if kind is not None and kind != "Bearer":
        faults.add("value", f"{path}token_type", "token_type is Bearer")
    seconds = given.get("expires_in", _MISSING)
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        _refuse(seconds, f"{path}expires_in", "the token's lifetime, a whole number of seconds", faults)
    scope = _text(given, "scope", path, faults)
    _text(given, "subject", path, faults)
    patient = given.get("patient", _MISSING)
    if patient is not _MISSING and not (isinstance(patient, str) and ID.fullmatch(patient)):
        _refuse(patient, f"{path}patient", "the id of the patient that the token is restricted to", faults)
        patient = _MISSING
    if not isinstance(server, str) or token is None:
        return None
    only = f"Patient/{str(patient).removeprefix('Patient/')}" if patient is not _MISSING else None
    return Access(server.rstrip("/"), token, frozenset((scope or "").split()), only)


def _prefetch(body: Resource, faults: _Faults) -> Mapping[str, Resource | None]:
    """The prefetched data by key: null says that there is none. No key at all is the same as no prefetch."""
    given = body.get("prefetch", _MISSING)
    if given is _MISSING:
        return {}
    if not isinstance(given, dict):
        _refuse(given, "prefetch", "an object with a FHIR resource, or null, for each key", faults)
        return {}
    for key, value in given.items():
        if value is not None and not (isinstance(value, dict) and isinstance(value.get("resourceType"), str)):
            place = f"prefetch.`{key[:60]}`"
            faults.add(
                "structure",
                place,
                f"{place} is a FHIR resource, null (no data) or left out (not fetched), not {_kind(value)}",
            )
    return given


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "an object without resourceType" if "resourceType" not in value else "an object"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, bool):
        return "true or false"
    return "a text" if isinstance(value, str) else "null" if value is None else "a number"
