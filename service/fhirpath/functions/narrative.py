"""What XHTML a narrative may hold (FHIR R4, Narrative page, invariants txt-1 and txt-2)."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, XMLParser, fromstring

_XHTML = "{http://www.w3.org/1999/xhtml}"
_NAMES = (
    "a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 "
    "h5 h6 hr i img li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul "
    "var "
)
_ELEMENTS = frozenset(_NAMES.split())
_ATTRIBUTE_NAMES = (
    "abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char "
    "charoff charset cite class colspan compact coords dir frame headers height href hreflang hspace id "
    "lang longdesc name nowrap rel rev rowspan rules scope shape span src start style summary tabindex "
    "title type valign value vspace width {http://www.w3.org/XML/1998/namespace}lang "
    "{http://www.w3.org/XML/1998/namespace}space "
)
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())


def well_formed(text: str) -> bool:
    """Whether the text is one XHTML div of basic formatting, with something to read or to see in it."""
    # A document type could define entities that expand without end; a narrative has none.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return False
    try:
        root = fromstring(text, XMLParser(encoding="utf-8"))  # noqa: S314 - no document type, so no entities
    except (ParseError, ValueError):
        return False
    return root.tag == f"{_XHTML}div" and all(_allowed(element) for element in root.iter()) and _shows(root)


def _allowed(element: Element) -> bool:
    tag = element.tag
    return (
        tag.startswith(_XHTML) and tag[len(_XHTML) :] in _ELEMENTS and _ATTRIBUTES.issuperset(element.keys())
    )


def _shows(root: Element) -> bool:
    return bool("".join(root.itertext()).strip()) or root.find(f".//{_XHTML}img") is not None
