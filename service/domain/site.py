"""The place that reports: who it is, what it tells of a patient, and where its reports go.

Read from the file that the setting ``HTG117_SITE`` names (``adapters/site.py``), once, at the start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.domain.safety_report import Reporter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NATIONS = ("england", "wales", "scotland", "northern-ireland")
AGES = ("exact", "band")


@dataclass(frozen=True, slots=True)
class E2b:
    """What an E2B(R3) message needs of the site, as agreed with its recipient.

    ``sender`` and ``receiver`` are the message's identifiers (N.1.3, N.1.4); ``organisation`` the middle part
    of a case's worldwide id (C.1.1: country-organisation-number).
    """

    sender: str = ""
    receiver: str = ""
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class MedDra:
    """The site's own table of MedDRA terms, and its release: a CSV of local_key, llt_code."""

    table: Path
    version: str


@dataclass(frozen=True, slots=True)
class Site:
    """The reporting organisation. Empty texts are: not told.

    ``nation`` is one of ``NATIONS`` or empty. ``private``: not of the National Health Service. ``reporter``
    fills what a report's reporter leaves open. ``age``: ``exact`` or ``band`` (of ten years). ``initials``:
    whether a report of a medicine may carry them. ``reminder_days``: after how many days an unreported event
    is shown. ``xsd`` is the folder of ICH's schemas. ``gateway`` is the table ``[gateway]`` as it stands.
    """

    organisation: str = ""
    ods: str = ""
    nation: str = ""
    private: bool = False
    reporter: Reporter = field(default_factory=Reporter)
    age: str = "exact"
    initials: bool = False
    reminder_days: int = 7
    e2b: E2b = field(default_factory=E2b)
    meddra: MedDra | None = None
    xsd: Path | None = None
    gateway: Mapping[str, Any] = field(default_factory=dict)
