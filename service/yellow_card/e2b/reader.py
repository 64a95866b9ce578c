"""An E2B(R3) message as a batch: every element that the table knows, and what it does not know kept apart.

The reader walks the writer's skeleton. A node of the message that answers to none of the skeleton's, a second
one where only one may stand, and an attribute that no element accounts for are listed as unread; nothing is
dropped in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from service.domain.errors import Malformed
from service.domain.issues import Issue, Severity
from service.yellow_card.e2b.batch import Batch, Unread
from service.yellow_card.e2b.elements import CASE
from service.yellow_card.e2b.parts import read_document, read_interval, read_qualified
from service.yellow_card.e2b.places import lines_of
from service.yellow_card.e2b.skeleton import HL7, TYPE, XSI
from service.yellow_card.e2b.values import Null, as_text, from_text
from service.yellow_card.e2b.xml_reading import line_of, read_xml

if TYPE_CHECKING:
    from service.yellow_card.e2b.elements import Guide
    from service.yellow_card.e2b.skeleton import Node, Place
    from service.yellow_card.e2b.values import Content, Value
    from service.yellow_card.e2b.xml_reading import XmlLimits

ROOT = "MCCI_IN200100UV01"
_OTHERS = {
    "MCCI_IN200101UV01": "this is an acknowledgement, not a report; read it as one",
    "ichicsr": "this is a report in the older format E2B(R2); ask for it in E2B(R3)",
}
# Structure and labels: they say nothing that an element holds.
_SILENT = frozenset(
    {
        "typeCode", "classCode", "moodCode", "determinerCode", "displayName", "codeSystemName",
        "codeSystemVersion", "codeSystem", "root", "inversionInd", "contextConductionInd",
        "contextControlCode", TYPE, f"{{{XSI}}}schemaLocation", f"{{{XSI}}}nil", "ITSVersion",
    }
)  # fmt: skip
_SHOWN = 2000
_MOST_UNREAD = 1000


def read(body: bytes, guide: Guide, limits: XmlLimits | None = None) -> Batch:
    """The batch in a message's bytes.

    Raises Malformed or TooLarge where the bytes are no message of this kind; what is wrong with the elements
    in it is for the rules to say.
    """
    root = read_xml(body, limits)
    space, _, name = str(root.tag).rpartition("}")
    if name != ROOT or space != f"{{{HL7}":
        said = _OTHERS.get(name, f"the document is a '{name[:60]}'")
        place = f"line {line_of(root)}: {said}. An E2B(R3) message is a {ROOT} in the namespace {HL7}"
        raise Malformed(
            place, issues=[Issue(Severity.ERROR, "structure", place, line=line_of(root), column=1)]
        )
    header: Content = {}
    reading = _Reading(guide)
    reading.take(guide.skeleton, root, header, {})
    cases = tuple(header.pop(CASE, ()))
    for case in cases:
        for drug in case.get("G.k", ()):
            drug.get("G.k.9.i", []).sort(key=lambda item: item["G.k.9.i.1"])
    unread = (*reading.unread, *([reading.rest] if reading.rest is not None else []))
    batch = Batch(header, cases, unread)
    return Batch(header, cases, batch.unread, lines_of(batch, guide, reading.lines))


class _Reading:
    """One pass over one message."""

    def __init__(self, guide: Guide) -> None:
        self.unread: list[Unread] = []
        self.rest: Unread | None = None
        self.lines: dict[tuple[int, str], int] = {}
        self._elements = guide.elements
        self._reactions: dict[str, int] = {}
        self._drugs: dict[str, Content] = {}
        self._rows: dict[tuple[int, int], Content] = {}
        self._more = 0

    def take(self, node: Node, element: etree._Element, content: Content, links: dict[str, str]) -> None:
        """Reads one element of the message as this node of the skeleton."""
        known = set(node.fixed)
        if node.interval:
            self._interval(node, element, content)
        elif node.qualified:
            self._qualified(node, element, content)
        elif node.document:
            self._document(node, element, content)
            known |= {"mediaType", "representation", "compression"}
        else:
            known |= self._values(node, element, content, links)
            self._children(node, element, content, links)
        for name in element.attrib:
            if str(name) not in known and str(name) not in _SILENT:
                self._leave(element, str(name))

    def _values(
        self, node: Node, element: etree._Element, content: Content, links: dict[str, str]
    ) -> set[str]:
        """Takes the values that stand in the element itself; gives the attributes that were understood."""
        known: set[str] = set()
        for place in node.places:
            name = place.attribute
            text = element.text if name is None else element.get(name)
            if text is None or not text.strip():
                known |= {name} if name is not None else set()
                continue
            if place.sign == "#":
                links[place.number] = text
            elif place.sign == "=":
                if text != as_text(content.get(place.number, "")):
                    continue
            elif not self._set(content, place.number, self._typed(place, text), element):
                continue
            known |= {name} if name is not None else set()
        flavour = element.get("nullFlavor")
        main = _main(node)
        if flavour and main is not None and main.number not in content:
            self._set(content, main.number, Null(flavour), element)
            known.add("nullFlavor")
        if (element.text or "").strip() and not any(place.attribute is None for place in node.places):
            self._leave(element, "text()")
        return known

    def _typed(self, place: Place, text: str) -> Value:
        element = self._elements[place.number]
        return from_text(element.kind, text[len(place.prefix) :])

    def _set(self, content: Content, number: str, value: Value, element: etree._Element) -> bool:
        """Sets a value; a second one for the same element is not taken."""
        if number in content:
            return False
        content[number] = value
        self.lines[id(content), number] = line_of(element)
        return True

    def _children(self, node: Node, element: etree._Element, content: Content, links: dict[str, str]) -> None:
        rest = list(element)
        for child in node.children:
            # A wrapper around groups may be sent once for each item; all its twins are read.
            many = bool(child.repeat or child.inner)
            kept: list[etree._Element] = []
            done = False
            for one in rest:
                if done or not _answers(child, one):
                    kept.append(one)
                elif not child.repeat:
                    self.take(child, one, content, links)
                    done = not many
                elif not self._item(child, one, content, links):
                    kept.append(one)
            rest = kept
        for one in rest:
            self._leave(one)

    def _item(self, node: Node, element: etree._Element, content: Content, links: dict[str, str]) -> bool:
        """Reads an item of a group: as a new one, or into the one that its ids lead to."""
        item: Content = {}
        if node.repeat == (CASE,):
            self._reactions, self._drugs, self._rows = {}, {}, {}
        if not node.keyed:
            inside = {} if node.repeat[0] in ("E.i", "G.k", CASE) else links
            self.take(node, element, item, inside)
            self._add(node.repeat[0], content, item, inside)
            return True
        before, found = len(self.unread), dict[str, str]()
        self.take(node, element, item, found)
        target = self._target(node.repeat, content, found)
        if target is None or any(number in target for number in item):
            del self.unread[before:]
            return False
        target.update(item)
        for number in item:
            self.lines[id(target), number] = self.lines.pop((id(item), number), 0)
        return True

    def _add(self, group: str, content: Content, item: Content, links: dict[str, str]) -> None:
        items = content.setdefault(group, [])
        if group in self._elements:
            if group in item:
                items.append(item[group])
                self.lines[id(items), str(len(items))] = self.lines.pop((id(item), group), 0)
            elif not items:
                del content[group]
            return
        items.append(item)
        if group == "E.i":
            self._reactions.setdefault(links.get("E.i", ""), len(items))
        elif group == "G.k":
            self._drugs.setdefault(links.get("G.k", ""), item)

    def _target(self, path: tuple[str, ...], content: Content, found: dict[str, str]) -> Content | None:
        """The item that the ids found lead to; None where they lead nowhere."""
        for group in path:
            if group == "G.k":
                drug = self._drugs.get(found.get("G.k", ""))
                if drug is None:
                    return None
                content = drug
            elif group == "G.k.9.i":
                number = self._reactions.get(found.get("G.k.9.i.1", ""))
                if number is None:
                    return None
                items = content.setdefault(group, [])
                row = self._rows.get((id(items), number))
                if row is None:
                    row = self._rows[id(items), number] = {"G.k.9.i.1": number}
                    items.append(row)
                content = row
            else:
                items = content.setdefault(group, [])
                items.append({})
                content = items[-1]
        return content

    def _interval(self, node: Node, element: etree._Element, content: Content) -> None:
        found, left = read_interval(element, node.interval, node.period)
        for number, text, null in found:
            value = Null(text) if null else from_text(self._elements[number].kind, text)
            self._set(content, number, value, element)
        for part in left:
            self._leave(part)

    def _qualified(self, node: Node, element: etree._Element, content: Content) -> None:
        found = read_qualified(element)
        if found is None:
            self._leave(element)
            return
        text, unit, null = found
        if text:
            self._set(content, node.qualified[0], Null(text) if null else text, element)
        if unit:
            self._set(content, node.qualified[1], unit, element)

    def _document(self, node: Node, element: etree._Element, content: Content) -> None:
        value = read_document(element)
        if value is not None:
            self._set(content, node.document, value, element)
        for part in element:
            self._leave(part)

    def _leave(self, element: etree._Element, attribute: str = "") -> None:
        if len(self.unread) == _MOST_UNREAD:
            last = self.unread[-1]
            self._more += 1
            more = f"and {self._more} more after line {last.line}, which are not listed"
            self.rest = Unread(more, last.line)
            return
        path = element.getroottree().getelementpath(element).replace(f"{{{HL7}}}", "")
        shown = ""
        if attribute:
            path = f"{path}/{attribute if attribute.endswith(')') else '@' + attribute}"
        else:
            shown = etree.tostring(element, encoding="unicode", with_tail=False)[:_SHOWN]
        self.unread.append(Unread(path, line_of(element), shown))


def _main(node: Node) -> Place | None:
    """The place that a null flavour speaks of: the text, else the first value that is no label."""
    plain = [place for place in node.places if not place.sign]
    texts = [place for place in plain if place.attribute is None]
    named = [place for place in plain if place.attribute in ("code", "value", "extension")]
    return next(iter(texts + named), None)


def _answers(node: Node, element: etree._Element) -> bool:
    """Whether an element of the message is what this node of the skeleton stands for."""
    if element.tag != f"{{{HL7}}}{node.tag}" or not _tells(node, element):
        return False
    for path in node.conditions:
        found = element.findall("/".join(f"{{{HL7}}}{step}" for step in path))
        if not found and node.optional_condition:
            continue
        if not any(_tells(model, one) for model in node.find(path) for one in found):
            return False
    return True


def _tells(node: Node, element: etree._Element) -> bool:
    """Whether the attributes that a node is known by are there."""
    for name, wanted in node.telling.items():
        said = element.get(name)
        if said is None:
            if name == "codeSystem" and element.get("nullFlavor") is not None:
                continue
            return False
        if (said.rpartition(":")[2] if name == TYPE else said) not in wanted:
            return False
    for place in node.places:
        if place.prefix and not element.get("nullFlavor"):
            said = element.get(str(place.attribute), "")
            if not said.lower().startswith(place.prefix):
                return False
    return not node.qualified or element.get(TYPE, "").rpartition(":")[2] == "IVL_PQ"
