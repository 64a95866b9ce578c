"""Which form this is: the same form sent again is known again, and its results keep their ids.

A form is its ``identifier``, else its id within its source (``meta.source``), else the hash of its content.
Ids are version 5 UUIDs of that, so that they come out the same on every machine.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.errors import Conflict, Unprocessable
from service.fhir.json_text import encode
from service.operations.searching.parameters import Kind
from service.operations.searching.query import Condition, Query, Value

if TYPE_CHECKING:
    from service.operations.ports import Records

Resource = dict[str, Any]
FORM = "QuestionnaireResponse"
_SPACE = uuid.UUID("5f1f9d1c-5b0e-5c6e-9e0b-0d1a2f5a9c11")


@dataclass(frozen=True, slots=True)
class Identity:
    """A form's id here, and whether it rests on the content alone."""

    id: str
    by_content: bool

    def result(self, role: str) -> str:
        """The id of one of the form's results; the role tells the results of one form apart."""
        return str(uuid.uuid5(_SPACE, f"{self.id} {role}"))


def name(form: Resource) -> Identity:
    """The form's identity from what it says itself."""
    identifier = form.get("identifier")
    if isinstance(identifier, dict) and identifier.get("value"):
        system, value = str(identifier.get("system", "")), str(identifier["value"])
        return Identity(_named("identifier", system, value), by_content=False)
    given = form.get("id")
    if isinstance(given, str):
        source = form.get("meta", {}).get("source", "")
        return Identity(_named("source", str(source), given), by_content=False)
    return Identity(_named("content", fingerprint(form)), by_content=True)


def identify(form: Resource, records: Records) -> Identity:
    """The form's identity among the stored ones; Conflict if several of them claim its identifier."""
    identifier, given = form.get("identifier"), form.get("id")
    if isinstance(identifier, dict) and identifier.get("value"):
        stored = _stored(records, str(identifier.get("system", "")), str(identifier["value"]))
        return Identity(stored, by_content=False) if stored else name(form)
    if isinstance(given, str) and records.read(FORM, given) is not None:
        return Identity(given, by_content=False)  # one of ours, read here and sent back
    return name(form)


def require_amendable(form: Resource, identity: Identity) -> None:
    """Nothing, where it can be told which form this amends or withdraws; else Unprocessable."""
    if identity.by_content and form.get("status") != "completed":
        raise Unprocessable(
            f"the form is {form.get('status')}, but has neither an identifier nor an id: it cannot be told "
            "which form it replaces; send the identifier (or the id and meta.source) of the first submission",
            expression=f"{FORM}.identifier",
        )


def fingerprint(form: Resource) -> str:
    """The SHA-256 of what the form says: its id and meta count for nothing, nor does the order of keys."""
    said = {key: value for key, value in form.items() if key not in ("id", "meta")}
    return hashlib.sha256(encode(_ordered(said))).hexdigest()


def _ordered(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _ordered(node[key]) for key in sorted(node)}
    return [_ordered(part) for part in node] if isinstance(node, list) else node


def _named(*parts: str) -> str:
    return str(uuid.uuid5(_SPACE, "\n".join(parts)))


def _stored(records: Records, system: str, value: str) -> str | None:
    condition = Condition("identifier", Kind.TOKEN, "", (Value(system, value),))
    found = records.search(Query(FORM, (condition,), count=2)).versions
    if len(found) > 1:
        raise Conflict(
            "several stored forms have this identifier, so it cannot be told which is meant",
            expression=f"{FORM}.identifier",
        )
    return found[0].id if found else None
