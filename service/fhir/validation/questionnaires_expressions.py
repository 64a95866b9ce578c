"""The expressions of a form: do they compile with what is in scope, and do their names hold together?

SDC 4.0, Using Expressions. FHIRPath is compiled; other languages are not checked here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from service.fhir.forms import urls
from service.fhir.forms.elements import cut, extensions, objects, text
from service.fhir.forms.expressions import FHIRPATH, read_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.fhir.forms import Expression, FormItem
    from service.fhir.forms.elements import Json
    from service.fhir.validation.questionnaires_checking import Checking

_RESERVED = frozenset(
    {"resource", "rootResource", "context", "questionnaire", "qitem", "ucum", "sct", "loinc"}
)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ROOTED = (urls.ENABLE_WHEN_EXPRESSION, urls.ANSWER_OPTIONS_TOGGLE)
_EXTRACTION = frozenset(
    {
        urls.TEMPLATE_EXTRACT,
        urls.DEFINITION_EXTRACT,
        urls.DEFINITION_EXTRACT_VALUE,
        urls.OBSERVATION_EXTRACT_ENTRY,
    }
)
_STRUCTURE = frozenset({"item", "contained"})
_DEEP = 12


def check_expressions(checking: Checking) -> None:
    """Checks the form's expressions and those of every item, with the names that they declare."""
    form = checking.form
    root = dict.fromkeys(form.launch_contexts, "a launch context")
    _check_names(checking, form.source, None, "Questionnaire", set(form.launch_contexts), root)
    _check_element(checking, form.source, None, "Questionnaire")
    declared = {*form.launch_contexts, *(variable.name or "" for variable in form.variables)}
    for item in form.all:
        if "extension" in item.source or any(key[:1] == "_" for key in item.source):
            _check_names(checking, item.source, item, item.place, declared, {})
            _check_element(checking, item.source, item, item.place)
            _check_rivals(checking, item)
        else:
            _check_element(checking, item.source, item, item.place)


def _check_element(checking: Checking, source: Json, item: FormItem | None, place: str) -> None:
    scope: dict[str, str | None] | None = None
    for owner, expression in _expressions(source, place, "", 0):
        if owner in _EXTRACTION:
            continue
        if owner == urls.ENABLE_WHEN_EXPRESSION and expression.language == "application/x-fhir-query":
            checking.error(
                "not-supported",
                "a FHIR query cannot enable an item; use FHIRPath",
                expression.place,
                "expression-language",
            )
        if not expression.is_fhirpath:
            continue
        scope = checking.form.scope(item) if scope is None else scope
        context = (
            "QuestionnaireResponse" if item is None or owner in _ROOTED else "QuestionnaireResponse.item"
        )
        checking.expression(expression.text, context, scope, expression.place, _named(owner))


def _expressions(source: Any, place: str, owner: str, depth: int) -> Iterator[tuple[str, Expression]]:
    """Every expression of an element, items and contained resources aside, with its extension's address."""
    if depth > _DEEP or not isinstance(source, dict):
        return
    for key, content in source.items():
        if not isinstance(content, list | dict) or (depth == 0 and key in _STRUCTURE):
            continue
        if isinstance(content, dict):
            # Below a plain complex value nothing carries expressions; below a primitive's sibling it does.
            if key[:1] == "_":
                yield from _expressions(content, f"{place}.{key[1:]}", owner, depth + 1)
        elif key == "extension":
            for index, entry in enumerate(content):
                if isinstance(entry, dict):
                    yield from _extension(entry, f"{place}.extension[{index}]", owner, depth)
        else:
            for index, entry in enumerate(content):
                if isinstance(entry, dict) and "extension" in entry:
                    yield from _expressions(
                        entry, f"{place}.{key.removeprefix('_')}[{index}]", owner, depth + 1
                    )


def _extension(entry: Json, place: str, owner: str, depth: int) -> Iterator[tuple[str, Expression]]:
    """The expressions of one extension and those nested in it. A nested one goes by the address around it."""
    address = entry.get("url")
    above = address if isinstance(address, str) and (":" in address or not owner) else owner
    found = read_expression(entry.get("valueExpression"), f"{place}.value")
    if found is not None:
        yield above, found
    elif above == urls.CONSTRAINT and address == "expression" and text(entry, "valueString"):
        yield above, _written(entry["valueString"], place)
    yield from _expressions(entry, place, above, depth + 1)


def _written(written: str, place: str) -> Expression:
    from service.fhir.forms import Expression

    return Expression(written, FHIRPATH, None, f"{place}.value")


def _named(address: str) -> str:
    """An extension as a message names it."""
    return cut(address.rpartition("/")[2].removeprefix("sdc-questionnaire-").removeprefix("questionnaire-"))


def _check_names(
    checking: Checking,
    source: Json,
    item: FormItem | None,
    place: str,
    above: set[str],
    here: dict[str, str],
) -> None:
    """SDC, Managing colliding variable declarations."""
    for index, entry in objects(source, "extension"):
        written = entry.get("valueExpression")
        if not isinstance(written, dict):
            continue
        at = f"{place}.extension[{index}].value"
        name = text(written, "name")
        if name is None:
            if entry.get("url") == urls.VARIABLE:
                checking.error("required", "a variable needs a name", at, "variable-name")
            continue
        if not _IDENTIFIER.fullmatch(name):
            checking.error("value", f"'{cut(name)}' cannot be the name of a variable", at, "variable-name")
        elif name in _RESERVED:
            checking.error("value", f"%{name} is FHIRPath's own; choose another name", at, "variable-name")
        elif name in here:
            checking.error(
                "duplicate", f"%{cut(name)} is {here[name]} already; choose another name", at, "variable-name"
            )
        elif item is not None and name in above:
            checking.warning(
                "duplicate", f"%{cut(name)} hides the form's variable of that name", at, "variable-name"
            )
        here[name] = "a variable here"


def _check_rivals(checking: Checking, item: FormItem) -> None:
    """What SDC lets stand only one at a time."""
    source = item.source
    if item.conditions and item.enable_expression is not None:
        checking.error(
            "business-rule",
            f"{item.link_id} has enableWhen and enableWhenExpression; keep one of them",
            item.place,
            "enable-twice",
        )
    answers = next(extensions(source, urls.ANSWER_EXPRESSION), None)
    if answers is not None and ("answerOption" in source or "answerValueSet" in source):
        checking.error(
            "business-rule",
            f"{item.link_id} has options and an answerExpression; keep one of them",
            item.place,
            "options-twice",
        )
