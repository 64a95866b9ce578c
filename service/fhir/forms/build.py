"""From a Questionnaire's items to form items: read once, faults passed over (the checks report them)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.fhir.forms import urls
from service.fhir.forms.elements import extension_value, extensions, objects, text, value_of
from service.fhir.forms.expressions import constraints_of, expressions_at, read_expression, variables_of
from service.fhir.forms.items import (
    ANSWERS_BY_TYPE,
    CHOICES,
    OPTION_TYPES,
    Condition,
    FormItem,
    Option,
    Toggle,
    Value,
)
from service.fhir.forms.limits import read_limits
from service.fhir.forms.values import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.fhir.forms.elements import Json
    from service.fhir.forms.expressions import Expression

MAX_DEPTH = 40
"""How deep items may nest. HL7's own examples stay below ten."""


@dataclass(slots=True)
class Built:
    """What a tree of items was made into."""

    roots: tuple[FormItem, ...] = ()
    by_link: Mapping[str, FormItem] = field(default_factory=dict)
    all: tuple[FormItem, ...] = ()
    too_deep: tuple[str, ...] = ()


class _Tree:
    """The items while they are built: the linkIds above each are known before the items are made."""

    def __init__(self) -> None:
        self.lines: dict[str, tuple[str, ...]] = {}
        self.repeating: set[str] = set()
        self.all: list[FormItem] = []
        self.too_deep: list[str] = []

    def survey(self, source: Json, ancestors: tuple[str, ...], place: str) -> None:
        """Notes each linkId's ancestors and whether it can occur more than once."""
        for index, entry in objects(source, "item"):
            here = f"{place}.item[{index}]"
            if len(ancestors) >= MAX_DEPTH:
                self.too_deep.append(here)
                continue
            link_id = text(entry, "linkId") or ""
            self.lines.setdefault(link_id, ancestors)
            if entry.get("repeats") is True:
                self.repeating.add(link_id)
            self.survey(entry, (*ancestors, link_id), here)

    def build(self, source: Json, ancestors: tuple[str, ...], place: str) -> tuple[FormItem, ...]:
        """The items of one level with those below; too deep ones are left out."""
        if len(ancestors) >= MAX_DEPTH:
            return ()
        made = []
        for index, entry in objects(source, "item"):
            at = len(self.all)
            item = self._item(entry, ancestors, f"{place}.item[{index}]", index)
            self.all.insert(at, item)
            made.append(item)
        return tuple(made)

    def _item(self, source: Json, ancestors: tuple[str, ...], place: str, position: int) -> FormItem:
        link_id = text(source, "linkId") or ""
        kind = text(source, "type") or ""
        children = self.build(source, (*ancestors, link_id), place)
        options = _options(source) if "answerOption" in source else ()
        answers = set(ANSWERS_BY_TYPE.get(kind, ()))
        if kind in CHOICES:
            answers |= {option.value.type for option in options}
            if not options and "answerValueSet" not in source:
                answers |= OPTION_TYPES
        extended = "extension" in source
        enabling = (
            next(expressions_at(source, urls.ENABLE_WHEN_EXPRESSION, place), None) if extended else None
        )
        return FormItem(
            link_id=link_id,
            type=kind,
            text=text(source, "text"),
            source=source,
            place=place,
            position=position,
            ancestors=ancestors,
            required=source.get("required") is True,
            repeats=source.get("repeats") is True,
            read_only=source.get("readOnly") is True,
            answers=frozenset(answers),
            options=options,
            options_by_key={option.key: option for option in reversed(options)},
            value_set=text(source, "answerValueSet"),
            conditions=self._conditions(source, (*ancestors, link_id)) if "enableWhen" in source else (),
            any_condition=source.get("enableBehavior") == "any",
            limits=read_limits(source),
            enable_expression=enabling,
            toggles=_toggles(source, place) if extended else (),
            variables=variables_of(source, place) if extended else (),
            constraints=constraints_of(source, place) if extended else (),
            children=children,
            by_link={child.link_id: child for child in reversed(children)},
        )

    def _conditions(self, source: Json, line: tuple[str, ...]) -> tuple[Condition, ...]:
        found = []
        for _, entry in objects(source, "enableWhen"):
            question = text(entry, "question") or ""
            expected = value_of({"value" + key[6:]: entry[key] for key in entry if key.startswith("answer")})
            found.append(
                Condition(
                    question=question,
                    operator=text(entry, "operator") or "",
                    expected=Value(*expected) if expected else None,
                    scope=self._scope(line, question),
                )
            )
        return tuple(found)

    def _scope(self, line: tuple[str, ...], question: str) -> str | None:
        """The nearest common ancestor, where it or one above it can occur more than once."""
        target = (*self.lines.get(question, ()), question)
        shared = 0
        while shared < min(len(line), len(target)) and line[shared] == target[shared]:
            shared += 1
        if not any(link_id in self.repeating for link_id in line[:shared]):
            return None
        return line[shared - 1]


def build_items(questionnaire: Json) -> Built:
    """The items of a Questionnaire: the roots, the index by linkId, the list in document order."""
    tree = _Tree()
    tree.survey(questionnaire, (), "Questionnaire")
    roots = tree.build(questionnaire, (), "Questionnaire")
    by_link = {item.link_id: item for item in reversed(tree.all) if item.link_id}
    return Built(roots, by_link, tuple(tree.all), tuple(tree.too_deep))


def _options(source: Json) -> tuple[Option, ...]:
    found = []
    for _, entry in objects(source, "answerOption"):
        value = value_of(entry)
        if value is None:
            continue
        key = key_of(Value(*value))
        if key is not None:
            exclusive = "extension" in entry and extension_value(entry, urls.OPTION_EXCLUSIVE) is True
            found.append(Option(Value(*value), key, exclusive, entry))
    return tuple(found)


def _toggles(source: Json, place: str) -> tuple[Toggle, ...]:
    found = []
    for index, entry in extensions(source, urls.ANSWER_OPTIONS_TOGGLE):
        here = f"{place}.extension[{index}]"
        keys: set[tuple[Any, ...]] = set()
        expression: Expression | None = None
        for number, part in objects(entry, "extension"):
            value = value_of(part)
            if part.get("url") == "option" and value is not None:
                key = key_of(Value(*value))
                keys |= {key} if key is not None else set()
            elif part.get("url") == "expression":
                expression = read_expression(part.get("valueExpression"), f"{here}.extension[{number}].value")
        if expression is not None:
            found.append(Toggle(frozenset(keys), expression, here))
    return tuple(found)
