"""What all cards of one plan have in common: source, topic, reasons to override, its words. Read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from service.cds.tables import is_absolute, plain
from service.cds.wording import Wording
from service.domain.errors import ContentFault
from service.fhir.concepts import NotEnumerable
from service.fhir.plans.definitions import input_form
from service.fhir.plans.rules import role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.fhir.concepts import Terminology
    from service.fhir.plans import Plan

Resource = dict[str, Any]
OVERRIDE_REASONS = "/StructureDefinition/override-reasons"
ICON = "/icon.png"
"""Where this service gives the icon of its cards."""
_BEHAVIOUR = {"at-most-one": "at-most-one", "exactly-one": "at-most-one"}


class Content(Protocol):
    """What cards ask of the published content."""

    @property
    def terminology(self) -> Terminology:
        """The published code systems and value sets."""

    def resolve(self, canonical: str) -> Resource | None:
        """The resource of a canonical, or None where it is not held here."""


@dataclass(frozen=True, slots=True)
class Face:
    """One plan as its cards show it.

    ``source`` is the card's source, ``overrides`` its reasons to override, ``guidance`` the absolute link to
    the guidance where the plan has one. ``behaviour`` is CDS Hooks' selectionBehavior of its proposals.
    ``form`` is the title of the form that the plan takes as input.
    """

    source: Resource
    overrides: tuple[Resource, ...]
    guidance: Resource | None
    behaviour: str
    form: str


class Faces:
    """The faces of published plans, each made when it is first shown."""

    def __init__(self, content: Content) -> None:
        """Reads nothing yet."""
        self.content = content
        self._made: dict[int, Face] = {}
        self._worded: dict[int, Wording] = {}

    def of(self, definition: Resource) -> Face:
        """The face of a PlanDefinition that is published here."""
        key = id(definition)  # content is held for the life of the process
        if key not in self._made:
            self._made[key] = read_face(definition, self.content)
        return self._made[key]

    def wording(self, plan: Plan) -> Wording:
        """The words of a plan that is published here."""
        found = self._worded.get(id(plan.resource))
        if found is None or found.plan is not plan:
            found = self._worded[id(plan.resource)] = Wording(plan)
        return found


def read_face(definition: Resource, content: Content) -> Face:
    """The face of a plan. The guidance is what the plan is derived from, else what it cites.

    ContentFault where the reasons to override that the plan names are not held here.
    """
    cited, derived = (_related(definition, kind) for kind in ("citation", "derived-from"))
    guidance = derived or cited
    label = cited.get("display") or derived.get("display") or definition.get("title") or "Guidance"
    source: Resource = {"label": plain(label)}
    leads = None
    if guidance:
        source["url"] = guidance["url"]
        leads = {"label": plain(guidance.get("display") or label), "url": guidance["url"], "type": "absolute"}
    icon = _icon(definition)
    if icon:
        source["icon"] = icon
    topic = _topic(definition)
    if topic:
        source["topic"] = topic
    form = (content.resolve(input_form(definition) or "") or {}).get("title", "")
    return Face(source, tuple(_overrides(definition, content)), leads, _behaviour(definition), form)


def _related(definition: Resource, kind: str) -> Resource:
    """The plan's first related artifact of a kind with an absolute address."""
    for one in definition.get("relatedArtifact", ()):
        if one.get("type") == kind and is_absolute(one.get("url", "")):
            found: Resource = one
            return found
    return {}


def _icon(definition: Resource) -> str | None:
    """The https address of a PNG among the plan's documentation."""
    for one in definition.get("relatedArtifact", ()):
        document = one.get("document", {})
        url = str(document.get("url", ""))
        if document.get("contentType") == "image/png" and url.startswith("https://") and is_absolute(url):
            return url
    return None


def _topic(definition: Resource) -> Resource | None:
    """The first coding among the plan's topics."""
    for topic in definition.get("topic", ()):
        for coding in topic.get("coding", ()):
            return {name: coding[name] for name in ("system", "code", "display") if coding.get(name)}
    return None


def _overrides(definition: Resource, content: Content) -> Iterable[Resource]:
    for extension in definition.get("extension", ()):
        if str(extension.get("url", "")).endswith(OVERRIDE_REASONS):
            try:
                members = content.terminology.expand(extension["valueCanonical"])
            except NotEnumerable as fault:
                raise ContentFault(
                    f"the reasons to override of {definition.get('id')} are not held here: {fault}"
                ) from None
            for (system, code), member in members.items():
                yield {"code": code, "system": system, "display": member.display or code}


def _behaviour(definition: Resource) -> str:
    """What the plan says of its proposals' choice, in CDS Hooks' words; any, where it says nothing else."""
    waiting = list(definition.get("action", ()))
    while waiting:
        action = waiting.pop(0)
        if role(action) == "proposal":
            return _BEHAVIOUR.get(action.get("selectionBehavior", ""), "any")
        waiting += action.get("action", ())
    return "any"
