"""A batch as an E2B(R3) message: ``MCCI_IN200100UV01``, in schema order, UTF-8."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from service.domain.errors import Unprocessable
from service.yellow_card.e2b.elements import CASE
from service.yellow_card.e2b.parts import Piece, put, write_document, write_interval, write_qualified
from service.yellow_card.e2b.skeleton import HL7, TYPE, XSI
from service.yellow_card.e2b.values import UNWRITABLE, Null

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.yellow_card.e2b.batch import Batch
    from service.yellow_card.e2b.elements import Guide
    from service.yellow_card.e2b.skeleton import Node
    from service.yellow_card.e2b.values import Content

# Any fixed name space will do: ids of reactions and drugs mean something only inside their message.
_IDS = uuid.UUID("6b0f3c6e-5d0e-5f7b-9c44-0a7f2f0f3e17")
_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_ATTRIBUTE = {**_TEXT, '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}
_IN_TEXT = re.compile("[&<>\r]")
_IN_ATTRIBUTE = re.compile('[&<>"\n\r\t]')

Ids = dict[str, str]


def write(batch: Batch, guide: Guide) -> bytes:
    """The message, byte for byte the same for the same batch.

    Raises Unprocessable where a text has characters that XML cannot carry. Nothing else is checked here:
    ``rules.check`` comes first.
    """
    header = {**batch.header, CASE: list(batch.cases)}
    root = next(_pieces(guide.skeleton, header, {}))
    root.attributes = {"xmlns": HL7, "xmlns:xsi": XSI, **root.attributes}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    _lines(root, "", lines)
    return ("\n".join(lines) + "\n").encode()


def _pieces(node: Node, content: Content, ids: Ids) -> Iterator[Piece]:
    """The node's XML: once, once an item of its group, or not at all where nothing is to be said."""
    if not node.repeat:
        if node.always or not (node.values or node.inner) or _says(node, content):
            if node.after and node.after not in content:
                yield Piece(node.tag)
            yield _piece(node, content, ids)
        return
    for item, around in _items(node.repeat, content, ids):
        if not node.keyed or _says(node, item):
            yield _piece(node, item, around)


def _says(node: Node, content: Content) -> bool:
    return any(number in content for number in node.values) or any(content.get(group) for group in node.inner)


def _items(groups: tuple[str, ...], content: Content, ids: Ids) -> Iterator[tuple[Content, Ids]]:
    """The items along a path of groups, with the ids known there."""
    group, *rest = groups
    for number, item in enumerate(content.get(group, ()), start=1):
        inside = item if isinstance(item, dict) else {group: item}
        known = ids
        if group == CASE:
            known = {"": str(inside.get("C.1.1", number))}
        elif group in ("E.i", "G.k"):
            known = {**ids, group: _id(ids, group, number)}
        elif "G.k.9.i.1" in inside:
            known = {**ids, "G.k.9.i.1": _id(ids, "E.i", inside["G.k.9.i.1"])}
        if rest:
            yield from _items(tuple(rest), inside, known)
        else:
            yield inside, known


def _id(ids: Ids, group: str, number: object) -> str:
    return str(uuid.uuid5(_IDS, f"{ids.get('', '')}/{group}/{number}"))


def _piece(node: Node, content: Content, ids: Ids) -> Piece:
    """One node with what is in it."""
    if node.interval:
        return write_interval(node.tag, node.interval, node.period, content)
    if node.qualified:
        return write_qualified(node.tag, node.qualified, content)
    if node.document:
        return write_document(node.tag, content[node.document])
    piece = Piece(node.tag, dict(node.fixed))
    for place in node.places:
        if place.sign == "#":
            piece.attributes[str(place.attribute)] = ids.get(place.number, _id(ids, place.number, 0))
            continue
        value = content.get(place.number)
        if value is not None and not (place.sign == "=" and isinstance(value, Null)):
            put(piece, place.attribute, value, place.prefix)
    said = piece.attributes
    piece.attributes = {name: said.pop(name) for name in node.order if name in said} | said
    for child in node.children:
        piece.children += _pieces(child, content, ids)
    return piece


def _lines(piece: Piece, indent: str, lines: list[str]) -> None:
    written = "".join(
        f' {"xsi:type" if name == TYPE else name}="{_escaped(text, _IN_ATTRIBUTE, _ATTRIBUTE)}"'
        for name, text in piece.attributes.items()
    )
    head = f"{indent}<{piece.tag}{written}"
    if piece.children:
        # Only parts that hold no text of their own have children, but for one: a code with its words.
        lines.append(f"{head}>")
        for child in piece.children:
            _lines(child, indent + " ", lines)
        lines.append(f"{indent}</{piece.tag}>")
    elif piece.text:
        lines.append(f"{head}>{_escaped(piece.text, _IN_TEXT, _TEXT)}</{piece.tag}>")
    else:
        lines.append(f"{head}/>")


def _escaped(text: str, wanted: re.Pattern[str], signs: dict[str, str]) -> str:
    bad = UNWRITABLE.search(text)
    if bad is not None:
        raise Unprocessable(
            f"a text has the character U+{ord(bad[0]):04X}, which XML cannot carry; take it out of the report"
        )
    return wanted.sub(lambda sign: signs[sign[0]], text)
