"""Places in a response while it is walked: the node, the variables in scope, and what the place is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from service.fhir.extraction.formulas import ITEM, ROOT, STANDING
from service.fhir.extraction.running import SHAPES, Site
from service.fhir.forms.elements import value_of
from service.fhir.forms.expressions import allocated_ids
from service.fhirpath.nodes import Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.fhir.extraction.running import Run
    from service.fhir.forms import Form, FormItem

Json = dict[str, Any]
_DEPTH = 200
_Plan = TypeVar("_Plan")


class Scopes:
    """The variables that the expressions of each item may name: the ids allocated on it and above it."""

    def __init__(self, form: Form) -> None:
        """Reads the form's allocated ids."""
        self.form = form
        ids = dict.fromkeys(allocated_ids(form.source))
        self.root: dict[str, str | None] = {**STANDING, **ids, "context": ROOT}

    def of(self, item: FormItem) -> dict[str, str | None]:
        """The scope of an item's expressions."""
        found = {**self.root, "context": ITEM}
        for link_id in (*item.ancestors, item.link_id):
            above = self.form.by_link.get(link_id)
            if above is not None and "extension" in above.source:
                found |= dict.fromkeys(allocated_ids(above.source))
        return found


class Place:
    """One place: the response itself, or one item of it.

    ``key`` names it by linkIds and the number among its equals; ``name`` is its FHIRPath.
    """

    __slots__ = ("_name", "_site", "index", "key", "node", "variables")

    def __init__(
        self, node: Node, variables: Mapping[str, list[Any]], key: str, name: str | None = None
    ) -> None:
        """``name`` is only given where the node's own location is not the place's."""
        self.node = node
        self.variables = variables
        self.key = key
        self.index: int | None = None
        self._name = name
        self._site: Site | None = None

    @property
    def name(self) -> str:
        """Its FHIRPath in the response."""
        return self._name or self.node.location

    @property
    def site(self) -> Site:
        """Where its expressions stand."""
        if self._site is None:
            self._site = Site([self.node], self.variables, self.key)
        return self._site

    def moved(self, node: Node, key: str, name: str) -> Place:
        """Another place with the same variables."""
        return Place(node, self.variables, key, name)


_ITEM = SHAPES.shape("QuestionnaireResponse.item")
_ANSWER = SHAPES.shape("QuestionnaireResponse.item.answer")
_QUESTION = SHAPES.shape("Questionnaire.item")


def item_node(source: Json, parent: Node | None, index: int | None) -> Node:
    """The node of an item of the response."""
    return Node(source, _ITEM, None, parent, "item", index)


def root_place(run: Run, questionnaire: Json) -> Place:
    """The response as a place, with the ids allocated on the form's root."""
    form = SHAPES.root(questionnaire, "Questionnaire")
    variables = {
        "resource": [run.root],
        "rootResource": [run.root],
        "questionnaire": [form],
        "qitem": [],
    }
    place = Place(run.root, variables, "", "QuestionnaireResponse")
    return allocate(run, place, allocated_ids(questionnaire), None)


def allocate(run: Run, place: Place, ids: tuple[str, ...], source: Json | None) -> Place:
    """The place with %qitem and its own new ids; the same ids each time for the same place."""
    variables = dict(place.variables)
    if source is not None:
        variables["qitem"] = [Node(source, _QUESTION, None, None, "item", None)]
    for name in ids:
        variables[name] = [run.allocated(f"{place.key}%{name}")]
    return Place(place.node, variables, place.key, place.name if place._name else None)


def occurrences(above: Place, known: Mapping[str, _Plan]) -> Iterator[tuple[_Plan, Place]]:
    """The items right below a place, under its answers too, that a plan is made for."""
    source = above.node.value
    seen: dict[str, int] = {}
    yield from _below(above, source, above.node, known, seen)
    for number, answer in enumerate(_list(source.get("answer"))):
        if isinstance(answer, dict) and "item" in answer:
            holder = Node(answer, _ANSWER, None, above.node, "answer", number)
            yield from _below(above, answer, holder, known, seen)


def _below(
    above: Place, source: Json, holder: Node, known: Mapping[str, _Plan], seen: dict[str, int]
) -> Iterator[tuple[_Plan, Place]]:
    for index, entry in enumerate(_list(source.get("item"))):
        link_id = entry.get("linkId") if isinstance(entry, dict) else None
        plan = known.get(link_id) if isinstance(link_id, str) else None
        if plan is None or not isinstance(link_id, str):
            continue
        number = seen.get(link_id, 0)
        seen[link_id] = number + 1
        key = f"{above.key}/{link_id}[{number}]" if above.key else f"{link_id}[{number}]"
        place = Place(item_node(entry, holder, index), above.variables, key)
        place.index = index
        yield plan, place


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def answered(source: Json, depth: int = 0) -> bool:
    """Whether an item of the response has an answer, or one below it has."""
    if depth > _DEPTH:
        return False
    for answer in _list(source.get("answer")):
        if isinstance(answer, dict) and (
            value_of(answer) is not None
            or any(name.startswith("_value") for name in answer)
            or _any_answered(answer, depth)
        ):
            return True
    return _any_answered(source, depth)


def _any_answered(source: Json, depth: int) -> bool:
    return any(isinstance(entry, dict) and answered(entry, depth + 1) for entry in _list(source.get("item")))
