"""One event as a FHIR AdverseEvent for a regional FHIR endpoint, and the Yellow Card reference read back.

The resource stands alone: all that it names is contained. The patient has no identifier. The reference that
the MHRA gave travels as AdverseEvent.referenceDocument, in both directions. R4 ``adverseevent.html``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import Refused
from service.fhir.json_text import encode
from service.yellow_card.document import contents
from service.yellow_card.material import file_name
from service.yellow_card.rendered import Rendered
from service.yellow_card.resources import YELLOW_CARD, Maker

if TYPE_CHECKING:
    from service.domain.safety_report import SafetyReport
    from service.domain.site import Site
    from service.yellow_card.material import Material
    from service.yellow_card.resources import Made

Resource = dict[str, Any]
KIND = "adverse-event"


def adverse_event(report: SafetyReport, _site: Site, material: Material) -> Rendered:
    """The report's event as one resource; several events as a collection Bundle of one resource each."""
    made = adverse_events(report, material)
    whole: Resource = made[0]
    if len(made) > 1:
        whole = {
            "resourceType": "Bundle",
            "type": "collection",
            "timestamp": material.now.isoformat(timespec="seconds"),
            "entry": [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in made],
        }
    name = file_name(report, ".adverse-event.json")
    return Rendered("application/fhir+json", name, encode(whole), KIND)


def adverse_events(report: SafetyReport, material: Material) -> list[Resource]:
    """An AdverseEvent for each event of the report, whatever its branch."""
    held = contents(Maker(report, material.words, material.base))
    everything = {one.urn: one for ones in held.values() for one in ones}
    return [
        _alone(one, everything) for one in held["event"] if one.resource["resourceType"] == "AdverseEvent"
    ]


def _alone(event: Made, everything: dict[str, Made]) -> Resource:
    """The event with all that it leads to contained, and what is said about it."""
    names = {urn: f"#{one.resource['id']}" for urn, one in everything.items()} | {event.urn: "#"}
    wanted: dict[str, Made] = {}
    waiting = [*_named(event.resource)]
    waiting += [
        one.urn
        for one in everything.values()
        if event.urn in _named(one.resource) and one.resource["resourceType"] == "Observation"
    ]
    while waiting:
        urn = waiting.pop(0)
        if urn in everything and urn != event.urn and urn not in wanted:
            wanted[urn] = everything[urn]
            waiting += _named(everything[urn].resource)
    resource: Resource = _renamed(event.resource, names)
    contained = [_renamed(one.resource, names) for one in wanted.values()]
    head = {key: resource[key] for key in ("resourceType", "id")}
    return head | {"contained": contained} | {k: v for k, v in resource.items() if k not in head}


def _named(node: Any) -> list[str]:
    """Every reference in a resource."""
    if isinstance(node, dict):
        own = [node["reference"]] if isinstance(node.get("reference"), str) else []
        return own + [found for inner in node.values() for found in _named(inner)]
    return [found for inner in node for found in _named(inner)] if isinstance(node, list) else []


def _renamed(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            key: names.get(inner, inner) if key == "reference" else _renamed(inner, names)
            for key, inner in node.items()
        }
    return [_renamed(inner, names) for inner in node] if isinstance(node, list) else node


def read_reference(resource: Resource, base: str) -> str:
    """The Yellow Card reference that an AdverseEvent from another system carries; Refused without one."""
    documents = resource.get("referenceDocument")
    for one in documents if isinstance(documents, list) else ():
        identifier = one.get("identifier") if isinstance(one, dict) else None
        if isinstance(identifier, dict) and identifier.get("system") == f"{base}{YELLOW_CARD}":
            value = identifier.get("value")
            if isinstance(value, str) and value.strip():
                return value.strip()
    raise Refused(
        "the AdverseEvent carries no Yellow Card reference: give referenceDocument with an identifier of the "
        f"system {base}{YELLOW_CARD}",
        expression="AdverseEvent.referenceDocument",
    )
