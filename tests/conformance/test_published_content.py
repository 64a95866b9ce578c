"""HL7's reference validator finds no error in anything published or golden, no warning left unexplained."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.documents import goldens, published
from tests.conformance.reference import SHARED_PROFILES, Message, require_reference, validate

pytestmark = pytest.mark.conformance

JOBS = [*published(), *goldens()]
UNKNOWN_PROFILE = "Validation_VAL_Profile_Unknown"
BORROWED = ("https://fhir.hl7.org.uk/", "http://hl7.org/fhir/uv/crmi/")


@dataclass(frozen=True, slots=True)
class Explanation:
    """A warning that stays, and why."""

    pattern: str
    reason: str
    where: str = ""

    def fits(self, document: str, message: Message) -> bool:
        """Whether this is the warning that is explained."""
        return bool(
            re.search(self.pattern, message.message)
            and re.search(self.where, f"{document} {message.location}")
        )


def read_explanations() -> list[Explanation]:
    """The entries of explained_warnings.toml; a missing reason or an unknown key raises TypeError."""
    text = Path(__file__).with_name("explained_warnings.toml").read_text(encoding="utf-8")
    return [Explanation(**entry) for entry in tomllib.loads(text)["warning"]]


@pytest.fixture(scope="session")
def findings() -> dict[str, tuple[Message, ...]]:
    require_reference()
    return validate(JOBS)


def missing_profile(message: Message) -> bool:
    """Whether the finding only says that a UK Core or CRMI profile is not at hand."""
    return message.message_id.startswith(UNKNOWN_PROFILE) and any(
        base in message.message for base in BORROWED
    )


@pytest.mark.parametrize("name", [job.id for job in JOBS])
def test_no_error_and_every_warning_is_explained(name: str, findings: dict[str, tuple[Message, ...]]) -> None:
    explanations = read_explanations()
    faults = [
        message
        for message in findings[name]
        if message.is_error
        or (message.severity == "warning" and not any(each.fits(name, message) for each in explanations))
    ]
    if not all(path.is_dir() for path in SHARED_PROFILES) and any(missing_profile(fault) for fault in faults):
        pytest.skip("claims a UK Core or CRMI profile, and those profiles are not at hand")
    assert [str(fault) for fault in faults] == []


def test_every_explanation_is_needed(findings: dict[str, tuple[Message, ...]]) -> None:
    warnings = [
        (name, message)
        for name, found in findings.items()
        for message in found
        if message.severity == "warning"
    ]
    idle = [each for each in read_explanations() if not any(each.fits(*warning) for warning in warnings)]
    assert idle == []
