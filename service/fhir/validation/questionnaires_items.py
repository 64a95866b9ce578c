"""One item of a form: options, initial values and limits that fit its type and one another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.fhir.forms import Value, urls
from service.fhir.forms.elements import cut, extensions, objects, text, value_of
from service.fhir.forms.items import CHOICES, NO_LIMITS, OPTION_TYPES
from service.fhir.forms.values import compare, key_of
from service.fhir.validation.responses_values import compiled
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from service.fhir.forms import FormItem
    from service.fhir.forms.elements import Json
    from service.fhir.validation.questionnaires_checking import Checking

_NUMERIC = frozenset({"decimal", "integer", "quantity"})
_TEXTUAL = frozenset({"string", "text", "url", "open-choice"})
_BOUNDED = frozenset({"date", "dateTime", "time", "decimal", "integer", "quantity"})
_APPLIES = {
    urls.MIN_VALUE: _BOUNDED,
    urls.MAX_VALUE: _BOUNDED,
    urls.MIN_QUANTITY: frozenset({"quantity"}),
    urls.MAX_QUANTITY: frozenset({"quantity"}),
    urls.MAX_DECIMAL_PLACES: frozenset({"decimal", "quantity"}),
    urls.REGEX: _TEXTUAL,
    urls.MIME_TYPE: frozenset({"attachment"}),
    urls.MAX_SIZE: frozenset({"attachment"}),
    urls.REFERENCE_RESOURCE: frozenset({"reference"}),
    urls.REFERENCE_PROFILE: frozenset({"reference"}),
    urls.UNIT: _NUMERIC,
    urls.UNIT_OPTION: frozenset({"quantity"}),
    urls.UNIT_VALUE_SET: frozenset({"quantity"}),
}
"""On which types of item a limit means something (SDC 4.0, Value constraints)."""

_OPTIONS = {
    **dict.fromkeys(CHOICES, OPTION_TYPES),
    "string": frozenset({"string"}),
    "text": frozenset({"string"}),
    "integer": frozenset({"integer"}),
    "decimal": frozenset({"integer"}),
    "date": frozenset({"date"}),
    "dateTime": frozenset({"date"}),
    "time": frozenset({"time"}),
    "reference": frozenset({"Reference"}),
}
"""Which values the options of an item may have (SDC 4.0: of the type of the question)."""


def check_item(checking: Checking, item: FormItem) -> None:
    """Checks one item by itself."""
    source = item.source
    if "answerOption" in source:
        _check_options(checking, item)
    elif (
        item.type in CHOICES
        and item.value_set is None
        and next(extensions(source, urls.ANSWER_EXPRESSION), None) is None
    ):
        checking.warning(
            "business-rule",
            f"{item.link_id} is a {item.type} and offers nothing; give answerOption or answerValueSet",
            item.place,
            "no-options",
        )
    for toggle in item.toggles:
        if item.options and not toggle.keys <= item.options_by_key.keys():
            checking.error(
                "code-invalid",
                f"an option that is switched here is no option of {item.link_id}",
                toggle.place,
                "toggle-option",
            )
    if item.value_set is not None:
        _check_value_set(checking, item, item.value_set)
    if "initial" in source:
        _check_initial(checking, item)
    if item.limits is not NO_LIMITS:
        _check_limits(checking, item)
    if item.type != "reference" and any(
        value.get("valueBoolean") is True for _, value in extensions(source, urls.IS_SUBJECT)
    ):
        checking.error(
            "business-rule",
            f"{item.link_id} is of type {item.type}; only a reference can name the subject",
            item.place,
            "is-subject",
        )


def _check_options(checking: Checking, item: FormItem) -> None:
    allowed = _OPTIONS.get(item.type)
    seen: dict[tuple[object, ...], int] = {}
    selected = 0
    for index, entry in objects(item.source, "answerOption"):
        place = f"{item.place}.answerOption[{index}]"
        selected += entry.get("initialSelected") is True
        found = value_of(entry)
        if found is None:
            continue
        value = Value(*found)
        if allowed is not None and value.type not in allowed:
            # R4 lets a Reference stand as an option and does not let a choice be answered by one.
            note = checking.warning if item.type in CHOICES else checking.error
            note(
                "value",
                f"{item.link_id} is of type {item.type}; its options cannot be of type {cut(value.type)}",
                place,
                "option-type",
            )
            continue
        key = key_of(value)
        if key is not None and seen.setdefault(key, index) != index:
            checking.warning(
                "duplicate",
                f"{item.link_id} offers this already as its option {seen[key] + 1}",
                place,
                "option-unique",
            )
    if selected > 1 and not item.repeats:
        checking.warning(
            "business-rule",
            f"{item.link_id} takes one answer, and {selected} options are selected at first",
            item.place,
            "initial-selected",
        )


def _check_value_set(checking: Checking, item: FormItem, reference: str) -> None:
    place = f"{item.place}.answerValueSet"
    if reference.startswith("#"):
        held = checking.inside(reference)
        if held is None or held.get("resourceType") != "ValueSet":
            checking.error(
                "not-found", f"{cut(reference)} is no ValueSet contained in this form", place, "value-set"
            )
    elif checking.terminology.value_set(reference) is None:
        checking.warning(
            "not-found",
            f"the value set {cut(reference, 120)} is not held here, so answers to {item.link_id} cannot be "
            "held against it",
            place,
            "value-set",
        )


def _check_initial(checking: Checking, item: FormItem) -> None:
    for index, entry in objects(item.source, "initial"):
        found = value_of(entry)
        if found is None or not item.answers:
            continue
        value = Value(*found)
        place = f"{item.place}.initial[{index}]"
        if value.type not in item.answers:
            checking.error(
                "value",
                f"{item.link_id} is of type {item.type}; its initial value cannot be a {cut(value.type)}",
                place,
                "initial-type",
            )
        elif item.value_set is not None and value.type == "Coding":
            _check_initial_code(checking, item, value, place)
        elif _outside(item, value):
            checking.error(
                "value",
                f"the initial value of {item.link_id} is out of its own bounds",
                place,
                "initial-bounds",
            )
    for address in (urls.INITIAL_EXPRESSION, urls.CALCULATED_EXPRESSION):
        if next(extensions(item.source, address), None) is not None and "initial" in item.source:
            checking.error(
                "business-rule",
                f"{item.link_id} has an initial value and an expression for it; keep one of them",
                item.place,
                "initial-twice",
            )


def _check_initial_code(checking: Checking, item: FormItem, value: Value, place: str) -> None:
    content: Json = value.content if isinstance(value.content, dict) else {}
    code = text(content, "code")
    if code is None or item.value_set is None:
        return
    value_set = checking.form.value_set(item.value_set, checking.contained)
    if checking.terminology.contains(value_set, text(content, "system"), code) is False:
        checking.error(
            "code-invalid",
            f"'{cut(code)}' is not in the value set of {item.link_id}",
            place,
            "initial-option",
        )


def _outside(item: FormItem, value: Value) -> bool:
    least, most = item.limits.minimum, item.limits.maximum
    return (least is not None and compare(value, least) == -1) or (
        most is not None and compare(value, most) == 1
    )


def _check_limits(checking: Checking, item: FormItem) -> None:
    limits = item.limits
    for index, entry in objects(item.source, "extension"):
        address = entry.get("url")
        kinds = _APPLIES.get(address) if isinstance(address, str) else None
        if kinds is not None and item.type and item.type not in kinds:
            checking.warning(
                "business-rule",
                f"{str(address).rpartition('/')[2]} means nothing on {item.link_id}, of type {item.type}",
                f"{item.place}.extension[{index}]",
                "limit-type",
            )
    _check_bounds(checking, item)
    for least, most, names in (
        (limits.min_length, limits.max_length, "minLength and maxLength"),
        (limits.min_occurs, limits.max_occurs, "minOccurs and maxOccurs"),
    ):
        if least is not None and most is not None and least > most:
            checking.error(
                "business-rule",
                f"no answer to {item.link_id} can keep both {names}: {least} is more than {most}",
                item.place,
                "limit-order",
            )
    for name, count in (("minOccurs", limits.min_occurs), ("maxOccurs", limits.max_occurs)):
        if count is not None and count > 1 and not item.repeats:
            checking.error(
                "business-rule",
                f"{item.link_id} does not repeat, so {name} {count} cannot be; set repeats",
                item.place,
                "limit-repeats",
            )
    for kind in limits.reference_types:
        if kind not in R4.resources and kind not in ("Resource", "DomainResource"):
            checking.error(
                "code-invalid", f"{cut(kind)} is no type of resource in FHIR R4", item.place, "reference-type"
            )
    if limits.regex is not None:
        _check_regex(checking, item, limits.regex)


def _check_bounds(checking: Checking, item: FormItem) -> None:
    limits = item.limits
    least, most = limits.minimum, limits.maximum
    for bound, name in ((least, "least"), (most, "greatest")):
        if bound is None or item.type not in _BOUNDED or not item.answers:
            continue
        if not any(_comparable(bound.type, kind) for kind in item.answers):
            checking.error(
                "value",
                f"the {name} value of {item.link_id} is a {cut(bound.type)}, its answers are {item.type}s",
                item.place,
                "limit-type",
            )
    if least is not None and most is not None and compare(least, most) == 1:
        checking.error(
            "business-rule",
            f"no answer to {item.link_id} can be: its least value is more than its greatest",
            item.place,
            "limit-order",
        )


def _comparable(bound: str, answer: str) -> bool:
    numbers, days = ("integer", "decimal"), ("date", "dateTime")
    return bound == answer or any(bound in kinds and answer in kinds for kinds in (numbers, days))


def _check_regex(checking: Checking, item: FormItem, regex: str) -> None:
    if compiled(regex) is not None:
        return
    try:
        re.compile(regex)
    except (re.error, RecursionError, OverflowError):
        checking.error(
            "value", f"the pattern of {item.link_id} is no regular expression", item.place, "regex"
        )
    else:
        checking.warning(
            "not-supported",
            f"the pattern of {item.link_id} cannot be matched in linear time; answers go unchecked by it",
            item.place,
            "regex",
        )
