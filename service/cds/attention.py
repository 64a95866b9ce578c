"""Rules of attention: what in everything that is recorded of a patient needs somebody's attention.

A plan's group of actions with the role ``attention`` holds them. Each is evaluated over one recorded
resource at a time. True: it needs attention. Empty: that cannot be told, for the first reason that holds.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.domain.errors import ContentFault
from service.domain.issues import Issue, error
from service.domain.sameness import frozen
from service.fhir.plans.definitions import asked_form, walk
from service.fhir.plans.reading import read_citations
from service.fhir.plans.rules import (
    ATTENTION,
    FAILED,
    RuleFault,
    compile_expression,
    read_conditions,
    read_reasons,
    role,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping
    from datetime import datetime

    from service.cds.model import Unread
    from service.domain.evaluation import Citation
    from service.fhir.plans.rules import ReasonRule

Resource = dict[str, Any]
ANSWERED = ("completed", "amended")
GIVEN = ("today", "hook", "outstanding")
_VARIABLE = re.compile(r"%[`']?(\w+)")
_NOTHING: Resource = {"resourceType": "Parameters"}


@dataclass(frozen=True, slots=True)
class Kept:
    """A resource of the record, and the reference by which the client's system finds it.

    That is ``Type/id`` for what the EHR keeps, and an absolute address for what is kept here.
    """

    resource: Resource
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is recorded of one patient. ``forms`` are of any Questionnaire and in any order.

    ``resources`` are what the EHR keeps beside forms, of the types that the rules ask for.

    ``unreported`` are AdverseEvents for which no report is under way; ``unread`` what could not be read.
    ``now`` is aware; its calendar date, in its own zone, is the day that rules count from.
    """

    forms: tuple[Kept, ...]
    unreported: tuple[Kept, ...]
    now: datetime
    unread: tuple[Unread, ...] = ()
    resources: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, compiled. ``words`` compute its title, description and prefix, where they are computed.

    ``reads`` are the inputs that its condition names, ``names`` those that any of its expressions does.
    """

    action: Resource
    condition: fhirpath.Program
    reasons: tuple[ReasonRule, ...]
    words: tuple[tuple[str, fhirpath.Program], ...]
    citations: tuple[Citation, ...]
    reads: frozenset[str]
    names: frozenset[str]

    @property
    def id(self) -> str:
        """The action's id."""
        return str(self.action["id"])

    @property
    def title(self) -> str:
        """What the rule says, of whatever it speaks of."""
        return str(self.action["title"])


@dataclass(frozen=True, slots=True)
class Attention:
    """A plan's rules of attention. ``inputs`` are variable names, with the form that each holds answers of.

    ``others`` are the names of what is gathered beside forms, with its type; ``names`` all that the rules
    may name.
    """

    plan: Resource
    group: Resource
    inputs: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]
    names: frozenset[str]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Matter:
    """One rule that spoke of one resource, which ``name`` names in a few words.

    Where it is not known whether the rule holds, ``title`` says why.
    """

    rule: Rule
    about: Kept
    title: str
    text: str
    name: str = ""
    known: bool = True


@dataclass(frozen=True, slots=True)
class _Scene:
    """One resource that rules are evaluated over, and the variables that they may name."""

    frame: fhirpath.Frame
    variables: Mapping[str, list[Any]]

    def only(self, program: fhirpath.Program) -> Any:
        """The plain value of an expression that comes to one; else None."""
        found = program.anew(self.frame, self.variables)
        return fhirpath.Result.of(found[0]).value if len(found) == 1 else None

    def truth(self, program: fhirpath.Program) -> bool | None:
        """Whether a condition is true; None where that cannot be told."""
        found = self.only(program)
        return found if isinstance(found, bool) else None


def read_attention(definition: Resource) -> Attention | None:
    """The plan's rules of attention, compiled; None where it has none. ContentFault lists every fault."""
    place = f"PlanDefinition[{definition.get('id')}].action"
    group = next((one for one in walk(definition.get("action", ())) if role(one) == ATTENTION), None)
    if group is None:
        return None
    inputs = [(str(one.get("id", "")), form) for one in group.get("input", ()) for form in asked_form(one)]
    named = {name for name, _ in inputs}
    others = [
        (str(one.get("id", "")), str(one.get("type", "")))
        for one in group.get("input", ())
        if one.get("id") not in named
    ]
    names = frozenset((*named, *(name for name, _ in others), *GIVEN))
    faults: list[Issue] = []
    rules = []
    for action in group.get("action", ()):
        here = f"{place}.where(id = '{action.get('id')}')"
        try:
            rules.append(_rule(action, names))
        except RuleFault as fault:
            faults.append(error("invalid", str(fault), f"{here}.{fault.place}"))
    if not inputs:
        faults.append(error("required", "rules of attention name the forms that they read", f"{place}.input"))
    if faults:
        raise ContentFault(f"the plan {definition.get('id')} cannot be run", issues=faults)
    return Attention(definition, group, tuple(inputs), tuple(others), names, tuple(rules))


def attend(attention: Attention, gathered: Gathered, hook: str) -> tuple[Matter, ...]:
    """What the rules say of each form, the newest first, and of each other resource, in the rules' order."""
    variables = variables_of(attention, gathered, hook)
    lost = _lost(attention, gathered.unread)
    about = (*forms_of(attention, gathered), *_beside(attention, gathered))
    spoken: list[list[str]] = [[] for _ in about]
    frames = [fhirpath.framed(kept.resource) for kept in about]
    found: list[Matter] = []
    for rule in attention.rules:
        for before, kept, frame in zip(spoken, about, frames, strict=True):
            own = variables | {"outstanding": before} if "outstanding" in rule.names else variables
            matter = _evaluate(rule, kept, _Scene(frame, own), lost)
            if matter is not None:
                before.append(rule.id)
                found.append(matter)
    return tuple(found)


def forms_of(attention: Attention, gathered: Gathered) -> list[Kept]:
    """The answered forms that the rules are about or read, each once, the newest first.

    A form that is kept both here and in the EHR says the same in both, and counts once; of one that was
    amended, which its identifier tells, the newest version counts.
    """
    named = {form for _, form in attention.inputs}
    answered = [
        one
        for one in gathered.forms
        if one.resource.get("status") in ANSWERED and _form(one.resource) in named
    ]
    seen: set[Hashable] = set()
    found = []
    for one in sorted(answered, key=lambda one: str(one.resource.get("authored", "")), reverse=True):
        form = one.resource
        keys = [frozen([_form(form), form.get("authored"), form.get("item")])]
        keys += [frozen([_form(form), form["identifier"]])] if form.get("identifier") else []
        if seen.isdisjoint(keys):
            found.append(one)
        seen.update(keys)
    return found


def variables_of(attention: Attention, gathered: Gathered, hook: str) -> dict[str, list[Any]]:
    """The variables that rules may name: those of the inputs, ``%today``, ``%hook``; nothing outstanding.

    Their values are the engine's items, made once for all the rules and all that they speak of.
    """
    today = fhirpath.compiled("today()").items(_NOTHING, now=gathered.now)
    held: dict[str, list[Any]] = {"today": today, "hook": [hook], "outstanding": []}
    forms = forms_of(attention, gathered)
    for name in attention.names - held.keys():
        wanted = {form for input_, form in attention.inputs if input_ == name}
        held[name] = fhirpath.items_of([one.resource for one in forms if _form(one.resource) in wanted])
    found = _beside(attention, gathered)
    for name, type_ in attention.others:
        held[name] = fhirpath.items_of(
            [one.resource for one in found if one.resource["resourceType"] == type_]
        )
    return held


def _beside(attention: Attention, gathered: Gathered) -> list[Kept]:
    """What is gathered beside forms, of the types that the rules ask for."""
    types = {type_ for _, type_ in attention.others}
    found = (*gathered.resources, *gathered.unreported)
    return [one for one in found if one.resource.get("resourceType") in types]


def applies(action: Resource, attention: Attention, about: Kept, variables: Mapping[str, list[Any]]) -> bool:
    """Whether the conditions of a rule's proposal are true of what the rule spoke of."""
    conditions = read_conditions(action, None, attention.names)
    scene = _Scene(fhirpath.framed(about.resource), variables)
    return all(scene.truth(one.program) is True for one in conditions)


def _lost(attention: Attention, unread: Iterable[Unread]) -> frozenset[str]:
    """The inputs of which a part could not be read. A part's key is the id of its form, or the input's."""
    keys = {one.key for one in unread}
    forms = {name for name, form in attention.inputs if form.rsplit("/", 1)[-1] in keys}
    return frozenset(forms | (keys & attention.names))


def _form(resource: Resource) -> str:
    return str(resource.get("questionnaire", "")).split("|")[0]


def _evaluate(rule: Rule, about: Kept, scene: _Scene, lost: frozenset[str]) -> Matter | None:
    try:
        truth = scene.truth(rule.condition)
        if truth is False:
            return None
        if truth is None:
            return _unknown(rule, about, _reason(rule, scene))
        if rule.reads & lost:
            return _unknown(rule, about, f"{rule.title}: not known, part of the record could not be read")
        words = _words(rule, scene)
    except fhirpath.EvaluationError:
        return _unknown(rule, about, f"{rule.title}: not known, {FAILED}")
    text = words.get("description", str(rule.action.get("description", "")))
    return Matter(rule, about, words.get("title", rule.title), text, words.get("prefix", ""))


def _unknown(rule: Rule, about: Kept, reason: str) -> Matter:
    return Matter(rule, about, reason, "", known=False)


def _reason(rule: Rule, scene: _Scene) -> str:
    for reason in rule.reasons:
        if reason.when is None or scene.truth(reason.when) is True:
            return reason.text
    return f"{rule.title}: not known"


def _words(rule: Rule, scene: _Scene) -> dict[str, str]:
    """What is computed of title, description and prefix; what comes to nothing leaves the published words."""
    found = {}
    for path, program in rule.words:
        result = scene.only(program)
        if isinstance(result, str):
            found[path] = result
    return found


def _rule(action: Resource, names: frozenset[str]) -> Rule:
    conditions = read_conditions(action, None, names)
    if len(conditions) != 1 or not action.get("title") or not action.get("id"):
        raise RuleFault("condition", "a rule has an id, a title and exactly one applicability condition")
    citations = read_citations(action)
    if not citations:
        raise RuleFault("documentation", "a rule cites its paragraph")
    text = str(action["condition"][0].get("expression", {}).get("expression", ""))
    words = []
    for at, one in enumerate(action.get("dynamicValue", ())):
        place = f"dynamicValue[{at}].expression"
        words.append(
            (str(one.get("path")), compile_expression(one.get("expression", {}), place, None, names))
        )
    for proposed in action.get("action", ()):
        read_conditions(proposed, None, names)
    reasons = read_reasons(action, None, names) if action.get("extension") else ()
    own = json.dumps({name: value for name, value in action.items() if name != "action"}, default=str)
    reads, named = (frozenset(_VARIABLE.findall(one)) & names for one in (text, own))
    return Rule(action, conditions[0].program, reasons, tuple(words), citations, reads, named)
