"""FHIR R4 resources, forms and responses checked as HL7 asks, with issues that say what to do.

``check`` is the gate that everything goes through that this service accepts. It runs on tables made from
HL7's own 4.0.1 definitions (``r4/``) and on HL7's invariants through ``service.fhirpath``.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from service.fhir.validation import documents
from service.fhir.validation.run import Exhausted, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from service.domain.issues import Issue
    from service.fhir.concepts import Terminology

__all__ = ["LIMIT", "check"]

LIMIT = 100
"""How many issues an answer shows."""


def check(
    resource: Any,
    *,
    questionnaire: dict[str, Any] | None = None,
    profiles: Iterable[str | dict[str, Any]] = (),
    resolve: Callable[[str], Any] | None = None,
    terminology: Terminology | None = None,
    now: datetime | None = None,
    limit: int = LIMIT,
) -> tuple[Issue, ...]:
    """What is wrong or unchecked in a resource (any Python value), most severe first; never raises.

    ``questionnaire`` is the form that a response answers; else ``resolve`` is asked for it. ``profiles`` are
    canonicals or StructureDefinitions to check beside those that ``meta.profile`` claims. ``resolve`` takes
    a canonical, with or without ``|version``, and gives the resource or None: it brings forms, profiles,
    value sets and code systems. A caller that checks often gives one ``terminology`` over that ``resolve``,
    so that code systems are indexed once. ``now`` is the clock of rules that ask for it.
    """
    run = Run(resource, resolve, now)
    run.profiles = list(profiles)
    run.questionnaire = questionnaire
    run.terminology = terminology
    with contextlib.suppress(Exhausted):
        documents.check_root(resource, run)
    return run.issues(limit)
