"""``explain``: a plan's decision table as text, read from the published PlanDefinition and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Resource = dict[str, Any]


def explain(plan: Resource) -> str:
    """The plan in Markdown: each action with its rule, paragraphs, conditions and reasons for not knowing."""
    lines = [f"# {plan.get('title', plan.get('id'))}", ""]
    lines += [str(plan.get("description", "")), ""]
    for action in plan.get("action", ()):
        lines += _action(action, 2)
    return "\n".join(lines).rstrip() + "\n"


def paragraphs(action: Resource) -> list[str]:
    """The paragraphs that an action cites, each once."""
    labels = (str(one.get("label") or one.get("display") or "") for one in action.get("documentation", ()))
    return list(dict.fromkeys(label for label in labels if label))


def _action(action: Resource, level: int) -> Iterator[str]:
    cited = paragraphs(action)
    source = f" [{', '.join(cited)}]" if cited else ""
    yield f"{'#' * min(level, 6)} {action.get('title', action.get('id', ''))}{source}"
    yield ""
    if action.get("description"):
        yield str(action["description"])
        yield ""
    facts = list(_facts(action))
    if facts:
        yield from facts
        yield ""
    for child in action.get("action", ()):
        yield from _action(child, level + 1)


def _facts(action: Resource) -> Iterator[str]:
    for condition in action.get("condition", ()):
        yield f"- when: `{_text(condition.get('expression', {}))}`"
    for extension in action.get("extension", ()):
        if str(extension.get("url", "")).endswith("/unknown-reason"):
            yield f"- unknown: {_reason(extension.get('extension', ()))}"
    if action.get("priority"):
        yield f"- priority: {action['priority']}"
    definition = action.get("definitionCanonical") or action.get("definitionUri")
    if definition:
        yield f"- does: {definition}"


def _text(expression: Resource) -> str:
    return " ".join(str(expression.get("expression", "")).split())


def _reason(parts: Iterable[Resource]) -> str:
    said = {str(part.get("url")): part for part in parts}
    reason = said.get("reason", {}).get("valueCode", "")
    text = said.get("text", {}).get("valueString", "")
    when = said.get("when", {}).get("valueExpression")
    return f"{reason}, {text}" + (f" when `{_text(when)}`" if when else "")
