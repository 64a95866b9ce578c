"""A form filled in: each item of a QuestionnaireResponse beside the item of the form that it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.forms.build import MAX_DEPTH
from service.fhir.forms.elements import value_of
from service.fhir.forms.enablement import decide, holds
from service.fhir.forms.items import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from service.fhir.forms.elements import Json
    from service.fhir.forms.form import Form
    from service.fhir.forms.items import FormItem


class Occurrence:
    """One item of a response. Equal only to itself.

    ``item`` is the form's item of the same linkId, or None where the form has none; ``misplaced`` says that
    the form has it elsewhere. ``under`` is the index of the parent's answer that it stands under, None where
    it stands under a group or at the root. ``children`` holds the occurrences below, of all answers alike.
    """

    __slots__ = ("answers", "children", "index", "item", "link_id", "misplaced", "parent", "source", "under")

    def __init__(self, source: Json, index: int, parent: Occurrence | None, under: int | None) -> None:
        """Pairs nothing yet; ``FilledForm`` does."""
        self.source = source
        self.index = index
        self.parent = parent
        self.under = under
        self.link_id: str = ""
        self.item: FormItem | None = None
        self.misplaced = False
        self.answers: list[Any] = []
        self.children: list[Occurrence] = []

    @property
    def place(self) -> str:
        """Its FHIRPath in the response."""
        if self.parent is None:
            return f"QuestionnaireResponse.item[{self.index}]"
        under = "" if self.under is None else f".answer[{self.under}]"
        return f"{self.parent.place}{under}.item[{self.index}]"

    @property
    def answered(self) -> bool:
        """Whether it has an answer or anything below it."""
        return bool(self.answers) or bool(self.children)

    def values(self) -> Iterator[Value]:
        """The values of its answers."""
        for answer in self.answers:
            found = value_of(answer) if isinstance(answer, dict) else None
            if found is not None:
                yield Value(*found)

    def line(self) -> Iterator[Occurrence]:
        """Itself and the occurrences above it, nearest first."""
        found: Occurrence | None = self
        while found is not None:
            yield found
            found = found.parent

    def below(self) -> Iterator[Occurrence]:
        """Itself and everything below it, in document order."""
        yield self
        for child in self.children:
            yield from child.below()


class FilledForm:
    """A response read beside its form. Reads once; changes neither.

    ``supplied`` gives values to the launch contexts and other variables that a caller holds. ``roots`` are
    the occurrences at the top, ``by_link`` leads from a linkId to its occurrences in document order.
    ``now`` is the clock of the form's expressions, an aware time.
    ``evaluations`` counts the expressions that were evaluated. ``answered`` leaves out the response's items
    that have neither answers nor items below them: for callers who ask about the others only, as a response
    in progress is mostly such.
    ``too_deep`` holds occurrences whose contents nest deeper than any form does and were left out.
    """

    def __init__(
        self,
        form: Form,
        response: Json,
        supplied: Mapping[str, Any] | None = None,
        now: datetime | None = None,
        *,
        answered: bool = False,
    ) -> None:
        """Takes any JSON object; what is no item is passed over."""
        self.form = form
        self.response = response
        self.now = now
        self.supplied: Mapping[str, Any] = supplied or {}
        self.by_link: dict[str, list[Occurrence]] = {}
        self.too_deep: list[Occurrence] = []
        self._answered = answered
        self.roots = self._read(response, form.roots_by_link, None, None, 0)
        self.evaluations = 0
        self._enabled: dict[tuple[str, int], bool | None] = {}

    def _read(
        self,
        source: Json,
        known: Mapping[str, FormItem],
        parent: Occurrence | None,
        under: int | None,
        depth: int,
    ) -> list[Occurrence]:
        entries = source.get("item")
        if not isinstance(entries, list):
            return []
        if depth >= MAX_DEPTH:
            if parent is not None:
                self.too_deep.append(parent)
            return []
        found = []
        by_link = self.by_link
        for index, entry in enumerate(entries):
            if not isinstance(entry, dict):
                continue
            if self._answered and "answer" not in entry and "item" not in entry:
                continue
            occurrence = Occurrence(entry, index, parent, under)
            link_id = entry.get("linkId")
            inner: Mapping[str, FormItem] = {}
            if isinstance(link_id, str):
                occurrence.link_id = link_id
                item = known.get(link_id)
                if item is None:
                    item = self.form.by_link.get(link_id)
                    occurrence.misplaced = item is not None
                if item is not None:
                    occurrence.item = item
                    inner = item.by_link
                if link_id in by_link:
                    by_link[link_id].append(occurrence)
                else:
                    by_link[link_id] = [occurrence]
            if "item" in entry:
                occurrence.children = self._read(entry, inner, occurrence, None, depth + 1)
            answers = entry.get("answer")
            if isinstance(answers, list):
                occurrence.answers = answers
                for number, answer in enumerate(answers):
                    if isinstance(answer, dict) and "item" in answer:
                        occurrence.children += self._read(answer, inner, occurrence, number, depth + 1)
            found.append(occurrence)
        return found

    def walk(self) -> Iterator[Occurrence]:
        """Every occurrence, in document order."""
        for root in self.roots:
            yield from root.below()

    def occurrences(self, link_id: str, within: Occurrence | None = None) -> list[Occurrence]:
        """The occurrences of an item: in the whole response, or in one occurrence and below it."""
        found = self.by_link.get(link_id, [])
        if within is None or not found:
            return found
        return [occurrence for occurrence in within.below() if occurrence.link_id == link_id]

    def values(self, link_id: str, within: Occurrence | None = None) -> list[Value]:
        """The answers to a question: in the whole response, or in one occurrence and below it."""
        return [value for occurrence in self.occurrences(link_id, within) for value in occurrence.values()]

    def enabled(self, item: FormItem, parent: Occurrence | None = None) -> bool | None:
        """Whether an item is enabled in the occurrence that would hold it; None when that cannot be told.

        ``parent`` is the occurrence of the item's parent (None at the root). An item is not enabled where
        the item above it is not (R4, Questionnaire.item.enableWhen).
        """
        if parent is not None and parent.item is not None:
            above = self.enabled(parent.item, parent.parent)
            if above is not True:
                return above
        return self.own_rule(item, parent) if item.conditional else True

    def own_rule(self, item: FormItem, parent: Occurrence | None = None) -> bool | None:
        """Whether the item's own enableWhen or enableWhenExpression holds there, whatever stands above it."""
        key = (item.place, id(parent))
        if key not in self._enabled:
            # An expression that asks about its own item must not ask for ever.
            self._enabled[key] = None
            self._enabled[key] = decide(self, item, parent)
        return self._enabled[key]

    def offered(self, item: FormItem, key: tuple[Any, ...], occurrence: Occurrence) -> bool | None:
        """Whether an option is offered there: its toggles, if it has any, hold one at least; None: open."""
        outcomes = [
            holds(self, toggle.expression, item, occurrence) for toggle in item.toggles if key in toggle.keys
        ]
        if not outcomes or True in outcomes:
            return True
        return None if None in outcomes else False

    def missing(self, parent: Occurrence | None = None) -> Iterator[FormItem]:
        """The items of the form that could stand under an occurrence (None: at the root) and do not."""
        present = {child.link_id for child in (parent.children if parent else self.roots)}
        items = parent.item.children if parent and parent.item else () if parent else self.form.items
        return (item for item in items if item.link_id not in present)
