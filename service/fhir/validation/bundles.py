"""Bundles: their entries' full URLs, the references between them, and what each type of Bundle asks.

Source: FHIR R4 bundle page (§2.36.4 resolving references), invariants bdl-* through FHIRPath.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from service.fhir.validation import types
from service.fhir.validation.places import below
from service.fhir.validation.run import DEPTH, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run

_WITHOUT_URL = ("transaction", "batch", "transaction-response", "batch-response")


def entries(bundle: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Index and entry of each entry that is an object."""
    listed = bundle.get("entry")
    for index, entry in enumerate(listed if type(listed) is list else ()):
        if type(entry) is dict:
            yield index, entry


def _resource(entry: dict[str, Any]) -> dict[str, Any] | None:
    found = entry.get("resource")
    return found if type(found) is dict else None


class BundleIndex:
    """The entries' resources by full URL, and by ``Type/id`` where the entry has a RESTful one."""

    __slots__ = ("_by_url", "bases", "outer")

    def __init__(self, bundle: dict[str, Any], outer: BundleIndex | None) -> None:
        self.outer = outer
        self.bases: dict[int, str] = {}
        self._by_url: dict[str, dict[str, Any]] = {}
        for _, entry in entries(bundle):
            url, resource = entry.get("fullUrl"), _resource(entry)
            if resource is None or type(url) is not str:
                continue
            self._by_url.setdefault(url, resource)
            kind, identifier = resource.get("resourceType"), resource.get("id")
            if type(kind) is str and type(identifier) is str and url.endswith(f"/{kind}/{identifier}"):
                self.bases[id(resource)] = url[: -len(f"{kind}/{identifier}")]

    def find(self, reference: str, run: Run) -> dict[str, Any] | None:
        """The resource that a reference leads to from the resource being checked, or None.

        A relative reference is taken against the base of the entry's full URL, as the page asks.
        """
        plain = reference.partition("/_history/")[0]
        base = self.bases.get(id(run.container), "")
        found = self._by_url.get(plain) or self._by_url.get(base + plain)
        if found is None and self.outer is not None:
            return self.outer.find(reference, run)
        return found

    def includes(self, reference: str, source: dict[str, Any]) -> bool:
        """Whether an entry is what a resource of the Bundle refers to, by full URL or by type and id."""
        plain = reference.partition("/_history/")[0]
        if plain in self._by_url or self.bases.get(id(source), "") + plain in self._by_url:
            return True
        return any(
            plain == f"{resource.get('resourceType')}/{resource.get('id')}"
            for resource in self._by_url.values()
        )

    @property
    def urls(self) -> frozenset[str]:
        """The full URLs of the entries that have a resource."""
        return frozenset(self._by_url)


def check_bundle(value: dict[str, Any], place: Place, run: Run) -> None:
    """Reports what is wrong with a Bundle, its entries included."""
    before = run.bundle
    run.bundle = BundleIndex(value, before)
    types.checker("Bundle").check(value, place, run)
    kind = value.get("type")
    if kind == "document":
        _check_composition(value, run.bundle, place, run)
    run.bundle = before
    for index, entry in entries(value):
        at = below(place, "entry", index)
        if "fullUrl" not in entry and "_fullUrl" not in entry and kind not in _WITHOUT_URL:
            message = "an entry of this type of Bundle needs a fullUrl, the identity of its resource"
            run.error("required", message, at, "fullUrl")
        _check_full_url(entry, at, run)
        _check_verbs(entry, kind, at, run)
    if kind in ("document", "message"):
        _check_first(value, str(kind), place, run)


def _check_full_url(entry: dict[str, Any], place: Place, run: Run) -> None:
    url, resource = entry.get("fullUrl"), _resource(entry)
    if type(url) is not str or resource is None:
        return
    kind, identifier = resource.get("resourceType"), resource.get("id")
    if ":" not in url:
        message = f"{quoted(url)} is not absolute; a fullUrl is an http(s) URL, urn:uuid:… or urn:oid:…"
        run.error("value", message, below(place, "fullUrl"), "fullUrl")
    elif "/_history/" in url:
        message = "a fullUrl names no version; leave out /_history/… (meta.versionId says it)"
        run.error("invariant", message, below(place, "fullUrl"), "bdl-8")
    elif url.startswith(("http://", "https://")) and type(identifier) is str and type(kind) is str:
        named = url.rstrip("/").rsplit("/", 2)
        if len(named) == 3 and named[-2] == kind and named[-1] != identifier:
            message = f"the fullUrl ends in {quoted(named[-1])} but the resource's id is {quoted(identifier)}"
            run.error("value", f"{message}; make them agree", below(place, "fullUrl"), "fullUrl")


def _check_verbs(entry: dict[str, Any], kind: Any, place: Place, run: Run) -> None:
    request = entry.get("request")
    if kind in ("transaction", "batch") and type(request) is dict:
        method = request.get("method")
        if method in ("POST", "PUT") and "resource" not in entry:
            message = f"a {method} needs the resource to store in this entry"
            run.error("required", message, place, "bundle-request")
        url = request.get("url")
        if type(url) is str and url.startswith("/"):
            message = f"{quoted(url)} starts with a slash; write it relative to the base, such as Patient/1"
            run.warn("value", message, below(below(place, "request"), "url"), "bundle-request")


def _check_composition(bundle: dict[str, Any], index: BundleIndex, place: Place, run: Run) -> None:
    """What a document's Composition refers to is in the document (FHIR R4 documents page)."""
    for number, entry in entries(bundle):
        composition = _resource(entry)
        if number == 0 and composition is not None and composition.get("resourceType") == "Composition":
            at = below(below(place, "entry", 0), "resource")
            for reference, where in _references(composition, _REFERRED, at):
                if not index.includes(reference, composition):
                    message = f"{quoted(reference)} is not in this document; add an entry with that fullUrl"
                    run.error("not-found", message, where, "document-reference")


_Tree: TypeAlias = "dict[str, _Tree | None]"
_SECTION: _Tree = {"author": None, "focus": None, "entry": None}
_SECTION["section"] = _SECTION
_REFERRED: _Tree = {
    **dict.fromkeys(("subject", "encounter", "author", "custodian")),
    "attester": {"party": None},
    "event": {"detail": None},
    "section": _SECTION,
}
"""The elements of a Composition whose targets a document includes; None marks a reference."""


def _references(value: dict[str, Any], tree: _Tree, place: Place) -> Iterator[tuple[str, Place]]:
    """The literal references to other resources at some elements, with their places."""
    if place[3] > DEPTH:
        return
    for name, inner in tree.items():
        found = value.get(name)
        listed: list[Any] = found if type(found) is list else [found]
        for index, one in enumerate(listed):
            if type(one) is not dict:
                continue
            at = below(place, name, index if listed is found else -1)
            if inner is not None:
                yield from _references(one, inner, at)
            else:
                reference = one.get("reference")
                if type(reference) is str and reference[:1] not in ("", "#"):
                    yield reference, at


def _check_first(value: dict[str, Any], kind: str, place: Place, run: Run) -> None:
    """A document starts with its Composition, a message with its MessageHeader (bdl-11, bdl-12)."""
    listed = value.get("entry")
    if not listed:
        wanted = "Composition" if kind == "document" else "MessageHeader"
        message = f"a {kind} Bundle has entries, the first of them a {wanted}"
        run.error("required", message, place, "bdl-11" if kind == "document" else "bdl-12")
