"""The renderers of reports, from the published content: its forms' words, its maps to IMDRF, the routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.yellow_card.renderers import read_material, renderers

if TYPE_CHECKING:
    from service.operations.ports import Clock, Content
    from service.yellow_card.rendered import Renderer


def make_renderers(content: Content, clock: Clock) -> dict[str, Renderer]:
    """Each renderer by its kind; none where the content has no table of fields."""
    guides = content.of_type("ImplementationGuide")
    material = read_material(
        content.data,
        [one.resource for one in content.of_type("Questionnaire")],
        [one.resource for one in content.of_type("ConceptMap")],
        clock,
        base_of(content),
        str(guides[0].resource.get("title", "")) if guides else "",
    )
    return renderers(material) if material else {}


def base_of(content: Content) -> str:
    """The canonical base of the published content; empty where it has no ImplementationGuide."""
    guides = content.of_type("ImplementationGuide")
    return (guides[0].url or "").partition("/ImplementationGuide")[0] if guides else ""
