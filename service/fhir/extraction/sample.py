"""A form with every question answered, by the form's own options and units: for trying its extraction out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.forms import form_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.fhir.forms import FormItem

Resource = dict[str, Any]
_PLAIN: dict[str, Any] = {
    "boolean": True,
    "integer": 1,
    "decimal": 1,
    "date": "2000-01-01",
    "dateTime": "2000-01-01T00:00:00Z",
    "time": "12:00:00",
    "string": "text",
    "text": "text",
    "open-choice": "text",
    "url": "https://sample.example",
    "attachment": {"contentType": "text/plain", "url": "https://sample.example/text"},
    "reference": {"reference": "Patient/sample"},
}
_PROPERTIES = {
    "text": "valueString",
    "open-choice": "valueString",
    "url": "valueUri",
    "dateTime": "valueDateTime",
}


def answer_everything(questionnaire: Resource, *, last: bool = False) -> Resource:
    """A completed response with an answer to every question: the first option, or the last.

    Nobody's: the patient and author that it names are not there. It need not keep the form's own
    constraints, which are about people.
    """
    form = form_of(questionnaire)
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "sample",
        "questionnaire": form.canonical,
        "status": "completed",
        "subject": {"reference": "Patient/sample"},
        "authored": "2000-01-01T00:00:00Z",
        "author": {"reference": "Practitioner/sample"},
        "item": list(_items(form.items, last)),
    }


def _items(items: tuple[FormItem, ...], last: bool) -> Iterator[Resource]:
    for item in items:
        inner = list(_items(item.children, last))
        if item.is_group and inner:
            yield {"linkId": item.link_id, "item": inner}
        elif item.is_question:
            answer = _answer(item, last)
            if answer is not None:
                yield {"linkId": item.link_id, "answer": [answer | ({"item": inner} if inner else {})]}


def _answer(item: FormItem, last: bool) -> Resource | None:
    if item.options:
        value = item.options[-1 if last else 0].value
        return {f"value{value.type[0].upper()}{value.type[1:]}": value.content}
    if item.type == "quantity":
        unit = item.limits.unit or (item.limits.units[0] if item.limits.units else {})
        named = {"unit": unit.get("display"), "system": unit.get("system"), "code": unit.get("code")}
        return {"valueQuantity": {"value": 37} | {name: text for name, text in named.items() if text}}
    if item.type not in _PLAIN:
        return None  # a choice from a value set: no code of it is at hand
    name = _PROPERTIES.get(item.type, f"value{item.type[0].upper()}{item.type[1:]}")
    return {name: _PLAIN[item.type]}
