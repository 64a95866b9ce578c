"""Times, qualified results and enclosed files: the parts of a message that take more than one shape.

A start, end and duration stand in one interval, or in an expression of several where HL7 allows only two of
the three together, or where a dose is repeated. A result that is only bounded stands as an interval open at
infinity. Source: HL7 v3 data types IVL_TS, PIVL_TS, SXPR_TS, IVL_PQ, ED.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.yellow_card.e2b.skeleton import TYPE
from service.yellow_card.e2b.values import QUALIFIED, Attachment, Null, Value, as_text

if TYPE_CHECKING:
    from lxml import etree

    from service.yellow_card.e2b.values import Content


@dataclass(slots=True)
class Piece:
    """A node to be written: its attributes in order, its text, its children."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Piece] = field(default_factory=list)
    text: str = ""


def put(piece: Piece, attribute: str | None, value: Value, prefix: str = "") -> None:
    """Puts a value into a piece, or its null flavour."""
    if isinstance(value, Null):
        piece.attributes["nullFlavor"] = value.flavour
    elif attribute is None:
        piece.text = as_text(value)
    else:
        piece.attributes[attribute] = prefix + as_text(value)


def write_interval(tag: str, numbers: tuple[str, ...], period: tuple[str, ...], content: Content) -> Piece:
    """Start, end and duration, and how often, as one ``effectiveTime``."""
    start, end, *length = numbers
    low = _bound("low", start, content)
    high = _bound("high", end, content)
    width = _quantity("width", (*length, "", "")[:2], content)
    often = _quantity("period", (*period, "", "")[:2], content)
    spans = [[part for part in (low, width, high) if part is not None]]
    if low is not None and width is not None and high is not None:
        spans = [[low, high], [width]]
    shapes = [Piece(tag, {TYPE: "PIVL_TS"}, [often])] if often is not None else []
    shapes += [Piece(tag, {TYPE: "IVL_TS"}, parts) for parts in spans if parts]
    if len(shapes) == 1:
        return shapes[0]
    for shape in shapes[1:]:
        shape.attributes["operator"] = "A"
    for shape in shapes:
        shape.tag = "comp"
    return Piece(tag, {TYPE: "SXPR_TS"}, shapes)


def _bound(tag: str, number: str, content: Content) -> Piece | None:
    if number not in content:
        return None
    piece = Piece(tag)
    put(piece, "value", content[number])
    return piece


def _quantity(tag: str, numbers: tuple[str, ...], content: Content) -> Piece | None:
    piece = Piece(tag)
    for attribute, number in zip(("value", "unit"), numbers, strict=True):
        if number in content:
            put(piece, attribute, content[number])
    return piece if piece.attributes else None


def write_qualified(tag: str, numbers: tuple[str, ...], content: Content) -> Piece:
    """A result with its unit; one with a qualifier is a bound, and the other side is infinite."""
    value, unit = content.get(numbers[0]), content.get(numbers[1])
    found = QUALIFIED.fullmatch(value) if isinstance(value, str) else None
    sign = found[1] if found is not None else None
    piece = Piece("center" if sign is None else "low" if sign[0] == ">" else "high")
    if value is not None:
        put(piece, "value", found[2] if found is not None else value)
    if unit is not None:
        put(piece, "unit", unit)
    if sign is None:
        return Piece(tag, {TYPE: "IVL_PQ"}, [piece])
    piece.attributes["inclusive"] = "true" if sign.endswith("=") else "false"
    if sign[0] == ">":
        return Piece(tag, {TYPE: "IVL_PQ"}, [piece, Piece("high", {"nullFlavor": "PINF"})])
    return Piece(tag, {TYPE: "IVL_PQ"}, [Piece("low", {"nullFlavor": "NINF"}), piece])


def write_document(tag: str, value: Value) -> Piece:
    """An enclosed file, in base64."""
    piece = Piece(tag)
    if not isinstance(value, Attachment):
        # What could not be read as a file is written back as it came; the rules refuse it.
        piece.attributes["representation"] = "B64"
        put(piece, None, value)
        return piece
    piece.attributes["mediaType"] = value.media_type
    piece.attributes["representation"] = "B64"
    if value.compression:
        piece.attributes["compression"] = value.compression
    piece.text = base64.b64encode(value.content).decode()
    return piece


def read_interval(
    element: etree._Element, numbers: tuple[str, ...], period: tuple[str, ...]
) -> tuple[list[tuple[str, str, bool]], list[etree._Element]]:
    """What an ``effectiveTime`` says (number, text, whether a null flavour), and the parts that are left."""
    start, end, *length = numbers
    wanted = {
        "low": (start, ""),
        "high": (end, ""),
        "width": (*length, "", "")[:2],
        "period": (*period, "", "")[:2],
    }
    found: dict[str, tuple[str, bool]] = {}
    left: list[etree._Element] = []
    waiting = list(element)
    while waiting:
        part = waiting.pop(0)
        name = str(part.tag).rpartition("}")[2]
        if name == "comp":
            waiting[:0] = list(part)
            continue
        pair = wanted.get(name, ("", ""))
        said = {
            number: (part.get(attribute, ""), attribute == "nullFlavor")
            for attribute, number in (("nullFlavor", pair[0]), ("value", pair[0]), ("unit", pair[1]))
            if number and part.get(attribute) is not None
        }
        if not said or any(number in found for number in said):
            left.append(part)
        else:
            found.update(said)
    return [(number, text, null) for number, (text, null) in found.items()], left


def read_qualified(element: etree._Element) -> tuple[str, str, bool] | None:
    """Result (with its sign) and unit in an interval of quantities, and whether it is a null flavour."""
    parts = {str(part.tag).rpartition("}")[2]: part for part in element}
    if len(parts) != len(element) or not set(parts) <= {"low", "high", "center"} or not parts:
        return None
    if "center" in parts:
        center = parts.pop("center")
        if parts:
            return None
        null = center.get("nullFlavor")
        said = center.get("value", "") if null is None else null
        return said, center.get("unit", ""), null is not None
    if set(parts) != {"low", "high"}:
        return None
    low, high = parts["low"], parts["high"]
    if high.get("nullFlavor") == "PINF" and low.get("value") is not None:
        bound, sign = low, ">"
    elif low.get("nullFlavor") == "NINF" and high.get("value") is not None:
        bound, sign = high, "<"
    else:
        return None
    # By HL7 a bound is part of the interval unless it says otherwise.
    within = "" if bound.get("inclusive") == "false" else "="
    return f"{sign}{within}{bound.get('value')}", bound.get("unit", ""), False


def read_document(element: etree._Element) -> Attachment | str | None:
    """The enclosed file; text as it stands where it is no base64."""
    text = (element.text or "") + "".join(part.tail or "" for part in element)
    if not text.strip():
        return None
    kind = element.get("mediaType", "text/plain")
    if element.get("representation", "TXT") != "B64":
        return Attachment(kind, text.encode(), element.get("compression", ""))
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return text.strip()
    return Attachment(kind, content, element.get("compression", ""))
