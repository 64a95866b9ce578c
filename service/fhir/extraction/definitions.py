"""Definition-based extraction, prepared: the resources that items start, where their values go (SDC 4.0)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.domain.issues import warning
from service.fhir.extraction.entries import PLAIN, EntryRule, compile_entry
from service.fhir.extraction.formulas import FHIRPATH, ITEM, ROOT, Formula
from service.fhir.extraction.paths import CORE, Definition, Step, Unresolved, definition_of, path_of
from service.fhir.extraction.places import Scopes
from service.fhir.forms import urls
from service.fhir.forms.elements import extension_value, extensions, objects, text, value_of
from service.fhir.forms.expressions import allocated_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.fhir.extraction.formulas import Compilation
    from service.fhir.forms import Form, FormItem

Json = dict[str, Any]
Active = dict[str, Definition]
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """A resource that an item starts (definitionExtract)."""

    definition: Definition
    rule: EntryRule
    number: int


@dataclass(frozen=True, slots=True)
class Target:
    """Where a value goes: the resource by its definition's canonical, and the path in it."""

    canonical: str
    path: Path
    place: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """A fixed or calculated value (definitionExtractValue)."""

    target: Target
    fixed: tuple[str, Any] | None
    formula: Formula | None


@dataclass(frozen=True, slots=True)
class ItemDefinitions:
    """What definition-based extraction does at one item."""

    starts: tuple[Start, ...] = ()
    target: Target | None = None
    assignments: tuple[Assignment, ...] = ()
    unit: Json | None = None
    group: bool = True
    ids: tuple[str, ...] = ()
    source: Json = field(default_factory=dict)
    children: Mapping[str, ItemDefinitions] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is done here or below."""
        return bool(self.starts or self.target or self.assignments or self.children)


def compile_definitions(
    form: Form, compilation: Compilation, resolve: Callable[[str], Json | None] | None
) -> ItemDefinitions:
    """The form's definition-based extraction, from its root."""
    return _Compiler(form, compilation, resolve).root()


class _Compiler:
    def __init__(
        self, form: Form, compilation: Compilation, resolve: Callable[[str], Json | None] | None
    ) -> None:
        self.form = form
        self.compilation = compilation
        self.resolve = resolve
        self.scopes = Scopes(form)

    def root(self) -> ItemDefinitions:
        source = self.form.source
        starts = self._starts(source, "Questionnaire", self.scopes.root, ROOT, {})
        active = {start.definition.canonical: start.definition for start in starts}
        return ItemDefinitions(
            starts,
            assignments=self._assignments(source, "Questionnaire", self.scopes.root, ROOT, active),
            source=source,
            children=self._items(self.form.items, active),
        )

    def _items(self, items: tuple[FormItem, ...], active: Active) -> dict[str, ItemDefinitions]:
        found: dict[str, ItemDefinitions] = {}
        for item in items:
            made = self._item(item, active)
            if made:
                found.setdefault(item.link_id, made)
        return found

    def _item(self, item: FormItem, active: Active) -> ItemDefinitions:
        source = item.source
        starts: tuple[Start, ...] = ()
        assignments: tuple[Assignment, ...] = ()
        if "extension" in source:
            scope = self.scopes.of(item)
            starts = self._starts(source, item.place, scope, ITEM, active)
            if starts:
                active = {**active, **{start.definition.canonical: start.definition for start in starts}}
            assignments = self._assignments(source, item.place, scope, ITEM, active)
        target = None
        written = text(source, "definition")
        if written is not None and not item.is_display:
            target = self._target(written, active, f"{item.place}.definition", required=False)
        unit = extension_value(source, urls.UNIT)
        return ItemDefinitions(
            starts,
            target,
            assignments,
            unit if isinstance(unit, dict) else None,
            item.is_group,
            allocated_ids(source),
            source,
            self._items(item.children, active),
        )

    def _starts(
        self, source: Json, place: str, scope: Mapping[str, str | None], context: str, active: Active
    ) -> tuple[Start, ...]:
        found: list[Start] = []
        for index, extension in objects(source, "extension"):
            at = f"{place}.extension[{index}]"
            if extension.get("url") == urls.DEFINITION_EXTRACT:
                parts = {part.get("url"): part for _, part in objects(extension, "extension")}
                named = value_of(parts.get("definition", {}))
                canonical = named[1] if named and isinstance(named[1], str) else None
                if canonical is None:
                    self.compilation.fault("required", "definitionExtract names no definition", at)
                    continue
                rule = compile_entry(self.compilation, extension, at, scope, context)
            elif extension.get("url") == urls.ITEM_EXTRACTION_CONTEXT:
                canonical, rule = self._legacy(extension, at), PLAIN
            else:
                continue
            definition = self._definition(canonical, at)
            if definition is None:
                continue
            if canonical in active or any(one.definition.canonical == canonical for one in found):
                self.compilation.fault(
                    "business-rule", f"{canonical} is extracted twice in one scope of the form", at
                )
                continue
            found.append(Start(definition, rule, len(found)))
        return tuple(found)

    def _definition(self, canonical: str | None, place: str) -> Definition | None:
        if canonical is None:
            return None
        try:
            return definition_of(canonical, self.resolve)
        except Unresolved as fault:
            self.compilation.fault("not-found", str(fault), place)
            return None

    def _legacy(self, extension: Json, place: str) -> str | None:
        """The definition of the deprecated itemExtractionContext: a type, or a query for all of a type."""
        kind = text(extension, "valueCode")
        if kind is not None:
            return CORE + kind
        expression = extension.get("valueExpression")
        written = text(expression, "expression") if isinstance(expression, dict) else None
        if written is not None and written.rstrip("?").isalpha():
            return CORE + written.rstrip("?")
        said = (
            "itemExtractionContext asks for a query, and $extract has no record to search: a new resource "
            "might double one that exists; use definitionExtract, with the id as a hidden item to update"
        )
        self.compilation.fault("not-supported", said, place)
        return None

    def _target(self, written: str, active: Active, place: str, *, required: bool) -> Target | None:
        canonical, _, element_id = written.partition("#")
        definition = active.get(canonical)
        if definition is None:
            same = [one for one in active.values() if one.canonical.partition("|")[0] == canonical]
            definition = same[0] if len(same) == 1 else None
        if definition is None:
            if required:
                said = f"no definitionExtract on the item or above it names {canonical[:200]}; nothing is set"
                self.compilation.issues.append(warning("business-rule", said, place, "extraction"))
            return None
        try:
            return Target(definition.canonical, path_of(definition, element_id), place)
        except Unresolved as fault:
            self.compilation.fault("not-found", str(fault), place)
            return None

    def _assignments(
        self, source: Json, place: str, scope: Mapping[str, str | None], context: str, active: Active
    ) -> tuple[Assignment, ...]:
        found = []
        for index, extension in extensions(source, urls.DEFINITION_EXTRACT_VALUE):
            made = self._assignment(extension, f"{place}.extension[{index}]", scope, context, active)
            if made is not None:
                found.append(made)
        return tuple(found)

    def _assignment(
        self, extension: Json, place: str, scope: Mapping[str, str | None], context: str, active: Active
    ) -> Assignment | None:
        parts = {part.get("url"): part for _, part in objects(extension, "extension")}
        named = value_of(parts.get("definition", {}))
        if named is None or not isinstance(named[1], str):
            self.compilation.fault("required", "definitionExtractValue names no definition", place)
            return None
        target = self._target(named[1], active, place, required=True)
        if target is None:
            return None
        fixed = value_of(parts.get("fixed-value", {}))
        if (fixed is None) == ("expression" not in parts):
            said = "definitionExtractValue takes either a fixed value or an expression"
            self.compilation.fault("business-rule", said, place)
            return None
        if fixed is not None:
            return Assignment(target, fixed, None)
        expression = parts["expression"].get("valueExpression")
        if not isinstance(expression, dict) or expression.get("language", FHIRPATH) != FHIRPATH:
            self.compilation.fault("not-supported", "definitionExtractValue is written in FHIRPath", place)
            return None
        formula = self.compilation.formula(
            expression.get("expression"), place, "definitionExtractValue", scope, context
        )
        return None if formula is None else Assignment(target, None, formula)
