"""``$populate``: a form pre-filled from a record, each answer with where it came from (SDC 4.0).

Only what the record really says is filled in. What could not be had, or does not fit, is said in issues.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.domain.issues import Issue, information
from service.fhir.forms import form_of
from service.fhir.population.filling import Filled, Filling
from service.fhir.population.reading import reading_of
from service.fhir.population.scope import Scope, Surroundings
from service.fhir.population.sources import Source
from service.fhirpath import items_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Resource = dict[str, Any]

__all__ = ["Filled", "Populated", "Source", "Surroundings", "populate"]


@dataclass(frozen=True, slots=True)
class Populated:
    """The response in progress, each answer that was filled in, and what a reader should know.

    ``unknown`` gives the reason for each linkId whose expression rests on something that could not be had.
    """

    response: Resource
    filled: tuple[Filled, ...]
    issues: tuple[Issue, ...]
    unknown: Mapping[str, str] = field(default_factory=dict)


def populate(
    questionnaire: Resource,
    context: Mapping[str, Sequence[Resource]],
    surroundings: Surroundings,
    *,
    subject: Resource | None = None,
    author: Resource | None = None,
    source_url: str | None = None,
) -> Populated:
    """The form filled as far as the record goes. The Questionnaire has passed validation.

    ``context`` holds resources by launch context or root variable, and takes the place of a variable's own
    query. ``subject`` and ``author`` are References for the response. ``source_url`` is the extension that
    tells of an answer which resource it came from.
    """
    form = form_of(questionnaire)
    response: Resource = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": form.canonical,
        "status": "in-progress",
        "subject": subject,
        "authored": surroundings.now.isoformat(timespec="seconds"),
        "author": author,
    }
    response = {name: value for name, value in response.items() if value is not None}
    reading = reading_of(form)
    scope = Scope(surroundings, response, reading.constants)
    issues: list[Issue] = []
    for name in form.launch_contexts:
        if context.get(name):
            scope.bind(name, items_of(context[name]))
        else:
            scope.fail(name, "it was not given")
    for name, variable in reading.variables:
        if name in context:
            scope.bind(name, items_of(context[name]))
        else:
            scope.declare(variable)
    for name in sorted(set(context) - reading.declared):
        said = f"the form declares no launch context or variable '{name[:60]}'; its content is not used"
        issues.append(information("not-supported", said, "Parameters.parameter:context"))
    filling = Filling(form, response, source_url)
    filling.fill(reading.items, scope)
    filling.hold_back()
    return Populated(response, tuple(filling.filled), (*issues, *filling.issues), filling.unknown)
