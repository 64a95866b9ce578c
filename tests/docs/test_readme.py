"""README and guides: each shell block runs as printed on a started service, and what is shown comes back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from service.cli import app
from tests.web.test_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PRINTED = "http://127.0.0.1:8000"
GUIDE = (ROOT / "docs" / "integrating.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
GUIDED = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
SHOWN = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", README, re.MULTILINE | re.DOTALL)]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("readme") / "records.sqlite3", "--example") as (_, found):
        yield found


def run(block: str, address: str) -> list[str]:
    """What each command of a block prints; AssertionError where one fails."""
    text = block.replace(PRINTED, address).replace(".venv/bin/htg117", f"{sys.executable} -m service")
    commands = re.split(r"\n(?=(?:curl|\S+ -m service) )", text.strip())
    printed = []
    for command in commands:
        found = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command.replace("curl -s ", "curl -sSf ", 1)],
            cwd=ROOT,
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert found.returncode == 0, f"{command}\n{found.stderr}"
        printed.append(found.stdout)
    return printed


def holds(value: Any, part: Any) -> bool:
    """Whether a value, or something inside it, is the part."""
    if value == part:
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(holds(one, part) for one in inner)


def test_there_are_blocks_to_run_and_something_is_shown() -> None:
    assert len(BLOCKS) >= 4
    assert len(GUIDED) >= 5
    assert SHOWN


@pytest.mark.parametrize("block", [*BLOCKS, *GUIDED], ids=lambda block: block.split("\n")[0][-50:])
def test_a_block_runs_as_printed(block: str, address: str) -> None:
    for printed in run(block, address):
        assert printed.strip()
        if printed.startswith("{"):
            answer = json.loads(printed)
            assert answer.get("resourceType") != "OperationOutcome", answer
            assert answer.get("total") != 0, answer


def test_what_is_shown_is_what_comes_back(address: str) -> None:
    first = json.loads(run(BLOCKS[0], address)[0])
    for shown in SHOWN:
        assert holds(first, shown), json.dumps(shown)


def test_every_command_stands_in_the_readme() -> None:
    group = typer.main.get_command(app)
    names = set(group.commands)  # type: ignore[attr-defined]
    told = set(re.findall(r"`([a-z0-9]+)`", README.split("## Command line", 1)[1].split("## ", 1)[0]))
    assert names - told == set()
