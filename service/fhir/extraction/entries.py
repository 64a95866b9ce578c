"""An entry of the transaction Bundle: its fullUrl, id and request, the same for every mechanism.

SDC 4.0: templateExtract, definitionExtract and observationExtractEntry share these parts, each FHIRPath over
the place where the extension stands. A resource with an id is put, any other is posted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from service.fhir.extraction.values import UNFIT, cast, typed
from service.fhir.forms.elements import child, objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.fhir.extraction.formulas import Compilation, Formula
    from service.fhir.extraction.running import Run, Site

Json = dict[str, Any]
_REQUEST = {
    "ifNoneMatch": "string",
    "ifModifiedSince": "instant",
    "ifMatch": "string",
    "ifNoneExist": "string",
}
_PARTS = {"fullUrl": "uri", "resourceId": "id", **_REQUEST}


class Entry(NamedTuple):
    """One extracted resource with where it came from.

    ``place`` is the FHIRPath of its source in the response. ``key`` names the source by linkIds and the maker
    (``site[0]#templateExtract[1]``): it stays the same while other items come and go. ``full_url`` and
    ``method`` are the Bundle entry's.
    """

    resource: Json
    place: str
    key: str
    full_url: str | None
    method: str


@dataclass(frozen=True, slots=True)
class EntryRule:
    """The expressions that a Bundle entry's own parts are made with, by their names."""

    formulas: tuple[tuple[str, Formula], ...] = ()

    def asks(self, name: str) -> bool:
        """Whether the part has an expression of its own."""
        return any(part == name for part, _ in self.formulas)


PLAIN = EntryRule()


def compile_entry(
    compilation: Compilation,
    extension: Json,
    place: str,
    scope: Mapping[str, str | None],
    context_type: str,
) -> EntryRule:
    """The rule that a complex extension spells out; parts it does not name have none."""
    found = []
    for index, part in objects(extension, "extension"):
        name = part.get("url")
        if name not in _PARTS:
            continue
        at = f"{place}.extension[{index}].value"
        formula = compilation.formula(part.get("valueString"), at, str(name), scope, context_type)
        if formula is not None:
            found.append((str(name), formula))
    return EntryRule(tuple(found))


class Entries:
    """The Bundle's entries while they are collected."""

    def __init__(self, run: Run) -> None:
        """Starts with none."""
        self.run = run
        self.found: list[Entry] = []
        self.bundle: list[Json] = []
        self._urls: set[str] = set()

    def part(self, rule: EntryRule, name: str, site: Site) -> Any:
        """What the rule gives for one part, or None."""
        for part, formula in rule.formulas:
            if part != name:
                continue
            items = self.run.items(formula, site.context, site)
            if not items:
                return None
            if len(items) > 1:
                self.run.warn("value", f"{name} takes one value; the first is used", formula.place)
            kind, value, _ = typed(items[0])
            fitted = cast(kind, value, _PARTS[name])
            if fitted is not UNFIT and fitted != "":
                return fitted
            self.run.fault("value", f"{name} is given a {kind} that is no {_PARTS[name]}", formula.place)
        return None

    def full_url(self, rule: EntryRule, key: str, site: Site) -> str | None:
        """The fullUrl that the rule gives; without one a new one, for the key."""
        if not rule.asks("fullUrl"):
            return self.run.new_id(key)
        found: str | None = self.part(rule, "fullUrl", site)
        return found

    def add(
        self, resource: Json, rule: EntryRule, site: Site, place: str, key: str, full_url: str | None
    ) -> None:
        """Adds a resource with its request. ``resourceId`` gives it its id."""
        kind = str(resource.get("resourceType"))
        if rule.formulas and rule.asks("resourceId"):
            id_ = self.part(rule, "resourceId", site)
            if id_ is not None:
                rest = {name: value for name, value in resource.items() if name not in ("resourceType", "id")}
                resource = {"resourceType": kind, "id": id_, **rest}
        id_ = resource.get("id")
        method = "POST" if id_ is None else "PUT"
        request = _posted(kind) if id_ is None else {"method": method, "url": f"{kind}/{id_}"}
        if rule.formulas:
            parts = {name: self.part(rule, name, site) for name in _REQUEST}
            request = {**request, **{name: value for name, value in parts.items() if value is not None}}
        entry: Json = {"resource": resource, "request": request}
        if full_url is not None:
            self._once(full_url, place, key)
            entry = {"fullUrl": full_url, "resource": resource, "request": request}
        self.bundle.append(entry)
        self.found.append(Entry(resource, place, key, full_url, method))

    def take(self, entry: Json, place: str, key: str) -> None:
        """Adds an entry as it stands."""
        url = entry.get("fullUrl")
        full_url = url if isinstance(url, str) else None
        if full_url is not None:
            self._once(full_url, place, key)
        self.bundle.append(entry)
        method = str(child(entry, "request").get("method"))
        self.found.append(Entry(entry["resource"], place, key, full_url, method))

    def _once(self, url: str, place: str, key: str) -> None:
        if url in self._urls:
            said = f"two extracted resources have one fullUrl ({key[:80]})"
            self.run.fault("business-rule", f"{said}; allocate an id on the item that repeats", place)
        self._urls.add(url)


@lru_cache(maxsize=256)
def _posted(kind: str) -> Json:
    """The request that creates a resource of a type; one for all, as nothing extracted is changed."""
    return {"method": "POST", "url": kind}
