"""Writes into the table of E2B(R3) elements where each stands in the message, from the message's skeleton.

``mappings/shared/e2b-r3.json`` is authored by hand but for the column ``xpath``, which this fills in.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.yellow_card.e2b.skeleton import TYPE, Node, read_skeleton

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "mappings" / "shared" / "e2b-r3.json"
_SHORT = {"G.k": "k", "G.k.9.i": "i", "E.i": "i"}


def xpaths(table: dict[str, Any]) -> dict[str, str]:
    """The XPath of each element's value by its number, with ``[r]`` (``[i]``, ``[k]``) where it repeats."""
    found: dict[str, str] = {}
    for number, path in _paths(read_skeleton("\n".join(table["message"]), table["prefixes"]), ""):
        found.setdefault(number, path)
    return found


def _paths(node: Node, above: str) -> Iterator[tuple[str, str]]:
    path = f"{above}/{node.tag}{_conditions(node)}"
    if node.repeat:
        path += f"[{_SHORT.get(node.repeat[-1], 'r')}]"
    for place in node.places:
        if place.sign == "#":
            yield f"#{place.number}", f"{path}/@{place.attribute}"
        elif not place.sign:
            value = "text()" if place.attribute is None else f"@{place.attribute}"
            whole = f"{path}{_known(node)}/{value}"
            yield place.number, f"substring-after({whole}, '{place.prefix}')" if place.prefix else whole
    if node.document:
        yield node.document, f"{path}/text()"
    for number, part in zip(
        node.interval, ("low/@value", "high/@value", "width/@value", "width/@unit"), strict=False
    ):
        yield number, f"{path}//{part}"
    for number, part in zip(node.period, ("@value", "@unit"), strict=False):
        yield number, f"{path}//period/{part}"
    for number, part in zip(node.qualified, ("@value", "@unit"), strict=False):
        yield number, f"{path}[@xsi:type='IVL_PQ']/*[self::center or self::low or self::high]/{part}"
    for child in node.children:
        yield from _paths(child, path)


def _conditions(node: Node) -> str:
    said = ""
    for steps in node.conditions if not node.optional_condition else ():
        model = next(node.find(steps))
        said += f"[{'/'.join(steps)}{_known(model)}]"
    return said


def _known(node: Node) -> str:
    return "".join(
        "[" + " or ".join(f"@{'xsi:type' if name == TYPE else name}='{one}'" for one in sorted(values)) + "]"
        for name, values in node.telling.items()
    )


def text(table: dict[str, Any]) -> str:
    """The table's text: one line an element, a line of the message, and so on."""
    lines = ["{"]
    for at, (key, value) in enumerate(table.items(), start=1):
        end = "," if at < len(table) else ""
        rows: list[str] = []
        if isinstance(value, list):
            rows, signs = [_json(row) for row in value], "[]"
        elif isinstance(value, dict) and key in ("groups", "report"):
            rows, signs = [f"{_json(name)}: {_json(row)}" for name, row in value.items()], "{}"
        if not rows:
            lines.append(f"  {_json(key)}: {_json(value)}{end}")
            continue
        lines.append(f"  {_json(key)}: {signs[0]}")
        lines += [f"    {row}{',' if number < len(rows) else ''}" for number, row in enumerate(rows, start=1)]
        lines.append(f"  {signs[1]}{end}")
    lines.append("}")
    return "\n".join(lines) + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def filled(table: dict[str, Any]) -> dict[str, Any]:
    """The table with the column ``xpath`` filled in."""
    found = xpaths(table)
    rows = []
    for row in table["elements"]:
        kept = {name: value for name, value in row.items() if name not in ("xpath", "source")}
        place = found.get(row["number"]) or found[f"#{row['number']}"]
        rows.append({**kept, "xpath": place, "source": row["source"]})
    return {**table, "elements": rows}


def main() -> None:
    """Writes the table."""
    TABLE.write_text(text(filled(json.loads(TABLE.read_bytes()))), encoding="utf-8")


if __name__ == "__main__":
    main()
