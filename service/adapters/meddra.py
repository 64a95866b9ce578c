"""The organisation's own table of MedDRA codes: CSV ``local_key,llt_code`` and, if wished, ``version``.

MedDRA is licensed; nothing of it is shipped. Where MedDRA's own file of lowest-level terms (``llt.asc``) lies
beside the table, each code is looked up in it: one that is not there, or not current, stops the start.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from service.domain.errors import ContentFault
from service.domain.issues import Issue, error
from service.yellow_card.e2b.terms import Terms

if TYPE_CHECKING:
    from pathlib import Path

    from service.domain.site import MedDra

_CODE = re.compile(r"[0-9]{8}", re.ASCII)
_LARGEST = 50_000_000
_KEY, _TERM, _VERSION = "local_key", "llt_code", "version"
_CURRENT = 9
"""Where a line of ``llt.asc`` says whether the term is current; the code stands first."""


def read_terms(site: MedDra) -> Terms:
    """The terms in the site's table, of the site's release. ContentFault lists every faulty line."""
    path = site.table
    rows = csv.DictReader(_text(path).splitlines(), skipinitialspace=True)
    columns = {name.strip() for name in rows.fieldnames or ()}
    if not {_KEY, _TERM} <= columns or columns - {_KEY, _TERM, _VERSION}:
        raise ContentFault(f"{path.name} has the columns {_KEY},{_TERM} and, if wished, {_VERSION}")
    listed = _current(path.with_name("llt.asc"))
    faults: list[Issue] = []
    codes: dict[str, str] = {}
    for row in rows:
        values = {str(name).strip(): str(value or "").strip() for name, value in row.items()}
        key, code, version = values[_KEY], values[_TERM], values.get(_VERSION, "")
        folded = " ".join(key.split()).casefold()
        said = ""
        if not key:
            said = f"{_KEY} is empty"
        elif not _CODE.fullmatch(code):
            said = f"{_TERM} is not a code of eight digits"
        elif version not in ("", site.version):
            said = (
                f"{_VERSION} is {version[:10]}, and the site's release is {site.version}; a message has one"
            )
        elif codes.get(folded, code) != code:
            said = f"{_KEY} stands twice with different codes"
        elif listed is not None and code not in listed:
            said = f"{code} is no current term of llt.asc"
        if said:
            faults.append(error("value", said, f"{path.name}:{rows.line_num}"))
        codes[folded] = code
    if faults:
        raise ContentFault(f"{path.name}: {faults[0]}; {len(faults)} faulty lines in all", issues=faults)
    return Terms(site.version, codes)


def _current(path: Path) -> frozenset[str] | None:
    """The codes of current terms in MedDRA's file; None where there is no such file."""
    if not path.is_file():
        return None
    lines = (line.split("$") for line in _text(path).splitlines() if line)
    return frozenset(
        fields[0] for fields in lines if len(fields) <= _CURRENT or fields[_CURRENT] in ("Y", "")
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise ContentFault(f"{path.name} is larger than a table of terms can be")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise ContentFault(f"{path.name} cannot be read: {fault}") from fault
