"""Observation-based extraction, prepared: which items become Observations, with which codes, and how related.

SDC 4.0, Form Data Extraction, Observation-based extraction. observationExtract is inherited from the nearest
ancestor that has it, false included; codes tagged true stand alone; a code (``component``, ``member``,
``derived``, ``independent``) says how an Observation relates to that of the item above it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.domain.issues import warning
from service.fhir.extraction.entries import PLAIN, EntryRule, compile_entry
from service.fhir.extraction.formulas import ITEM
from service.fhir.extraction.places import Scopes
from service.fhir.forms import urls
from service.fhir.forms.elements import extension_value, extension_values, extensions, objects
from service.fhir.forms.expressions import allocated_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.fhir.extraction.formulas import Compilation
    from service.fhir.forms import Form, FormItem

Json = dict[str, Any]
Flag = bool | str | None

RELATIONS = ("component", "member", "derived", "independent")
"""The codes of SDC's observation-extract-relationship."""
_CATEGORY = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observation-extract-category"


@dataclass(frozen=True, slots=True)
class ItemObservations:
    """What an item becomes: ``relation`` is None where it is no Observation itself.

    ``fixed`` holds the elements that are the same each time. ``subjects`` names the items right below whose
    answer says whom that group is about (SDC, isSubject).
    """

    relation: str | None = None
    fixed: Json = field(default_factory=dict)
    unit: Json | None = None
    group: bool = True
    rule: EntryRule = PLAIN
    ids: tuple[str, ...] = ()
    source: Json = field(default_factory=dict)
    place: str = "Questionnaire"
    subjects: frozenset[str] = frozenset()
    children: Mapping[str, ItemObservations] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observations:
    """All that a form says of Observations.

    ``placed``: some entry has expressions of its own. ``tied``: some Observation belongs to another.
    """

    root: ItemObservations
    placed: bool
    tied: bool

    def __bool__(self) -> bool:
        """Whether anything becomes an Observation."""
        return bool(self.root.children)


def compile_observations(form: Form, compilation: Compilation) -> Observations:
    """The form's Observations."""
    maker = _Compiler(form, compilation)
    flag = maker.flag(form.source, "Questionnaire", form.source.get("code"))
    children = maker.items(form.items, flag, _categories(form.source), related=False)
    root = ItemObservations(subjects=_subjects(form.items), children=children)
    return Observations(root, maker.placed, maker.tied)


class _Compiler:
    def __init__(self, form: Form, compilation: Compilation) -> None:
        self.compilation = compilation
        self.scopes = Scopes(form)
        self.placed = False
        self.tied = False

    def items(
        self, items: tuple[FormItem, ...], above: Flag, categories: list[Any], *, related: bool
    ) -> dict[str, ItemObservations]:
        found: dict[str, ItemObservations] = {}
        for item in items:
            made = self._item(item, above, categories, related)
            if made is not None:
                found.setdefault(item.link_id, made)
        return found

    def _item(
        self, item: FormItem, above: Flag, categories: list[Any], related: bool
    ) -> ItemObservations | None:
        if item.is_display:
            return None
        source = item.source
        own = self.flag(source, item.place, source.get("code"))
        flag = above if own is None else own
        mine = _categories(source) or categories
        codes, relation = self._codes(item, own, flag)
        children = self.items(item.children, flag, mine, related=related or relation is not None)
        subjects = _subjects(item.children)
        if relation is None and not children:
            return None
        if relation in ("component", "member", "derived") and not related:
            said = f"{item.link_id} is to be a {relation} of an Observation above it, and there is none"
            self.compilation.issues.append(
                warning("business-rule", f"{said}; it stands alone", item.place, "extraction")
            )
        if relation is not None and relation != "independent":
            self.tied = True
        rule = self._rule(item) if relation is not None else PLAIN
        return ItemObservations(
            relation,
            _fixed(codes, [one for code in codes for one in _categories(code)] or mine),
            _unit(source),
            item.is_group,
            rule,
            allocated_ids(source),
            source,
            item.place,
            subjects,
            children,
        )

    def flag(self, source: Json, place: str, codes: Any) -> Flag:
        """What an element itself says: true, false, a relation or None; false where it contradicts itself."""
        values = extension_values(source, urls.OBSERVATION_EXTRACT)
        kinds = [*values, *(value for code in _dicts(codes) for value in _own(code))]
        if any(not isinstance(value, bool) and value not in RELATIONS for value in kinds):
            said = f"observationExtract takes true, false or one of {', '.join(RELATIONS)}"
            self.compilation.fault("value", said, place)
            return False
        if len({isinstance(value, bool) for value in kinds}) > 1 or len(values) > 1:
            said = "observationExtract is either true or false, or a code, all over one item"
            self.compilation.fault("business-rule", said, place)
            return False
        return values[0] if values else None

    def _codes(self, item: FormItem, own: Flag, flag: Flag) -> tuple[list[Json], str | None]:
        """The codes that are extracted, and the relation; None where the item is not extracted."""
        codes = [code for code in _dicts(item.source.get("code")) if code.get("code") or code.get("display")]
        said = [(code, next(iter(_own(code)), None)) for code in codes]
        # An item that contradicts itself (reported by flag) is not extracted, whatever its codes say.
        if own is False and any(isinstance(value, str) for _, value in said):
            return [], None
        tagged = [code for code, value in said if value is not None and value is not False]
        if tagged:
            relation = next((value for _, value in said if isinstance(value, str)), flag)
            return tagged, relation if isinstance(relation, str) else "independent"
        left = [code for code, value in said if value is not False]
        if flag is None or flag is False or not left:
            return [], None
        return left, flag if isinstance(flag, str) else "independent"

    def _rule(self, item: FormItem) -> EntryRule:
        for index, extension in extensions(item.source, urls.OBSERVATION_EXTRACT_ENTRY):
            at = f"{item.place}.extension[{index}]"
            rule = compile_entry(self.compilation, extension, at, self.scopes.of(item), ITEM)
            if rule.formulas:
                self.placed = True
            return rule
        return PLAIN


def _own(code: Json) -> list[Any]:
    return extension_values(code, urls.OBSERVATION_EXTRACT)


def _dicts(value: Any) -> list[Json]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _categories(source: Json) -> list[Any]:
    return [one for one in extension_values(source, _CATEGORY) if isinstance(one, dict)]


def _fixed(codes: list[Json], categories: list[Any]) -> Json:
    found: Json = {"category": categories} if categories else {}
    return {**found, "code": {"coding": [_plain(code) for code in codes]}}


def _plain(code: Json) -> Json:
    """A code without the extensions that only speak of extraction."""
    kept = [
        one
        for _, one in objects(code, "extension")
        if one.get("url") not in (urls.OBSERVATION_EXTRACT, _CATEGORY)
    ]
    found = {name: value for name, value in code.items() if name != "extension"}
    return {**found, "extension": kept} if kept else found


def _unit(source: Json) -> Json | None:
    """The Quantity elements of the item's fixed unit (questionnaire-unit)."""
    coding = extension_value(source, urls.UNIT)
    if not isinstance(coding, dict):
        return None
    found = {"unit": coding.get("display") or coding.get("code")}
    found |= {name: coding.get(name) for name in ("system", "code")}
    return {name: value for name, value in found.items() if value is not None}


def _subjects(items: tuple[FormItem, ...]) -> frozenset[str]:
    return frozenset(item.link_id for item in items if extension_value(item.source, urls.IS_SUBJECT) is True)
