"""The skeleton of a message: a tree of XML nodes in schema order, with the places of the elements in it.

Writer and reader walk the same tree, so that what one puts somewhere the other looks for there. How the
skeleton is written is said in the table's ``description``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

XSI = "http://www.w3.org/2001/XMLSchema-instance"
HL7 = "urn:hl7-org:v3"
TYPE = f"{{{XSI}}}type"
_PLACE = re.compile(r"(?P<before>[^{]*)\{(?P<sign>[=#]?)(?P<number>[A-Z][\w.]*)\}")
_OWN = ("repeat", "if", "fits", "always", "interval", "period", "qualified", "document", "after")
# What tells a node from its sisters of the same name.
_TELLING = ("root", "codeSystem", "code", "nullFlavor", TYPE)
_LINKS = ("SAS", "SAE")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: an attribute, or the text (``attribute`` None), after a fixed ``prefix``.

    ``sign`` is ``=`` for a copy and ``#`` for a generated id.
    """

    attribute: str | None
    number: str
    sign: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One node. ``fixed`` are attributes as written, ``telling`` those it is known by, with all values read.

    ``repeat`` is the path of groups whose items it stands for. ``conditions`` are the places below it that
    tell it from its sisters, ``optional_condition`` whether they may be missing.
    """

    tag: str
    fixed: Mapping[str, str]
    telling: Mapping[str, frozenset[str]]
    places: tuple[Place, ...]
    children: tuple[Node, ...] = ()
    repeat: tuple[str, ...] = ()
    keyed: bool = False
    conditions: tuple[tuple[str, ...], ...] = ()
    optional_condition: bool = False
    always: bool = False
    interval: tuple[str, ...] = ()
    period: tuple[str, ...] = ()
    qualified: tuple[str, ...] = ()
    document: str = ""
    after: str = ""
    order: tuple[str, ...] = ()
    """Its attributes as the skeleton has them, one after another."""
    values: tuple[str, ...] = field(default=())
    """The elements of the same scope that stand in it or below: it is written where one has a value."""
    inner: tuple[str, ...] = ()
    """The groups of the same scope that stand below."""

    def numbers(self) -> Iterator[str]:
        """The numbers of all elements in it and below."""
        yield from self.own
        for child in self.children:
            yield from child.numbers()

    @property
    def own(self) -> tuple[str, ...]:
        """The numbers of the elements that stand in the node itself."""
        special = self.interval + self.period + self.qualified
        plain = tuple(place.number for place in self.places if not place.sign)
        return plain + special + ((self.document,) if self.document else ())

    def find(self, path: tuple[str, ...]) -> Iterator[Node]:
        """The nodes at a path of tags below."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.tag == path[0]:
                yield from child.find(path[1:])


def read_skeleton(text: str, prefixes: Mapping[str, str]) -> Node:
    """The tree in a skeleton's text; ValueError where it is not one. ``prefixes`` shorten its OIDs."""
    for short, whole in prefixes.items():
        text = text.replace(f'"{short}', f'"{whole}').replace(f"|{short}", f"|{whole}")
    first, _, rest = text.partition(">")
    try:
        # The text is the project's own content, read at the start.
        root = ElementTree.fromstring(f'{first} xmlns:xsi="{XSI}">{rest}')  # noqa: S314
    except ElementTree.ParseError as fault:
        raise ValueError(f"the skeleton is not XML: {fault}") from fault
    return _node(root, set())


def _node(element: ElementTree.Element, seen: set[str]) -> Node:
    own = {name: element.get(name, "") for name in _OWN}
    repeat = tuple(own["repeat"].split("/")) if own["repeat"] else ()
    # The second and later nodes of a group add to the items of the first, found by their ids.
    keyed = bool(repeat) and (len(repeat) > 1 or repeat[0] in seen or repeat[0] == "G.k.9.i")
    seen.update(repeat)
    fixed: dict[str, str] = {}
    telling: dict[str, frozenset[str]] = {}
    places: list[Place] = []
    for name, written in element.attrib.items():
        if name in _OWN:
            continue
        place = _PLACE.fullmatch(written)
        if place is not None:
            places.append(Place(name, place["number"], place["sign"], place["before"]))
            continue
        choices = written.split("|")
        fixed[name] = choices[0]
        # A code without a code system is HL7's transport, which no element depends on.
        bare = name == "code" and "codeSystem" not in element.attrib
        if (name in _TELLING and not bare) or (name == "typeCode" and written in _LINKS):
            telling[name] = frozenset(choices)
    inside = _PLACE.fullmatch((element.text or "").strip())
    if inside is not None:
        places.append(Place(None, inside["number"], inside["sign"]))
    children = tuple(_node(child, seen) for child in element)
    interval, period, qualified = (tuple(own[name].split()) for name in ("interval", "period", "qualified"))
    node = Node(
        element.tag,
        fixed,
        telling,
        tuple(places),
        children,
        repeat,
        keyed,
        tuple(tuple(path.split("/")) for path in (own["if"] or own["fits"]).split()),
        bool(own["fits"]),
        bool(own["always"]),
        interval,
        period,
        qualified,
        own["document"],
        own["after"],
        tuple(name for name in element.attrib if name not in _OWN),
    )
    if not node.optional_condition:
        for path in node.conditions:
            node = _kept(node, path)
    flat = [child for child in node.children if not child.repeat]
    values = (*node.own, *(number for child in flat for number in child.values))
    groups = (
        *(child.repeat[0] for child in node.children if child.repeat),
        *(group for child in flat for group in child.inner),
    )
    return replace(node, values=tuple(dict.fromkeys(values)), inner=tuple(dict.fromkeys(groups)))


def _kept(node: Node, path: tuple[str, ...]) -> Node:
    """The node with those below that tell it from its sisters kept when they are empty."""
    if not path:
        return node
    children = (
        replace(_kept(child, path[1:]), always=True) if child.tag == path[0] else child
        for child in node.children
    )
    return replace(node, children=tuple(children))
