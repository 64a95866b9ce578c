"""Writes ``docs/coverage.md`` from the guidance's coverage table: paragraph → element, or why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "mappings" / "htg117" / "coverage.json"
PAGE = ROOT / "docs" / "coverage.md"
_INTRODUCTION = """\
# Coverage of HTG117

Every numbered paragraph of the guidance, each duty of "Your responsibility" and the further information,
and where the published resources hold it. Made from `mappings/htg117/coverage.json` by `make generate`;
a test finds every element named here.
"""


def page(table: dict[str, Any]) -> str:
    """The page's Markdown for a coverage table."""
    parts = [_INTRODUCTION]
    for paragraph in table["paragraphs"]:
        parts.append(f"## {_title(paragraph)}\n\n| the guidance says | where it is |\n|---|---|")
        parts += [f"| {statement['says']} | {_where(statement)} |" for statement in paragraph["statements"]]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _title(paragraph: dict[str, Any]) -> str:
    label, heading = paragraph["paragraph"], paragraph["heading"]
    return f"{label} {heading}" if label[0].isdigit() else str(label)


def _where(statement: dict[str, Any]) -> str:
    """The elements, grouped by resource, and the reason where there is one."""
    found: dict[str, list[str]] = {}
    for element in statement.get("elements", ()):
        found.setdefault(element["resource"], []).append(element["name"])
    lines = [f"`{resource}`: {', '.join(names)}" for resource, names in found.items()]
    if "reason" in statement:
        lines.append(f"*{statement['reason']}*")
    return "<br>".join(lines)


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(json.loads(TABLE.read_bytes())), encoding="utf-8")


if __name__ == "__main__":
    main()
