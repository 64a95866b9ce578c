"""Where an adverse event is to be reported, and the sentence that says why. Pure.

Suspicion is enough, near misses count, and lack of detail never blocks. Seriousness decides nothing here:
all problems should be reported. Which terms and suspects mean what is the guidance's data (``filling.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.domain.safety_report import Branch

if TYPE_CHECKING:
    from service.domain.safety_report import Override
    from service.yellow_card.filling import Fields, Term


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What a form says of one event's cause. ``suspects`` are the form's codes; None is unanswered.

    ``medicine_named``: a suspected medicine is named. ``antibiotic``: a device that comes into question holds
    an antibiotic. ``potential``: a near miss.
    """

    term: Term
    suspects: tuple[str, ...] = ()
    device_fault: bool | None = None
    medicine_defective: bool | None = None
    medicine_named: bool = False
    antibiotic: bool = False
    potential: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """One branch and why. ``asks`` are the linkIds that would settle an unknown one."""

    branch: Branch
    says: str
    asks: tuple[str, ...] = ()
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class Reportability:
    """The branches that an event is reported on, device first, and those that are offered to a person."""

    decisions: tuple[Decision, ...]
    offers: tuple[Decision, ...] = ()

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The branches alone."""
        return tuple(one.branch for one in self.decisions)


REPORTED = (Branch.DEVICE, Branch.MEDICINE, Branch.DEFECTIVE_MEDICINE)
_NEAR_MISS = " Nothing came of it this time; near misses count."
_LEAVES_OUT = {
    Branch.DEVICE: "a device report",
    Branch.MEDICINE: "a medicine report",
    Branch.DEFECTIVE_MEDICINE: "a report of a defective medicine",
    Branch.LOCAL: "local incident reporting",
    Branch.UNKNOWN: "no report yet",
}


def decide(suspicion: Suspicion, fields: Fields, overrides: tuple[Override, ...] = ()) -> Reportability:
    """Where the event is reported by the rules, with what people have decided put in place of them."""
    found = _by_rule(suspicion, fields)
    return _overridden(found, overrides) if overrides else found


def _by_rule(suspicion: Suspicion, fields: Fields) -> Reportability:
    decisions = [one for one in (_device(suspicion, fields), _medicine(suspicion, fields)) if one]
    if not decisions:
        decisions = [_neither(suspicion, fields)]
    ends = _NEAR_MISS if suspicion.potential else ""
    made = tuple(Decision(one.branch, one.says + ends, one.asks) for one in decisions)
    branches = {one.branch for one in made}
    offers: tuple[Decision, ...] = ()
    if (
        suspicion.antibiotic
        and Branch.DEVICE in branches
        and not branches & {Branch.MEDICINE, Branch.DEFECTIVE_MEDICINE}
    ):
        said = (
            "The device holds an antibiotic. Where the reaction may be to that, a medicine report can be "
            "made beside the device report; each will name the other."
        )
        offers = (Decision(Branch.MEDICINE, said),)
    return Reportability(made, offers)


def _device(suspicion: Suspicion, fields: Fields) -> Decision | None:
    named = [fields.display(one) for one in suspicion.suspects if fields.kind(one) == "device"]
    term = suspicion.term
    if named:
        return Decision(
            Branch.DEVICE,
            f"A suspected device ({', '.join(named)}) goes into a device report; suspicion is enough.",
        )
    if term.always:
        return Decision(
            Branch.DEVICE, f"'{term.code.display}' says that a device failed: that is a device report."
        )
    if suspicion.device_fault:
        return Decision(Branch.DEVICE, "The device seemed faulty: that is a device report.")
    if term.presumed:
        return Decision(
            Branch.DEVICE,
            f"'{term.code.display}' is reported as a device problem unless a named clinician records why no "
            "device was involved.",
        )
    return None


def _medicine(suspicion: Suspicion, fields: Fields) -> Decision | None:
    if suspicion.medicine_defective:
        return Decision(
            Branch.DEFECTIVE_MEDICINE,
            "The medicine seemed defective: that is reported as a defective medicine.",
        )
    if suspicion.medicine_named or any(fields.kind(one) == "medicine" for one in suspicion.suspects):
        return Decision(
            Branch.MEDICINE, "A suspected medicine goes into a medicine report; suspicion is enough."
        )
    return None


def _neither(suspicion: Suspicion, fields: Fields) -> Decision:
    asked = (fields.group.suspects,) if fields.group.suspects else ()
    if not suspicion.suspects:
        return Decision(
            Branch.UNKNOWN,
            "It is not recorded what is suspected of having caused the event, so it is not known where it is "
            "to be reported. Please say what is suspected; suspicion is enough.",
            asked,
        )
    if any(fields.kind(one) != "nothing" for one in suspicion.suspects):
        return Decision(
            Branch.UNKNOWN,
            "It is recorded that the cause is not known, so it is not known where the event is to be "
            "reported. Please say so once something is suspected; suspicion is enough.",
            asked,
        )
    named = ", ".join(fields.display(one) for one in suspicion.suspects)
    return Decision(
        Branch.LOCAL,
        f"Only this is suspected: {named}. That goes to local incident reporting; a person can decide "
        "otherwise and give the reason.",
    )


def _overridden(found: Reportability, overrides: tuple[Override, ...]) -> Reportability:
    """The rules' branches, with each decision of a person in place of the one that it was taken on."""
    decisions = {one.branch: one for one in found.decisions}
    for override in overrides:
        if override.instead_of is not None:
            decisions.pop(override.instead_of, None)
            if override.branch is Branch.LOCAL and any(one in REPORTED for one in decisions):
                continue  # another report of this event stands; nothing is left for local reporting alone
        said = f"{override.who} decided on {_LEAVES_OUT[override.branch]}: {override.reason}"
        decisions[override.branch] = Decision(override.branch, said, (), override)
    order = list(Branch)
    kept = sorted(decisions.values(), key=lambda one: order.index(one.branch))
    if any(one.branch in REPORTED for one in kept):
        kept = [one for one in kept if one.branch in REPORTED or one.override]
    offers = tuple(one for one in found.offers if one.branch not in decisions)
    return Reportability(tuple(kept), offers)
