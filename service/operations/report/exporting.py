"""``export``: the report as files, each kept byte for byte as DocumentReference and Binary, with its hash."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from service.domain.errors import NotFound, Unprocessable, Unsupported
from service.domain.issues import error
from service.fhir.json_text import encode
from service.operations.ports import Write
from service.operations.report.cases import Export, content_of
from service.operations.report.changing import Changed, change
from service.operations.report.drafting import require_current
from service.operations.report.steps import require_clear, require_reported
from service.yellow_card.states import Step, move

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.operations.report.cases import Case
    from service.operations.report.changing import Done
    from service.operations.report.desk import Desk
    from service.yellow_card.rendered import Rendered

Resource = dict[str, Any]


def export(
    desk: Desk,
    case: str,
    who: str,
    *,
    kinds: Sequence[str] = (),
    expected: int | None = None,
) -> Done:
    """The report prepared: every rendering that can be made is made and kept; none named means all.

    What cannot be made is kept as a sentence (``Case.unmade``). Unprocessable where none can be made, or
    where something may still identify the patient. Exporting again makes and keeps the files again.
    """
    for kind in kinds:
        if kind not in desk.renderers:
            known = ", ".join(desk.renderers) or "none"
            raise NotFound(f"there is no rendering '{kind[:40]}'; there are: {known}", expression="kind")

    def do(held: Case, now: str) -> Changed:
        require_reported(held)
        require_current(desk, held)
        require_clear(desk, held)
        moved = move(held.report, Step.EXPORT, who=who, when=now, what="prepared")
        made, unmade = _render(desk, moved, kinds)
        if not made:
            raise Unprocessable(
                "no rendering can be made",
                issues=[error("processing", f"{kind}: {said}") for kind, said in unmade],
            )
        exports, writes = [], []
        for one in made:
            moved = replace(moved, number=one.numbers[0]) if one.numbers else moved
            kept, more = keep(desk, held, one, who, now)
            exports.append(kept)
            writes += more
        told = f"prepared: {', '.join(one.kind for one in exports)}"
        moved = replace(moved, changes=(*moved.changes[:-1], replace(moved.changes[-1], what=told)))
        done = replace(held, report=moved, exports=(*held.exports, *exports), unmade=tuple(unmade))
        return Changed(done, tuple(writes), says=told)

    return change(desk, case, do, expected=expected)


def _render(desk: Desk, report: Any, kinds: Sequence[str]) -> tuple[list[Rendered], list[tuple[str, str]]]:
    made, unmade = [], []
    for kind in kinds or desk.renderers:
        try:
            found = desk.renderers[kind](report, desk.site)
        except Unsupported as fault:
            # Not for this branch at all: worth a word only where somebody counts on it.
            if kind in kinds or kind == desk.gateway:
                unmade.append((kind, str(fault)))
        except Unprocessable as fault:
            said = "; ".join(str(issue) for issue in fault.issues)
            unmade.append((kind, said if len(fault.issues) == 1 else f"{fault}: {said}"))
        else:
            made.append(replace(found, kind=kind))
    return made, unmade


def keep(
    desk: Desk, case: Case, made: Rendered, who: str, now: str, *, binary: str | None = None
) -> tuple[Export, list[Write]]:
    """How a file is kept: its entry on the case, and the DocumentReference and Binary that are stored.

    ``binary`` is ``Binary/id`` where the file is kept already, for another case in it.
    """
    there = binary is not None
    document = desk.new_id()
    binary = binary.partition("/")[2] if binary is not None else desk.new_id()
    sha256 = hashlib.sha256(made.body)
    sha1 = hashlib.sha1(made.body, usedforsecurity=False)
    named = base64.urlsafe_b64encode(sha256.digest()).rstrip(b"=").decode()
    reference: Resource = {
        "resourceType": "DocumentReference",
        "id": document,
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{document}"},
        "identifier": [
            {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{case.id}"},
            {"system": "urn:ietf:rfc:3986", "value": f"ni:///sha-256;{named}"},
        ],
        "status": "current",
        "docStatus": "final",
        "type": {"text": f"Safety report: {made.kind}"},
        "subject": case.subject,
        "date": now,
        "author": [{"display": who}],
        "description": f"Version {case.report.version} of the case as {made.kind}, as it was made. "
        "Kept; that it was made does not say that it was submitted.",
        "content": [
            {
                "attachment": {
                    "contentType": made.media_type,
                    "url": f"Binary/{binary}",
                    "size": len(made.body),
                    "hash": base64.b64encode(sha1.digest()).decode(),
                    "title": made.file_name,
                    "creation": now,
                }
            }
        ],
        "context": {"related": [{"reference": one.reference} for one in case.report.events]},
    }
    held: Resource = {
        "resourceType": "Binary",
        "id": binary,
        "contentType": made.media_type,
        "securityContext": {"reference": f"DocumentReference/{document}"},
        "data": base64.b64encode(made.body).decode(),
    }
    writes = [
        Write("DocumentReference", document, reference, encode(reference), expected=0),
        *(() if there else (Write("Binary", binary, held, encode(held), expected=0),)),
    ]
    entry = Export(
        made.kind,
        f"DocumentReference/{document}",
        f"Binary/{binary}",
        made.media_type,
        made.file_name,
        sha256.hexdigest(),
        content_of(case.report),
        case.report.version,
        now,
    )
    return entry, writes


def latest(case: Case, kind: str) -> Export | None:
    """The last file of that kind made of the report as it stands; None where it has changed since."""
    content = content_of(case.report)
    found = [one for one in case.exports if one.kind == kind and one.content == content]
    return found[-1] if found else None
