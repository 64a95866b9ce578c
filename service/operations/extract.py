"""``extract``: a checked form made into resources, as SDC's ``QuestionnaireResponse/$extract`` answers it.

Stores nothing. The same form gives the same Bundle: what is extracted is named by the form's identity and the
place that it comes from.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from service.domain.errors import Unprocessable
from service.fhir.extraction import Extraction, extract
from service.operations.checks import questionnaire_of
from service.operations.identity import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhirpath import Terminology
    from service.operations.ports import Content

Resource = dict[str, Any]
_SPACE = uuid.UUID("0f4a1c52-6f0e-5d0a-9b53-3a0b8d8a7c21")


def extract_form(
    form: Resource,
    content: Content,
    *,
    questionnaire: Resource | None = None,
    terminology: Terminology | None = None,
) -> Extraction:
    """What a form that has passed the gate (``checks``) extracts to.

    ``questionnaire`` is the one sent along; without it the published one is looked for (Invalid where none
    is). Unprocessable, with every issue, where an error forbids using what was extracted: SDC 4.0 has the
    operation answer an OperationOutcome then.
    """
    found = extract(
        form,
        questionnaire_of(form, content) if questionnaire is None else questionnaire,
        new_id=names_of(form),
        resolve=content.resolve,
        terminology=terminology,
    )
    if found.fails:
        raise Unprocessable("the form cannot be extracted", issues=found.issues)
    return found


def names_of(form: Resource) -> Callable[[str], str]:
    """Names for what is extracted from a form: version 5 UUIDs of the form's identity and the key.

    A form is its identifier, else its id within its source, else its content.
    """
    started = hashlib.sha1(_SPACE.bytes + _identity(form).encode() + b" ", usedforsecurity=False)

    def name(key: str) -> str:
        hashed = started.copy()
        hashed.update(key.encode("utf-8", "surrogatepass"))
        text = hashed.hexdigest()
        variant = "89ab"[int(text[16], 16) & 3]
        return f"urn:uuid:{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"

    return name


def _identity(form: Resource) -> str:
    identifier = form.get("identifier")
    if isinstance(identifier, dict) and identifier.get("value"):
        return f"identifier {identifier.get('system', '')} {identifier['value']}"
    if isinstance(form.get("id"), str):
        meta = form.get("meta")
        return f"id {meta.get('source', '') if isinstance(meta, dict) else ''} {form['id']}"
    return f"content {fingerprint(form)}"
