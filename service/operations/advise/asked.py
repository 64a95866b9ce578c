"""A call with what it asks about: the orders, the parts of the record, and what nothing can give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.cds.model import Order
from service.cds.ordered import may_order
from service.cds.prefetch import Part
from service.cds.record import unsatisfied
from service.cds.triggers import types_of
from service.domain.addresses import normal
from service.domain.errors import DataUnavailable
from service.domain.issues import error
from service.fhirpath.records import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from service.cds.model import Call
    from service.cds.patients import Whose
    from service.cds.record import Record
    from service.cds.triggers import Trigger
    from service.fhir.plans import Plan
    from service.operations.advise.prepared import Prepared
    from service.operations.clients import Client

Resource = dict[str, Any]
NO_ACCESS = "it was not sent, and the call gives no access to the EHR's FHIR server"
NOT_THIS_PATIENT = "the call's access is restricted to another patient"
ELSEWHERE = (
    "This order is named on a FHIR server that is neither the call's fhirServer nor one listed for its "
    "client, so it was not read, and whether the guidance is about it is not known."
)
DENIED = "it was not sent, and the FHIR server that the call names may not be read for it"


@record
class Question:
    """A call with what it asks about.

    ``orders`` are those that the plan is about; ``pending`` are parts that hold a dispatched order each.
    ``whose`` is the patient, as what the call brings and opens may name them; ``sent`` is the record as far
    as the call carries it.
    """

    call: Call
    client: Client | None
    prepared: Prepared
    whose: Whose
    sent: Record
    orders: tuple[Order, ...] = ()
    pending: tuple[Part, ...] = ()

    @property
    def plan(self) -> Plan | None:
        """The plan that decides; None where the service's plan has no criteria."""
        return self.prepared.plan

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the record that the answer may need."""
        return self.prepared.parts

    @property
    def all_parts(self) -> tuple[Part, ...]:
        """The parts of the record, and the orders that are part of it."""
        return (*self.prepared.parts, *self.pending)

    @property
    def forms(self) -> tuple[Part, ...]:
        """The parts that hold completed forms."""
        return self.prepared.forms

    @property
    def about_orders(self) -> bool:
        """Whether the hook is about orders; else it is about all that is recorded of the patient."""
        return self.prepared.about_orders

    @property
    def is_settled(self) -> bool:
        """Whether the answer needs nothing of the record: no order is to be assessed.

        There may be pending orders yet, of types that are told of and never assessed.
        """
        if not self.prepared.about_orders or any(part.needed for part in self.pending):
            return False
        return not any(order.coded for order in self.orders)

    @property
    def unsatisfied(self) -> tuple[Part, ...]:
        """The parts to be read from the EHR: those that were not sent, or in part only."""
        if not (self.sent.absent or self.sent.partial or self.pending):
            return ()
        return unsatisfied(self.all_parts, self.call)

    @property
    def is_open(self) -> bool:
        """Whether the call opens the EHR's FHIR server for its own patient."""
        access = self.call.access
        return access is not None and access.patient in (None, self.call.patient)

    @property
    def why_closed(self) -> str:
        """Why the EHR's FHIR server is not open to the call, if it is not."""
        return NOT_THIS_PATIENT if self.call.access else NO_ACCESS


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The orders that order-dispatch names: those that the call carries, to be read, and on other servers.

    An order to be read is needed where it is of the triggers' types. One of another type may order what they
    are about all the same (R4 allows a CarePlan, EHRs of older releases a ProcedureRequest): it is told of.
    """

    held: dict[str, Resource]
    pending: tuple[Part, ...] = ()
    elsewhere: tuple[Order, ...] = ()


def dispatched(call: Call, triggers: tuple[Trigger, ...], whose: Whose) -> Dispatched:
    """The dispatched orders, without those of a type that never orders what the triggers are about."""
    types = types_of(triggers)
    held: dict[str, Resource] = {}
    for one, url in _resources(call.prefetch):
        held[f"{one.get('resourceType')}/{one.get('id')}"] = one
        if isinstance(url, str) and "://" in url:
            held[normal(url)] = one
    found: dict[str, Resource] = {}
    pending: dict[str, Part] = {}
    elsewhere: list[Order] = []
    for reference in call.chosen:
        named = reference.partition("/_history/")[0]
        *server, type_, id_ = named.split("/")
        local = f"{type_}/{id_}"
        if normal(named) in held:
            found[local] = held[normal(named)]
        elif server and whose.servers and not whose.is_own("/".join(server)):
            if may_order(type_, types):
                elsewhere.append(Order(reference, {}, reference, coded=False, reason=ELSEWHERE))
        elif local in held:  # of any type: what it orders may be what the triggers are about
            found[local] = held[local]
        elif may_order(type_, types):
            needed = None in types or type_ in types
            title = f"The dispatched order {local}"
            pending[local] = Part(f"order:{local}", local, title, "order", needed=needed)
    return Dispatched(found, tuple(pending.values()), tuple(elsewhere))


def is_denied(record: Record, part: Part) -> bool:
    """Whether the EHR does not let the part be read."""
    return part.key in record.unread and record.unread[part.key].denied


def unavailable(parts: Iterable[Part], why: str) -> DataUnavailable:
    """The error that names what the answer rests on and nothing can give, by prefetch key."""
    issues = [
        error(
            "incomplete",
            f"{part.title}: {why}; send the prefetch key '{_key(part)}' or give access to {part.template}",
            f"prefetch.`{_key(part)}`",
        )
        for part in parts
    ]
    return DataUnavailable("what the answer rests on could not be had", issues=issues)


def _key(part: Part) -> str:
    return "orders" if part.kind == "order" else part.key


def _resources(prefetch: Mapping[str, Resource | None]) -> Iterator[tuple[Resource, object]]:
    """What was sent: each resource, and the address that its entry gives it."""
    for value in prefetch.values():
        if value is None:
            continue
        yield value, None
        entries = value.get("entry", []) if value.get("resourceType") == "Bundle" else []
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                yield entry["resource"], entry.get("fullUrl")
