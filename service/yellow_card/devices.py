"""The devices that come into question for an event: those named at the event, and those of the procedure."""

from __future__ import annotations

from dataclasses import fields as parts_of
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from service.domain.evaluation import Code
from service.domain.safety_report import ReportedDevice
from service.yellow_card.answers import groups, items, value, values

if TYPE_CHECKING:
    from service.yellow_card.filling import Fields, Group

Resource = dict[str, Any]
_NAMES = ("product", "manufacturer", "model", "lot", "serial", "udi")
"""What tells a device from another."""


def find_devices(
    part: Resource, procedure_form: Resource | None, group: Group, fields: Fields
) -> tuple[ReportedDevice, ...]:
    """The devices of an event, the one that the event itself describes first.

    A device described at the event is completed from that of the procedure which it agrees with. Where none
    is described, they are the procedure's of a suspected kind; where no kind is suspected, all of them.
    """
    kinds = [str(one) for one in values(part, group.suspects) if fields.kind(str(one)) == "device"]
    used = used_devices(procedure_form, fields)
    described = _device(part, group)
    if described is not None:
        twin = next((one for one in used if _agree(described, one)), None)
        if twin is not None:
            described = _completed(described, twin)
        if described.kind is None and len(kinds) == 1:
            described = replace(described, kind=kinds[0])
        found = [described]
        kinds = [one for one in kinds if one != described.kind] if len(kinds) > 1 else []
    else:
        found = []
    for kind in kinds:
        found += [one for one in used if one.kind == kind and one not in found] or [ReportedDevice(kind=kind)]
    if not found:
        found = list(used)
    state = {name: value(part, path) for name, path in group.device_state.items()}
    given = {name: held for name, held in state.items() if held is not None}
    if given and not found:
        found = [ReportedDevice()]
    if given:
        about = found[:1] if described is not None else found
        found = [replace(one, **given) if one in about else one for one in found]
    return tuple(found)


def used_devices(procedure_form: Resource | None, fields: Fields) -> tuple[ReportedDevice, ...]:
    """Every device that the procedure's form names, each once."""
    known = fields.procedure
    if known is None or known.devices is None or procedure_form is None:
        return ()
    group = fields.groups[known.devices]
    found = (_device(one, group) for one in groups(procedure_form, known.devices))
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _device(part: Resource, group: Group) -> ReportedDevice | None:
    """The device that a group describes; None where it names nothing of it."""
    answered: dict[str, Any] = {}
    for name, path in group.device.items():
        if name == "site":
            coded = next(iter(items(part, path)), None)
            if isinstance(coded, dict):
                answered[name] = Code(coded["system"], coded["code"], coded.get("display"))
        elif (held := value(part, path)) is not None:
            answered[name] = held
    if not answered.keys() - {"site"}:
        return None
    return ReportedDevice(kind=group.device_kind, **answered)


def _agree(one: ReportedDevice, other: ReportedDevice) -> bool:
    """Whether both name the same device: at least one thing is said of both, and nothing is said apart."""
    pairs = [(getattr(one, name), getattr(other, name)) for name in _NAMES]
    both = [(a.casefold().strip(), b.casefold().strip()) for a, b in pairs if a and b]
    return bool(both) and all(a == b for a, b in both)


def _completed(one: ReportedDevice, other: ReportedDevice) -> ReportedDevice:
    lacking = {
        part.name: getattr(other, part.name) for part in parts_of(one) if getattr(one, part.name) is None
    }
    return replace(one, **lacking)
