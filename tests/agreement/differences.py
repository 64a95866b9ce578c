"""The listed differences between HL7's validator and ours."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("differences.toml")


@dataclass(frozen=True, slots=True)
class Difference:
    """Two verdicts on one case, and what the specification says to that."""

    case: str
    hl7: str
    ours: str
    right: str
    source: str
    says: str


@functools.cache
def differences() -> dict[str, Difference]:
    """Every listed difference by its case."""
    with FILE.open("rb") as file:
        listed = [Difference(**entry) for entry in tomllib.load(file)["difference"]]
    found = {entry.case: entry for entry in listed}
    if len(found) != len(listed):
        raise ValueError(f"{FILE.name} lists a case twice")
    return found
