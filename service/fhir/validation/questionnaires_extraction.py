"""What a form says of extraction: templates that are there, expressions that compile, definitions that exist.

SDC 4.0, Form Data Extraction and Using Expressions ($extract extensions): an extraction's expressions know
%resource, %context, %questionnaire, %qitem and the ids allocated on the item or above it, and nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from service.fhir.forms import urls
from service.fhir.forms.elements import child, cut, extensions, objects, text, value_of
from service.fhir.forms.expressions import allocated_ids
from service.fhir.validation.questionnaires_definitions import check_definition, check_item_definition

if TYPE_CHECKING:
    from service.fhir.forms import FormItem
    from service.fhir.forms.elements import Json
    from service.fhir.validation.questionnaires_checking import Checking

Scope = dict[str, "str | None"]

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_DEEP = 60


def check_extraction(checking: Checking) -> None:
    """Checks everything that $extract will follow: templates, definitions, observations."""
    form = checking.form
    root: Scope = {
        "resource": "QuestionnaireResponse",
        "rootResource": "QuestionnaireResponse",
        "context": "QuestionnaireResponse",
        "questionnaire": "Questionnaire",
        "qitem": "Questionnaire.item",
    }
    used: set[str] = set()
    followed = any(_by_definition(source) for source in (form.source, *(item.source for item in form.all)))
    root |= _allocate(checking, form.source, "Questionnaire")
    _check_element(checking, form.source, None, "Questionnaire", root, used)
    scopes: dict[tuple[str, ...], Scope] = {(): {**root, "context": "QuestionnaireResponse.item"}}
    for item in form.all:
        scope = scopes.get(item.ancestors, scopes[()])
        if "extension" in item.source:
            allocated = _allocate(checking, item.source, item.place)
            scope = {**scope, **allocated} if allocated else scope
            _check_element(checking, item.source, item, item.place, scope, used)
            _check_observation(checking, item)
        if item.children:
            scopes[(*item.ancestors, item.link_id)] = scope
        if "definition" in item.source:
            check_item_definition(checking, item, followed=followed)
    _check_unused(checking, used)


def _by_definition(source: Json) -> bool:
    """Whether an element starts definition-based extraction."""
    return any(
        entry.get("url") in (urls.DEFINITION_EXTRACT, urls.ITEM_EXTRACTION_CONTEXT)
        for _, entry in objects(source, "extension")
    )


def _allocate(checking: Checking, source: Json, place: str) -> Scope:
    found: Scope = {}
    for name in allocated_ids(source):
        if not _IDENTIFIER.fullmatch(name) or name in found:
            checking.error(
                "value",
                f"'{cut(name)}' cannot be the name of an allocated id here; "
                "take a name of letters, digits and _, once on each item",
                place,
                "allocate-id",
            )
        found[name] = None
    return found


def _check_element(
    checking: Checking, source: Json, item: FormItem | None, place: str, scope: Scope, used: set[str]
) -> None:
    context = "QuestionnaireResponse" if item is None else "QuestionnaireResponse.item"
    for index, entry in objects(source, "extension"):
        address = entry.get("url")
        at = f"{place}.extension[{index}]"
        if address == urls.TEMPLATE_EXTRACT:
            _check_template_extract(checking, entry, at, context, scope, used)
        elif address == urls.TEMPLATE_EXTRACT_BUNDLE:
            template = _template(checking, child(entry, "valueReference"), at, used)
            if template is not None:
                _check_bundle(checking, template, at)
                _check_template(checking, template, scope)
        elif address == urls.DEFINITION_EXTRACT:
            _check_definition_extract(checking, entry, at, context, scope)
        elif address == urls.DEFINITION_EXTRACT_VALUE:
            _check_definition_value(checking, entry, at, context, scope)
        elif address == urls.OBSERVATION_EXTRACT_ENTRY:
            _check_strings(checking, entry, at, context, scope)


def _check_template_extract(
    checking: Checking, entry: Json, place: str, context: str, scope: Scope, used: set[str]
) -> None:
    reference: Json | None = (
        entry.get("valueReference") if isinstance(entry.get("valueReference"), dict) else None
    )
    for _, part in objects(entry, "extension"):
        if part.get("url") == "template":
            reference = child(part, "valueReference")
    template = _template(checking, reference or {}, place, used)
    _check_strings(checking, entry, place, context, scope)
    if template is not None:
        _check_template(checking, template, scope)


def _template(checking: Checking, reference: Json, place: str, used: set[str]) -> Json | None:
    """The contained resource that a template reference points at; its absence is an error."""
    written = text(reference, "reference")
    found = checking.inside(written) if written and written.startswith("#") else None
    if found is None:
        what = (
            f"{cut(written)} is no resource contained in this form"
            if written
            else "the template is not named"
        )
        checking.error("not-found", f"{what}; contain it and point at its id with #", place, "template")
        return None
    used.add((written or "#")[1:])
    return found


def _check_bundle(checking: Checking, template: Json, place: str) -> None:
    if template.get("resourceType") != "Bundle" or template.get("type") not in ("transaction", "batch"):
        checking.error(
            "business-rule",
            "templateExtractBundle needs a contained Bundle of type transaction",
            place,
            "template-bundle",
        )


def _check_strings(checking: Checking, entry: Json, place: str, context: str, scope: Scope) -> None:
    """The parts that are FHIRPath written as strings: fullUrl, resourceId, ifMatch and their like."""
    for index, part in objects(entry, "extension"):
        written = text(part, "valueString")
        if written is not None and part.get("url") not in ("template", "definition"):
            at = f"{place}.extension[{index}].value"
            checking.expression(written, context, scope, at, cut(part.get("url")))


def _check_template(checking: Checking, template: Json, scope: Scope) -> None:
    """Compiles the expressions in a template. Their focus moves with each context, so no path is checked."""
    index = next(
        (number for number, entry in objects(checking.form.source, "contained") if entry is template), 0
    )
    # Below a templateExtractContext, %context still is the response's item; the names of contexts are added.
    _walk_template(checking, template, f"Questionnaire.contained[{index}]", scope, 0)


def _walk_template(checking: Checking, node: Any, place: str, scope: Scope, depth: int) -> None:
    if depth > _DEEP:
        return
    if isinstance(node, list):
        for index, entry in enumerate(node):
            _walk_template(checking, entry, f"{place}[{index}]", scope, depth + 1)
        return
    if not isinstance(node, dict):
        return
    if "extension" in node:
        scope = _check_template_extensions(checking, node, place, scope)
    for key, content in node.items():
        if isinstance(content, dict | list) and key != "extension":
            _walk_template(checking, content, f"{place}.{key.removeprefix('_')}", scope, depth + 1)


def _check_template_extensions(checking: Checking, node: Json, place: str, scope: Scope) -> Scope:
    for index, entry in objects(node, "extension"):
        if entry.get("url") not in (urls.TEMPLATE_EXTRACT_CONTEXT, urls.TEMPLATE_EXTRACT_VALUE):
            continue
        at = f"{place}.extension[{index}].value"
        what = (
            "templateExtractContext"
            if entry["url"] == urls.TEMPLATE_EXTRACT_CONTEXT
            else "templateExtractValue"
        )
        expression = entry.get("valueExpression")
        written = text(entry, "valueString")
        if isinstance(expression, dict):
            written = text(expression, "expression")
            name = text(expression, "name")
            if text(expression, "language") not in (None, "text/fhirpath"):
                checking.error(
                    "not-supported", f"{what} is written in FHIRPath only", at, "expression-language"
                )
                continue
            if name is not None:
                scope = {**scope, name: None}
        if written is None:
            checking.error("required", f"{what} has no expression", at, "template-expression")
            continue
        checking.expression(written, None, scope, at, what)
    return scope


def _check_definition_extract(
    checking: Checking, entry: Json, place: str, context: str, scope: Scope
) -> None:
    canonical = None
    for _, part in objects(entry, "extension"):
        if part.get("url") == "definition":
            canonical = text(part, "valueCanonical") or text(part, "valueUri")
    if canonical is None:
        checking.error("required", "definitionExtract does not name a definition", place, "definition")
    else:
        check_definition(checking, canonical, place)
    _check_strings(checking, entry, place, context, scope)


def _check_definition_value(checking: Checking, entry: Json, place: str, context: str, scope: Scope) -> None:
    parts = {str(part.get("url")): (index, part) for index, part in objects(entry, "extension")}
    named = parts.get("definition")
    definition = text(named[1], "valueUri") if named else None
    if definition is None:
        checking.error("required", "definitionExtractValue does not name a definition", place, "definition")
    else:
        check_definition(checking, definition, place, element=True)
    if ("expression" in parts) == ("fixed-value" in parts):
        checking.error(
            "business-rule",
            "definitionExtractValue takes either an expression or a fixed value",
            place,
            "definition-value",
        )
    if "expression" in parts:
        index, part = parts["expression"]
        found = value_of(part)
        content = found[1] if found else None
        if isinstance(content, dict) and text(content, "language") == "text/fhirpath":
            written = text(content, "expression")
            if written:
                at = f"{place}.extension[{index}].value"
                checking.expression(written, context, scope, at, "definitionExtractValue")


def _check_observation(checking: Checking, item: FormItem) -> None:
    """SDC, observation-based extraction: the item's codes become Observation.code, so there must be one."""
    for index, entry in extensions(item.source, urls.OBSERVATION_EXTRACT):
        found = value_of(entry)
        if found is None or found[1] is False or item.is_group:
            continue
        if not item.source.get("code"):
            checking.warning(
                "business-rule",
                f"{item.link_id} is to become an Observation and has no code; give item.code",
                f"{item.place}.extension[{index}]",
                "observation-code",
            )


def _check_unused(checking: Checking, used: set[str]) -> None:
    """A contained resource with template extensions that nothing points at is a template forgotten."""
    for index, entry in objects(checking.form.source, "contained"):
        name = text(entry, "id")
        if name in used or entry.get("resourceType") in ("ValueSet", "CodeSystem", "Questionnaire"):
            continue
        if _is_template(entry, 0):
            checking.warning(
                "business-rule",
                f"the template #{cut(name)} is not used; point at it with templateExtract",
                f"Questionnaire.contained[{index}]",
                "template-unused",
            )


def _is_template(node: Any, depth: int) -> bool:
    if depth > _DEEP:
        return False
    if isinstance(node, list):
        return any(_is_template(entry, depth + 1) for entry in node)
    if not isinstance(node, dict):
        return False
    if node.get("url") in (urls.TEMPLATE_EXTRACT_CONTEXT, urls.TEMPLATE_EXTRACT_VALUE):
        return True
    return any(
        _is_template(content, depth + 1) for content in node.values() if isinstance(content, dict | list)
    )
