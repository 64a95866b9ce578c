"""What a definition says of itself: its canonical, its actions, and the form that they take as input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Resource = dict[str, Any]
FORM_TYPE = "QuestionnaireResponse"


def canonical(resource: Resource) -> str:
    """``url|version`` of a definition, or its url alone where it has no version."""
    url, version = resource.get("url", ""), resource.get("version")
    return f"{url}|{version}" if version else str(url)


def input_form(resource: Resource) -> str | None:
    """The canonical of the form that the plan's actions take as input, or None if it takes none."""
    return next(input_forms(resource), None)


def input_forms(resource: Resource) -> Iterator[str]:
    """The canonicals of all forms that the plan's actions take as input, each once, in document order."""
    found = (
        canonical_
        for action in walk(resource.get("action", ()))
        for requirement in action.get("input", ())
        for canonical_ in asked_form(requirement)
    )
    yield from dict.fromkeys(found)


def asked_form(requirement: Resource) -> Iterator[str]:
    """The canonical of the form that a DataRequirement asks for; nothing where it asks for something else."""
    if requirement.get("type") == FORM_TYPE:
        for chosen in requirement.get("codeFilter", ()):
            for coding in chosen.get("code", ()):
                yield str(coding.get("code", "")).split("|")[0]


def walk(actions: Any) -> Iterator[Resource]:
    """Every action, parents before children, in document order."""
    for action in actions:
        yield action
        yield from walk(action.get("action", ()))
