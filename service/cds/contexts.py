"""A hook's context, read by the hook's table (``hooks.py``): patient, user, orders and which are chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.cds.hooks import HOOKS, PERSONS

if TYPE_CHECKING:
    from collections.abc import Callable

    Report = Callable[[str, str, str], None]

Resource = dict[str, Any]
ID = re.compile(r"(?:Patient/)?[A-Za-z0-9\-._]{1,255}")
_ENCOUNTER = re.compile(r"(?:Encounter/)?[A-Za-z0-9\-._]{1,255}")
_REFERENCE = re.compile(
    r"(?:https?://[^\s?#]+/)?([A-Z][A-Za-z]{1,60})/[A-Za-z0-9\-._]{1,255}(?:/_history/[\w\-.]{1,64})?"
)
_SELECTION = re.compile(r"[^\s]{1,512}")
MOST_ORDERS = 1000
_MISSING = object()


@dataclass(slots=True)
class Read:
    """What a context says. ``orders`` and ``chosen`` are as in ``Call``."""

    patient: str = ""
    user: str = ""
    encounter: str | None = None
    orders: dict[str, Resource] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()


def read_context(hook: str, context: Resource, report: Report) -> Read:
    """The context of a hook; each fault is reported with code, place and what to do."""
    read = Read()
    found: dict[str, Any] = {}
    for one in HOOKS[hook].fields:
        place = f"context.{one.name}"
        value = context.get(one.name, context.get(one.also, _MISSING))
        if value is _MISSING:
            if one.required:
                report("required", place, f"{place} is required by {hook}: {_WANTED[one.kind]}")
        elif value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip()):
            report("value", place, f"{place} may be neither null nor empty: give {_WANTED[one.kind]}")
        elif not _FITS[one.kind](value):
            report("value", place, f"{place} is {_WANTED[one.kind]}")
        else:
            found[one.name] = value
    if "patientId" in found:
        read.patient = f"Patient/{found['patientId'].removeprefix('Patient/')}"
    read.user = found.get("userId", "")
    if "encounterId" in found:
        read.encounter = f"Encounter/{found['encounterId'].removeprefix('Encounter/')}"
    if "draftOrders" in found:
        read.orders, names = _orders(found["draftOrders"], report)
        if "selections" in found:
            read.chosen = _chosen(found["selections"], names, report)
    if "dispatchedOrders" in found:
        read.chosen = tuple(dict.fromkeys(found["dispatchedOrders"]))
    return read


def _orders(bundle: Resource, report: Report) -> tuple[dict[str, Resource], dict[str, str]]:
    """The drafts by ``Type/id`` (fullUrl or place where they have no id), and their keys by any name."""
    orders: dict[str, Resource] = {}
    names: dict[str, str] = {}
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        report("structure", "context.draftOrders.entry", "the Bundle's entry is an array")
        return orders, names
    if len(entries) > MOST_ORDERS:
        report(
            "too-long",
            "context.draftOrders.entry",
            f"draftOrders holds more than {MOST_ORDERS} orders; send fewer",
        )
        return orders, names
    for at, entry in enumerate(entries):
        place = f"context.draftOrders.entry[{at}]"
        resource = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or not isinstance(kind, str) or not kind:
            report(
                "structure",
                place,
                "each entry of draftOrders holds an order as resource, with its resourceType",
            )
            continue
        id_, url = resource.get("id"), entry.get("fullUrl")
        own = f"{kind}/{id_}" if isinstance(id_, str) and id_ else None
        url = url if isinstance(url, str) and url else None
        key = own or url or place
        if key in orders:
            key = place
        orders[key] = resource
        for name in (own, url, id_ if isinstance(id_, str) else None, key):
            if name:
                names.setdefault(name, key)
    return orders, names


def _chosen(selections: list[str], names: dict[str, str], report: Report) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for at, name in enumerate(selections):
        key = names.get(name) or names.get(name.split("/_history/")[0])
        if key is None and "://" in name:
            key = names.get("/".join(name.split("/_history/")[0].split("/")[-2:]))
        if key is None:
            place = f"context.selections[{at}]"
            report("not-found", place, f"{place} names no order of draftOrders; give Type/id of one")
        else:
            found[key] = None
    return tuple(found)


def _is_user(value: object) -> bool:
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return found is not None and found[1] in PERSONS


def _is_references(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, str) and _REFERENCE.fullmatch(one) for one in value
    )


def _is_selections(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, str) and _SELECTION.fullmatch(one) for one in value
    )


def _is_tasks(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and one.get("resourceType") == "Task" for one in value
    )


_FITS: dict[str, Callable[[Any], Any]] = {
    "user": _is_user,
    "patient": lambda value: isinstance(value, str) and ID.fullmatch(value),
    "encounter": lambda value: isinstance(value, str) and _ENCOUNTER.fullmatch(value),
    "reference": lambda value: isinstance(value, str) and _REFERENCE.fullmatch(value),
    "references": _is_references,
    "selections": _is_selections,
    "bundle": lambda value: isinstance(value, dict) and value.get("resourceType") == "Bundle",
    "tasks": _is_tasks,
}
_WANTED = {
    "user": f"a reference to who uses the EHR, such as Practitioner/123 ({', '.join(PERSONS)})",
    "patient": "the id of the patient, such as 123",
    "encounter": "the id of the encounter, such as 456",
    "reference": "a reference, such as Organization/456",
    "references": "an array of references to orders, such as ServiceRequest/123",
    "selections": "an array of references to orders of draftOrders, such as ServiceRequest/123",
    "bundle": "a FHIR Bundle of the draft orders (resourceType Bundle)",
    "tasks": "an array of Task resources",
}
