"""An answer against the options or the value set of its question (R4 code system item-type)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.concepts import NotEnumerable
from service.fhir.forms.elements import cut, text, value_of
from service.fhir.forms.items import Value
from service.fhir.forms.values import key_of
from service.fhir.validation.responses_checking import HINTS

if TYPE_CHECKING:
    from service.fhir.forms import FormItem, Occurrence, Option
    from service.fhir.validation.responses_checking import Checking

_SHOWN = 12


def check_option(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, value: Value
) -> None:
    """Checks that an answer is an option, or a code of the value set, or an open choice's own text."""
    if value.type == "Quantity" or value.type == "Attachment":
        return
    if item.open and value.type == "string":
        _check_open_text(checking, occurrence, item, index, value)
    elif item.options:
        _check_listed(checking, occurrence, item, index, value)
    elif item.value_set is not None:
        _check_value_set(checking, occurrence, item, index, value)


def check_exclusive(checking: Checking, occurrence: Occurrence, item: FormItem) -> None:
    """Checks that an option which excludes all others stands alone (questionnaire-optionExclusive)."""
    for index, answer in enumerate(occurrence.answers):
        found = value_of(answer) if isinstance(answer, dict) else None
        option = _option(item, Value(*found)) if found else None
        if option is not None and option.exclusive:
            checking.error(
                "business-rule",
                f"'{_name(option.value)}' of {item.link_id} excludes every other answer; "
                "keep it alone or take it out",
                f"{occurrence.place}.answer[{index}]",
                "exclusive-option",
            )


def _option(item: FormItem, value: Value) -> Option | None:
    key = key_of(value)
    return None if key is None else item.options_by_key.get(key)


def _check_listed(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, value: Value
) -> None:
    option = _option(item, value)
    if option is not None:
        if item.toggles:
            _check_offered(checking, occurrence, item, index, option)
        return
    names = [_name(option.value) for option in item.options if option.value.type == value.type]
    listed = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    hint = _system_hint(item, value)
    checking.error(
        "code-invalid",
        f"'{_name(value)}' is not an option of {item.link_id}; "
        f"{hint or ('options: ' + listed if names else 'no option has this type')}",
        f"{occurrence.place}.answer[{index}]",
        "option",
    )


def _check_offered(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, option: Option
) -> None:
    """SDC answerOptionsToggleExpression: an option that the other answers switch off cannot be chosen."""
    place = f"{occurrence.place}.answer[{index}]"
    offered = checking.filled.offered(item, option.key, occurrence)
    if offered is False:
        checking.lacking(
            "business-rule",
            f"'{_name(option.value)}' of {item.link_id} is not offered beside the other answers",
            place,
            "option-off",
        )
    elif offered is None:
        checking.unchecked(
            f"whether {item.link_id} offers this option cannot be told from this response alone",
            place,
            "option-unknown",
            item.link_id,
        )


def _system_hint(item: FormItem, value: Value) -> str:
    """Says when the code is an option, of another system."""
    if value.type != "Coding" or not isinstance(value.content, dict):
        return ""
    code = text(value.content, "code")
    for option in item.options:
        if code and option.value.type == "Coding" and text(option.value.content, "code") == code:
            system = text(option.value.content, "system")
            return (
                f"that code is of the system {cut(system, 120)}"
                if system
                else "that code stands without a system"
            )
    return ""


def _check_open_text(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, value: Value
) -> None:
    """SDC: free text beside the options; a text that says what an option says was probably meant as that."""
    if not isinstance(value.content, str) or _option(item, value) is not None:
        return
    written = value.content.strip().casefold()
    for option in item.options:
        content = option.value.content
        if option.value.type == "Coding" and written in (
            (text(content, "display") or "").casefold(),
            (text(content, "code") or "").casefold(),
        ):
            checking.warning(
                "code-invalid",
                f"the text says what option '{_name(option.value)}' of {item.link_id} says; choose that",
                f"{occurrence.place}.answer[{index}]",
                "option-as-text",
            )
            return


def _check_value_set(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, value: Value
) -> None:
    reference = item.value_set or ""
    place = f"{occurrence.place}.answer[{index}]"
    system, code = _code(value)
    if code is None:
        if value.type == "Coding":
            checking.error(
                "code-invalid", f"the Coding of {item.link_id} has no code; give one", place, "option"
            )
        return
    value_set = checking.value_set(reference)
    held = checking.terminology.contains(value_set, system, code)
    if held is False:
        checking.error(
            "code-invalid",
            f"'{cut(code)}' is not in the value set of {item.link_id}, {cut(reference, 120)}"
            f"{_members(checking, value_set)}",
            place,
            "option",
        )
    elif held is None:
        checking.unchecked(
            f"whether '{cut(code)}' is in {cut(reference, 120)} cannot be told here: "
            "the value set or its code system is not held",
            place,
            "value-set-unchecked",
            reference,
            system or "",
        )


def _members(checking: Checking, value_set: Any) -> str:
    """The first codes of a value set, where it can be listed."""
    if len(checking.issues) >= HINTS:
        return ""
    try:
        members = list(checking.terminology.expand(value_set))
    except NotEnumerable:
        return ""
    names = [code for _, code in members[:_SHOWN]]
    return f"; codes: {', '.join(names)}{', …' if len(members) > _SHOWN else ''}" if names else ""


def _code(value: Value) -> tuple[str | None, str | None]:
    if value.type == "Coding" and isinstance(value.content, dict):
        return text(value.content, "system"), text(value.content, "code")
    return (None, value.content) if isinstance(value.content, str) else (None, str(value.content))


def _name(value: Value) -> str:
    """An option as a message names it: the code of a Coding, the target of a reference, else the value."""
    content = value.content
    if isinstance(content, dict):
        named = text(content, "code") or text(content, "display") or text(content, "reference")
        return cut(named or "a Coding without a code")
    return cut(content)
