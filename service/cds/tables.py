"""GitHub Flavored Markdown for a card's detail, in which text from a record stays text.

Text that somebody else wrote (an order's title, an answer, a reason) never makes a link, an element of
HTML, a column or a line of its own: what means something in Markdown is escaped, what cannot be seen is
left out, and what is long is cut.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST = 300
MOST_ROWS = 100
_LONGEST_TABLE = MOST_ROWS + 2  # the head and what stands below it
_SPACE = re.compile(r"\s+")
_WORD = r"(?:[A-Za-z0-9,;()/+%='?-]++|\.(?![^\W\d])|:(?!/))++"
_HARMLESS = re.compile(f"{_WORD}(?: {_WORD})*+")
"""Words with one space between, of what means nothing in Markdown where it stands: nearly all of a record."""
_MEANT = re.compile(r"[\\`*_{}\[\]<>#|~!&@$]|\.(?=[^\W\d])|:(?=/)")
_ENDS_ADDRESS = re.compile(r"[\s<>()|\\`\"]")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;"}
_BROKEN_ADDRESS = "@\u2060"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str, longest: int = LONGEST) -> str:
    """The text on one line, without characters that cannot be seen, at most so many UTF-16 units long.

    A clinician's screen counts and cuts in UTF-16, as JSON does; what is cut ends with an ellipsis.
    """
    text = text[: longest * 4]
    if text.isascii() and text.isprintable() and "  " not in text:  # nearly always, and quick
        return shorten(text.strip(" "), longest)
    if not text.isascii() or not text.isprintable():
        text = "".join(" " if one.isspace() else one for one in text if one.isspace() or _is_seen(one))
    return shorten(_SPACE.sub(" ", text).strip(), longest)


def shorten(text: str, longest: int) -> str:
    """The text within so many UTF-16 units, cut with an ellipsis; empty where not even that fits."""
    if units(text) <= longest:
        return text
    if longest < 1:
        return ""
    kept = text[: longest - 1]
    while units(kept) > longest - 1:
        kept = kept[:-1]
    while kept and unicodedata.combining(text[len(kept)]):
        kept = kept[:-1]  # no letter without the accents that follow it
    return f"{kept.rstrip()}…"


def units(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def escape(text: str, longest: int = LONGEST) -> str:
    """The text as Markdown that shows it as it is, within a line that has begun already."""
    if len(text) <= longest and _HARMLESS.fullmatch(text):
        return text
    return _MEANT.sub(_escaped, plain(text, longest))


@lru_cache(maxsize=4096)
def published(text: str) -> str:
    """Text of the published content as Markdown, remembered: never to be called with a patient's data."""
    return escape(text, 4 * LONGEST)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already, each on one line and without a bare ``|``."""
    held = [head, ["---"] * len(head), *rows]
    more = len(held) - _LONGEST_TABLE
    if more > 0:
        held[_LONGEST_TABLE:] = [[f"and {more} more", *[""] * (len(head) - 1)]]
    return "| " + " |\n| ".join([" | ".join(cells) for cells in held]) + " |"


def link(text: str, url: str) -> str:
    """A link with this text; the text alone where the address is not an absolute http one."""
    if not is_absolute(url):
        return escape(text)
    return f"[{escape(text)}]({url})"


def is_absolute(url: str) -> bool:
    """Whether it is an absolute http or https address without what would end it in Markdown."""
    return url.startswith(("https://", "http://")) and _ENDS_ADDRESS.search(url) is None


def _is_seen(character: str) -> bool:
    """Whether it is a character to be read: no control, no mark of direction, none that is private."""
    return unicodedata.category(character) not in _UNSEEN


def _escaped(found: re.Match[str]) -> str:
    text = found[0]
    if text in _ENTITIES:
        return _ENTITIES[text]
    if text == "@":
        return _BROKEN_ADDRESS  # renderers make links of addresses after they have read the escapes
    return f"\\{text}"
