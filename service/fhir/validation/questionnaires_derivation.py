"""A form that says it is derived from another: does it keep what it says it keeps?

The extension questionnaire-derivationType tells: one that ``extends`` may add items, one that
``compliesWith`` may not; neither may loosen an item. ``inspiredBy`` binds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.fhir.forms import form_of, urls
from service.fhir.forms.elements import child, cut, extension_value, text, whole

if TYPE_CHECKING:
    from service.fhir.forms import Form, FormItem
    from service.fhir.validation.questionnaires_checking import Checking


def check_derivation(checking: Checking) -> None:
    """Checks the form against each form in ``derivedFrom`` that it says it follows."""
    source = checking.form.source
    parents = source.get("derivedFrom")
    if not isinstance(parents, list):
        return
    siblings = source.get("_derivedFrom")
    for index, canonical in enumerate(parents):
        if not isinstance(canonical, str):
            continue
        place = f"Questionnaire.derivedFrom[{index}]"
        found = checking.resolve(canonical)
        if not isinstance(found, dict) or found.get("resourceType") != "Questionnaire":
            checking.warning(
                "not-found",
                f"{cut(canonical, 120)} is not held here, so nothing is held against it",
                place,
                "derived-from",
            )
            continue
        sibling = siblings[index] if isinstance(siblings, list) and index < len(siblings) else None
        kind = extension_value(sibling, urls.DERIVATION_TYPE) if isinstance(sibling, dict) else None
        code = text(kind, "code") if isinstance(kind, dict) else None
        if code in ("extends", "compliesWith"):
            _check_items(checking, form_of(found), strict=code == "compliesWith")
        elif code != "inspiredBy":
            checking.warning(
                "incomplete",
                "how the form is derived is not said, so nothing is held against the other form; "
                "give questionnaire-derivationType",
                place,
                "derivation-type",
            )


def _check_items(checking: Checking, parent: Form, *, strict: bool) -> None:
    for item in checking.form.all:
        model = parent.by_link.get(item.link_id)
        if model is not None:
            _check_item(checking, item, model)
        elif strict:
            checking.error(
                "not-found",
                f"{item.link_id} is not in {cut(parent.title, 80)}, which this form says it complies with",
                item.place,
                "derived-item",
            )


def _check_item(checking: Checking, item: FormItem, model: FormItem) -> None:
    def error(message: str, where: str = "") -> None:
        checking.error("business-rule", f"{item.link_id} {message}", f"{item.place}{where}", "derived-item")

    if model.type and item.type and model.type != item.type:
        error(f"is of type {model.type} in the form it derives from, and cannot be {item.type}", ".type")
    if item.repeats and not model.repeats:
        error("does not repeat in the form it derives from, and cannot repeat here", ".repeats")
    if model.required and item.source.get("required") is False:
        error("is required in the form it derives from, and must stay so", ".required")
    longest, own = model.limits.max_length, whole(item.source.get("maxLength"))
    if longest is not None and (own is None or own > longest):
        error(f"takes at most {longest} characters in the form it derives from; keep to that")
    if model.options:
        if item.value_set is not None or not item.options:
            error("has options in the form it derives from; take them, or fewer of them")
        for option in item.options:
            if option.key not in model.options_by_key:
                code = child(option.source, "valueCoding").get("code", option.value.content)
                error(f"offers '{cut(code)}', which the form it derives from does not")
    elif model.value_set is not None and item.options:
        error("has a value set in the form it derives from, and cannot list options instead")
