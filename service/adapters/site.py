"""The site file read: who reports, what is told of a patient, where reports go (``HTG117_SITE``).

A TOML file; ``docs/examples/site.toml`` shows every key. Files that it names are looked for beside it. Every
fault is told at once, with its place.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.adapters.gateways import config
from service.adapters.toml_file import Reading, read_tables
from service.domain.safety_report import Reporter
from service.domain.site import AGES, NATIONS, E2b, MedDra, Site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.adapters.gateways import Gateway

PROFESSIONS = ("physician", "pharmacist", "other-health-professional", "lawyer", "consumer")
_LONGEST = 200
_REMINDER = (1, 365)
_ODS = re.compile(r"[A-Z0-9]{3,12}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_TOP = ("organisation", "ods", "nation", "private", "age", "initials", "reminder_days", "xsd",
        "reporter", "e2b", "meddra", "gateway")  # fmt: skip


def read_site(path: Path) -> tuple[Site, Gateway]:
    """The site and its gateway; ContentFault lists all that is wrong with the file."""
    held = read_tables(path, "a site file")
    reading = _Reading(path)
    site = reading.site(held)
    sentences: list[str] = []
    gateway = config.read(reading.table(held, "gateway"), path.parent, sentences)
    for sentence in sentences:
        place, _, said = sentence.partition(" ")
        reading.fault(place, said)
    reading.require_sound()
    return site, gateway


class _Reading(Reading):
    """One reading of the site file."""

    def site(self, held: Mapping[str, Any]) -> Site:
        """The site; what is not fit is left at its default and noted."""
        self.strangers("", held, _TOP)
        nation = self.text(held, "", "nation")
        if not nation:
            self.fault(
                "nation", f"is missing; it is one of {', '.join(NATIONS)}, and decides where reports go"
            )
        elif nation not in NATIONS:
            self.fault("nation", f"is one of {', '.join(NATIONS)}")
        age = self.text(held, "", "age") or AGES[0]
        if age not in AGES:
            self.fault("age", f"is one of {', '.join(AGES)}")
        ods = self.text(held, "", "ods")
        if ods and not _ODS.fullmatch(ods):
            self.fault("ods", "is an ODS code: 3 to 12 capital letters and digits")
        if not self.text(held, "", "organisation"):
            self.fault("organisation", "is missing; a report names who reports")
        xsd = self.text(held, "", "xsd")
        return Site(
            organisation=self.text(held, "", "organisation"),
            ods=ods,
            nation=nation,
            private=self.yes(held, "private"),
            reporter=self.reporter(self.table(held, "reporter")),
            age=age,
            initials=self.yes(held, "initials"),
            reminder_days=self.days(held),
            e2b=self.e2b(self.table(held, "e2b")),
            meddra=self.meddra(self.table(held, "meddra")),
            xsd=self.folder_of(xsd) if xsd else None,
            gateway=dict(self.table(held, "gateway")),
        )

    def table(self, held: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """The table of that name; empty where there is none."""
        found = held.get(name, {})
        if isinstance(found, dict):
            return found
        if not any(one.expression == name for one in self.faults):
            self.fault(name, f"is a table: [{name}]")
        return {}

    def strangers(self, place: str, held: Mapping[str, Any], known: tuple[str, ...]) -> None:
        """Notes each key that means nothing here."""
        for name in held:
            if name not in known:
                self.fault(f"{place}{name}", f"is no key here; these are: {', '.join(known)}")

    def text(self, held: Mapping[str, Any], place: str, name: str) -> str:
        """A short text; empty where there is none."""
        found = held.get(name, "")
        if isinstance(found, str) and len(found) <= _LONGEST and found.isprintable():
            return found.strip()
        if not any(one.expression == f"{place}{name}" for one in self.faults):
            self.fault(f"{place}{name}", f"is a text of one line, {_LONGEST} characters at most")
        return ""

    def yes(self, held: Mapping[str, Any], name: str) -> bool:
        """True or false; false where there is none."""
        found = held.get(name, False)
        if not isinstance(found, bool):
            self.fault(name, "is true or false")
        return found is True

    def days(self, held: Mapping[str, Any]) -> int:
        """After how many days an event is called to mind."""
        found = held.get("reminder_days", Site.__dataclass_fields__["reminder_days"].default)
        least, most = _REMINDER
        if isinstance(found, int) and not isinstance(found, bool) and least <= found <= most:
            return found
        self.fault("reminder_days", f"is a whole number of days from {least} to {most}")
        return least

    def reporter(self, held: Mapping[str, Any]) -> Reporter:
        """Who reports where a form does not say."""
        names = tuple(Reporter.__slots__)
        self.strangers("reporter.", held, names)
        given = {name: self.text(held, "reporter.", name) or None for name in names}
        if given["profession"] and given["profession"] not in PROFESSIONS:
            self.fault("reporter.profession", f"is one of {', '.join(PROFESSIONS)}")
        if given["country"] and not _COUNTRY.fullmatch(given["country"]):
            self.fault("reporter.country", "is a country's two capital letters (ISO 3166), GB here")
        if given["email"] and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", given["email"]):
            self.fault("reporter.email", "is an e-mail address")
        return Reporter(**given)

    def e2b(self, held: Mapping[str, Any]) -> E2b:
        """What an E2B message needs."""
        names = tuple(E2b.__slots__)
        self.strangers("e2b.", held, names)
        return E2b(**{name: self.text(held, "e2b.", name) for name in names})

    def meddra(self, held: Mapping[str, Any]) -> MedDra | None:
        """The site's MedDRA table, where it has one."""
        self.strangers("meddra.", held, ("table", "version"))
        if not held:
            return None
        table, version = self.text(held, "meddra.", "table"), self.text(held, "meddra.", "version")
        if not re.fullmatch(r"\d{1,3}\.\d", version):
            self.fault("meddra.version", "is the table's MedDRA release, such as 29.0")
        path = self.folder / Path(table).expanduser()
        if not table or not path.is_file():
            self.fault("meddra.table", f"{path} is no file")
        return MedDra(path, version)

    def folder_of(self, text: str) -> Path:
        """The folder of that name, beside the site file."""
        path = self.folder / Path(text).expanduser()
        if not path.is_dir():
            self.fault("xsd", f"{path} is no folder")
        return path
