"""How an operation is declared: name, where it can be called, what goes in. R4 ``operations.html``.

The routes, the reading of Parameters, the CapabilityStatement and the API documentation all come from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.fhir.json_text import Document
    from service.web.services import Services

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class In:
    """One input parameter. ``type`` is a FHIR type; ``Resource`` or a resource type travels as resource.

    ``any`` is a resource, a Reference or a canonical.
    """

    name: str
    type: str
    said: str
    minimum: int = 0
    repeats: bool = False
    parts: tuple[In, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``inputs`` holds each parameter's values by name; a part's values are such a mapping.

    ``document`` is the body with its text, if there was one; ``headers`` those of the request in lower case;
    ``base`` the FHIR base URL as the client knows it.
    """

    services: Services
    type: str
    id: str | None
    inputs: Mapping[str, list[Any]]
    document: Document | None
    headers: Mapping[str, str]
    base: str
    preferences: Mapping[str, str] = field(default_factory=dict)

    def one(self, name: str) -> Any:
        """The first value of a parameter, or None."""
        values = self.inputs.get(name)
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation gives back: a resource (or its bytes), a status and headers."""

    resource: Resource | bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``types`` names where it stands; ``definition`` is its canonical.

    ``changes`` says that it changes what is stored, so that it is called by POST alone. ``bare`` names the
    parameter that a body is which is no Parameters. ``run`` is called in a thread.
    """

    name: str
    definition: str
    types: tuple[str, ...]
    said: str
    run: Callable[[Call], Answer]
    inputs: tuple[In, ...] = ()
    on_type: bool = True
    on_instance: bool = False
    changes: bool = False
    bare: str | None = None
    gives: str = "Parameters"
