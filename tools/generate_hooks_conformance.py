"""Writes ``docs/cds-hooks-conformance.md``: what CDS Hooks demands of a service, and the tests that prove it.

Tests say what they prove by ``@pytest.mark.requirement("<section>: <statement>")``; the markers are read from
the source, without running it. ``tests/web/hooks/requirements.toml`` lists the specification's demands in our
words, each with the statements that prove it.
"""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
DEMANDS = TESTS / "web" / "hooks" / "requirements.toml"
PAGE = ROOT / "docs" / "cds-hooks-conformance.md"
_INTRODUCTION = """\
# Conformance to CDS Hooks 2.0.1

What [CDS Hooks 2.0.1](https://cds-hooks.hl7.org/2.0.1/) demands of a CDS Service, in our words, and the tests
that prove it; after each section, what tests prove beyond it. Demands on CDS Clients alone are left out. Made
from `tests/web/hooks/requirements.toml` and the tests' own markers by `make generate`; a test finds every
demand proved.
"""


@dataclass(frozen=True, slots=True)
class Demand:
    """One demand: where it stands, how strong it is, what it says, and the statements that prove it."""

    section: str
    level: str
    says: str
    proof: tuple[str, ...]


def read_demands() -> list[Demand]:
    """The demands, in the specification's order."""
    table = tomllib.loads(DEMANDS.read_text(encoding="utf-8"))
    return [
        Demand(section["name"], one["level"], one["says"], tuple(one["proof"]))
        for section in table["section"]
        for one in section["demand"]
    ]


def read_markers() -> dict[str, list[str]]:
    """The tests that prove each statement, as ``file::function``."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value.value
            for node in module.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        name = path.relative_to(ROOT).as_posix()
        whole = [
            text
            for node in module.body
            if isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
            for text in _texts(node.value, constants)
        ]
        for node in ast.walk(module):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
                texts = [text for one in node.decorator_list for text in _texts(one, constants)]
                for text in dict.fromkeys([*whole, *texts]):
                    found.setdefault(text, []).append(f"{name}::{node.name}")
    return found


def _texts(node: ast.AST, constants: dict[str, Any]) -> Iterator[str]:
    """The statements of every requirement marker in a piece of source."""
    for call in ast.walk(node):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "requirement"
        ):
            for argument in call.args:
                yield _text(argument, constants)


def _text(node: ast.expr, constants: dict[str, Any]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return str(constants[node.id])
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, constants) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, constants)
    raise TypeError(
        f"line {node.lineno}: a requirement is written out, so that it can be read without running"
    )


def page(demands: list[Demand], markers: dict[str, list[str]]) -> str:
    """The page's Markdown."""
    used = {text for demand in demands for text in demand.proof}
    beyond: dict[str, list[str]] = {}
    for text in sorted(markers):
        if text not in used:
            beyond.setdefault(text.partition(": ")[0], []).append(text)
    parts = [_INTRODUCTION]
    for section in dict.fromkeys([*(one.section for one in demands), *sorted(beyond)]):
        parts.append(f"## {section}\n")
        own = [one for one in demands if one.section == section]
        if own:
            parts.append("| demand | | proved by |\n|---|---|---|")
            parts += [f"| {one.says} | {one.level} | {_tests(one.proof, markers)} |" for one in own]
            parts.append("")
        if section in beyond:
            parts.append("| beyond it | proved by |\n|---|---|")
            parts += [
                f"| {text.partition(': ')[2]} | {_tests((text,), markers)} |" for text in beyond[section]
            ]
            parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _tests(proof: tuple[str, ...], markers: dict[str, list[str]]) -> str:
    found = dict.fromkeys(test for text in proof for test in markers.get(text, ()))
    return "<br>".join(f"`{test.removeprefix('tests/')}`" for test in found)


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(read_demands(), read_markers()), encoding="utf-8")


if __name__ == "__main__":
    main()
