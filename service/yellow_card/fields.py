"""The fields of a report in the order of a form, read from ``mappings/shared/device-report.json``.

A row says what a field is called, where the report holds it, how much it is needed, and which questions fill
it. Sheet, structured JSON and document are all made from these rows, so that they say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.evaluation import Code
from service.domain.safety_report import ReportedDevice, ReportedMedicine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from service.domain.safety_report import SafetyReport

Resource = dict[str, Any]
Words = dict[str, dict[str, Code]]
"""What a code stands for, by the linkId of the question that it answers (or the name of a list)."""

MINIMUM = "minimum"
HELPFUL = "helpful"
_BLANK: dict[str, object] = {"devices": ReportedDevice(), "medicines": ReportedMedicine()}


@dataclass(frozen=True, slots=True)
class Field:
    """One row. ``source`` is the path in the report, or in the part that the section repeats.

    ``need`` is minimum, helpful or stated, ``needs`` another need for a branch. ``links`` are the linkIds of
    the questions that fill it; ``enter``: a person may enter it on the report instead. Of the
    fields with the same ``one_of`` one is enough. A ``quiet`` field is shown where it is filled and never
    asked for. ``empty`` is what an answer of nothing (not: no answer) means.
    """

    id: str
    label: str
    source: tuple[str, ...]
    need: str
    needs: Mapping[str, str]
    links: tuple[str, ...] = ()
    enter: bool = True
    words: str = ""
    kind: str = ""
    one_of: str = ""
    quiet: bool = False
    empty: str = ""
    branches: tuple[str, ...] = ()

    def needed(self, branch: str) -> str:
        """How much a report of the branch needs it."""
        return self.needs.get(branch, self.need)


@dataclass(frozen=True, slots=True)
class Section:
    """Fields under one title. ``each`` names the part of the report that the section is repeated for."""

    id: str
    title: str
    fields: tuple[Field, ...]
    each: str = ""
    branches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """The whole table. ``standing`` says how sure its list of fields is; ``instructions`` are by branch."""

    title: str
    version: str
    standing: str
    note: str
    sections: tuple[Section, ...]
    instructions: Mapping[str, tuple[str, ...]]
    words: Words


@dataclass(frozen=True, slots=True)
class Held:
    """What a report holds for a field: ``value`` as the report has it, None where it has nothing."""

    field: Field
    need: str
    value: Any


@dataclass(frozen=True, slots=True)
class Part:
    """One section of a report, once for each thing it is repeated for; ``number`` counts these from 1.

    ``aside``: it is about something that is told of and not suspected, of which no more is asked.
    """

    section: Section
    number: int
    held: tuple[Held, ...]
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """What a report lacks: one field, or several of which one is enough (``alternatives`` are their ids).

    ``enter`` is the path where a person may enter it on the report (``devices.0.model``), or empty.
    ``section`` is the title that it stands under, ``place`` the part of the report (``event 2``), where there
    is more than one.
    """

    id: str
    label: str
    need: str
    links: tuple[str, ...] = ()
    enter: str = ""
    place: str = ""
    alternatives: tuple[str, ...] = ()
    section: str = ""

    @property
    def remedy(self) -> str:
        """What to do about it."""
        ways = []
        if self.links:
            ways.append(f"answer {' or '.join(self.links)} in the form")
        if self.enter:
            ways.append(f"enter it on the report at {self.enter}")
        return "; or ".join(ways) or "no question asks for it: add it where the report is submitted"


def read_form(data: Resource) -> Form:
    """The table as data. Raises KeyError where a row lacks what every row has."""
    return Form(
        data["title"],
        data["version"],
        data["standing"],
        data["note"],
        tuple(_section(one) for one in data["sections"]),
        {branch: tuple(lines) for branch, lines in data["instructions"].items()},
        {
            name: {code: Code("", code, display) for code, display in listed.items()}
            for name, listed in data["words"].items()
        },
    )


def _section(row: Resource) -> Section:
    fields = tuple(_field(one) for one in row["fields"])
    return Section(row["id"], row["title"], fields, row.get("each", ""), tuple(row.get("branches", ())))


def _field(row: Resource) -> Field:
    return Field(
        id=row["id"],
        label=row["label"],
        source=tuple(row["source"].split(".")),
        need=row["need"],
        needs=row.get("needs", {}),
        links=tuple(row.get("links", ())),
        enter=row.get("enter", True),
        words=row.get("words", ""),
        kind=row.get("kind", ""),
        one_of=row.get("one_of", ""),
        quiet=row.get("quiet", False),
        empty=row.get("empty", ""),
        branches=tuple(row.get("branches", ())),
    )


def read_words(questionnaires: Iterable[Resource], form: Form) -> Words:
    """What every coded answer of the forms is called, and the form's own lists."""
    found: Words = {name: dict(listed) for name, listed in form.words.items()}
    for questionnaire in questionnaires:
        for item in _items(questionnaire.get("item", ())):
            for option in item.get("answerOption", ()):
                coding = option.get("valueCoding", {})
                if "code" in coding:
                    code = Code(coding.get("system", ""), coding["code"], coding.get("display"))
                    found.setdefault(item["linkId"], {}).setdefault(code.code, code)
    return found


def _items(items: Iterable[Resource]) -> Iterator[Resource]:
    for item in items:
        yield item
        yield from _items(item.get("item", ()))


def fill(report: SafetyReport, form: Form) -> tuple[Part, ...]:
    """The sections that the report's branch has, with what the report holds for each field.

    A device report without a device has that section once all the same, with nothing in it.
    """
    branch = report.branch.value
    found: list[Part] = []
    for section in form.sections:
        wanted = not section.branches or branch in section.branches
        if not section.each:
            of: tuple[object, ...] = (report,) if wanted else ()
        else:
            of = getattr(report, section.each)
            if not of and section.branches and wanted:
                of = (_BLANK[section.each],)
        rows = [one for one in section.fields if not one.branches or branch in one.branches]
        for number, part in enumerate(of, start=1):
            held = tuple(Held(row, row.needed(branch), _value(part, row.source)) for row in rows)
            aside = not wanted or getattr(part, "role", "suspect") not in ("suspect", "interacting")
            found.append(Part(section, number, held, aside))
    return tuple(found)


def _value(part: object, path: tuple[str, ...]) -> Any:
    value: Any = part
    for name in path:
        value = getattr(value, name) if value is not None else None
    return None if value == "" or (value == () and path[-1] != "seriousness") else value


def missing(report: SafetyReport, form: Form) -> tuple[Missing, ...]:
    """What the report lacks, in the order of the form: minimum elements first, then helpful ones.

    What the branch does not ask for (a medicine beside a device) is not asked about.
    """
    found: list[Missing] = []
    parts = fill(report, form)
    counts: dict[str, int] = {}
    for part in parts:
        counts[part.section.id] = max(counts.get(part.section.id, 0), part.number)
    for part in parts:
        if part.aside:
            continue
        place = f"{part.section.id} {part.number}" if counts[part.section.id] > 1 else ""
        found += _lacking(part, place)
    return tuple(sorted(found, key=lambda one: one.need != MINIMUM))


def _lacking(part: Part, place: str) -> Iterator[Missing]:
    groups: dict[str, list[Held]] = {}
    for one in part.held:
        if one.field.one_of:
            groups.setdefault(one.field.one_of, []).append(one)
    told: set[str] = set()
    for one in part.held:
        row = one.field
        if one.value is not None or one.need not in (MINIMUM, HELPFUL):
            continue
        group = groups.get(row.one_of, [])
        if group and all(other.value is None for other in group) and one.need == MINIMUM:
            if row.one_of not in told:
                told.add(row.one_of)
                yield _one_of(row.one_of, group, place, part)
        elif not row.quiet:
            need = HELPFUL if group else one.need
            yield Missing(row.id, row.label, need, row.links, path(part, row), place, (), part.section.title)


def _one_of(name: str, group: list[Held], place: str, part: Part) -> Missing:
    asked = [one.field for one in group if not one.field.quiet]
    links = tuple(dict.fromkeys(link for one in asked for link in one.links))
    label = f"one of: {', '.join(one.label for one in asked)}"
    enter = " or ".join(found for one in asked if (found := path(part, one)))
    alternatives = tuple(one.id for one in asked)
    return Missing(name, label, MINIMUM, links, enter, place, alternatives, part.section.title)


def path(part: Part, row: Field) -> str:
    """Where a person may enter the field on the report; empty where only the form fills it."""
    if not row.enter:
        return ""
    steps = (part.section.each, str(part.number - 1), *row.source) if part.section.each else row.source
    return ".".join(steps)
