"""What a form says of its population, read once for each form and kept as long as the form is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from service.fhir.forms import urls
from service.fhir.forms.expressions import expressions_at
from service.fhir.population.answers import Answering, answering
from service.fhir.population.observations import link_period
from service.fhir.population.prepared import Prepared, Query, prepare, prepare_either
from service.fhirpath import Constants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.fhir.forms import Form, FormItem

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ItemReading:
    """One item that is not only shown, and those below it.

    ``entry`` is what each of its entries in a response begins with. ``plain``: nothing is ever to be filled
    in. ``period`` stands only where observations fill it, ``starts`` are the form's own initial answers.
    ``guarded``: it may turn out not to be enabled.
    """

    item: FormItem
    entry: Resource
    plain: bool
    variables: tuple[Prepared | Query, ...]
    initial: Prepared | None
    context: Prepared | Query | None
    period: Resource | None
    starts: tuple[Resource, ...]
    answer: Answering
    guarded: bool
    children: tuple[ItemReading, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole form. ``constants`` hold the form itself as ``%questionnaire``.

    ``declared`` are the names of its launch contexts and root variables.
    """

    constants: Constants
    declared: frozenset[str]
    variables: tuple[tuple[str, Prepared | Query], ...]
    items: tuple[ItemReading, ...]


_kept: WeakKeyDictionary[Form, Reading] = WeakKeyDictionary()


def reading_of(form: Form) -> Reading:
    """The reading of a form, made when it is first asked for."""
    found = _kept.get(form)
    return found if found is not None else _kept.setdefault(form, _read(form))


def _read(form: Form) -> Reading:
    variables = tuple([(str(one.name), prepare_either(one)) for one in form.variables])
    items = _items(form.items, link_period(form.source), guarded=False)
    declared = frozenset({*form.launch_contexts, *(name for name, _ in variables)})
    return Reading(Constants({"questionnaire": form.source}), declared, variables, items)


def _items(items: Iterable[FormItem], period: Resource | None, *, guarded: bool) -> tuple[ItemReading, ...]:
    return tuple([_item(item, period, guarded=guarded) for item in items if not item.is_display])


def _item(item: FormItem, above: Resource | None, *, guarded: bool) -> ItemReading:
    source, place = item.source, item.place
    own = link_period(source) or above
    guarded = guarded or item.conditional
    variables = tuple([prepare_either(one) for one in expressions_at(source, urls.VARIABLE, place)])
    initial = next(expressions_at(source, urls.INITIAL_EXPRESSION, place), None)
    context = next(expressions_at(source, urls.ITEM_POPULATION_CONTEXT, place), None)
    period = own if initial is None and source.get("code") else None
    starts = _starts(source)
    return ItemReading(
        item=item,
        entry=_entry(item),
        plain=not (item.is_group or variables or initial or period or starts),
        variables=variables,
        initial=prepare(initial) if initial else None,
        context=prepare_either(context) if context else None,
        period=period,
        starts=starts,
        answer=answering(item),
        guarded=guarded,
        children=_items(item.children, own, guarded=guarded),
    )


def _entry(item: FormItem) -> Resource:
    entry: Resource = {"linkId": item.link_id}
    if "definition" in item.source:
        entry["definition"] = item.source["definition"]
    if item.text:
        entry["text"] = item.text
    return entry


def _starts(source: Resource) -> tuple[Resource, ...]:
    """The form's own initial values: ``initial.value[x]``, else the options selected initially."""
    given = source.get("initial") or [
        option for option in source.get("answerOption", ()) if option.get("initialSelected") is True
    ]
    return tuple(
        [{name: value for name, value in entry.items() if name.startswith("value")} for entry in given]
    )
