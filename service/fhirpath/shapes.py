"""The type model as evaluation needs it: for each type, how to reach a child and read a value.

A shape is made once for each type, and a getter once for each of its elements, on first use. A getter puts
the children of one name after a list; what it does is settled by the type model, so that a step costs no
look-up beside the one that finds the getter.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from .errors import EvaluationError
from .nodes import Node, make
from .values import READERS

if TYPE_CHECKING:
    from .model import ElementInfo, Model, TypeInfo

Getter: TypeAlias = Callable[[Node, "list[Any]"], None]

_TEXT_TYPES = frozenset({"string", "code", "id", "uri", "url", "canonical", "oid", "uuid", "markdown"})


class Shape:
    """A type at work. `read` turns a node of a primitive type, or of Quantity, into its System value."""

    __slots__ = (
        "ancestry",
        "by_key",
        "getters",
        "info",
        "keys",
        "links",
        "name",
        "plain",
        "primitive",
        "read",
        "shapes",
    )

    def __init__(self, name: str, info: TypeInfo | None, shapes: Shapes) -> None:
        self.name = name
        self.info = info
        self.shapes = shapes
        self.ancestry = frozenset(shapes.model.ancestry(name)) if info else frozenset({name})
        self.primitive = info is not None and info.kind == "primitive"
        self.read = READERS.get(name)
        if self.read is None and self.primitive:
            self.read = next(READERS[base] for base in shapes.model.ancestry(name) if base in READERS)
        if "Quantity" in self.ancestry:
            self.read = READERS["Quantity"]
        self.getters: dict[str, Getter] = {}
        self.by_key: dict[str, Getter] = {}
        self.links: dict[str, tuple[str, Shape] | None] = {}
        # JSON properties of single elements that are plain text, by element name: they can be compared as
        # they stand. `keys` are those a value can be told apart by before it is compared as a whole.
        self.plain: dict[str, str] = {}
        if info is not None and not self.primitive:
            self.plain = {
                element.name: element.variants[element.types[0]]
                for element in info.elements.values()
                if not element.choice and not element.repeats and element.types[0] in _TEXT_TYPES
            }
        self.keys = tuple(self.plain.values())

    def getter(self, name: str) -> Getter:
        """The getter of an element; for a name that is no element of the type, one that finds nothing."""
        getter = self.getters.get(name)
        if getter is None:
            getter = self.getters[name] = self._make(name)
        return getter

    def children(self, node: Node) -> list[Any]:
        """All children of a node, in the order its JSON has them."""
        found: list[Any] = []
        data = node.sibling if self.primitive else node.value
        if not data:
            return found
        known = self.by_key
        for key in data:
            getter = known.get(key)
            if getter is None:
                if self.info is None:
                    if key != "resourceType":
                        self.getter(key)(node, found)
                    continue
                getter = known[key] = self._by_key(key)
            getter(node, found)
        return found

    def _by_key(self, key: str) -> Getter:
        """The getter of what one JSON property carries. A primitive's sibling is got with its value, if it
        has one.
        """
        plain = key.removeprefix("_")
        field = self.info.fields.get(plain) if self.info is not None else None
        if field is None:
            return _nothing
        element, type_ = field
        getter = _single(plain, element.name, type_, self.shapes)
        if self.primitive:
            return self.getter(element.name)
        if plain == key:
            return getter

        def beside(node: Node, out: list[Any]) -> None:
            if plain not in node.value:
                getter(node, out)

        return beside

    def link(self, name: str) -> tuple[str, Shape] | None:
        """The JSON property and shape of an element of one complex type; None for any other element."""
        if name not in self.links:
            self.links[name] = self._link(name)
        return self.links[name]

    def _link(self, name: str) -> tuple[str, Shape] | None:
        element = self.info.elements.get(name) if self.info is not None and not self.primitive else None
        if element is None or len(element.variants) != 1:
            return None
        type_, field = next(iter(element.variants.items()))
        info = self.shapes.model.type(type_)
        if info is None or info.kind not in ("complex", "backbone"):
            return None
        return field, self.shapes.shape(type_)

    def _make(self, name: str) -> Getter:
        if self.info is None:
            return _untyped(name, self)
        element = self.info.elements.get(name)
        if self.primitive:
            return _of_primitive(name, element, self.shapes) if element or name == "value" else _nothing
        if element is None:
            return _nothing
        getters = {
            field: _single(field, name, type_, self.shapes) for type_, field in element.variants.items()
        }
        if len(getters) == 1:
            return next(iter(getters.values()))
        return _choice(getters)


class Shapes:
    """The shapes of one model. Filling it from two threads at once makes equal shapes, so no lock is
    needed.
    """

    __slots__ = ("model", "of", "untyped")

    def __init__(self, model: Model) -> None:
        self.model = model
        self.of: dict[str, Shape] = {}
        self.untyped = Shape("", None, self)

    def shape(self, name: str) -> Shape:
        """The shape of a type the model has."""
        found = self.of.get(name)
        if found is None:
            info = self.model.type(name)
            if info is None:
                raise EvaluationError(f"the model has no type {name[:60]!r}")
            found = self.of[name] = Shape(name, info, self)
        return found

    def of_resource(self, value: dict[str, Any]) -> Shape:
        """The shape of a resource by its `resourceType`."""
        name = value.get("resourceType")
        if name.__class__ is not str:
            raise EvaluationError("a resource without a resourceType")
        shape = self.of.get(name)
        if shape is None:
            info = self.model.type(name)
            if info is None or info.kind != "resource":
                raise EvaluationError(f"{name[:60]!r} is no resource type")
            shape = self.shape(name)
        return shape

    def root(self, value: dict[str, Any], type_name: str | None = None) -> Node:
        """The node of a resource, of an element of the named type, or of JSON that claims no type."""
        if type_name is not None and "resourceType" not in value:
            return make(Node, (value, self.shape(type_name), None, None, type_name, None))
        if "resourceType" in value:
            shape = self.of_resource(value)
            return make(Node, (value, shape, None, None, shape.name, None))
        return make(Node, (value, self.untyped, None, None, "$this", None))


@lru_cache(maxsize=16)
def shapes_of(model: Model) -> Shapes:
    """The shapes of a model: the same ones each time."""
    return Shapes(model)


def _nothing(_node: Node, _out: list[Any]) -> None:
    """The getter of a name that is no element of the type."""


def _single(field: str, name: str, type_name: str, shapes: Shapes) -> Getter:
    """The getter of one JSON property of one type."""
    info = shapes.model.type(type_name)
    if info is None:
        raise EvaluationError(f"the model has no type {type_name!r}")
    if info.kind == "primitive":
        return _primitive(field, name, shapes.shape(type_name))
    if info.kind == "resource":
        return _complex(field, name, None, shapes)
    return _complex(field, name, type_name, shapes)


def _complex(field: str, name: str, type_name: str | None, shapes: Shapes) -> Getter:
    # Types lead back to themselves (an item has items), so a child's shape is found when first met.
    known: Shape | None = None

    def get(node: Node, out: list[Any]) -> None:
        nonlocal known
        value = node.value.get(field)
        if value is None:
            return
        shape = known
        if shape is None and type_name is not None:
            shape = known = shapes.shape(type_name)
        if value.__class__ is list:
            for index, item in enumerate(value):
                if item.__class__ is not dict:
                    if item is None:
                        continue
                    raise _misshapen(node, name, "an object")
                out.append(make(Node, (item, shape or shapes.of_resource(item), None, node, name, index)))
        elif value.__class__ is dict:
            out.append(make(Node, (value, shape or shapes.of_resource(value), None, node, name, None)))
        else:
            raise _misshapen(node, name, "an object")

    return get


def _primitive(field: str, name: str, shape: Shape) -> Getter:
    beside = f"_{field}"

    def get(node: Node, out: list[Any]) -> None:
        data = node.value
        value = data.get(field)
        sibling = data.get(beside)
        if value.__class__ is list or sibling.__class__ is list:
            _pairs(node, value, sibling, out)
        elif value.__class__ is dict:
            raise _misshapen(node, name, "a plain value")
        elif value is not None or sibling is not None:
            if sibling is not None and sibling.__class__ is not dict:
                raise _misshapen(node, beside, "an object")
            out.append(make(Node, (value, shape, sibling, node, name, None)))

    def _pairs(node: Node, value: Any, sibling: Any, out: list[Any]) -> None:
        values = value if value.__class__ is list else [] if value is None else [value]
        siblings = sibling if sibling.__class__ is list else [] if sibling is None else [sibling]
        for index in range(max(len(values), len(siblings))):
            item = values[index] if index < len(values) else None
            extra = siblings[index] if index < len(siblings) else None
            if item.__class__ in (dict, list):
                raise _misshapen(node, name, "a plain value")
            if extra is not None and extra.__class__ is not dict:
                raise _misshapen(node, beside, "an object")
            if item is not None or extra is not None:
                out.append(make(Node, (item, shape, extra, node, name, index)))

    return get


def _choice(getters: dict[str, Getter]) -> Getter:
    """The getter of a choice such as value[x]: the properties at hand are fewer than the types it could
    have.
    """
    beside = {f"_{field}": field for field in getters}

    def get(node: Node, out: list[Any]) -> None:
        data = node.value
        for key in data:
            getter = getters.get(key)
            if getter is not None:
                getter(node, out)
            elif key in beside and beside[key] not in data:
                getters[beside[key]](node, out)

    return get


def _of_primitive(name: str, element: ElementInfo | None, shapes: Shapes) -> Getter:
    """The getter of a primitive's own elements: its id and extensions lie in the sibling, its value is
    itself.
    """
    if element is None:

        def value_of(node: Node, out: list[Any]) -> None:
            read = node.shape.read
            value = None if read is None else read(node)
            if value is not None:
                out.append(value)

        return value_of
    inner = _single(next(iter(element.variants.values())), name, element.types[0], shapes)

    def get(node: Node, out: list[Any]) -> None:
        if node.sibling is not None:
            found: list[Any] = []
            inner(node._replace(value=node.sibling, sibling=None), found)
            out += [child._replace(parent=node) for child in found]

    return get


def _untyped(name: str, shape: Shape) -> Getter:
    """The getter of JSON without a type model: objects become nodes, scalars System values."""

    def get(node: Node, out: list[Any]) -> None:
        value = node.value.get(name)
        items = value if value.__class__ is list else [value]
        for index, item in enumerate(items):
            if item.__class__ is dict:
                place = index if value.__class__ is list else None
                inner = shape.shapes.of_resource(item) if "resourceType" in item else shape
                out.append(Node(item, inner, None, node, name, place))
            elif item.__class__ is list:
                raise _misshapen(node, name, "an object or a plain value")
            elif item is not None:
                out.append(
                    READERS["decimal"](Node(item, shape, None, node, name, None))
                    if item.__class__ is float or item.__class__ is Decimal
                    else item
                )

    return get


def _misshapen(node: Node, name: str, expected: str) -> EvaluationError:
    return EvaluationError(f"{node.location}.{name} should be {expected} in JSON; correct the resource")
