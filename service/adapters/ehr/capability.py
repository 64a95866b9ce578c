"""What an EHR's server says that it can do (its CapabilityStatement), against what is asked of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Capability:
    """FHIR version, formats, whether it takes transactions, and by type what may be searched and done."""

    version: str
    json: bool
    transactions: bool
    searches: Mapping[str, frozenset[str]]
    interactions: Mapping[str, frozenset[str]]


def read_capability(statement: Resource) -> Capability:
    """What a CapabilityStatement says of its server; what it does not say is not taken to be so."""
    server = next((rest for rest in _parts(statement, "rest") if rest.get("mode") == "server"), {})
    resources = {str(one.get("type")): one for one in _parts(server, "resource")}
    formats = statement.get("format")
    return Capability(
        version=str(statement.get("fhirVersion", "")),
        json=any("json" in str(one) for one in (formats if isinstance(formats, list) else ())),
        transactions=any(
            one.get("code") in ("transaction", "batch-transaction") for one in _parts(server, "interaction")
        ),
        searches={
            type_: frozenset(str(parameter.get("name")) for parameter in _parts(one, "searchParam"))
            for type_, one in resources.items()
        },
        interactions={
            type_: frozenset(
                [str(done.get("code")) for done in _parts(one, "interaction")]
                + [name for name in ("conditionalCreate", "conditionalUpdate") if one.get(name) is True]
            )
            for type_, one in resources.items()
        },
    )


def lacks_for_writing(capability: Capability, bundle: Resource) -> Iterator[str]:
    """What the server does not say that it can do, of what this transaction asks, a sentence each."""
    if not capability.version.startswith("4.0"):
        yield "it does not say that it speaks FHIR R4 (4.0)"
    if not capability.json:
        yield "it does not say that it speaks JSON"
    if not capability.transactions:
        yield "it does not say that it takes transactions"
    for type_, needed in sorted(_needs(bundle)):
        if needed not in capability.interactions.get(type_, frozenset()):
            yield f"{type_}: it does not say that it does {needed}"
        if needed.startswith("conditional") and "identifier" not in capability.searches.get(
            type_, frozenset()
        ):
            yield f"{type_}: it does not say that it is searched by identifier"


def _needs(bundle: Resource) -> set[tuple[str, str]]:
    found = set()
    for entry in bundle.get("entry", ()):
        request = entry["request"]
        type_ = request["url"].partition("?")[0].partition("/")[0]
        plain = {"POST": "create", "PUT": "update", "DELETE": "delete"}[request["method"]]
        conditional = "ifNoneExist" in request or "?" in request["url"]
        found.add((type_, f"conditional{plain.title()}" if conditional else plain))
    return found


def _parts(node: Resource, name: str) -> list[Resource]:
    found = node.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
