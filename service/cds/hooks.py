"""The hooks that are served, as a table: what each one's context holds (CDS Hooks 2.0.1; hook library).

patient-view 1.0, order-select 1.0, order-sign 1.1, order-dispatch 1.1, encounter-discharge 1.0.
"""

from __future__ import annotations

from dataclasses import dataclass

PERSONS = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson")
"""Who may be the user of an EHR; each hook expects some of them and forbids none."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a hook's context.

    ``kind`` is ``user`` (a reference to a person), ``patient`` and ``encounter`` (an id), ``reference``,
    ``references`` and ``selections`` (arrays of them), ``bundle`` or ``tasks`` (an array of
    resources). ``token``: a prefetch template may name it. ``also`` is the name that the hook's own example
    gives it, which is taken too.
    """

    name: str
    kind: str
    required: bool = True
    token: bool = True
    also: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook. ``when`` ends the sentence "The service is called …"."""

    name: str
    version: str
    when: str
    fields: tuple[Field, ...]
    orders: bool = True


_USER, _PATIENT = Field("userId", "user"), Field("patientId", "patient")
_ENCOUNTER = Field("encounterId", "encounter", required=False)
_DRAFTS = Field("draftOrders", "bundle", token=False)

HOOKS = {
    hook.name: hook
    for hook in (
        Hook(
            "patient-view", "1.0", "when a patient's record is opened", (_USER, _PATIENT, _ENCOUNTER), False
        ),
        Hook(
            "order-select",
            "1.0",
            "when an order is selected",
            (_USER, _PATIENT, _ENCOUNTER, Field("selections", "selections", token=False), _DRAFTS),
        ),
        Hook("order-sign", "1.1", "when orders are signed", (_USER, _PATIENT, _ENCOUNTER, _DRAFTS)),
        Hook(
            "order-dispatch",
            "1.1",
            "when a performer is chosen for an order",
            (
                _PATIENT,
                Field("dispatchedOrders", "references", also="dispatched-orders"),
                Field("performer", "reference"),
                Field("fulfillmentTasks", "tasks", required=False, token=False, also="fulfillment-tasks"),
            ),
        ),
        Hook(
            "encounter-discharge",
            "1.0",
            "when a patient is discharged",
            (_USER, _PATIENT, Field("encounterId", "encounter")),
            False,
        ),
    )
}
"""The hooks by name."""
