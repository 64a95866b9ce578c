"""The services that published plans give, and the answer that discovery gives of them.

A plan gives a service for each hook that a trigger of its actions names (``named-event``). The id is that of
the guidance, which is the plan that leads to this one, and the hook's. CDS Hooks 2.0.1, Discovery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.cds.hooks import HOOKS
from service.cds.model import Service
from service.cds.prefetch import parts_of, triggers
from service.domain.errors import ContentFault
from service.domain.issues import error
from service.fhir.plans import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Resource = dict[str, Any]
VERSION = "STU2"
"""The release of CDS Hooks that is implemented, as CDS Hooks 3.0's discovery names it."""


def services_of(
    definitions: Iterable[Resource], resolve: Callable[[str], Resource | None]
) -> tuple[Service, ...]:
    """The services of the published PlanDefinitions, by id; ContentFault names those that cannot be given."""
    plans = list(definitions)
    above = _above(plans)
    found: dict[str, Service] = {}
    faults = []
    for plan in plans:
        for hook in HOOKS.values():
            if next(triggers(plan, hook.name), None) is None:
                continue
            place = f"PlanDefinition[{plan.get('id')}].action.trigger"
            try:
                parts = parts_of(plan, hook.name, resolve)
            except ValueError as fault:
                faults.append(error("invalid", str(fault), place))
                continue
            own = f"{_guidance(plan, above)}-{hook.name}"
            if own in found:
                said = f"two plans of one guidance are triggered by {hook.name}; one service, one plan"
                faults.append(error("duplicate", said, place))
                continue
            title = str(plan.get("title") or plan.get("name") or own)
            found[own] = Service(
                id=own,
                hook=hook.name,
                title=f"{title} ({hook.when})",
                description=f"Called {hook.when}. {plan.get('description', '')}".strip(),
                plan=canonical(plan),
                prefetch={part.key: part.template for part in parts},
                usage=_usage(bool([part for part in parts if part.kind == "variable"])),
                version=str(plan.get("version", "")),
            )
    if faults:
        raise ContentFault("the plans' triggers cannot be served", issues=faults)
    return tuple(found[own] for own in sorted(found))


def render_discovery(services: Sequence[Service]) -> Resource:
    """The answer to ``GET /cds-services``; without services an empty array. Nothing in it is empty else."""
    return {"services": [_described(service) for service in services]}


def _described(service: Service) -> Resource:
    described = {
        "hook": service.hook,
        "title": service.title,
        "description": service.description,
        "id": service.id,
        "prefetch": dict(service.prefetch),
        "usageRequirements": service.usage,
        "version": VERSION,
        "hookVersion": HOOKS[service.hook].version,
    }
    return {name: value for name, value in described.items() if value}


def _usage(needed: bool) -> str:
    if not needed:
        return (
            "The records kept here are asked first. Completed forms that the EHR keeps are read from the "
            "prefetched data, or from the FHIR server with the access that the call carries; where nothing "
            "is kept here and neither is there, the answer is 412 with the keys."
        )
    return (
        "Each part of the record is taken from the prefetched data: null says that there is nothing, an "
        "OperationOutcome that it could not be read. A key that is left out is read from the FHIR server "
        "with the access that the call carries; where that cannot be, the answer is 412 with the keys, "
        "unless a completed form is at hand."
    )


def _above(plans: Sequence[Resource]) -> dict[str, list[Resource]]:
    """The plans that lead to each plan, by that one's url."""
    found: dict[str, list[Resource]] = {}
    for plan in plans:
        for target in _led_to(plan.get("action", ())):
            if target != plan.get("url"):
                found.setdefault(target, []).append(plan)
    return found


def _led_to(actions: Iterable[Resource]) -> Iterator[str]:
    for action in actions:
        target = action.get("definitionCanonical")
        if isinstance(target, str):
            yield target.split("|")[0]
        yield from _led_to(action.get("action", ()))


def _guidance(plan: Resource, above: dict[str, list[Resource]]) -> str:
    """The id of the first plan that leads here and that no other leads to; the plan's own without one."""
    seen = {str(plan.get("url"))}
    waiting = [plan]
    tops: list[str] = []
    while waiting:
        one = waiting.pop()
        higher = above.get(str(one.get("url")), [])
        if not higher:
            tops.append(str(one["id"]))
        for other in higher:
            if str(other.get("url")) not in seen:
                seen.add(str(other.get("url")))
                waiting.append(other)
    return min(tops, default=str(plan["id"]))
