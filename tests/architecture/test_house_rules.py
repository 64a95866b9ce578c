"""Rules of the house that no linter keeps: sizes, one catch-all, no clinical word in the engine."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "service"
MODULES = sorted(path for path in SERVICE.rglob("*.py"))


def test_no_module_is_too_long_to_read_in_one_sitting() -> None:
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > 400} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if path.stat().st_size and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []


def _catch_alls(tree: ast.AST) -> int:
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    return sum(
        handler.type is None
        or any(
            isinstance(name, ast.Name) and name.id in ("Exception", "BaseException")
            for name in ast.walk(handler.type)
        )
        for handler in handlers
    )


def test_every_error_is_caught_by_name_but_in_one_place() -> None:
    found = {
        str(path.relative_to(ROOT)): count
        for path in MODULES
        if (count := _catch_alls(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found in ({}, {"service/web/errors.py": 1})


CLINICAL = re.compile(
    r"cement|lesion|metasta|tumou?r|malignan|radiother|vertebr|fluorosc|analges|chondro|fever|creatinin"
    r"|\b\d{4,5}-\d\b|\b[A-Z]\d\d\.\d\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SERVICE)))
def test_the_engine_names_no_guidance_and_no_clinical_idea(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    found = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(code.splitlines(), start=1)
        if CLINICAL.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SERVICE)))
def test_guidance_identifiers_stand_only_where_the_product_names_itself(path: Path) -> None:
    """``htg117`` is the command's, the package's and the settings' name; nowhere is it a resource's id."""
    names = re.findall(r"htg117-[a-z-]+", path.read_text(encoding="utf-8"))
    assert names == []
