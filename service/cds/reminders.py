"""What needs attention, as CDS Hooks cards: one card a rule, with what it speaks of and what is proposed."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from service.cds.attention import applies, attend, forms_of, variables_of
from service.cds.cards import LONGEST_SUMMARY, card, source_of, unread_lines, when
from service.cds.links import form_link
from service.cds.suggestions import create, drafts, in_progress, offered, suggestion
from service.cds.tables import escape, is_absolute, plain, published, table
from service.cds.wording import INDICATORS, paragraphs
from service.fhir.plans import Application, Circumstances, apply, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from service.cds.attention import Attention, Gathered, Kept, Matter
    from service.cds.faces import Faces
    from service.cds.model import Showing

Resource = dict[str, Any]
MOST_SUGGESTIONS = 10
_RANK = {"critical": 0, "warning": 1, "info": 2}


def attention_cards(
    attention: Attention, gathered: Gathered, hook: str, showing: Showing, faces: Faces
) -> list[Resource]:
    """The cards of what is recorded of a patient, the most urgent first.

    None only where nothing is recorded that the rules are about, and all of the record could be read.
    """
    matters = attend(attention, gathered, hook)
    if not matters:
        return [_unread_card(attention, gathered, showing, faces)] if gathered.unread else []
    variables = variables_of(attention, gathered, hook)
    maker = _Maker(attention, gathered, variables, showing, faces)
    ordered = sorted(matters, key=_place)  # stable: within one rule as found
    cards = [maker.card(list(group)) for _, group in groupby(ordered, key=_place)]
    return sorted(cards, key=lambda one: _RANK[one["indicator"]])


def _place(matter: Matter) -> tuple[bool, str]:
    """What goes on one card: one rule's matters; what cannot be told for one reason, whatever the rule."""
    return (matter.known, matter.rule.id if matter.known else matter.title)


class _Maker:
    """The cards of one call."""

    def __init__(
        self,
        attention: Attention,
        gathered: Gathered,
        variables: Mapping[str, Any],
        showing: Showing,
        faces: Faces,
    ) -> None:
        self._attention = attention
        self._gathered = gathered
        self._variables = variables
        self._showing = showing
        self._faces = faces
        self._face = faces.of(attention.plan)

    def card(self, matters: Sequence[Matter]) -> Resource:
        """The card of one rule's matters, or of one reason for not knowing."""
        first = matters[0]
        about = list({id(matter.about): matter.about for matter in matters}.values())
        summary = first.title if len(about) == 1 or not first.known else f"{first.rule.title} ({len(about)})"
        indicator = INDICATORS.get(first.rule.action.get("priority", ""), "info") if first.known else "info"
        suggestions: list[Resource] = []
        links = [self._face.guidance] if self._face.guidance else []
        links += _cited_links(matters, {one["url"] for one in links})
        if first.known:
            made = (one for matter in matters for one in self._proposals(matter, len(matters) > 1))
            suggestions = list(islice(made, MOST_SUGGESTIONS))  # no more are made than are shown
            links += self._forms_to_open(first)
        elif self._showing.form_app:
            links += [self._form_link(_form(one), one.source) for one in about if _form(one)]
        return card(
            plain(summary, LONGEST_SUMMARY),
            self._detail(matters, about),
            indicator,
            self._face,
            self._showing,
            offered(suggestions, "any"),
            links,
        )

    def _detail(self, matters: Sequence[Matter], about: Sequence[Kept]) -> str:
        first = matters[0]
        lead = f"**{escape(first.title) if len(about) == 1 else published(first.rule.title)}**"
        parts = [lead]
        texts = dict.fromkeys(escape(one.text, 1200) for one in matters if one.text)
        parts += texts
        cited = dict.fromkeys(paragraphs(matter.rule.citations) for matter in matters)
        parts.append("Paragraphs: " + "; ".join(cited))
        if len(about) > 1:
            rows = [(escape(matter.title), self._source(matter.about)) for matter in matters]
            parts.append(table(("What", "Source"), rows))
        parts += self._read(about)
        parts += unread_lines(self._gathered.unread)
        if first.known and first.rule.action.get("action"):
            parts.append("What is proposed is the professional's to choose. Nothing is preselected.")
        return "\n\n".join(parts)

    def _read(self, about: Sequence[Kept]) -> list[str]:
        """What the card rests on: each form and event, when it was written, and where it lies."""
        rows = [
            (escape(self._title(_form(one))), when(one.resource.get("authored")), self._source(one))
            for one in forms_of(self._attention, self._gathered)
        ]
        rows += [
            (escape(_name(one.resource)), when(_date(one.resource)), self._source(one))
            for one in {id(one): one for one in (*about, *self._gathered.unreported)}.values()
            if not _form(one)
        ]
        return ["**What was read**\n\n" + table(("Record", "Date", "Source"), rows)]

    def _proposals(self, matter: Matter, several: bool) -> Iterator[Resource]:
        """The suggestions of one matter: its drafts, and its forms where no application opens them."""
        chosen = [
            one
            for one in matter.rule.action.get("action", ())
            if applies(one, self._attention, matter.about, self._variables)
        ]
        made = self._applied([one for one in chosen if not self._questionnaire(one)], matter)
        for title, actions in made:
            yield suggestion(_label(title, matter, several), actions, self._showing)
        for one in chosen:
            questionnaire = self._questionnaire(one)
            if questionnaire and not self._showing.form_app:
                title = str(one.get("title"))
                form = {"resourceType": "QuestionnaireResponse", "questionnaire": canonical(questionnaire)}
                started = create(title, in_progress(form, self._showing))
                yield suggestion(_label(title, matter, several), [started], self._showing)

    def _applied(self, actions: list[Resource], matter: Matter) -> Iterator[tuple[str, list[Resource]]]:
        showing = self._showing
        resource = matter.about.resource
        bare = [{name: value for name, value in one.items() if name != "condition"} for one in actions]
        definition = {
            name: self._attention.plan.get(name) for name in ("resourceType", "id", "url", "version")
        }
        applied = apply(
            Application(
                definition | {"action": bare},
                None,
                resource,
                Circumstances(showing.patient, showing.now, showing.encounter, showing.user or None),
                self._variables,
                self._faces.content.resolve,
            )
        )
        own = f"{resource['resourceType']}/{resource.get('id')}"
        for action in applied.actions:
            yield str(action.get("title", "")), drafts(action, applied, own, matter.about.source)

    def _questionnaire(self, action: Resource) -> Resource | None:
        """The form that an action proposes to fill in, where it names one and not an activity."""
        found = self._faces.content.resolve(str(action.get("definitionCanonical", "")))
        return found if found and found["resourceType"] == "Questionnaire" else None

    def _forms_to_open(self, matter: Matter) -> Iterator[Resource]:
        for action in matter.rule.action.get("action", ()):
            questionnaire = self._questionnaire(action)
            if questionnaire and self._showing.form_app:
                yield self._form_link(canonical(questionnaire), None)

    def _form_link(self, form: str, source: str | None) -> Resource:
        return form_link(self._title(form), form, source, str(self._showing.form_app))

    def _source(self, kept: Kept) -> str:
        return source_of(kept.source, self._showing.base)

    def _title(self, form: str) -> str:
        found = self._faces.content.resolve(form.split("|", maxsplit=1)[0]) or {}
        return str(found.get("title", form))


def _unread_card(attention: Attention, gathered: Gathered, showing: Showing, faces: Faces) -> Resource:
    """The card that says that nothing can be told, because part of the record could not be read."""
    title = str(attention.group.get("title", ""))
    detail = [f"**{published(title)}**", *unread_lines(gathered.unread)]
    face = faces.of(attention.plan)
    links = [face.guidance] if face.guidance else []
    summary = plain(f"{title}: not known, the record could not be read", LONGEST_SUMMARY)
    return card(summary, "\n\n".join(detail), "info", face, showing, {}, links)


def _cited_links(matters: Iterable[Matter], held: set[str]) -> Iterator[Resource]:
    """Links to what the rules cite beside the guidance."""
    for matter in matters:
        for one in matter.rule.citations:
            if is_absolute(one.url) and one.url not in held:
                held.add(one.url)
                yield {"label": plain(one.text or one.label), "url": one.url, "type": "absolute"}


def _label(title: str, matter: Matter, several: bool) -> str:
    """The title, and of several alike what it is about."""
    return f"{title}: {matter.name}" if several and matter.name else title


def _form(kept: Kept) -> str:
    return str(kept.resource.get("questionnaire", ""))


def _name(resource: Resource) -> str:
    """What a resource is about, in the words of its event or code; else its type.

    What an EHR sends beside forms has passed no gate: what is not FHIR in it is passed over.
    """
    concept = resource.get("event") or resource.get("code")
    if not isinstance(concept, dict):
        return str(resource["resourceType"])
    codings = concept.get("coding")
    entries = [one for one in codings if isinstance(one, dict)] if isinstance(codings, list) else []
    said = (concept.get("text"), *(one.get("display") for one in entries), resource["resourceType"])
    return next(one for one in said if isinstance(one, str) and one)


def _date(resource: Resource) -> str | None:
    """When it happened, as FHIR text; else when it was written down."""
    period = resource.get("performedPeriod")
    begun = period.get("start") if isinstance(period, dict) else None
    names = ("date", "performedDateTime", "recordedDate")
    said = (*(resource.get(name) for name in names), begun)
    return next((one for one in said if isinstance(one, str) and one), None)
