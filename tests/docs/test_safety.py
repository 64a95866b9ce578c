"""The hazard log: each hazard is whole, and each test that it names is there and is collected."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOG = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
FIELDS = ["Cause", "Harm", "Controls", "Proof", "What remains"]
HAZARDS: dict[str, str] = dict(re.findall(r"^### (H\d+\. .+)\n((?:- .+\n)+)", LOG, re.MULTILINE))
PROOFS = sorted(set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", LOG)))


def test_hazards_are_numbered_without_a_gap_and_each_is_whole() -> None:
    assert [title.split(".")[0] for title in HAZARDS] == [f"H{number + 1}" for number in range(len(HAZARDS))]
    assert LOG.count("\n### ") == len(HAZARDS) >= 20
    for title, body in HAZARDS.items():
        assert re.findall(r"^- \*\*([^*]+)\*\*: \S", body, re.MULTILINE) == FIELDS, title
        assert re.search(r"\*\*Proof\*\*: `tests/", body), title


def test_it_says_that_nobody_has_signed_it_off() -> None:
    assert "**Not signed off.** No Clinical Safety Officer has reviewed or approved this log" in LOG


@pytest.mark.parametrize("proof", PROOFS)
def test_a_named_test_is_there(proof: str) -> None:
    file, _, name = proof.partition("::")
    assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_named_test_is_collected() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "", *PROOFS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-2000:]
    collected = {line.split("[")[0] for line in found.stdout.splitlines() if "::" in line}
    assert set(PROOFS) - collected == set()
