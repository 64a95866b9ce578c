"""Which answers of a guidance's forms fill a safety report, read from its data (``report-fields.json``).

No linkId, term or suspect is known to the code: a second guidance brings a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.domain.errors import ContentFault
from service.domain.evaluation import Code
from service.domain.issues import error
from service.domain.report_json import shape
from service.domain.safety_report import ReportedDevice, ReportedEvent, ReportedMedicine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Resource = dict[str, Any]
Resolve = Callable[[str], Resource | None]
FILE = "report-fields.json"


@dataclass(frozen=True, slots=True)
class Term:
    """What the guidance's data say of an event's term.

    ``presumed``: a device report unless a person says why not. ``always``: the term itself names a device.
    """

    code: Code
    paragraph: str | None = None
    presumed: bool = False
    always: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The fields that one group of a form fills: a path of linkIds, joined by a slash, for each field."""

    event: Mapping[str, str] = field(default_factory=dict)
    device: Mapping[str, str] = field(default_factory=dict)
    device_state: Mapping[str, str] = field(default_factory=dict)
    device_kind: str | None = None
    medicines: str | None = None
    medicine: Mapping[str, str] = field(default_factory=dict)
    suspects: str | None = None
    device_fault: str | None = None
    medicine_defective: str | None = None
    narrative: str | None = None
    yellow_cards: str | None = None
    yellow_card: str | None = None
    yellow_card_date: str | None = None


@dataclass(frozen=True, slots=True)
class ProcedureFields:
    """How a procedure is known among the records, and which answers of its own form describe it."""

    form: str
    code: Code
    date: str | None = None
    guidance: str | None = None
    site: str | None = None
    devices: str | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """One guidance's way from forms to safety reports. ``terms`` and ``suspects`` are by code.

    ``suspects`` hold the code with its display, and as what such a suspect is reported: ``device``,
    ``medicine``, ``nothing`` or ``unknown``.
    """

    source: str
    forms: tuple[str, ...]
    system: str
    terms: Mapping[str, Term]
    suspects: Mapping[str, tuple[Code, str]]
    groups: Mapping[str, Group]
    not_serious: str
    procedure: ProcedureFields | None = None

    def kind(self, suspect: str) -> str:
        """As what a suspect is reported; ``unknown`` where the data do not say."""
        return self.suspects[suspect][1] if suspect in self.suspects else "unknown"

    def display(self, suspect: str) -> str:
        """The suspect in words."""
        return (self.suspects[suspect][0].display if suspect in self.suspects else None) or suspect

    @property
    def group(self) -> Group:
        """The group that describes events: the one with the suspects."""
        return next(one for one in self.groups.values() if one.suspects)


KINDS = ("device", "medicine", "nothing", "unknown")


def find_fields(data: Mapping[str, Resource], resolve: Resolve) -> tuple[Fields, ...]:
    """What every file of that name in the content says. ContentFault, with every fault, if one is unfit."""
    found, faults = [], []
    for file, held in sorted(data.items()):
        if file.rsplit("/", 1)[-1] != FILE:
            continue
        wrong = list(_faults(held, resolve))
        faults += [error("invalid", f"{file}: {said}", place) for place, said in wrong]
        if not wrong:
            found.append(_read(held, resolve))
    if faults:
        raise ContentFault(f"the data of safety reports have {len(faults)} faults", issues=faults)
    return tuple(found)


def _read(held: Resource, resolve: Resolve) -> Fields:
    terms, suspects = held["terms"], held["suspects"]
    procedure = held.get("procedure")
    return Fields(
        held["source"],
        tuple(held["forms"]),
        terms["system"],
        {one.code.code: one for one in _terms(resolve(terms["system"]) or {}, terms)},
        dict(_suspects(resolve(suspects["system"]) or {}, suspects)),
        {name: _group(group) for name, group in held["groups"].items()},
        held["not-serious"],
        _procedure(procedure) if procedure else None,
    )


def _group(held: Resource) -> Group:
    medicines, cards = held.get("medicines", {}), held.get("yellow-cards", {})
    return Group(
        held.get("event", {}),
        held.get("device", {}),
        held.get("device-state", {}),
        held.get("device-kind"),
        medicines.get("group"),
        medicines.get("fields", {}),
        held.get("suspects"),
        held.get("device-fault"),
        held.get("medicine-defective"),
        held.get("narrative"),
        cards.get("group"),
        cards.get("reference"),
        cards.get("date"),
    )


def _procedure(held: Resource) -> ProcedureFields:
    code = held["code"]
    return ProcedureFields(
        held["form"],
        Code(code["system"], code["code"], code.get("display")),
        held.get("date"),
        held.get("guidance"),
        held.get("site"),
        held.get("devices"),
    )


def _terms(system: Resource, says: Resource) -> Iterator[Term]:
    for concept in _concepts(system):
        held = _properties(concept)
        yield Term(
            Code(system["url"], concept["code"], concept.get("display")),
            ", ".join(str(one) for one in held.get(says["paragraph"], ())) or None,
            True in held.get(says["presumed"], ()),
            True in held.get(says["always"], ()),
        )


def _suspects(system: Resource, says: Resource) -> Iterator[tuple[str, tuple[Code, str]]]:
    for concept in _concepts(system):
        kind = (_properties(concept).get(says["reported-as"]) or ["unknown"])[0]
        yield concept["code"], (Code(system["url"], concept["code"], concept.get("display")), str(kind))


def _concepts(system: Resource) -> Iterator[Resource]:
    for concept in system.get("concept", ()):
        yield concept
        yield from _concepts(concept)


def _properties(concept: Resource) -> dict[str, list[Any]]:
    held: dict[str, list[Any]] = {}
    for one in concept.get("property", ()):
        held.setdefault(one["code"], []).extend(value for key, value in one.items() if key != "code")
    return held


def _faults(held: Resource, resolve: Resolve) -> Iterator[tuple[str, str]]:
    """Each place of a file that is not fit, and why."""
    for name in ("source", "forms", "terms", "suspects", "groups", "not-serious"):
        if not held.get(name):
            yield name, "is missing"
            return
    known: set[str] = set()
    for canonical in held["forms"]:
        form = resolve(canonical)
        if form is None:
            yield "forms", f"nothing published here is {canonical}"
        else:
            known |= {one for items in [form.get("item", ())] for one in _link_ids(items)}
    for name in ("terms", "suspects"):
        system = resolve(str(held[name].get("system")))
        if system is None or system.get("resourceType") != "CodeSystem":
            yield f"{name}.system", f"no code system published here is {held[name].get('system')}"
    for code, (_, kind) in _suspects(resolve(str(held["suspects"].get("system"))) or {}, held["suspects"]):
        if kind not in KINDS:
            yield "suspects", f"{code} is reported as '{kind}', which is none of {', '.join(KINDS)}"
    if not any("suspects" in one for one in held["groups"].values()):
        yield "groups", "none of them says where the suspects are answered"
    for place, text in _paths(held):
        for link_id in text.split("/"):
            if link_id not in known:
                yield place, f"no form of these has an item '{link_id}'"
    yield from _unknown_fields(held["groups"])


def _unknown_fields(groups: Resource) -> Iterator[tuple[str, str]]:
    for name, group in groups.items():
        for part, type_, given in (
            ("event", ReportedEvent, group.get("event", {})),
            ("device", ReportedDevice, {**group.get("device", {}), **group.get("device-state", {})}),
            ("medicines", ReportedMedicine, group.get("medicines", {}).get("fields", {})),
        ):
            for field_ in given:
                if field_ not in shape(type_):
                    yield f"groups.{name}.{part}", f"a report has no field '{field_}' there"


def _paths(held: Resource) -> Iterator[tuple[str, str]]:
    for name, group in held["groups"].items():
        yield "groups", name
        for part, value in group.items():
            if part != "device-kind":
                yield from ((f"groups.{name}.{part}", text) for text in _texts(value))
    procedure = held.get("procedure", {})
    for part in ("date", "guidance", "site", "devices"):
        if part in procedure:
            yield f"procedure.{part}", procedure[part]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)


def _link_ids(items: Iterable[Resource]) -> Iterator[str]:
    for item in items:
        yield str(item.get("linkId"))
        yield from _link_ids(item.get("item", ()))
