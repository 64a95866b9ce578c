"""FHIR XML to the JSON shape: what XML says by order and attributes is said as R4's JSON page has it.

The tables of R4 tell which elements repeat and of which type a value is. Refused with their place: document
types and entities (so no expansion, nothing fetched), other namespaces, text between elements, nesting or
size past the limits. What the tables do not know is kept, for the checks to report. Source: FHIR R4, XML and
JSON representations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn
from xml.parsers import expat

from service.domain.errors import Malformed, TooLarge
from service.domain.issues import Issue, Severity
from service.fhir.json_text import Limits
from service.fhir.xml_narrative import Narrative
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from service.fhirpath.model import TypeInfo

Resource = dict[str, Any]

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_INTEGERS = frozenset({"integer", "positiveInt", "unsignedInt"})
_STEP = re.compile(r"([A-Za-z_]\w*)(\([^)]*\))?(?:\[(\d+)\])?")


@dataclass(slots=True)
class _Spot:
    """Where an element begins, and the elements in it by name."""

    line: int
    column: int
    fields: dict[str, list[_Spot]] = field(default_factory=dict)


@dataclass(slots=True)
class _Frame:
    """An element that is open. ``kind`` is resource, complex, primitive, or holder (of a resource)."""

    name: str
    kind: str
    info: TypeInfo | None
    repeats: bool
    spot: _Spot
    content: Resource = field(default_factory=dict)
    value: Any = None
    siblings: dict[str, list[Resource | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class XmlDocument:
    """The resource in a document of FHIR XML, in the JSON shape, and where its elements stand."""

    resource: Resource
    _root: _Spot

    def position(self, expression: str) -> tuple[int, int]:
        """Line and column (from 1) of the element at a FHIRPath place, or of its nearest ancestor."""
        spot = self._root
        for number, step in enumerate(_STEP.finditer(expression)):
            name, call, index = step.groups()
            if call is not None or (number == 0 and name[:1].isupper()):
                continue
            found = spot.fields.get(name) or next(
                (
                    spots
                    for key, spots in spot.fields.items()
                    if key.startswith(name) and key[len(name) :][:1].isupper()
                ),
                [],
            )
            at = int(index or 0)
            if at >= len(found):
                break
            spot = found[at]
        return spot.line, spot.column

    def placed(self, issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
        """The issues with line and column filled in from their expressions."""
        return tuple(
            issue if issue.line is not None else issue.at(*self.position(issue.expression))
            for issue in issues
        )


def decode_xml(body: bytes, limits: Limits | None = None) -> XmlDocument:
    """The document in a body of FHIR XML; Malformed or TooLarge says what, where and what to do."""
    limits = limits or Limits()
    if len(body) > limits.size:
        raise TooLarge(f"the body has {len(body)} bytes; the limit is {limits.size}: send less at a time")
    return _Reader(limits.depth).read(body)


class _Reader:
    """Builds the resource from the parser's events, with a stack of its own."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._stack: list[_Frame] = []
        self._narrative: Narrative | None = None
        self._document: XmlDocument | None = None
        # Buffering keeps a text in one event; no handler for outer entities is set, so none is fetched.
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, body: bytes) -> XmlDocument:
        try:
            self._parser.Parse(body, True)
        except expat.ExpatError as fault:
            said = expat.ErrorString(fault.code)
            self._refuse(f"this is not XML: {said}", fault.lineno, fault.offset + 1)
        except (LookupError, ValueError):
            self._refuse("the text is in an encoding that is not read here; send UTF-8", 1, 1)
        if self._document is None:
            self._refuse("the document holds no resource", 1, 1)
        return self._document

    def _doctype(self, *_: object) -> None:
        self._refuse("a document type is not allowed in FHIR XML; take it out")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.rpartition(" ")
        if self._narrative is not None:
            self._narrative.start(namespace, name, attributes)
            if self._narrative.depth > self._depth:
                self._too_deep()
            return
        if len(self._stack) >= self._depth:
            self._too_deep()
        parent = self._stack[-1] if self._stack else None
        if parent is not None and namespace == XHTML and name == "div":
            self._narrative = Narrative()
            self._narrative.start(namespace, name, attributes)
            self._stack.append(self._frame(parent, name, "primitive", None, repeats=False))
            return
        if namespace != FHIR:
            self._refuse(f"the element '{name[:60]}' is not in FHIR's namespace, {FHIR}")
        self._stack.append(self._open(parent, name, attributes))

    def _open(self, parent: _Frame | None, name: str, attributes: dict[str, str]) -> _Frame:
        if parent is None or parent.kind == "holder":
            spot = parent.spot if parent is not None else self._spot()
            frame = _Frame(name, "resource", R4.type(name), False, spot, {"resourceType": name})
            frame.content |= attributes
            return frame
        known = parent.info.fields.get(name) if parent.info is not None else None
        if known is None:
            frame = self._frame(parent, name, "unknown", None, repeats=False)
            frame.content |= attributes
            return frame
        element, kind = known
        info = R4.type(kind)
        if kind == "Resource":
            return self._frame(parent, name, "holder", info, repeats=element.repeats)
        primitive = info is not None and info.kind == "primitive"
        frame = self._frame(
            parent, name, "primitive" if primitive else "complex", info, repeats=element.repeats
        )
        if primitive and "value" in attributes:
            frame.value = _typed(kind, attributes.pop("value"))
        frame.content |= attributes
        return frame

    def _frame(self, parent: _Frame, name: str, kind: str, info: TypeInfo | None, *, repeats: bool) -> _Frame:
        spot = self._spot()
        parent.spot.fields.setdefault(name, []).append(spot)
        return _Frame(name, kind, info, repeats, spot)

    def _end(self, _: str) -> None:
        if self._narrative is not None:
            self._narrative.end()
            if self._narrative.depth:
                return
            self._stack[-1].value = self._narrative.text()
            self._narrative = None
        frame = self._stack.pop()
        _close(frame)
        if not self._stack:
            self._document = XmlDocument(frame.content, frame.spot)
        elif self._stack[-1].kind == "holder":
            self._hold(self._stack[-1], frame.content)
        else:
            _attach(self._stack[-1], frame)

    def _hold(self, holder: _Frame, resource: Resource) -> None:
        if holder.value is not None:
            self._refuse(f"'{holder.name}' holds one resource; give each its own '{holder.name}'")
        holder.value = resource

    def _text(self, text: str) -> None:
        if self._narrative is not None:
            self._narrative.write(text)
        elif text.strip():
            self._refuse("text stands between elements; FHIR XML has its values in attributes")

    def _spot(self) -> _Spot:
        return _Spot(self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1)

    def _too_deep(self) -> NoReturn:
        raise TooLarge(f"the body nests more than {self._depth} levels; no FHIR resource needs so many")

    def _refuse(self, message: str, line: int | None = None, column: int | None = None) -> NoReturn:
        line = line or self._parser.CurrentLineNumber
        column = column or self._parser.CurrentColumnNumber + 1
        place = f"line {line}, column {column}: {message}"
        raise Malformed(place, issues=[Issue(Severity.ERROR, "structure", place, line=line, column=column)])


def _typed(kind: str, written: str) -> Any:
    """A value as JSON has it; one that is not of its type stays a string, for the checks to report."""
    if kind == "boolean" and written in ("true", "false"):
        return written == "true"
    if kind in _INTEGERS and _INTEGER.fullmatch(written):
        return int(written)
    if kind == "decimal" and _DECIMAL.fullmatch(written):
        return Decimal(written)
    return written


def _close(frame: _Frame) -> None:
    """Puts the ``_`` siblings of repeating primitives beside their values."""
    for name, siblings in frame.siblings.items():
        if any(sibling is not None for sibling in siblings):
            frame.content["_" + name] = siblings
            if all(value is None for value in frame.content[name]):
                del frame.content[name]


def _attach(parent: _Frame, frame: _Frame) -> None:
    """Puts a closed element into the one that holds it."""
    name, content = frame.name, parent.content
    if frame.kind == "primitive" and frame.repeats:
        content.setdefault(name, []).append(frame.value)
        parent.siblings.setdefault(name, []).append(
            frame.content or (None if frame.value is not None else {})
        )
    elif frame.kind == "primitive":
        if frame.value is not None:
            _put(content, name, frame.value, repeats=False)
        if frame.content or frame.value is None:
            _put(content, "_" + name, frame.content, repeats=False)
    elif frame.kind == "holder":
        _put(content, name, frame.value if frame.value is not None else {}, repeats=frame.repeats)
    else:
        _put(content, name, frame.content, repeats=frame.repeats)


def _put(content: Resource, name: str, value: Any, *, repeats: bool) -> None:
    """Sets a property; one that stands twice and may not becomes an array, which the checks refuse."""
    if repeats:
        content.setdefault(name, []).append(value)
    elif name not in content:
        content[name] = value
    elif isinstance(content[name], list):
        content[name].append(value)
    else:
        content[name] = [content[name], value]
