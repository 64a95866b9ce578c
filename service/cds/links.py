"""The links of a card: the guidance itself, and the form in a SMART application where there is one.

CDS Hooks 2.0.1, Link: ``absolute`` addresses are opened as they are; ``smart`` ones are launched, with
``appContext`` for the application.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from service.cds.tables import plain

if TYPE_CHECKING:
    from service.cds.faces import Face
    from service.cds.model import Showing

Resource = dict[str, Any]


def links(face: Face, form: str, source: str | None, showing: Showing) -> list[Resource]:
    """The card's links. ``form`` is the Questionnaire's canonical, ``source`` leads to a recorded response.

    What the application is told names the form and the response, and holds nothing of the patient: the
    launch itself brings the patient.
    """
    found = [face.guidance] if face.guidance else []
    if showing.form_app:
        found.append(form_link(face.form, form, source, showing.form_app))
    return found


def form_link(title: str, form: str, source: str | None, app: str) -> Resource:
    """The link that launches the form application for one form."""
    told = {"questionnaire": form} | ({"questionnaireResponse": source} if source else {})
    label = plain(f"Open the form: {title}", 80) if title else "Open the form"
    return {"label": label, "url": app, "type": "smart", "appContext": json.dumps(told)}
