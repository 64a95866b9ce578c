"""Definition-based extraction, run: the walk that starts resources and puts answers into them (SDC 4.0).

Which element a value goes into follows the guide's "Matching parent/child properties": what an item made is
the place for its own further values and for the items below it, from the nearest common ancestor on; elements
that do not repeat are one; elements that do are made anew.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from service.fhir.extraction.places import allocate, answered, item_node, occurrences
from service.fhir.extraction.profiles import complete, start_slice
from service.fhir.extraction.values import UNFIT, typed
from service.fhir.forms.elements import value_of
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.fhir.extraction.definitions import Assignment, ItemDefinitions, Path, Start, Target
    from service.fhir.extraction.entries import Entries
    from service.fhir.extraction.paths import Step
    from service.fhir.extraction.places import Place
    from service.fhir.extraction.running import Run

Json = dict[str, Any]
Typed = tuple[str, Any]


class _Chain:
    """Elements made along a path: ``objects[n]`` is what the first n steps lead to."""

    __slots__ = ("objects", "path")

    def __init__(self, path: Path, objects: list[Json]) -> None:
        self.path = path
        self.objects = objects

    def shared(self, path: Path) -> int:
        """How many first steps of the path lead to elements of this chain."""
        count = 0
        for mine, other in zip(self.path[: len(self.objects) - 1], path, strict=False):
            if mine.same_as != other.same_as or (mine.kind and other.kind and mine.kind != other.kind):
                break
            count += 1
        return count


class _Draft:
    """A resource under construction; ``always`` keeps it though it holds nothing."""

    def __init__(self, start: Start, place: Place, always: bool) -> None:
        self.start = start
        self.place = place
        self.always = always
        self.resource: Json = {"resourceType": start.definition.kind}
        self.key = f"{place.key}#definitionExtract[{start.number}]"


class _Scope:
    """One active extraction as an item sees it: the draft, and the chains that its values may join."""

    __slots__ = ("anchor", "draft", "own")

    def __init__(self, draft: _Draft, anchor: _Chain) -> None:
        self.draft = draft
        self.anchor = anchor
        self.own: list[_Chain] = []


Scopes = dict[str, _Scope]


def extract_definitions(definitions: ItemDefinitions, entries: Entries, root: Place) -> None:
    """Adds the resources that the form's definitions lead to."""
    walk = _Walk(entries)
    walk.occurrence(definitions, root, {}, always=True)
    for draft in walk.drafts:
        walk.emit(draft)


class _Walk:
    def __init__(self, entries: Entries) -> None:
        self.entries = entries
        self.run: Run = entries.run
        self.drafts: list[_Draft] = []

    def occurrence(
        self, plan: ItemDefinitions, place: Place, scopes: Scopes, *, always: bool = False
    ) -> None:
        """One item of the response, or the response itself."""
        mine: Scopes = {name: _Scope(scope.draft, scope.anchor) for name, scope in scopes.items()}
        for start in plan.starts:
            draft = _Draft(start, place, always)
            self.drafts.append(draft)
            mine[start.definition.canonical] = _Scope(draft, _Chain((), [draft.resource]))
        if plan.target is not None:
            self._own(plan, plan.target, place, mine)
        for assignment in plan.assignments:
            self._assign(assignment, place, mine)
        if plan.children:
            self._below(plan.children, place, mine)

    def _below(self, known: Mapping[str, ItemDefinitions], above: Place, scopes: Scopes) -> None:
        for plan, place in occurrences(above, known):
            source = place.node.value
            if not answered(source):
                continue
            answers = source.get("answer")
            if plan.starts and not plan.group and isinstance(answers, list) and len(answers) > 1:
                # A resource for each repetition of the item that starts it.
                for number, answer in enumerate(answers):
                    alone = item_node({**source, "answer": [answer]}, place.node.parent, place.index)
                    one = place.moved(alone, f"{place.key}.{number}", f"{place.name}.answer[{number}]")
                    if answered(alone.value):
                        self.occurrence(plan, allocate(self.run, one, plan.ids, plan.source), scopes)
            else:
                self.occurrence(plan, allocate(self.run, place, plan.ids, plan.source), scopes)

    def _own(self, plan: ItemDefinitions, target: Target, place: Place, scopes: Scopes) -> None:
        """Puts the answers of an item, or the element that a group stands for."""
        scope = scopes.get(target.canonical)
        if scope is None:
            return
        if plan.group:
            chain = self._start(scope, target)
        else:
            values = _answers(place.node.value)
            if plan.unit is not None and any(R4.is_a(kind, "Quantity") for kind in target.path[-1].variants):
                values = [_with_unit(found, plan.unit) for found in values]
            chain = self._put(scope, target, values)
        if chain is not None:
            scope.anchor = chain

    def _assign(self, assignment: Assignment, place: Place, scopes: Scopes) -> None:
        scope = scopes.get(assignment.target.canonical)
        if scope is None:
            return
        values: list[Typed]
        if assignment.formula is None:
            values = [assignment.fixed] if assignment.fixed is not None else []
        else:
            site = place.site
            found = (typed(item) for item in self.run.items(assignment.formula, site.context, site))
            values = [(kind, value) for kind, value, _ in found if value is not None]
        chain = self._put(scope, assignment.target, values)
        if chain is not None:
            scope.own.append(chain)

    def _start(self, scope: _Scope, target: Target) -> _Chain | None:
        """A new element for a group, or the one there is where it cannot repeat."""
        path = target.path
        last = path[-1]
        if last.kind is None or (info := R4.type(last.kind)) is None or info.kind == "primitive":
            self.run.fault("value", f"a group cannot stand for {last.name}; name an element", target.place)
            return None
        chain = self._reach(scope, path, occupied=False)
        return _Chain(path, [*chain.objects, self._object(chain.objects[-1], last)])

    def _put(self, scope: _Scope, target: Target, values: list[Typed]) -> _Chain | None:
        """The chain to the value put; None where nothing is."""
        path = target.path
        last = path[-1]
        fitted: list[Typed] = []
        for kind, value in values:
            into, made = last.fit(kind, value)
            if made is UNFIT:
                said = f"a {kind} does not fit {last.name}"
                self.run.fault("value", f"{said}; it is left out", target.place)
            else:
                fitted.append((into, made))
        if not fitted:
            return None
        self.run.spend(len(fitted) * len(path))
        chain = self._reach(scope, path, occupied=True)
        if last.repeats or len(fitted) == 1:
            return self._write(chain, path, fitted, target)
        # Several values for an element that is one: the last element on the way that repeats does so.
        shared = max(one.shared(path[:-1]) for one in (scope.anchor, *scope.own))
        if not any(step.repeats for step in path[shared:-1]):
            said = f"{last.name} takes one value and is given {len(fitted)}; join them in an expression"
            self.run.fault("business-rule", said, target.place)
            return None
        deepest = max(number for number, step in enumerate(path[:-1]) if step.repeats)
        for number, one in enumerate(fitted):
            if number:
                chain = self._extend(_Chain(path, chain.objects[: deepest + 1]), path)
            self._write(chain, path, [one], target)
        return chain

    def _reach(self, scope: _Scope, path: Path, *, occupied: bool) -> _Chain:
        """The elements that lead to the path's last step: those there are, and new ones.

        ``occupied``: an element that has its last step already is passed over.
        """
        best: list[Json] = [scope.draft.resource]
        for chain in (scope.anchor, *scope.own):
            count = chain.shared(path[:-1])
            if count + 1 <= len(best):
                continue
            full = count == len(path) - 1
            if occupied and full and chain is not scope.anchor and _has(chain.objects[count], path[-1]):
                continue
            best = chain.objects[: count + 1]
        return self._extend(_Chain(path, best), path)

    def _extend(self, chain: _Chain, path: Path) -> _Chain:
        objects = list(chain.objects)
        for step in path[len(objects) - 1 : -1]:
            objects.append(self._object(objects[-1], step))
        return _Chain(path, objects)

    def _object(self, holder: Json, step: Step) -> Json:
        """The element that one step leads to: the one there is where it cannot repeat, else a new one."""
        self.run.spend(1)
        field = step.field(step.kind or step.variants[0])
        present = holder.get(field)
        if not step.repeats and isinstance(present, dict):
            return present
        made: Json = {}
        if step.chosen is not None and step.sliced is not None:
            made = start_slice(step.sliced, step.chosen)
        if step.repeats:
            holder.setdefault(field, []).append(made)
        else:
            holder[field] = made
        return made

    def _write(self, chain: _Chain, path: Path, values: list[Typed], target: Target) -> _Chain | None:
        holder, last = chain.objects[-1], path[-1]
        objects = list(chain.objects)
        for kind, value in values:
            made = deepcopy(value)
            if isinstance(made, dict) and last.chosen is not None and last.sliced is not None:
                made = {**start_slice(last.sliced, last.chosen), **made}
            if last.repeats:
                holder.setdefault(last.field(kind), []).append(made)
            elif _has(holder, last):
                self.run.fault(
                    "business-rule",
                    f"{last.name} takes one value and is given another; collect values in a group",
                    target.place,
                )
                return None
            else:
                holder[last.field(kind)] = made
            objects = [*chain.objects, made] if isinstance(made, dict) else objects
        return _Chain(path, objects)

    def emit(self, draft: _Draft) -> None:
        """Adds a finished resource."""
        definition = draft.start.definition
        resource = _pruned(draft.resource)
        if len(resource) == 1 and not draft.always:
            return
        if definition.profile is not None:
            complete(definition.profile, resource)
            meta = resource.setdefault("meta", {})
            if definition.canonical not in meta.setdefault("profile", []):
                meta["profile"].append(definition.canonical)
        site = draft.place.site
        full_url = self.entries.full_url(draft.start.rule, draft.key, site)
        self.entries.add(_ordered(resource), draft.start.rule, site, draft.place.name, draft.key, full_url)


def _has(holder: Json, step: Step) -> bool:
    """Whether an element that cannot repeat is there already, in any of its types."""
    return not step.repeats and any(field in holder for field in step.element.variants.values())


def _answers(source: Json) -> list[Typed]:
    answers = source.get("answer")
    found = (
        [value_of(answer) for answer in answers if isinstance(answer, dict)]
        if isinstance(answers, list)
        else []
    )
    return [value for value in found if value is not None]


def _with_unit(found: Typed, unit: Json) -> Typed:
    """A number with the fixed unit of its question (questionnaire-unit)."""
    kind, value = found
    if kind not in ("integer", "decimal"):
        return found
    named = {
        "unit": unit.get("display") or unit.get("code"),
        "system": unit.get("system"),
        "code": unit.get("code"),
    }
    return "Quantity", {"value": value, **{name: said for name, said in named.items() if said is not None}}


def _pruned(value: Any) -> Any:
    """The same without empty elements, which FHIR does not have."""
    if isinstance(value, dict):
        found = {name: _pruned(part) for name, part in value.items()}
        return {name: part for name, part in found.items() if part not in ({}, [])}
    if isinstance(value, list):
        return [part for entry in value if (part := _pruned(entry)) != {}]
    return value


def _ordered(resource: Json) -> Json:
    """The resource with its elements in the order that R4 gives them."""
    info = R4.type(resource["resourceType"])
    order = {name: number for number, name in enumerate(info.fields)} if info is not None else {}
    rest = sorted(
        (name for name in resource if name != "resourceType"), key=lambda name: order.get(name, 999)
    )
    return {"resourceType": resource["resourceType"], **{name: resource[name] for name in rest}}
