"""A form's results made ready to store: their ids, and the references among them. Pure but for look-ups.

The id of a result comes from its role in the form: its type, what it is about (code or event), for an
Observation about another result that one's role, and the place among its equals. An amended form so
updates the results that it still supports.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from service.domain.errors import Unprocessable
from service.fhir.json_text import decode
from service.operations.searching.parameters import RECORD_TYPES
from service.operations.searching.query import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.operations.identity import Identity
    from service.operations.ports import Records, Version

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


def settle(
    made: Sequence[Draft], identity: Identity, records: Records, held: Sequence[Version] = ()
) -> list[Resource]:
    """The results with their ids, references among them put right; those that exist already are left out.

    ``held`` are the results of the form's last submission: what has not changed keeps its id, whatever was
    taken out or put in before it.
    """
    roles = _roles(made, identity, held)
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


def ids_of(made: Sequence[Draft], identity: Identity, held: Sequence[Version]) -> list[str]:
    """The id of each result, where ``held`` is what the form came to: the same that ``settle`` gave it."""
    roles = _roles(made, identity, held)
    return [draft.id or identity.result(role) for draft, role in zip(made, roles, strict=True)]


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


def _roles(made: Sequence[Draft], identity: Identity, held: Sequence[Version]) -> list[str]:
    """The role of each draft: what it is, what it is about, and its place among its equals."""
    stored = {one.id: (one.reference, decode(one.body).resource) for one in held if one.body}
    before = _looks(list(stored.values()), frozenset(one.reference for one in held))
    looks = dict(zip(stored, before, strict=True))
    urls = frozenset(name for draft in made for name in _names(draft))
    now = _looks([(draft.url, draft.resource) for draft in made], urls) if looks else [""] * len(made)
    found: dict[int, str] = {}
    for about in (False, True):
        groups: dict[str, list[int]] = {}
        for index, draft in enumerate(made):
            if bool(draft.resource.get("focus")) is about:
                groups.setdefault(_plain(draft.resource, made, found), []).append(index)
        for role, indices in groups.items():
            found |= _placed(role, {at: now[at] for at in indices}, identity, looks)
    return [found[index] for index in range(len(made))]


def _plain(resource: Resource, made: Sequence[Draft], found: Mapping[int, str]) -> str:
    """The role without its number; an Observation about another result has that one's role in its own."""
    by_url = {draft.url: found[index] for index, draft in enumerate(made) if draft.url and index in found}
    about = (by_url.get(str(one.get("reference")), "") for one in resource.get("focus", ()))
    return " ".join([_role(resource), *about])


def _placed(
    role: str, drafts: Mapping[int, str], identity: Identity, looks: Mapping[str, str]
) -> dict[int, str]:
    """Numbered roles for equal drafts: first those that look as they did, then the rest in order."""
    free = [f"{role} {number}" for number in range(1, len(drafts) + 1)]
    while identity.result(f"{role} {len(free) + 1}") in looks:
        free.append(f"{role} {len(free) + 1}")
    placed: dict[int, str] = {}
    for index, look in drafts.items():
        same = next((name for name in free if looks.get(identity.result(name)) == look), None)
        if same is not None:
            placed[index] = same
            free.remove(same)
    for index in drafts:
        if index not in placed:
            placed[index] = free.pop(0)
    return placed


def _names(draft: Draft) -> tuple[str, str]:
    """What other results may call a draft by."""
    return draft.url, f"{draft.resource['resourceType']}/{draft.url}"


def _looks(results: Sequence[tuple[str, Resource]], siblings: frozenset[str]) -> list[str]:
    """What each result says, and what the results about it say; given with the name that they call it by.

    Ids, statuses, and which sibling a reference leads to are left out.
    """
    own = []
    about: dict[str, list[str]] = {}
    for _, resource in results:
        said = {name: value for name, value in resource.items() if name not in ("id", "meta", "status")}
        own.append(json.dumps(_unpointed(said, siblings), sort_keys=True, default=str))
        for one in resource.get("focus", ()):
            about.setdefault(str(one.get("reference")), []).append(own[-1])
    return [
        " ".join([look, *sorted(about.get(name, ()))]) for (name, _), look in zip(results, own, strict=True)
    ]


def _unpointed(node: Any, siblings: frozenset[str]) -> Any:
    if isinstance(node, dict):
        return {
            key: ""
            if key == "reference" and isinstance(value, str) and value in siblings
            else _unpointed(value, siblings)
            for key, value in node.items()
        }
    return [_unpointed(part, siblings) for part in node] if isinstance(node, list) else node


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
