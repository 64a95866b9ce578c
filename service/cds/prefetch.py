"""What a service asks of a record, part by part, as prefetch templates: derived from its plan and forms.

CDS Hooks 2.0.1, Prefetch Template, and the subset of queries that it recommends: reads of one resource;
searches by type with references, tokens for equality (and ``:in``), dates, ``_count`` and ``_sort``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.cds.hooks import HOOKS
from service.fhir.forms import form_of
from service.fhir.forms.elements import extensions
from service.fhir.forms.urls import VARIABLE
from service.fhir.plans import input_form
from service.fhir.plans.definitions import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service.cds.model import Call

Resource = dict[str, Any]
QUERY = "application/x-fhir-query"
PATIENT = "patient"
ORDERS = "orders"
RECORDED = "recorded"
FHIR_QUERY = "http://hl7.org/fhir/StructureDefinition/cqf-fhirQueryPattern"
FORMS_READ = 20
"""How many completed forms are asked for, the newest first."""

_TOKEN = re.compile(r"\{\{\s*%?([\w.]+)\s*\}\}")
_TOKENS = {"patient.id": "context.patientId", "encounter.id": "context.encounterId"}
_READ = re.compile(r"(?:[A-Z][A-Za-z]+/)?\{\{context\.\w+\}\}")
_SEARCH = re.compile(r"[A-Z][A-Za-z]+\?[^?#\s]+")
_NAME = re.compile(r"(?:[a-z][A-Za-z-]*|_id|_lastUpdated)(?::in)?")
_READS_PATIENT = re.compile(r"%`?patient\b`?(?!\.id\b)")
_PREFIX = re.compile(r"(?:ne|sa|eb|ap)\d{4}")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a record that a service reads. ``title`` names it to a clinician.

    ``kind`` is ``patient`` (the patient's own record), ``variable`` (what a query variable of the input form
    asks for, by the variable's name), ``form`` (completed forms; ``form`` is the Questionnaire's canonical),
    ``recorded`` (what an input of the plan's actions asks for by a query of its own) or ``orders``.
    ``needed``: the answer rests on it, and without it there is none. ``type`` is the type of resource that
    the template asks for.
    """

    key: str
    template: str
    title: str
    kind: str
    form: str = ""
    needed: bool = False
    type: str = field(init=False)

    def __post_init__(self) -> None:
        """Reads the type once: every resource of a part is compared with it."""
        object.__setattr__(self, "type", re.split(r"[/?]", self.template, maxsplit=1)[0])


def parts_of(definition: Resource, hook: str, resolve: Callable[[str], Resource | None]) -> tuple[Part, ...]:
    """The parts that a plan needs at a hook. ValueError where a query of its form has no template.

    Where orders are judged: what the plan's input form asks the record for, and such forms completed before.
    Elsewhere: the completed forms that the plan rests on, and what its inputs ask for by a query.
    """
    asked = HOOKS[hook]
    own = input_form(definition)
    questionnaire = resolve(own) if own and asked.orders else None
    named = questionnaire is not None and any(
        _READS_PATIENT.search(text) for text in _expressions(questionnaire)
    )
    found = [
        Part(PATIENT, "Patient/{{context.patientId}}", "The patient's own record", PATIENT, needed=named)
    ]
    if asked.orders:
        if questionnaire is not None:
            found += _variables(questionnaire, hook)
            found.append(_forms(questionnaire))
        if hook == "order-dispatch":
            found += _orders(definition, hook)
    else:
        found += [_forms(one) for one in _rested_on(definition, resolve)]
        found += _recorded(definition, hook)
    return tuple(found)


def filled(template: str, call: Call) -> str:
    """The template as a query about the call's patient."""
    known = {"patientId": call.patient, "encounterId": call.encounter or "", "userId": call.user}

    def fill(match: re.Match[str]) -> str:
        name = match[1].removeprefix("context.")
        value = known.get(name, "")
        return value if name == "userId" else value.rsplit("/", 1)[-1]

    return _TOKEN.sub(fill, template)


def within_subset(template: str, hook: str) -> bool:
    """Whether a template keeps to the recommended subset, and names tokens of the hook's context only."""
    tokens = {f"context.{field.name}" for field in HOOKS[hook].fields if field.token}
    if any(match[1] not in tokens for match in _TOKEN.finditer(template)) or "{" in _TOKEN.sub("", template):
        return False
    if _READ.fullmatch(template):
        return True
    if not _SEARCH.fullmatch(template):
        return False
    for pair in template.partition("?")[2].split("&"):
        name, given, value = pair.partition("=")
        if not given or not value:
            return False
        if name == "_count":
            if not value.isdecimal():
                return False
        elif name != "_sort" and (not _NAME.fullmatch(name) or _PREFIX.match(value)):
            return False
    return True


def _variables(questionnaire: Resource, hook: str) -> Iterator[Part]:
    for _, extension in extensions(questionnaire, VARIABLE):
        expression = extension.get("valueExpression", {})
        if expression.get("language") != QUERY:
            continue
        name = str(expression.get("name", ""))
        template = _TOKEN.sub(_token, str(expression.get("expression", "")))
        if not within_subset(template, hook):
            raise ValueError(
                f"the query of the variable {name} ({template[:200]}) is not within the recommended subset "
                f"of prefetch queries, or names what {hook} does not give"
            )
        yield Part(name, template, str(expression.get("description") or name), "variable", needed=True)


def _expressions(node: Any) -> Iterator[str]:
    """Every FHIRPath expression in a form."""
    if isinstance(node, dict):
        if node.get("language") == "text/fhirpath":
            yield str(node.get("expression", ""))
        for value in node.values():
            yield from _expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from _expressions(value)


def _token(match: re.Match[str]) -> str:
    return "{{" + _TOKENS.get(match[1], match[1]) + "}}"


def _forms(questionnaire: Resource) -> Part:
    url = str(questionnaire["url"])
    template = (
        f"QuestionnaireResponse?questionnaire={url}&patient={{{{context.patientId}}}}"
        f"&status=completed,amended&_sort=-authored&_count={FORMS_READ}"
    )
    title = f"Completed forms: {form_of(questionnaire).title}"
    return Part(str(questionnaire["id"]), template, title, "form", url)


def _orders(definition: Resource, hook: str) -> Iterator[Part]:
    types = sorted(
        {str(data.get("type")) for one in triggers(definition, hook) for data in one.get("data", ())}
    )
    for at, type_ in enumerate(types):
        key = ORDERS if at == 0 else f"{ORDERS}-{type_}"
        template = f"{type_}?patient={{{{context.patientId}}}}&status=draft,active,on-hold"
        yield Part(key, template, "The orders that are dispatched", ORDERS)


def _recorded(definition: Resource, hook: str) -> Iterator[Part]:
    for action in walk(definition.get("action", ())):
        for asked in action.get("input", ()):
            for _, extension in extensions(asked, FHIR_QUERY):
                template = str(extension.get("valueString", ""))
                if not within_subset(template, hook):
                    raise ValueError(
                        f"the query of the input {asked.get('id')} ({template[:200]}) is not within the "
                        f"recommended subset of prefetch queries, or names what {hook} does not give"
                    )
                yield Part(str(asked["id"]), template, f"The record: {asked['type']}", RECORDED)


def _rested_on(definition: Resource, resolve: Callable[[str], Resource | None]) -> Iterator[Resource]:
    """The forms that the plan takes as input or depends on, each once."""
    own = input_form(definition)
    named = [own] if own else []
    named += [
        str(one.get("resource", "")).split("|")[0]
        for one in definition.get("relatedArtifact", ())
        if one.get("type") == "depends-on"
    ]
    for canonical in dict.fromkeys(named):
        found = resolve(canonical)
        if found is not None and found.get("resourceType") == "Questionnaire":
            yield found


def triggers(definition: Resource, hook: str) -> Iterator[Resource]:
    """The TriggerDefinitions of a plan's actions that name the hook."""
    waiting = list(definition.get("action", ()))
    while waiting:
        action = waiting.pop(0)
        for trigger in action.get("trigger", ()):
            if trigger.get("type") == "named-event" and trigger.get("name") == hook:
                yield trigger
        waiting += action.get("action", ())
