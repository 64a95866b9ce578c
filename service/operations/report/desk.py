"""What every verb on reports works with: ports, the guidance's data, the site. Made in ``app.py``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.domain.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.fhirpath import Terminology
    from service.operations.outbox import Outbox
    from service.operations.ports import Clock, Content, Records
    from service.yellow_card.e2b.elements import Guide
    from service.yellow_card.filling import Fields
    from service.yellow_card.rendered import Batches, Renderer
    from service.yellow_card.routing import Row


@dataclass(frozen=True, slots=True)
class Desk:
    """``fields`` are each guidance's own; ``renderers`` by kind.

    ``gateway`` is the kind of rendering that the site's gateway takes, or None where a person submits.
    ``outbox`` is where messages for it wait, to settle what got stuck there. ``batches`` makes one message
    of several reports; None where messages cannot be made. ``guide`` is the table of E2B(R3) elements, read
    once; None where the content has none.
    """

    records: Records
    content: Content
    terms: Terminology
    clock: Clock
    new_id: Callable[[], str]
    fields: tuple[Fields, ...]
    routes: tuple[Row, ...] = ()
    site: Site = field(default_factory=Site)
    renderers: Mapping[str, Renderer] = field(default_factory=dict)
    gateway: str | None = None
    outbox: Outbox | None = None
    batches: Batches | None = None
    guide: Guide | None = None

    def fields_of(self, questionnaire: str) -> Fields | None:
        """The guidance's data whose forms a Questionnaire's canonical is one of."""
        url = questionnaire.partition("|")[0]
        return next((one for one in self.fields if url in one.forms), None)
