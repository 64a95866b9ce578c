"""The Provenance of one submission: what came of which version of the form, and from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.operations.representation import instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.operations.identity import Identity

Resource = dict[str, Any]
_AGENTS = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_ACTIVITIES = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


def id_of(identity: Identity, version: int) -> str:
    """The id of the Provenance of the submission that made this version of the form."""
    return identity.result(f"Provenance {version}")


def make(
    form: Resource, identity: Identity, version: int, targets: Sequence[str], now: datetime, software: str
) -> Resource:
    """The Provenance: every target that the submission made, changed or withdrew, with the form as source."""
    author = form.get("author")
    activity = ("CREATE", "create") if version == 1 else ("UPDATE", "revise")
    return {
        "resourceType": "Provenance",
        "id": id_of(identity, version),
        "target": [{"reference": target} for target in targets],
        "recorded": instant(now),
        "activity": {"coding": [{"system": _ACTIVITIES, "code": activity[0], "display": activity[1]}]},
        "agent": [
            {
                "type": {"coding": [{"system": _AGENTS, "code": "author", "display": "Author"}]},
                "who": author if isinstance(author, dict) else {"display": "not stated in the form"},
            },
            {
                "type": {"coding": [{"system": _AGENTS, "code": "assembler", "display": "Assembler"}]},
                "who": {"type": "Device", "display": software or "htg117"},
            },
        ],
        "entity": [
            {
                "role": "source",
                "what": {"reference": f"QuestionnaireResponse/{identity.id}/_history/{version}"},
            }
        ],
    }
