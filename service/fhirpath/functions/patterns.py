"""Regular expressions (§5.6.9, §5.6.10): matches, matchesFull and replaceMatches.

They run on RE2, whose time grows with the length of the text and nothing else. RE2 has no look-around and no
back-references; a pattern that uses them is an error, not an empty answer. Patterns work in single-line mode:
a dot matches line ends too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from service.fhirpath.errors import EvaluationError

from .registry import scalar
from .strings import LONGEST, bounded

_LONGEST_PATTERN = 2_000
# Constructs of PCRE and of XML Schema that RE2 refuses, and how to name them.
_UNSUPPORTED = (
    (re.compile(r"\(\?(?:=|!)"), "look-ahead"),
    (re.compile(r"\(\?<(?:=|!)"), "look-behind"),
    (re.compile(r"\(\?>|[*+?}]\+"), "possessive matching"),
    (re.compile(r"\\[1-9]|\\k[<'{]"), "a back-reference"),
)
_NAMED_GROUP = re.compile(r"\(\?<([A-Za-z_]\w*)>")
_REFERENCE = re.compile(r"\\([\\$])|\$(\d)|\$\{(\w+)\}|\\")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    """The pattern ready to run; EvaluationError for one that RE2 cannot."""
    # RE2 is loaded by the first expression that uses a pattern: most never do.
    import re2

    if len(pattern) > _LONGEST_PATTERN:
        raise EvaluationError(f"a regular expression longer than {_LONGEST_PATTERN} characters")
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        return re2.compile(_NAMED_GROUP.sub(r"(?P<\1>", pattern).encode("utf-8"), options)
    except UnicodeEncodeError:
        raise EvaluationError("the regular expression holds half a character") from None
    except re2.error as error:
        for construct, name in _UNSUPPORTED:
            if construct.search(pattern):
                raise EvaluationError(f"regular expressions here have no {name}; write it without") from None
        reason = error.args[0] if error.args else ""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise EvaluationError(f"not a regular expression: {text[:200]}") from None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


@scalar("matches", "5.6.9", "regex: String", takes="String", gives="Boolean")
def matches(text: str, regex: str) -> bool:
    """matches(regex) : Boolean. Whether some part of the text matches."""
    return _compiled(regex).search(_bytes(text)) is not None


@scalar("matchesFull", "matchesFull of 3.0", "regex: String", takes="String", gives="Boolean")
def matches_full(text: str, regex: str) -> bool:
    """matchesFull(regex) : Boolean. Whether the whole text matches."""
    return _compiled(regex).fullmatch(_bytes(text)) is not None


@scalar("replaceMatches", "5.6.10", "regex: String", "substitution: String", takes="String", gives="String")
def replace_matches(text: str, regex: str, substitution: str) -> str:
    """replaceMatches(regex, substitution) : String. `$1` and `${name}` stand for groups.

    An empty pattern changes nothing (HL7's R4 tests).
    """
    if regex == "":
        return text
    pattern = _compiled(regex)
    raw, position, length = _bytes(text), 0, 0
    pieces: list[bytes] = []
    for found in pattern.finditer(raw):
        pieces += [raw[position : found.start()], _filled(substitution, found)]
        length += len(pieces[-1]) + len(pieces[-2])
        if length > 4 * LONGEST:
            break
        position = found.end()
    pieces.append(raw[position:])
    return bounded(b"".join(pieces).decode("utf-8", "replace"))


def _filled(substitution: str, found: Any) -> bytes:
    if "$" not in substitution and "\\" not in substitution:
        return substitution.encode("utf-8", "replace")

    def group(reference: re.Match[str]) -> str:
        escaped, number, name = reference.groups()
        if escaped:
            return escaped
        if number is None and name is None:
            return reference.group()
        names = found.re.groupindex
        place = int(number) if number else names.get(name, names.get(name.encode(), -1))
        if not 0 <= place <= found.re.groups:
            raise EvaluationError(f"the regular expression has no group {number or name}")
        value = found.group(place)
        return (value or b"").decode("utf-8", "replace")

    return _REFERENCE.sub(group, substitution).encode("utf-8", "replace")
