"""FHIR's type model: which elements a type has, of which types, and which type specialises which.

The tables are HL7's own R4 4.0.1 definitions, compiled by ``tools/generate_tables.py``. They are read on
first use, and types are built one by one as they are asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from .records import record

if TYPE_CHECKING:
    from collections.abc import Mapping

_R4 = __file__.removesuffix("model.py") + "r4/types.json"


@record
class ElementInfo:
    """One element of a type. ``maximum`` is None where there is no upper bound.

    ``name`` is FHIRPath's: ``value`` for ``value[x]``. ``variants`` leads from each type to the JSON
    property that carries it: ``{"Quantity": "valueQuantity"}`` for a choice, ``{"code": "status"}`` else.
    """

    name: str
    types: tuple[str, ...]
    minimum: int
    maximum: int | None
    choice: bool
    variants: Mapping[str, str]

    @property
    def repeats(self) -> bool:
        """Whether JSON carries the element as an array (R4 JSON page: max greater than one)."""
        return self.maximum != 1


@record
class TypeInfo:
    """One type: a primitive, a complex type, a backbone element (named by its path) or a resource.

    ``elements`` holds the inherited ones too, in HL7's order. ``fields`` leads from each JSON property
    (choices spelt out, without the ``_`` siblings) to its element and type.
    """

    name: str
    base: str | None
    kind: str
    abstract: bool
    elements: Mapping[str, ElementInfo]
    fields: Mapping[str, tuple[ElementInfo, str]]


class Model:
    """The types of one FHIR version, read from a table file on first use. Safe from any thread."""

    def __init__(self, path: str) -> None:
        """Names the table file; nothing is read yet."""
        self._path = path
        self._types: dict[str, TypeInfo] = {}
        self._lines: dict[str, tuple[str, ...]] = {}

    @cached_property
    def _tables(self) -> dict[str, Any]:
        # Loaded with the tables: importing the engine should not wait for what only reading them needs.
        import json

        # Loading pathlib would take longer than reading the file.
        with open(self._path, "rb") as file:  # noqa: PTH123
            tables: dict[str, Any] = json.loads(file.read())
        return tables

    @property
    def version(self) -> str:
        """The FHIR version, such as ``4.0.1``."""
        return str(self._tables["fhirVersion"])

    @cached_property
    def names(self) -> frozenset[str]:
        """Every type's name, backbone elements by path."""
        return frozenset(self._tables["types"])

    @cached_property
    def resources(self) -> frozenset[str]:
        """The names of the resource types that can stand alone (not abstract)."""
        types = self._tables["types"]
        return frozenset(
            name for name, table in types.items() if table["kind"] == "resource" and "abstract" not in table
        )

    def type(self, name: str) -> TypeInfo | None:
        """The type of that name (``Patient``, ``string``, ``Questionnaire.item``), or None."""
        found = self._types.get(name)
        if found is None and name in self.names:
            found = self._types[name] = self._build(name)
        return found

    def ancestry(self, name: str) -> tuple[str, ...]:
        """The type's own name and those of its ancestors, nearest first; empty for an unknown name."""
        line = self._lines.get(name)
        if line is None:
            table = self._tables["types"].get(name)
            if table is None:
                return ()
            base = table["base"]
            line = self._lines[name] = (name, *(self.ancestry(base) if base else ()))
        return line

    def is_a(self, name: str, ancestor: str) -> bool:
        """Whether the type is the other one or a specialisation of it."""
        return ancestor in self.ancestry(name)

    def _build(self, name: str) -> TypeInfo:
        table = self._tables["types"][name]
        parent = self.type(table["base"]) if table["base"] else None
        elements: dict[str, ElementInfo] = dict(parent.elements) if parent else {}
        fields: dict[str, tuple[ElementInfo, str]] = dict(parent.fields) if parent else {}
        for written, (types, minimum, maximum) in table["elements"].items():
            plain = written.removesuffix("[x]")
            choice = plain != written
            variants = {type_: plain + type_[0].upper() + type_[1:] if choice else plain for type_ in types}
            element = ElementInfo(
                name=plain,
                types=tuple(types),
                minimum=minimum,
                maximum=None if maximum == "*" else int(maximum),
                choice=choice,
                variants=variants,
            )
            elements[plain] = element
            fields |= {field: (element, type_) for type_, field in variants.items()}
        return TypeInfo(name, table["base"], table["kind"], "abstract" in table, elements, fields)


R4 = Model(_R4)
"""FHIR R4 4.0.1."""
