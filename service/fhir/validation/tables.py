"""HL7's rules of R4 4.0.1 as tables, one line a thing: found by key, parsed only when asked for.

``tools/generate_rules.py`` writes the files from HL7's definitions and says what stands in each.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

_R4 = Path(__file__).parent / "r4"


class Table:
    """One table file. Safe from any thread: a line parsed twice gives equal facts."""

    def __init__(self, path: Path) -> None:
        """Names the file; nothing is read yet."""
        self._path = path
        self._parsed: dict[str, Any] = {}

    @cached_property
    def _lines(self) -> dict[str, str]:
        lines = (line.partition("\t") for line in self._path.read_text("utf-8").splitlines())
        return {key: facts for key, _, facts in lines}

    @property
    def keys(self) -> frozenset[str]:
        """Every key of the table."""
        return frozenset(self._lines)

    def get(self, key: str) -> Any:
        """The facts under a key, or None. The caller must not change them."""
        found = self._parsed.get(key)
        if found is None and key in self._lines:
            found = self._parsed[key] = json.loads(self._lines[key])
        return found


ELEMENTS = Table(_R4 / "elements.tsv")
"""Type name -> its invariants, and its elements' bindings, reference targets, invariants, modifiers."""

INVARIANTS = Table(_R4 / "invariants.tsv")
"""Invariant key -> ``[severity, FHIRPath expression, HL7's sentence]``."""

EXTENSIONS = Table(_R4 / "extensions.tsv")
"""Extension url -> contexts, cardinality, value, parts: those that HL7 defines with R4."""

SDC_EXTENSIONS = Table(_R4 / "sdc.tsv")
"""The same for Structured Data Capture 4.0."""

PACK_EXTENSIONS = Table(_R4 / "pack.tsv")
"""The same for HL7's extension pack, without those that R4 defines itself."""

CODE_SYSTEMS = Table(_R4 / "codesystems.tsv")
"""Code system url -> ``codes`` (code -> display), ``parents``, ``anyCase``, ``later`` (added since R4)."""

VALUE_SETS = Table(_R4 / "valuesets.tsv")
"""Value set url -> ``systems`` (system -> ``*`` or codes) and ``open``, what cannot be enumerated."""
