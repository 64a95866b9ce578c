"""The committed R4 type tables are what HL7's definitions give today."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools import definitions, generate_tables


@pytest.mark.skipif(
    shutil.which("mvn") is None and not definitions.jar_path().exists(),
    reason="HL7's definitions come through Maven, which is not installed here",
)
def test_the_type_tables_are_fresh() -> None:
    assert Path(generate_tables.TARGET).read_text(encoding="utf-8") == generate_tables.build()
