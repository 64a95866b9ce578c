"""Observation-based population: the record's latest value for an item's code. SDC 4.0, Form Population."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.domain.errors import ServiceError
from service.fhir.forms import urls
from service.fhir.forms.elements import extensions
from service.fhir.population.answers import Unfit
from service.fhir.population.scope import Unknown
from service.fhirpath import temporal

if TYPE_CHECKING:
    from service.fhir.population.reading import ItemReading
    from service.fhir.population.scope import Surroundings

Resource = dict[str, Any]
STATUSES = ("final", "amended", "corrected")
_DAYS = {"a": 366, "mo": 31, "wk": 7, "d": 1}
_SECONDS = {"h": 3600, "min": 60, "s": 1}


def link_period(source: Resource) -> Resource | None:
    """The Duration of an element's observationLinkPeriod, or None where it has none."""
    for _, extension in extensions(source, urls.OBSERVATION_LINK_PERIOD):
        duration = extension.get("valueDuration")
        if isinstance(duration, dict):
            return duration
    return None


def latest_observation(
    reading: ItemReading, period: Resource, surroundings: Surroundings, response: Resource
) -> list[Any]:
    """The value of the newest fitting Observation in the period, or nothing; Unknown where none can be had.

    It comes as the engine's items. Left out are Observations of another status, without a value of the item's
    type, of another focus than the subject, and those whose time cannot be told.
    """
    subject = response.get("subject", {}).get("reference")
    if subject is None:
        raise Unknown("the form has no subject to look up")
    if surroundings.search is None:
        raise Unknown("there is no record to ask: neither data nor a server was given")
    codings = [coding for coding in reading.item.source["code"] if "code" in coding]
    codes = ",".join(f"{coding.get('system', '')}|{coding['code']}" for coding in codings)
    try:
        bundle = surroundings.search(
            f"Observation?subject={subject}&code={codes}&status={','.join(STATUSES)}"
        )
    except ServiceError as fault:
        raise Unknown(str(fault)) from fault
    earliest = temporal.parse_datetime((surroundings.now - _length(period)).isoformat())
    newest: tuple[Any, list[Any]] | None = None
    for entry in bundle.get("entry", ()):
        observation = entry.get("resource", {})
        when = temporal.parse_datetime(str(observation.get("effectiveDateTime") or _end(observation)))
        if not _fits(observation, subject) or when is None or earliest is None:
            continue
        if temporal.compare(when, earliest) != 1:
            continue
        results = _values(reading, observation)
        if results and (newest is None or temporal.compare(when, newest[0]) == 1):
            newest = (when, results)
    return newest[1] if newest else []


def _fits(observation: Resource, subject: str) -> bool:
    if observation.get("resourceType") != "Observation" or observation.get("status") not in STATUSES:
        return False
    focus = observation.get("focus", ())
    return all(one.get("reference") == subject for one in focus)


def _values(reading: ItemReading, observation: Resource) -> list[Any]:
    program = fhirpath.compiled("%observation.value", variables=frozenset({"observation"}))
    try:
        items = program.items(None, variables={"observation": observation})
        for item in items:
            reading.answer(item)
    except Unfit:
        return []
    except fhirpath.EvaluationError as fault:
        raise Unknown(f"the expression cannot be evaluated: {fault}") from fault
    return items


def _end(observation: Resource) -> str:
    period = observation.get("effectivePeriod", {})
    return str(period.get("end") or period.get("start") or observation.get("effectiveInstant", ""))


def _length(period: Resource) -> timedelta:
    """The period as a span that is no shorter than it: months count 31 days, years 366."""
    value, unit = period.get("value", 0), str(period.get("code") or period.get("unit") or "")
    count = float(value if isinstance(value, int | Decimal) else 0)
    if unit in _DAYS:
        return timedelta(days=min(count * _DAYS[unit], 100_000))
    if unit in _SECONDS:
        return timedelta(seconds=count * _SECONDS[unit])
    raise Unknown(f"observationLinkPeriod has a unit that is no duration: '{unit[:20]}'")
