"""A plan's proposals as CDS Hooks suggestions: complete draft resources that the clinician may take.

CDS Hooks 2.0.1, Suggestion and Action. A proposal is never preselected, so none is marked as recommended,
and no order of the clinician's own is changed: there is no ``update`` and no ``delete`` here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.cds.tables import plain
from service.fhir.plans import Setting, render_guidance_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.cds.model import Assessed, Showing
    from service.fhir.plans import Applied

Resource = dict[str, Any]
_LABEL = 80
_CHOSEN = ("any", "at-most-one")
_FIRST_WITH_CHOICE = 3


def proposed(applied: Applied, assessed: Assessed, showing: Showing) -> list[Resource]:
    """A suggestion for each proposal of the evaluation, in the plan's order, with its drafts.

    A proposal that is a plan of its own has several. Where the clinician may choose among them, each is a
    suggestion; a client that knows CDS Hooks 3.0 gets one suggestion that says so.
    """
    made: list[Resource] = []
    proposals = [proposal.action for proposal in assessed.evaluation.proposals]
    held = _actions(applied.actions, proposals) if proposals else {}
    for name in proposals:
        if name in held:
            made += _suggestions(held[name], applied, assessed, showing)
    return made


def form_in_progress(assessed: Assessed, title: str, showing: Showing) -> Resource | None:
    """The suggestion that creates the pre-filled form, for somebody to complete; None of a recorded form.

    ``title`` is the form's. The response is the patient's, the hook's user its author.
    """
    if assessed.recorded:
        return None
    response = in_progress(assessed.form, showing)
    said = f"Create the form as far as the record fills it, to be completed: {title}"
    return suggestion(f"Start the pre-filled form: {title}", [create(said, response)], showing)


def in_progress(form: Resource, showing: Showing) -> Resource:
    """The form as a new response in progress: of the hook's patient, by its user, in its encounter.

    A hook that names no user (order-dispatch) leaves the author out.
    """
    response = {name: value for name, value in form.items() if name not in ("id", "meta", "text")}
    response |= {"status": "in-progress", "subject": {"reference": showing.patient}}
    if showing.user:
        response["author"] = {"reference": showing.user}
    response.setdefault("authored", showing.now)
    if showing.encounter:
        response["encounter"] = {"reference": showing.encounter}
    return response


def suggestion(label: str, actions: list[Resource], showing: Showing, choice: str | None = None) -> Resource:
    """One suggestion. ``choice`` is CDS Hooks 3.0's actionSelectionBehavior, for a client that knows it."""
    made: Resource = {
        "label": plain(label, _LABEL),
        "uuid": showing.new_id(),
        "isRecommended": False,
        "actions": actions,
    }
    if choice is not None and showing.revision >= _FIRST_WITH_CHOICE:
        made["actionSelectionBehavior"] = choice
    return made


def create(description: str, resource: Resource) -> Resource:
    """The action that creates a resource."""
    return {"type": "create", "description": plain(description), "resource": resource}


def offered(suggestions: list[Resource], behaviour: str) -> Resource:
    """The card's elements for its suggestions: none where there are none."""
    return {"suggestions": suggestions, "selectionBehavior": behaviour} if suggestions else {}


def system_actions(assessed: Assessed, said: Iterable[str], showing: Showing) -> list[Resource]:
    """What a client that asks for it may do by itself: record that the guidance answered, and what.

    ``said`` are the summaries of the cards. Nothing that is proposed for the patient is among them.
    """
    if not showing.system_actions:
        return []
    form = assessed.form | {"subject": {"reference": showing.patient}}
    if showing.encounter:
        form["encounter"] = {"reference": showing.encounter}
    response = render_guidance_response(assessed.evaluation, form, Setting("", showing.now))
    response["note"] = [{"text": text} for text in said]
    return [create("Record the answer of the guidance", response)]


def _suggestions(action: Resource, applied: Applied, assessed: Assessed, showing: Showing) -> list[Resource]:
    own = f"{assessed.form['resourceType']}/{assessed.form.get('id')}"
    leaves = drafts(action, applied, own, assessed.source if assessed.recorded else None)
    title = str(action.get("title", ""))
    if len(leaves) <= 1:
        return [suggestion(title, leaves, showing)] if leaves else []
    choice = action.get("selectionBehavior", _inner_choice(action))
    if choice not in _CHOSEN:
        return [suggestion(title, leaves, showing)]
    if showing.revision < _FIRST_WITH_CHOICE:
        return [suggestion(leaf["description"], [leaf], showing) for leaf in leaves]
    return [suggestion(title, leaves, showing, choice)]


def _inner_choice(action: Resource) -> str | None:
    """How the groups below choose; a plan that is taken up as a proposal brings its own groups."""
    for child in action.get("action", ()):
        if "action" in child:
            found = child.get("selectionBehavior")
            return found if isinstance(found, str) else None
    return None


def drafts(
    action: Resource, applied: Applied, own: str, source: str | None, title: str = ""
) -> list[Resource]:
    """An action that creates each draft at or below an action of the plan.

    A draft about the resource that the plan was applied to (``own``, ``Type/id``) leads to where that lies
    (``source``), or to nothing where it is not recorded anywhere.
    """
    made: list[Resource] = []
    title = str(action.get("title") or title)
    if "resource" in action:
        draft = applied.requests.get(str(action["resource"].get("reference", "")).removeprefix("#"))
        if draft is not None:
            made.append(create(title or str(draft["resourceType"]), _complete(draft, own, source)))
    for child in action.get("action", ()):
        made += drafts(child, applied, own, source, title)
    return made


def _complete(draft: Resource, own: str, source: str | None) -> Resource:
    if draft.get("focus", {}).get("reference") != own:
        return draft
    rest = {name: value for name, value in draft.items() if name != "focus"}
    return rest | {"focus": {"reference": source}} if source else rest


def _actions(actions: Iterable[Resource], names: Iterable[str]) -> dict[str, Resource]:
    """The actions of these ids, at whatever depth."""
    wanted, found, waiting = frozenset(names), {}, list(actions)
    for action in waiting:  # which grows
        name = action.get("id")
        if name in wanted:
            found[name] = action
        if "action" in action:
            waiting += action["action"]
    return found
