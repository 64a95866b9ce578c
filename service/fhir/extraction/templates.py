"""A template of template-based extraction, made once into closures that write what it extracts to.

SDC 4.0, Form Data Extraction, Template-based extraction: a context goes before a value; no result removes the
property (in a collection, that entry); each result makes one more; a primitive's ``name`` and ``_name`` are
one property. Parts without expressions are used as they stand and never copied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.fhir.extraction.formulas import FHIRPATH
from service.fhir.extraction.values import UNFIT, cast, typed
from service.fhir.forms import urls
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.fhir.extraction.formulas import Compilation, Formula
    from service.fhir.extraction.running import Run, Site
    from service.fhirpath.model import ElementInfo, TypeInfo

Json = dict[str, Any]
Piece = tuple[Any, Any]
"""One value for an element, and for a primitive its ``_`` sibling."""
Many = Callable[[list[Any], "Site", "Run"], list[Piece]]
Fill = Callable[[Json, list[Any], "Site", "Run"], None]

_EXPRESSIONS = (urls.TEMPLATE_EXTRACT_CONTEXT, urls.TEMPLATE_EXTRACT_VALUE)
DEPTH = 60
"""How deep a template may nest."""


def compile_template(
    compilation: Compilation, template: Json, place: str, scope: Mapping[str, str | None]
) -> Many:
    """What makes the template's resources: one, none, or one for each result of a context on its root.

    The template's own id is left out: it is only the name that the form points at.
    """
    plain = {name: value for name, value in template.items() if name not in ("id", "_id")}
    kind = str(template.get("resourceType"))
    return _Template(compilation).entry(plain, None, kind, place, _Here(scope, scope.get("context")), 0)


@dataclass(frozen=True, slots=True)
class _Here:
    """What expressions at a place of the template may name, and the type they start from, if it is known."""

    scope: Mapping[str, str | None]
    focus: str | None

    def below(self, name: str | None) -> _Here:
        """The same inside a context, which moves the focus and may have a name."""
        return _Here({**self.scope, name: None} if name else self.scope, None)


class _Template:
    """Compiles one template."""

    def __init__(self, compilation: Compilation) -> None:
        self.compilation = compilation

    def entry(self, value: Any, sibling: Any, kind: str | None, place: str, here: _Here, depth: int) -> Many:
        """What makes the values of one element, single or one of a collection."""
        if depth > DEPTH:
            self.compilation.fault("too-costly", f"the template nests deeper than {DEPTH} levels", place)
            return _constant([])
        holder = value if isinstance(value, dict) else sibling
        context, name, found, rest = self._expressions(holder, place, here)
        inner = here if context is None else here.below(name)
        made: Many
        if isinstance(value, dict):
            if found is not None:
                made = _values(found, kind, None)
            elif not _has_expressions(rest, 0):
                made = _constant([(rest, None)] if rest else [])
            else:
                made = _object(self.fills(rest, kind, place, inner, depth), kind == "Extension")
        else:
            beside = self._sibling(rest, place, inner, depth)
            made = _values(found, kind, beside) if found is not None else _primitive(value, beside)
        return made if context is None else _contexts(context, name, made)

    def fills(self, source: Json, kind: str | None, place: str, here: _Here, depth: int) -> list[Fill]:
        """What writes the properties of an element of a type, in the template's order."""
        kind = source["resourceType"] if isinstance(source.get("resourceType"), str) else kind
        info = R4.type(kind) if kind else None
        found = []
        for name in dict.fromkeys(key.removeprefix("_") if key[1:] else key for key in source):
            value, sibling = source.get(name), source.get("_" + name)
            if not _has_expressions(value, 0) and not _has_expressions(sibling, 0):
                found.append(_writes(name, value, sibling))
                continue
            element, type_ = self._element(info, name, place)
            at = f"{place}.{name}"
            if isinstance(value, list) or isinstance(sibling, list):
                found.append(self._collection(name, value, sibling, type_, at, here, depth))
            else:
                single = self.entry(value, sibling, type_, at, here, depth + 1)
                found.append(_single(name, single, at, element))
        return found

    def _element(self, info: TypeInfo | None, name: str, place: str) -> tuple[ElementInfo | None, str | None]:
        if info is None:
            return None, None
        known = info.fields.get(name)
        if known is None:
            self.compilation.fault("structure", f"{info.name} has no element {name[:40]}", f"{place}.{name}")
            return None, None
        return known

    def _collection(
        self, name: str, value: Any, sibling: Any, kind: str | None, place: str, here: _Here, depth: int
    ) -> Fill:
        values = value if isinstance(value, list) else []
        siblings = sibling if isinstance(sibling, list) else []
        entries = []
        for index in range(max(len(values), len(siblings))):
            one = values[index] if index < len(values) else None
            beside = siblings[index] if index < len(siblings) else None
            entries.append(self.entry(one, beside, kind, f"{place}[{index}]", here, depth + 1))
        return _list(name, entries)

    def _sibling(self, rest: Any, place: str, here: _Here, depth: int) -> Many | None:
        """What makes a primitive's other extensions, where it has any."""
        if not isinstance(rest, dict) or not rest:
            return None
        if not _has_expressions(rest, 0):
            return _constant([(rest, None)])
        return _object(self.fills(rest, "Element", place, here, depth + 1), extension=False)

    def _expressions(
        self, holder: Any, place: str, here: _Here
    ) -> tuple[Formula | None, str | None, Formula | None, Any]:
        """The context with its name and the value that stand on an element, and the element without them."""
        if not isinstance(holder, dict) or not _bears_expressions(holder):
            return None, None, None, holder
        context = found = name = None
        kept = []
        for index, extension in enumerate(holder["extension"]):
            address = extension.get("url") if isinstance(extension, dict) else None
            at = f"{place}.extension[{index}]"
            if address == urls.TEMPLATE_EXTRACT_CONTEXT and context is None:
                context, name = self._context(extension, at, here)
            elif address not in _EXPRESSIONS:
                kept.append(extension)
            elif address == urls.TEMPLATE_EXTRACT_CONTEXT:
                self.compilation.fault("business-rule", "an element takes one templateExtractContext", at)
        values = [one for one in holder["extension"] if _address(one) == urls.TEMPLATE_EXTRACT_VALUE]
        if len(values) > 1:
            self.compilation.fault("business-rule", "an element takes one templateExtractValue", place)
        if values:
            inner = here if context is None else here.below(name)
            found = self.compilation.formula(
                values[0].get("valueString"), place, "templateExtractValue", inner.scope, inner.focus
            )
        rest = {key: value for key, value in holder.items() if key != "extension"}
        if kept:
            rest = {**rest, "extension": kept}
        return context, name, found, rest

    def _context(self, extension: Json, place: str, here: _Here) -> tuple[Formula | None, str | None]:
        expression = extension.get("valueExpression")
        if not isinstance(expression, dict):
            text, name = extension.get("valueString"), None
        else:
            text, name = expression.get("expression"), expression.get("name")
            if expression.get("language", FHIRPATH) != FHIRPATH:
                self.compilation.fault(
                    "not-supported", "a templateExtractContext is written in FHIRPath", place
                )
                return None, None
            if name is not None and (not isinstance(name, str) or not name.isidentifier()):
                self.compilation.fault(
                    "value", "the name of a templateExtractContext is no identifier", place
                )
                name = None
        formula = self.compilation.formula(text, place, "templateExtractContext", here.scope, here.focus)
        return formula, name


def _address(extension: Any) -> Any:
    return extension.get("url") if isinstance(extension, dict) else None


def _bears_expressions(holder: Json) -> bool:
    extensions = holder.get("extension")
    return isinstance(extensions, list) and any(_address(one) in _EXPRESSIONS for one in extensions)


def _has_expressions(node: Any, depth: int) -> bool:
    """Whether an expression stands on a part of a template or in it."""
    if isinstance(node, list):
        return any(_has_expressions(entry, depth) for entry in node)
    if not isinstance(node, dict) or depth > DEPTH:
        return depth > DEPTH
    return _bears_expressions(node) or any(
        _has_expressions(value, depth + 1) for value in node.values() if isinstance(value, dict | list)
    )


# -- what makes values ---------------------------------------------------------------------------------------


def _constant(pieces: list[Piece]) -> Many:
    return lambda _focus, _site, _run: pieces


def _contexts(formula: Formula, name: str | None, made: Many) -> Many:
    def each(focus: list[Any], site: Site, run: Run) -> list[Piece]:
        found = run.items(formula, focus, site)
        if not found:
            return []
        if len(found) == 1:
            return made(found, site.named(name, found) if name else site, run)
        pieces: list[Piece] = []
        for one in found:
            pieces += made([one], site.named(name, [one]) if name else site, run)
        return pieces

    return each


def _values(formula: Formula, kind: str | None, sibling: Many | None) -> Many:
    info = R4.type(kind) if kind is not None else None
    primitive = info is not None and info.kind == "primitive"

    def results(focus: list[Any], site: Site, run: Run) -> list[Piece]:
        pieces: list[Piece] = []
        for item in run.items(formula, focus, site):
            source, value, beside = typed(item)
            if not primitive:
                beside = None
            fitted = value if kind is None or value is None else fit(source, value, kind)
            if fitted is UNFIT:
                said = f"{formula.what} gives a {source} where a {kind} is wanted; it is left out"
                run.fault("value", said, formula.place)
                continue
            if sibling is not None:
                own = sibling(focus, site, run)
                beside = own[0][0] if own else beside
            if fitted is not None or beside is not None:
                pieces.append((fitted, beside))
        return pieces

    return results


def fit(source: str, value: Any, kind: str) -> Any:
    """The value as the type that an element of a template takes, or UNFIT. Any resource is a Resource."""
    if kind == "Resource" and isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        return value
    return cast(source, value, kind)


def _primitive(value: Any, sibling: Many | None) -> Many:
    if sibling is None:
        return _constant([] if value is None else [(value, None)])

    def made(focus: list[Any], site: Site, run: Run) -> list[Piece]:
        own = sibling(focus, site, run)
        beside = own[0][0] if own else None
        return [] if value is None and beside is None else [(value, beside)]

    return made


def _object(fills: list[Fill], extension: bool) -> Many:
    def made(focus: list[Any], site: Site, run: Run) -> list[Piece]:
        run.spend(1)
        out: Json = {}
        for fill in fills:
            fill(out, focus, site, run)
        # FHIR has no empty elements, and no extension without a value or extensions of its own (ext-1).
        if not out or (extension and len(out) == 1 and "url" in out):
            return []
        return [(out, None)]

    return made


# -- what writes properties ----------------------------------------------------------------------------------


def _writes(name: str, value: Any, sibling: Any) -> Fill:
    def fill(out: Json, _focus: list[Any], _site: Site, _run: Run) -> None:
        if value is not None:
            out[name] = value
        if sibling is not None:
            out["_" + name] = sibling

    return fill


def _single(name: str, made: Many, place: str, element: ElementInfo | None) -> Fill:
    beside = "_" + name

    def fill(out: Json, focus: list[Any], site: Site, run: Run) -> None:
        pieces = made(focus, site, run)
        if not pieces:
            return
        if len(pieces) > 1:
            run.warn("value", f"{name} takes one value and is given {len(pieces)}; the first is used", place)
        value, sibling = pieces[0]
        if value is not None:
            out[name] = value
        if sibling is not None:
            out[beside] = sibling

    def repeated(out: Json, focus: list[Any], site: Site, run: Run) -> None:
        pieces = made(focus, site, run)
        if pieces:
            _write_list(out, name, pieces)

    # A template may write an element that repeats without its array; what it extracts to has one.
    return repeated if element is not None and element.repeats else fill


def _list(name: str, entries: list[Many]) -> Fill:
    def fill(out: Json, focus: list[Any], site: Site, run: Run) -> None:
        pieces: list[Piece] = []
        for entry in entries:
            pieces += entry(focus, site, run)
        if pieces:
            _write_list(out, name, pieces)

    return fill


def _write_list(out: Json, name: str, pieces: list[Piece]) -> None:
    if any(value is not None for value, _ in pieces):
        out[name] = [value for value, _ in pieces]
    if any(sibling is not None for _, sibling in pieces):
        out["_" + name] = [sibling for _, sibling in pieces]
