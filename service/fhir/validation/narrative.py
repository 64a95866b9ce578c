"""The narrative's XHTML: well-formed, and only what HL7 lets stand in it.

Source: FHIR R4 narrative page §2.4.0; invariants txt-1 (elements and attributes) and txt-2 (not empty).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lxml import etree

from service.fhir.validation.run import quoted

if TYPE_CHECKING:
    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run

_XHTML = "{http://www.w3.org/1999/xhtml}"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS = _words(
    "div h1 h2 h3 h4 h5 h6 p br hr ul ol li dl dt dd table caption colgroup col thead tbody tfoot tr th td "
    "a img map area span b i u em strong small big tt sub sup pre code samp kbd var cite abbr acronym dfn "
    "blockquote q address bdo"
)
_COMMON = _words("id class style lang dir title accesskey tabindex xml:lang xmlns")
_OWN = {
    "a": "href name type hreflang rel rev shape coords charset",
    "area": "href shape coords alt nohref",
    "blockquote": "cite",
    "col": "span width align valign char charoff",
    "colgroup": "span width align valign char charoff",
    "img": "src alt longdesc height width usemap ismap border hspace vspace align name",
    "map": "name",
    "pre": "space",
    "q": "cite",
    "table": "summary width border frame rules cellspacing cellpadding align",
    "tbody": "align valign char charoff",
    "td": "abbr axis headers scope rowspan colspan align valign char charoff width nowrap",
    "tfoot": "align valign char charoff",
    "th": "abbr axis headers scope rowspan colspan align valign char charoff width nowrap",
    "thead": "align valign char charoff",
    "tr": "align valign char charoff",
}
_ALLOWED = {name: _words(listed) | _COMMON for name, listed in _OWN.items()}
_ANY_ELEMENT = frozenset({"align", "width"})
_INSIDE = {
    "li": ("ul", "ol"),
    "td": ("tr",),
    "th": ("tr",),
    "tr": ("table", "thead", "tbody", "tfoot"),
}
_UNSAFE = re.compile(r"\s*(?:javascript|vbscript|data(?!:image/))\s*:", re.IGNORECASE)
_LIMIT = 1_000_000


def check_div(value: Any, place: Place, run: Run) -> None:
    """Reports markup that may not stand in a narrative, or that is not XHTML at all."""
    if len(value) > _LIMIT:
        run.error("too-long", f"the narrative has more than {_LIMIT} characters; shorten it", place, "txt-1")
        return
    if "<!DOCTYPE" in value or "<!ENTITY" in value:
        run.error("invalid", "a narrative may not declare a document type; leave it out", place, "txt-1")
        return
    try:
        div = etree.fromstring(value, _parser())
    except (etree.XMLSyntaxError, ValueError) as fault:
        reason = str(fault).partition(", line")[0][:120]
        if "Entity" in reason:
            reason += "; XHTML in FHIR knows only XML's own entities: write the character itself"
        run.error("invalid", f"the narrative is not well-formed XHTML: {reason}", place, "txt-1")
        return
    if div.tag != _XHTML + "div":
        if div.tag == "div":
            message = 'the div needs xmlns="http://www.w3.org/1999/xhtml"'
        else:
            message = (
                f'the narrative must be one <div xmlns="http://www.w3.org/1999/xhtml">, not {_name(div)}'
            )
        run.error("invalid", message, place, "txt-1")
        return
    found = _faults(div, run)
    for message in found[:5]:
        run.error("invariant", message, place, "txt-1")
    if not found and not _says_something(div):
        run.error("invariant", "the narrative has no text and no image; write what it shows", place, "txt-2")


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _name(element: Any) -> str:
    tag = element.tag if isinstance(element.tag, str) else "?"
    return quoted(tag.rpartition("}")[2])


def _faults(div: Any, run: Run) -> list[str]:
    found: list[str] = []
    anchors = {f"#{identifier}" for identifier in (*run.contained, *div.xpath("//@id | //@name"))}
    for element in div.iter():
        if not isinstance(element.tag, str):
            continue  # a comment or a processing instruction
        name = element.tag.removeprefix(_XHTML)
        if name not in _ELEMENTS:
            found.append(f"the element {_name(element)} may not stand in a narrative; use plain text markup")
            continue
        within = _INSIDE.get(name)
        parent = element.getparent()
        if within and (parent is None or parent.tag.removeprefix(_XHTML) not in within):
            found.append(f"{name} must stand directly in {' or '.join(within)}")
        allowed = _ALLOWED.get(name, _COMMON)
        for attribute, content in element.items():
            plain = attribute.replace("{http://www.w3.org/XML/1998/namespace}", "xml:")
            if plain not in allowed and plain not in _ANY_ELEMENT:
                found.append(f"the attribute {quoted(plain)} may not stand on {name}; leave it out")
            elif plain in ("href", "src", "longdesc", "cite") and _UNSAFE.match(content):
                found.append(f"the {plain} of {name} may not carry a script; link to a page instead")
            elif plain in ("src", "href") and content[:1] == "#" and content not in {"#", *anchors}:
                found.append(f"{quoted(content)} leads nowhere in this resource; mend the {plain} of {name}")
            elif plain == "src" and not content.strip():
                found.append(f"the src of {name} is empty; give the image's address")
    return found


def _says_something(div: Any) -> bool:
    return (
        any(text.strip(" \t\r\n") for text in div.itertext())
        or next(div.iter(_XHTML + "img"), None) is not None
    )
