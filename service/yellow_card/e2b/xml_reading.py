"""XML from outside, read safely: no document type, no entities, no network, and limits on everything.

The text is decoded here (UTF-8 or UTF-16, by its mark or its declaration), walked once by a parser that knows
no entities for its depth and its number of elements, and only then built as a tree. Source: XML 1.0;
ICH E2B(R3), which asks for UTF-8.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Any, NoReturn, cast
from xml.parsers import expat

from lxml import etree

from service.domain.errors import Malformed, TooLarge
from service.domain.issues import Issue, Severity

_MARKS = (
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_DECLARATION = re.compile(
    r"""<\?xml\s+version\s*=\s*["']1\.[0-9]["'](?:\s+encoding\s*=\s*["'](?P<name>[A-Za-z][\w.-]{0,39})["'])?"""
    r"""(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>""",
    re.ASCII,
)
_READ = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8"}
_WIDE = {"utf-16", "utf16", "utf-16le", "utf-16be"}


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """How much is read: bytes, levels of nesting, elements."""

    size: int = 20_000_000
    depth: int = 100
    elements: int = 400_000


def read_xml(body: bytes, limits: XmlLimits | None = None) -> etree._Element:
    """The root of the tree in a body; Malformed or TooLarge says what, where and what to do."""
    limits = limits or XmlLimits()
    if len(body) > limits.size:
        raise TooLarge(
            f"the message has {len(body)} bytes; the limit is {limits.size}: send fewer cases at a time"
        )
    text = _decoded(body)
    _Walk(limits).over(text)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(text, parser)
    except etree.XMLSyntaxError as fault:
        line, column = fault.position
        _refuse(f"this is not XML that can be read: {fault.msg}", line or 1, column or 1)


def line_of(element: etree._Element) -> int:
    """The line an element begins on, from 1; 0 where that is not known."""
    line: int | None = cast("Any", element).sourceline
    return line or 0


def _decoded(body: bytes) -> bytes:
    """The text in UTF-8, without mark and declaration. Line breaks of the declaration are kept."""
    if not body.strip():
        _refuse("the message is empty", 1, 1)
    mark, encoding = next(
        ((mark, encoding) for mark, encoding in _MARKS if body.startswith(mark)), (b"", None)
    )
    if encoding is None:
        encoding = next((name for start, name in _UNMARKED if body.startswith(start)), "utf-8")
    if encoding == "":
        _refuse("the message is in UTF-32, which is not read; send it in UTF-8", 1, 1)
    try:
        text = body[len(mark) :].decode(encoding)
    except UnicodeDecodeError as fault:
        line = body.count(b"\n", 0, fault.start) + 1
        shown = encoding.upper().removesuffix("-LE").removesuffix("-BE")
        declared = _DECLARATION.match(body[:200].decode("ascii", "replace"))
        if declared and declared["name"] and declared["name"].lower() not in _READ:
            _refuse(f"the encoding {declared['name']} is not read here; send the message in UTF-8", 1, 1)
        _refuse(f"byte {fault.start + 1} is not {shown}; send the message in UTF-8", line, 1)
    declared = _DECLARATION.match(text)
    if declared is None:
        return text.encode()
    name = (declared["name"] or "").lower()
    if name and name not in (_WIDE if encoding != "utf-8" else _READ):
        shown = encoding.upper().removesuffix("-LE").removesuffix("-BE")
        if name in _READ or name in _WIDE:
            _refuse(f"the message says it is in {name.upper()} and is in {shown}; mend the declaration", 1, 1)
        _refuse(f"the encoding {declared['name']} is not read here; send the message in UTF-8", 1, 1)
    return ("\n" * declared[0].count("\n") + text[declared.end() :]).encode()


class _Walk:
    """One pass over the text that refuses document types, depth and sheer number."""

    def __init__(self, limits: XmlLimits) -> None:
        self._limits = limits
        self._depth = 0
        self._count = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype

    def over(self, text: bytes) -> None:
        try:
            self._parser.Parse(text, True)
        except expat.ExpatError as fault:
            said = expat.ErrorString(fault.code)
            _refuse(f"this is not XML: {said}", fault.lineno, fault.offset + 1)

    def _start(self, *_: object) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > self._limits.depth:
            raise TooLarge(
                f"the message nests more than {self._limits.depth} levels; no report needs so many"
            )
        if self._count > self._limits.elements:
            raise TooLarge(
                f"the message has more than {self._limits.elements} elements: send fewer cases at a time"
            )

    def _end(self, _: str) -> None:
        self._depth -= 1

    def _doctype(self, *_: object) -> None:
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        _refuse("a document type is not allowed in a safety report; take it out", line, column)


def _refuse(message: str, line: int, column: int) -> NoReturn:
    place = f"line {line}, column {column}: {message}"
    raise Malformed(place, issues=[Issue(Severity.ERROR, "structure", place, line=line, column=column)])
