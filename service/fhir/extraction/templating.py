"""Template-based extraction (SDC 4.0): a form's templates beside their items, and the walk that fills them.

A template on an item makes a resource for each answer of a question and for each repetition of a group; its
context is the response's item. One on the form's root is filled once, over the response.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.fhir.extraction.entries import EntryRule, compile_entry
from service.fhir.extraction.formulas import ITEM, ROOT
from service.fhir.extraction.places import Scopes, allocate, answered, item_node, occurrences
from service.fhir.extraction.templates import Many, compile_template
from service.fhir.forms import urls
from service.fhir.forms.elements import child, extensions, objects, text
from service.fhir.forms.expressions import allocated_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.fhir.extraction.entries import Entries
    from service.fhir.extraction.formulas import Compilation
    from service.fhir.extraction.places import Place
    from service.fhir.extraction.running import Site
    from service.fhir.forms import Form, FormItem

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Use:
    """One use of a template: what makes its resources, the rule of their entries, its place in the form."""

    make: Many
    rule: EntryRule
    place: str
    number: int


@dataclass(frozen=True, slots=True)
class ItemTemplates:
    """The templates of an item, and those of the items below that have any."""

    uses: tuple[_Use, ...] = ()
    ids: tuple[str, ...] = ()
    source: Json = field(default_factory=dict)
    question: bool = False
    children: Mapping[str, ItemTemplates] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Templates:
    """All templates of a form: of its root, a Bundle as a whole, and those of its items."""

    root: ItemTemplates
    bundle: _Use | None

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.root.uses or self.root.children or self.bundle)


def compile_templates(form: Form, compilation: Compilation) -> Templates:
    """The form's templates, each compiled for the place where it is used."""
    scopes = Scopes(form)
    maker = _Compiler(form, compilation, scopes)
    uses = maker.uses(form.source, "Questionnaire", scopes.root, ROOT)
    bundle = maker.bundle(form.source)
    return Templates(
        ItemTemplates(uses, allocated_ids(form.source), form.source, children=maker.items(form.items)), bundle
    )


class _Compiler:
    def __init__(self, form: Form, compilation: Compilation, scopes: Scopes) -> None:
        self.form = form
        self.compilation = compilation
        self.scopes = scopes

    def items(self, items: tuple[FormItem, ...]) -> dict[str, ItemTemplates]:
        found: dict[str, ItemTemplates] = {}
        for item in items:
            scope = self.scopes.of(item)
            uses = self.uses(item.source, item.place, scope, ITEM) if "extension" in item.source else ()
            children = self.items(item.children)
            if uses or children:
                ids = allocated_ids(item.source)
                found.setdefault(
                    item.link_id, ItemTemplates(uses, ids, item.source, item.is_question, children)
                )
        return found

    def uses(
        self, source: Json, place: str, scope: Mapping[str, str | None], context: str
    ) -> tuple[_Use, ...]:
        found = []
        for number, (index, extension) in enumerate(extensions(source, urls.TEMPLATE_EXTRACT)):
            at = f"{place}.extension[{index}]"
            # SDC before 4.0 had the reference as the extension's own value.
            reference = child(extension, "valueReference")
            for _, part in objects(extension, "extension"):
                if part.get("url") == "template":
                    reference = child(part, "valueReference")
            made = self._template(reference, at, scope)
            if made is not None:
                rule = compile_entry(self.compilation, extension, at, scope, context)
                found.append(_Use(made, rule, at, number))
        return tuple(found)

    def bundle(self, source: Json) -> _Use | None:
        for index, extension in extensions(source, urls.TEMPLATE_EXTRACT_BUNDLE):
            at = f"Questionnaire.extension[{index}]"
            reference = child(extension, "valueReference")
            made = self._template(reference, at, self.scopes.root, "Bundle")
            if made is not None:
                return _Use(made, EntryRule(), at, 0)
        return None

    def _template(
        self, reference: Json, place: str, scope: Mapping[str, str | None], kind: str | None = None
    ) -> Many | None:
        written = text(reference, "reference") or ""
        template = self.form.contained.get(written[1:]) if written.startswith("#") else None
        if template is None:
            said = (
                "the template is no resource contained in this Questionnaire; contain it and name it with #"
            )
            self.compilation.fault("not-found", said, place)
            return None
        if kind is not None and template.get("resourceType") != kind:
            self.compilation.fault("invalid", f"the template is no {kind}", place)
            return None
        if not isinstance(template.get("resourceType"), str):
            self.compilation.fault("structure", "the template has no resourceType", place)
            return None
        index = next(number for number, one in objects(self.form.source, "contained") if one is template)
        return compile_template(self.compilation, template, f"Questionnaire.contained[{index}]", scope)


def extract_templates(templates: Templates, entries: Entries, root: Place) -> None:
    """Adds what the templates extract to. ``root`` is the response as a place."""
    if templates.bundle is not None:
        _extract_bundle(templates.bundle, entries, root)
    site = root.site
    for use in templates.root.uses:
        _fill(use, entries, site, root.name)
    if templates.root.children:
        _walk(templates.root.children, entries, root)


def _walk(known: Mapping[str, ItemTemplates], entries: Entries, above: Place) -> None:
    for plan, place in occurrences(above, known):
        source = place.node.value
        answers = source.get("answer")
        if not answered(source):
            continue
        if plan.question and plan.uses and isinstance(answers, list) and len(answers) > 1:
            # A resource for each answer: each is seen as the item with that answer alone.
            for number, answer in enumerate(answers):
                alone = item_node({**source, "answer": [answer]}, place.node.parent, place.index)
                one = place.moved(alone, f"{place.key}.{number}", f"{place.name}.answer[{number}]")
                if answered(alone.value):
                    _occurrence(plan, entries, allocate(entries.run, one, plan.ids, plan.source))
        else:
            _occurrence(plan, entries, allocate(entries.run, place, plan.ids, plan.source))


def _occurrence(plan: ItemTemplates, entries: Entries, place: Place) -> None:
    if plan.uses:
        site = place.site
        for use in plan.uses:
            _fill(use, entries, site, place.name)
    if plan.children:
        _walk(plan.children, entries, place)


def _fill(use: _Use, entries: Entries, site: Site, place: str) -> None:
    pieces = use.make(site.context, site, entries.run)
    for number, (resource, _) in enumerate(pieces):
        key = f"{site.key}#templateExtract[{use.number}]" + (f".{number}" if len(pieces) > 1 else "")
        if not isinstance(resource, dict) or "resourceType" not in resource:
            entries.run.fault("value", "the template does not give a resource", use.place)
            continue
        entries.add(resource, use.rule, site, place, key, entries.full_url(use.rule, key, site))


def _extract_bundle(use: _Use, entries: Entries, root: Place) -> None:
    site = root.site
    for bundle, _ in use.make(site.context, site, entries.run):
        if not isinstance(bundle, dict):
            continue
        for number, (_, entry) in enumerate(objects(bundle, "entry")):
            # A context that finds nothing may have taken the resource from its entry: nothing to write then.
            if isinstance(entry.get("resource"), dict):
                entries.take(entry, root.name, f"{site.key}#templateExtractBundle[{number}]")
            elif child(entry, "request").get("method") in ("DELETE", "GET", "HEAD", "PATCH"):
                entries.bundle.append(entry)
