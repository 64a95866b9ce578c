"""What in the texts of a report may tell who the patient is. Pure.

The shapes of a report hold no identifier; the texts that people write may. They are searched for what is
known of the patient, and for what looks like an identifier whoever's it is. A hit is a question to a person,
not a verdict: too many are better than one too few.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from service.yellow_card.dates_in_text import find_dates
from service.yellow_card.folding import Folded, fold, latin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from service.domain.safety_report import SafetyReport

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Identifier:
    """Something known that tells who the patient is.

    ``kind``: ``name``, ``birth-date``, ``number`` (NHS, hospital and others), ``address``, ``postcode``,
    ``telephone`` or ``email``. ``text`` is as it is recorded.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A place in a text of the report that may tell who the patient is. ``start`` and ``end`` are in it.

    ``kind`` is an identifier's, or ``nhs-number``: whoever's it is, it is one or looks like one.
    """

    path: str
    kind: str
    start: int
    end: int


_GAP = r"[\W_]{0,3}"
_WORD = re.compile(r"[^\W\d_]+")
_RUN = re.compile(r"\d(?:[\W_]{0,6}\d)*")
_GROUP = re.compile(r"\d+")
_SAID = re.compile(r"\b(?:nhs|chi|h\s?&\s?c|hsc|health (?:and|&) care)\b[^\d]{0,20}$")
_BORN = re.compile(r"\b(?:d\.?\s?o\.?\s?b|date of birth|birth ?date|birthday|born)\b[^\d]{0,20}$")
_TITLED = re.compile(r"\b(?:mr|mrs|miss|ms|mstr|master|mx)\b\.?\s+[^\W\d_]{2,}")
_POSTCODE = re.compile(r"\b[a-z]{1,2}\d[a-z\d]?\s{0,2}\d[abd-hjlnp-uw-z]{2}\b")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_MOBILE = re.compile(rf"(?<!\d)(?:\+?{_GAP}44{_GAP}(?:0{_GAP})?|0{_GAP})7(?:[\s.()-]{{0,2}}\d){{9}}(?!\d)")
_PARTICLES = frozenset(
    (
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "patient",
        "unknown",
        "of",
        "the",
        "de",
        "da",
        "di",
        "du",
        "van",
        "von",
        "der",
        "den",
        "la",
        "le",
        "el",
        "al",
        "bin",
        "ibn",
    )
)
"""Words of names that are nobody's own."""
_SPELT = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
"""Letters that are also written as two."""
_WEIGHTS = range(10, 1, -1)
_SHORT, _NHS, _LINE, _WHOLE = 6, 10, 5, 9


def identifiers_of(patient: Resource | None, subject: Resource | None = None) -> tuple[Identifier, ...]:
    """What is known to tell who the patient is, from a Patient and from how a form names its subject."""
    held, about = patient or {}, subject or {}
    found = [Identifier("name", one) for one in _names(held, about)]
    if isinstance(held.get("birthDate"), str):
        found.append(Identifier("birth-date", held["birthDate"]))
    numbers = [one.get("value") for one in held.get("identifier", ())]
    numbers += [about.get("identifier", {}).get("value"), str(about.get("reference", "")).rsplit("/", 1)[-1]]
    found += [Identifier("number", str(one)) for one in numbers if one and str(one).strip()]
    contacts = [one for one in held.get("contact", ()) if isinstance(one, dict)]
    for part in (held, *contacts):
        telecoms = [one for one in part.get("telecom", ()) if one.get("value")]
        for one in telecoms:
            kind = "email" if one.get("system") == "email" or "@" in one["value"] else "telephone"
            found.append(Identifier(kind, str(one["value"])))
        given = part.get("address", ())
        for address in given if isinstance(given, list | tuple) else [given]:
            found += [
                Identifier("address", str(one))
                for one in (*address.get("line", ()), address.get("text"))
                if one
            ]
            if address.get("postalCode"):
                found.append(Identifier("postcode", str(address["postalCode"])))
    return tuple(dict.fromkeys(found))


def _names(patient: Resource, subject: Resource) -> Iterator[str]:
    people = [*patient.get("name", ()), *(one.get("name", {}) for one in patient.get("contact", ()))]
    for name in people:
        given, family = [str(one) for one in name.get("given", ())], str(name.get("family") or "")
        for one in (*given, family, name.get("text")):
            if one:
                yield str(one)
        for one in given:
            if family:
                yield f"{one} {family}"
                yield f"{family} {one}"
    if subject.get("display"):
        yield str(subject["display"])


def texts_of(report: SafetyReport) -> dict[str, str]:
    """Each text of the report that a person wrote, by its path (``events.0.treatment``)."""
    return dict(_texts(report, ""))


_SILENT = frozenset(
    {
        "case", "version", "branch", "state", "form", "nation", "received", "updated", "linked", "changes",
        "offered", "subject", "reference", "term", "actuality", "onset", "end", "recognised", "seriousness",
        "severity", "outcome", "suspects", "paragraph", "date", "kind", "role", "system", "code",
        "action", "location", "when", "instead_of", "amendment", "coded", "coded_version", "profession",
        "country", "number",
    }
)  # fmt: skip
"""Fields that hold a code, a date, or something that this service made."""
_PLAIN = re.compile(
    r"(?:devices\.\d+\.(?:lot|serial|udi|udi_di|model|expiry)|medicines\.\d+\.batch|reporter\..*)"
)
"""Texts that hold codes or speak of staff: only what is known of the patient is looked for in them."""


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if value.strip():
            yield path, value
    elif isinstance(value, tuple):
        for at, part in enumerate(value):
            yield from _texts(part, f"{path}.{at}")
    elif is_dataclass(value):
        for one in fields(value):
            if one.name not in _SILENT:
                yield from _texts(getattr(value, one.name), f"{path}.{one.name}".lstrip("."))


def find_hits(report: SafetyReport, identifiers: Iterable[Identifier]) -> tuple[Hit, ...]:
    """Every place in the report's texts that may tell who the patient is."""
    known = tuple(identifiers)
    return tuple(
        Hit(path, kind, start, end)
        for path, text in texts_of(report).items()
        for kind, start, end in search(
            text, known, plain=_PLAIN.fullmatch(path) is not None, staff=path == "reporter.name"
        )
    )


def search(
    text: str, known: Iterable[Identifier], *, plain: bool = False, staff: bool = False
) -> list[tuple[str, int, int]]:
    """Kind, start and end of each place in one text.

    ``plain``: only what is known is looked for. ``staff``: it names a member of staff, who may share one name
    with the patient, but not all of them.
    """
    folded = fold(text)
    found: list[tuple[str, int, int]] = []
    for one in known:
        found += [(one.kind, *folded.span(*span)) for span in _known(folded, one, staff)]
    found += [("nhs-number", *folded.span(*span)) for span in _nhs_numbers(folded.text)]
    if not plain:
        for kind, pattern in (("name", _TITLED), ("postcode", _POSTCODE), ("email", _EMAIL),
                              ("telephone", _MOBILE)):  # fmt: skip
            found += [(kind, *folded.span(*one.span())) for one in pattern.finditer(folded.text)]
        for start, end, _ in find_dates(folded.text):
            if _BORN.search(folded.text[max(0, start - 40) : start]):
                found.append(("birth-date", *folded.span(start, end)))
    return sorted(dict.fromkeys(found), key=lambda one: (one[1], one[2], one[0]))


def _known(folded: Folded, one: Identifier, staff: bool) -> Iterator[tuple[int, int]]:
    match one.kind:
        case "name":
            for spelt in dict.fromkeys(
                (one.text, "".join(_SPELT.get(sign, sign) for sign in _composed(one)))
            ):
                yield from _name(folded.text, fold(spelt).text, staff)
        case "birth-date":
            yield from _birth_date(folded.text, one.text)
        case "number":
            yield from _number(folded.text, fold(one.text).text)
        case "telephone":
            yield from _telephone(folded.text, fold(one.text).text)
        case "address":
            yield from _phrase(folded.text, fold(one.text).text, _LINE)
        case _:
            yield from _phrase(folded.text, fold(one.text).text, 1)


def _composed(one: Identifier) -> str:
    return unicodedata.normalize("NFC", one.text).casefold()


def _name(text: str, name: str, staff: bool) -> Iterator[tuple[int, int]]:
    """The whole name however it is written together or apart, and each of its words on its own."""
    words = _WORD.findall(name)
    wanted = {"".join(words)} - {""}
    if staff and len(words) == 1:
        return
    if not staff:
        for word in words:
            if not latin(word):
                yield from ((at.start(), at.end()) for at in re.finditer(re.escape(word), text))
        wanted |= {word for word in words if len(word) > 1 and word not in _PARTICLES}
        # O'Brien is also written OBrien.
        wanted |= {one + other for one, other in pairwise(words) if len(one) + len(other) > 3}
    found = [(one.group(), one.start(), one.end()) for one in _WORD.finditer(text)]
    for at, (_, start, _) in enumerate(found):
        joined, last = "", start
        for word, begin, end in found[at : at + max(3, len(words))]:
            if begin - last > 3:
                break
            joined, last = joined + word, end
            if joined in wanted or (joined.endswith("s") and joined[:-1] in wanted and len(joined) > 3):
                yield start, end


def _birth_date(text: str, birth: str) -> Iterator[tuple[int, int]]:
    parts = [int(part) for part in birth.split("-") if part.isdigit()]
    if len(parts) < 2:
        return
    year, month, day = (*parts, 0)[:3]
    for start, end, readings in find_dates(text):
        if (year, month, day) in readings or (year, month, 0) in readings:
            yield start, end


def _number(text: str, number: str) -> Iterator[tuple[int, int]]:
    """The number however it is spaced; a known ten-digit number with one digit wrong or two swapped, too."""
    plain = "".join(letter for letter in number if letter.isalnum())
    if not plain:
        return
    stripped = plain.lstrip("0")
    for form in {plain, stripped} if len(stripped) >= _LINE else {plain}:
        pattern = _GAP.join(re.escape(letter) for letter in form)
        if form.isdigit():
            pattern = rf"(?<!\d){pattern}(?!\d)" if len(form) < _NHS else pattern
        elif len(form) < _SHORT:
            pattern = rf"(?<![^\W_]){pattern}(?![^\W_])"
        yield from (one.span() for one in re.finditer(pattern, text))
    if plain.isdigit() and len(plain) == _NHS:
        for start, end, digits in _tens(text):
            if _near(digits, plain):
                yield start, end


def _near(one: str, other: str) -> bool:
    """Whether two numbers differ in one digit, or by two neighbours swapped."""
    apart = [at for at in range(len(one)) if one[at] != other[at]]
    if len(apart) != 2:
        return len(apart) == 1
    first, second = apart
    return second == first + 1 and one[first] == other[second] and one[second] == other[first]


def _telephone(text: str, number: str) -> Iterator[tuple[int, int]]:
    digits = "".join(letter for letter in number if letter.isdigit())
    tail = digits[-_WHOLE:] if len(digits) > _WHOLE else digits
    if len(tail) >= _LINE:
        yield from (one.span() for one in re.finditer(rf"{_GAP.join(tail)}(?!\d)", text))


def _phrase(text: str, phrase: str, least: int) -> Iterator[tuple[int, int]]:
    """The phrase's letters and digits however they are spaced and punctuated."""
    letters = [letter for letter in phrase if letter.isalnum()]
    if len(letters) >= least:
        pattern = _GAP.join(re.escape(letter) for letter in letters)
        yield from (one.span() for one in re.finditer(rf"(?<![^\W_]){pattern}(?![^\W_])", text))


def _nhs_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Ten digits in any spacing that are an NHS, CHI or H&C number, or are said to be one."""
    for start, end, digits in _tens(text):
        spaced = re.fullmatch(r"\d{3}[\W_]{1,2}\d{3}[\W_]{1,2}\d{4}", text[start:end])
        if valid_nhs_number(digits) or spaced or _SAID.search(text[max(0, start - 40) : start]):
            yield start, end


def _tens(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and digits of every ten digits that begin and end with a group of digits."""
    for run in _RUN.finditer(text):
        groups = [(one.start(), one.end()) for one in _GROUP.finditer(text, run.start(), run.end())]
        for at, (start, _) in enumerate(groups):
            digits = ""
            for begin, end in groups[at : at + _NHS]:
                digits += text[begin:end]
                if len(digits) >= _NHS:
                    if len(digits) == _NHS:
                        yield start, end, digits
                    break


def valid_nhs_number(digits: str) -> bool:
    """Whether ten digits hold together by modulus 11 (NHS Data Dictionary, NHS NUMBER)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=False))
    check = 11 - total % 11
    return len(digits) == _NHS and len(set(digits)) > 1 and check % 11 == int(digits[9])
