"""The shapes that the parts of CDS Hooks hand to each other: a call, a service, an order, a fact."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.fhirpath.records import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.domain.evaluation import Evaluation
    from service.fhir.plans import Plan

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Access:
    """The EHR's FHIR server as the call opens it (``fhirServer``, ``fhirAuthorization``).

    ``token`` lives no longer than the call and is never stored or logged; it is kept out of ``repr``.
    """

    server: str
    token: str | None = field(default=None, repr=False)
    scopes: frozenset[str] = frozenset()
    patient: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One hook request, read and checked (CDS Hooks 2.0.1, Calling a CDS Service).

    ``patient`` and ``user`` are references (``Patient/1``). ``orders`` are the resources of the hook's draft
    Bundle by ``Type/id``, in their order; ``chosen`` the references that the hook selects or dispatches.
    ``prefetch`` keeps the three cases apart: a key that is not there, a key with None (no data), a key with
    a resource. ``revision`` is the major version of CDS Hooks that the client shows that it knows: 2 or 3.
    """

    service: str
    hook: str
    instance: str
    patient: str
    user: str
    context: Mapping[str, Any]
    orders: Mapping[str, Resource] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    encounter: str | None = None
    prefetch: Mapping[str, Resource | None] = field(default_factory=dict)
    access: Access | None = None
    revision: int = 2


@dataclass(frozen=True, slots=True)
class Service:
    """One service of discovery, derived from the plans' triggers.

    ``prefetch`` is template by key, inside CDS Hooks' recommended subset. ``plan`` is the canonical of the
    plan that decides.
    """

    id: str
    hook: str
    title: str
    description: str
    plan: str
    prefetch: Mapping[str, str]
    usage: str = ""
    version: str = ""


@record
class Fact:
    """One answer that was filled in: the question's words, the answer's, where it came from and when.

    ``source`` is a reference, ``date`` FHIR text. ``item`` is the linkId.
    """

    item: str
    question: str
    answer: str
    source: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of the record that could not be read: which prefetch key, what of the record, and why.

    ``denied``: the EHR does not let the caller read it, so that asking again will not help.
    """

    key: str
    title: str
    reason: str
    denied: bool = False


@record
class Order:
    """One order of the hook. ``title`` names it to the clinician; ``coded``: a trigger's code is on it.

    An order that is not coded only names the procedure in its text, and is not assessed; nor is one with a
    ``reason`` (a sentence: it is another patient's, or it could not be read), which its card says instead.
    """

    reference: str
    resource: Resource
    title: str
    coded: bool
    reason: str = ""


@record
class Assessed:
    """A patient's form assessed by a plan for a card.

    ``recorded``: the form was completed by somebody (``source`` leads to it, its ``authored`` is its date);
    else it was pre-filled now from the record, ``facts`` say from what. ``unread`` are the parts of the
    record that could not be read.
    """

    plan: Plan
    evaluation: Evaluation
    form: Resource
    recorded: bool
    source: str | None = None
    facts: tuple[Fact, ...] = ()
    unread: tuple[Unread, ...] = ()


@record
class Showing:
    """What a card needs of the call beside the assessment. ``new_id`` gives UUIDs; ``now`` a FHIR instant.

    ``base`` is the public address of this service (no slash at its end). ``form_app`` is the SMART launch
    address of a form application, where the client has one. ``revision`` as in ``Call``.
    """

    new_id: Callable[[], str]
    now: str
    base: str
    patient: str
    user: str
    encounter: str | None = None
    form_app: str | None = None
    revision: int = 2
    system_actions: bool = False
