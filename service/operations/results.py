"""A form's results made ready to store: their ids, and the references among them. Pure but for look-ups.

The id of a result comes from its role in the form: its type, what it is about (code or event), for an
Observation about another result that one's role, and the place among its equals. An amended form so
updates the results that it still supports.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from service.domain.errors import Unprocessable
from service.operations.searching.parameters import RECORD_TYPES
from service.operations.searching.query import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.operations.identity import Identity
    from service.operations.ports import Records

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """One result before it has its id. ``url`` is what other results call it by (a fullUrl)."""

    resource: Resource
    url: str = ""
    id: str | None = None
    unless: str | None = None


def drafts(extracted: Resource) -> list[Draft]:
    """The results in what an extraction gave: a transaction Bundle, or one resource."""
    if extracted.get("resourceType") != "Bundle":
        return [Draft(extracted)]
    found = []
    for entry in extracted.get("entry", ()):
        request = entry.get("request", {})
        put = request.get("method") == "PUT"
        target = str(request.get("url", ""))
        found.append(
            Draft(
                entry["resource"],
                str(entry.get("fullUrl", "")),
                target.rsplit("/", 1)[-1] if put and "?" not in target else None,
                request.get("ifNoneExist") or (target.partition("?")[2] if put and "?" in target else None),
            )
        )
    return found


def settle(made: Sequence[Draft], identity: Identity, records: Records) -> list[Resource]:
    """The results with their ids, references among them put right; those that exist already are left out."""
    roles = _roles(made)
    references: dict[str, str] = {}
    kept: list[tuple[Resource, str]] = []
    for draft, role in zip(made, roles, strict=True):
        type_ = draft.resource["resourceType"]
        if type_ not in RECORD_TYPES:
            raise Unprocessable(f"the form yields a {type_}, of which this service keeps no records")
        there = _existing(draft, records)
        id_ = there or draft.id or identity.result(role)
        references |= {name: f"{type_}/{id_}" for name in (draft.url, f"{type_}/{draft.url}") if draft.url}
        if there is None:
            kept.append((draft.resource, id_))
    return [_pointed({**resource, "id": id_}, references) for resource, id_ in kept]


def _existing(draft: Draft, records: Records) -> str | None:
    if not draft.unless:
        return None
    query = parse(draft.resource["resourceType"], parse_qsl(draft.unless.lstrip("?")), strict=True)
    found = records.search(query)
    if found.total > 1:
        raise Unprocessable(
            f"several {draft.resource['resourceType']} records match the condition of one of the results"
        )
    return found.versions[0].id if found.versions else None


def _roles(made: Sequence[Draft]) -> list[str]:
    plain = [_role(draft.resource) for draft in made]
    numbered = _numbered(plain)
    by_url = {draft.url: role for draft, role in zip(made, numbered, strict=True) if draft.url}
    about = [
        " ".join(
            [role, *(by_url.get(str(one.get("reference")), "") for one in draft.resource.get("focus", ()))]
        )
        for draft, role in zip(made, plain, strict=True)
    ]
    return _numbered(about)


def _numbered(roles: Iterable[str]) -> list[str]:
    seen: Counter[str] = Counter()
    found = []
    for role in roles:
        seen[role] += 1
        found.append(f"{role} {seen[role]}")
    return found


def _role(resource: Resource) -> str:
    words = [resource["resourceType"]]
    for name in ("code", "event", "type"):
        concept = resource.get(name)
        if isinstance(concept, dict):
            words += [
                f"{coding.get('system')}|{coding.get('code')}" for coding in concept.get("coding", ())[:1]
            ]
    return " ".join(words)


def _pointed(node: Any, references: dict[str, str]) -> Any:
    """The same with each reference to another result leading to where that one is stored."""
    if isinstance(node, dict):
        return {
            key: references.get(value, value)
            if key == "reference" and isinstance(value, str)
            else _pointed(value, references)
            for key, value in node.items()
        }
    return [_pointed(part, references) for part in node] if isinstance(node, list) else node
