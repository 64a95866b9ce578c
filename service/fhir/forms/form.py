"""A Questionnaire as an indexed thing that never changes: built once, asked often."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from service import fhirpath
from service.fhir.forms.build import build_items
from service.fhir.forms.elements import contained_in, text
from service.fhir.forms.expressions import constraints_of, launch_contexts, outer_names, variables_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.fhir.forms.elements import Json
    from service.fhir.forms.expressions import Expression
    from service.fhir.forms.items import FormItem


class Form:
    """A Questionnaire's items, indexed. Safe from any thread; the resource it is made from must not change.

    ``items`` are those at the root; ``by_link`` leads from each linkId of the whole tree to its item (to the
    first, where a faulty form says one twice); ``all`` lists the tree in document order. ``too_deep`` holds
    the places below which items were left out, because they nest deeper than any form does.
    """

    def __init__(self, questionnaire: Json) -> None:
        """Takes a Questionnaire; a faulty one is read as far as it goes."""
        self.source = questionnaire
        self.url = text(questionnaire, "url")
        self.version = text(questionnaire, "version")
        self.title = text(questionnaire, "title") or text(questionnaire, "name") or self.url or "this form"
        kinds = questionnaire.get("subjectType")
        self.subject_types: tuple[str, ...] = (
            tuple(kind for kind in kinds if isinstance(kind, str)) if isinstance(kinds, list) else ()
        )
        self.contained: Mapping[str, Json] = contained_in(questionnaire)
        self.launch_contexts = launch_contexts(questionnaire)
        self.outer_names = outer_names(questionnaire)
        self.variables = variables_of(questionnaire, "Questionnaire")
        self.constraints = constraints_of(questionnaire, "Questionnaire")
        built = build_items(questionnaire)
        self.items: tuple[FormItem, ...] = built.roots
        self.all: tuple[FormItem, ...] = built.all
        self.by_link: Mapping[str, FormItem] = built.by_link
        self.too_deep: tuple[str, ...] = built.too_deep
        self.roots_by_link: Mapping[str, FormItem] = {item.link_id: item for item in reversed(built.roots)}
        self._programs: dict[tuple[str, str | None, bool], fhirpath.Program] = {}

    @property
    def canonical(self) -> str | None:
        """The form's canonical with its version, where it has both."""
        return f"{self.url}|{self.version}" if self.url and self.version else self.url

    def parent(self, item: FormItem) -> FormItem | None:
        """The item that holds an item; None at the root."""
        return self.by_link.get(item.ancestors[-1]) if item.ancestors else None

    def value_set(self, reference: str, contained: Mapping[str, Json] | None = None) -> Json | str:
        """What an answerValueSet points at: the contained ValueSet for ``#id``, else the canonical itself.

        ``contained`` are the resources beside the form, where the form itself is contained.
        """
        if not reference.startswith("#"):
            return reference
        found = self.contained.get(reference[1:]) or (contained or {}).get(reference[1:])
        return found if found is not None and found.get("resourceType") == "ValueSet" else reference

    def scope(self, item: FormItem | None) -> dict[str, str | None]:
        """The variables that an expression on the item (None: on the form) may use, with known types."""
        names: dict[str, str | None] = {
            "resource": "QuestionnaireResponse",
            "rootResource": "QuestionnaireResponse",
            "context": "QuestionnaireResponse" if item is None else "QuestionnaireResponse.item",
            "questionnaire": "Questionnaire",
            "qitem": "Questionnaire.item",
            **dict.fromkeys(self.launch_contexts),
            **dict.fromkeys(self.outer_names),
            **_named(self.variables),
        }
        if item is not None:
            for link_id in item.ancestors:
                above = self.by_link.get(link_id)
                names |= _named(above.variables) if above else {}
            names |= _named(item.variables)
        return names

    def program(
        self, expression: Expression, item: FormItem | None, *, rooted: bool = False
    ) -> fhirpath.Program:
        """The compiled expression, kept; fhirpath.ExpressionError for text that is none.

        ``rooted`` says that it starts from the response though it stands on an item. Paths that FHIR's types
        do not have are let through here; ``service.fhir.validation.questionnaires`` reports them.
        """
        key = (expression.text, item.place if item else None, rooted)
        found = self._programs.get(key)
        if found is None:
            context = "QuestionnaireResponse" if item is None or rooted else "QuestionnaireResponse.item"
            scope = self.scope(item)
            try:
                found = fhirpath.compile(expression.text, context_type=context, variables=scope)
            except fhirpath.ExpressionError:
                found = fhirpath.compile(expression.text, variables=tuple(scope))
            self._programs[key] = found
        return found


def _named(variables: tuple[Expression, ...]) -> dict[str, str | None]:
    return {variable.name: None for variable in variables if variable.name}


_KEPT = 64
_forms: OrderedDict[int, Form] = OrderedDict()
_lock = Lock()


def form_of(questionnaire: Json) -> Form:
    """The form of a Questionnaire, built on first use; the last 64 are kept by the resource's identity."""
    key = id(questionnaire)
    found = _forms.get(key)
    if found is not None and found.source is questionnaire:
        return found
    made = Form(questionnaire)
    with _lock:
        _forms[key] = made
        while len(_forms) > _KEPT:
            _forms.popitem(last=False)
    return made
