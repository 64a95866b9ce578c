"""Extraction from end to end: the plan of a Questionnaire, made once, and its run over one response."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from service.domain.errors import Unprocessable
from service.domain.issues import Issue, information, ordered
from service.fhir.extraction.defining import extract_definitions
from service.fhir.extraction.definitions import ItemDefinitions, compile_definitions
from service.fhir.extraction.entries import Entries, Entry
from service.fhir.extraction.formulas import Compilation
from service.fhir.extraction.observations import Observations, compile_observations
from service.fhir.extraction.observing import extract_observations
from service.fhir.extraction.places import root_place
from service.fhir.extraction.running import Run
from service.fhir.extraction.templating import Templates, compile_templates, extract_templates
from service.fhir.forms import form_of
from service.fhir.forms.elements import extensions
from service.fhirpath import temporal

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhirpath import Terminology

Json = dict[str, Any]
Resolve = "Callable[[str], Json | None]"
READY = ("completed", "amended")
"""The statuses of a response that can be extracted from: SDC asks for a completed one."""
_STRUCTURE_MAP = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-targetStructureMap"
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a form was extracted to.

    ``bundle`` is a transaction Bundle, without ``entry`` where there is nothing to write. ``entries`` lists
    its resources in order with their sources. ``fails`` says that an issue forbids using the Bundle: SDC 4.0
    has the operation answer an OperationOutcome then.
    """

    bundle: Json
    entries: tuple[Entry, ...]
    issues: tuple[Issue, ...]

    @property
    def fails(self) -> bool:
        """Whether any issue is an error."""
        return any(issue.fails for issue in self.issues)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A Questionnaire's extraction, compiled."""

    questionnaire: Json
    templates: Templates
    definitions: ItemDefinitions
    observations: Observations
    issues: tuple[Issue, ...]

    def __bool__(self) -> bool:
        return bool(self.templates) or bool(self.definitions) or bool(self.observations)


def extract(
    response: Json,
    questionnaire: Json,
    *,
    new_id: Callable[[str], str],
    resolve: Callable[[str], Json | None] | None = None,
    terminology: Terminology | None = None,
    now: datetime | None = None,
) -> Extraction:
    """What the response extracts to. Both resources have passed validation and are left as they are.

    ``new_id`` gives a new ``urn:uuid:…`` for a key; a key that comes again stands for the same thing, so that
    an id made from it alone makes the extraction repeatable. ``resolve`` leads from a canonical to its
    StructureDefinition. ``now`` is the clock of the expressions: without it, the time at which the form was
    authored. Unprocessable where the response is not completed.
    """
    status = response.get("status")
    if status not in READY:
        raise Unprocessable(
            f"the form's status is '{str(status)[:40]}'; a form is extracted once it is {' or '.join(READY)}",
            expression="QuestionnaireResponse.status",
        )
    plan = _plan_of(questionnaire, resolve)
    run = Run(response, new_id, now or _authored(response), terminology)
    entries = Entries(run)
    if plan:
        root = root_place(run, questionnaire)
        if plan.templates:
            extract_templates(plan.templates, entries, root)
        if plan.definitions:
            extract_definitions(plan.definitions, entries, root)
        if plan.observations:
            extract_observations(plan.observations, entries, root)
    bundle: Json = {"resourceType": "Bundle", "type": "transaction"}
    if entries.bundle:
        bundle["entry"] = entries.bundle
    else:
        said = "nothing is extracted: " + (
            "the form has no answers to extract"
            if plan
            else "the form's Questionnaire asks for no extraction"
        )
        run.issues.append(information("informational", said, "QuestionnaireResponse", "extraction"))
    return Extraction(bundle, tuple(entries.found), ordered((*plan.issues, *run.issues)))


def extracts(questionnaire: Json, resolve: Callable[[str], Json | None] | None = None) -> bool:
    """Whether the Questionnaire asks for any extraction."""
    return bool(_plan_of(questionnaire, resolve))


def check(questionnaire: Json, resolve: Callable[[str], Json | None] | None = None) -> tuple[Issue, ...]:
    """The faults of a Questionnaire's extraction: what does not compile, exist or fit together."""
    return _plan_of(questionnaire, resolve).issues


def _compile(questionnaire: Json, resolve: Callable[[str], Json | None] | None) -> _Plan:
    form = form_of(questionnaire)
    compilation = Compilation()
    templates = compile_templates(form, compilation)
    definitions = compile_definitions(form, compilation, resolve)
    observations = compile_observations(form, compilation)
    for index, _ in extensions(questionnaire, _STRUCTURE_MAP):
        compilation.issues.append(
            information(
                "not-supported",
                "extraction by StructureMap is not done here; use a template, definitions or observations",
                f"Questionnaire.extension[{index}]",
                "extraction",
            )
        )
    return _Plan(questionnaire, templates, definitions, observations, ordered(compilation.issues))


_plans: OrderedDict[int, _Plan] = OrderedDict()
_lock = Lock()


def _plan_of(questionnaire: Json, resolve: Callable[[str], Json | None] | None) -> _Plan:
    """The plan of a Questionnaire; the last 64 are kept by the resource's identity."""
    key = id(questionnaire)
    found = _plans.get(key)
    if found is not None and found.questionnaire is questionnaire:
        return found
    made = _compile(questionnaire, resolve)
    with _lock:
        _plans[key] = made
        while len(_plans) > _KEPT:
            _plans.popitem(last=False)
    return made


def _authored(response: Json) -> datetime | None:
    """The time at which the form was authored, where it is told to the second with its zone."""
    written = response.get("authored")
    if not isinstance(written, str) or temporal.parse_datetime(written) is None:
        return None
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
