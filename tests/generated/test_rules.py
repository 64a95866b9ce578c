"""The committed tables of rules are what HL7's definitions and packages give today."""

from __future__ import annotations

import shutil

import pytest

from tools import definitions, generate_packs, generate_rules, packages

NEEDED = (packages.SDC, packages.EXTENSIONS, packages.TERMINOLOGY)


@pytest.mark.skipif(
    (shutil.which("mvn") is None and not definitions.jar_path().exists())
    or (shutil.which("npm") is None and not all(map(packages.is_held, NEEDED))),
    reason="HL7's definitions come through Maven and its packages through npm, which are not installed here",
)
def test_the_rule_tables_are_fresh() -> None:
    for name, text in {**generate_rules.build(), **generate_packs.build()}.items():
        assert (generate_rules.TARGET / name).read_text(encoding="utf-8") == text, name
