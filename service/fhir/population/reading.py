"""What each item of a form says of its population, read once for each form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from service.fhir.forms import urls
from service.fhir.forms.expressions import expressions_at
from service.fhir.population.observations import link_period

if TYPE_CHECKING:
    from service.fhir.forms import Expression, Form, FormItem

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """One item's extensions: its variables, the first expression of each kind, its observations' period."""

    variables: tuple[Expression, ...]
    initial: Expression | None
    context: Expression | None
    period: Resource | None


class Readings:
    """The readings of one form's items, each made when it is first asked for."""

    def __init__(self) -> None:
        """Reads nothing yet."""
        self._made: dict[str, Reading] = {}

    def of(self, item: FormItem) -> Reading:
        """The reading of an item of the form."""
        found = self._made.get(item.place)
        if found is None:
            found = self._made[item.place] = _read(item)
        return found


_kept: WeakKeyDictionary[Form, Readings] = WeakKeyDictionary()


def readings_of(form: Form) -> Readings:
    """The readings of a form, kept as long as the form is."""
    found = _kept.get(form)
    return found if found is not None else _kept.setdefault(form, Readings())


def _read(item: FormItem) -> Reading:
    return Reading(
        tuple(expressions_at(item.source, urls.VARIABLE, item.place)),
        next(expressions_at(item.source, urls.INITIAL_EXPRESSION, item.place), None),
        next(expressions_at(item.source, urls.ITEM_POPULATION_CONTEXT, item.place), None),
        link_period(item.source),
    )
