"""Text from a record stays text in a card's Markdown, as a renderer of GFM reads it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from service.cds.tables import escape, is_absolute, link, plain, shorten, table, units

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = (
    "a | b\n| --- |",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "[ref]: https://evil.example",
    "https://evil.example",
    "www.evil.example",
    "somebody@evil.example",
    "<https://evil.example>",
    "`code` **bold** __bold__ ~~gone~~ *it*",
    "\\| \\\\| \\",
    "&lt;b&gt; &#124; &copy;",
    "line one\r\nline two\u2028three\x0bfour",
    "# heading",
    "\u202egnp.exe",
    "x" * 5000,
)
texts = st.one_of(
    st.text(max_size=400),
    st.lists(st.sampled_from(HOSTILE), max_size=3).map(" ".join),
    st.text(alphabet="|\\`<>[]()!&*_~#@.:/w\n\r\t x1", max_size=60),
)


def inline_types(markdown: str) -> set[str]:
    """The kinds of everything that a renderer finds."""
    found = set()
    for token in RENDERER.parse(markdown):
        found.add(token.type)
        found |= {child.type for child in token.children or ()}
    return found


def shown(markdown: str) -> str:
    """What a renderer shows of one line."""
    tokens = RENDERER.parseInline(markdown)[0].children or []
    return "".join(token.content if token.type != "softbreak" else "\n" for token in tokens)


@given(texts)
def test_text_from_a_record_is_one_line_of_plain_text(text: str) -> None:
    """No markup of any kind comes of it, whatever it holds."""
    line = f"Order: {escape(text)} end"
    assert inline_types(line) <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
    assert "\n" not in line


@given(texts)
def test_text_is_shown_as_it_is_without_what_cannot_be_seen(text: str) -> None:
    """Markdown's escapes are not seen; only the break in an address is, as nothing."""
    assert shown(f"x{escape(text)}").replace("@\u2060", "@") == f"x{plain(text)}"


@given(st.one_of(texts, st.text(alphabet="aZ0 ,;()/+%='?-.:", max_size=40)), st.integers(100, 400))
@example("12,5 mg/day (Bone metastasis; 50%) - 'x'", 300)
@example("two  spaces", 300)
@example(" led", 300)
@example("trailed ", 300)
@example("x" * 101, 100)
def test_text_without_anything_to_escape_is_the_same_the_quick_way(text: str, longest: int) -> None:
    """A character that nobody sees leads to the whole way, and is left out on it."""
    assert escape(text[:399], longest) == escape(f"{text[:399]}\x00", longest)


@pytest.mark.requirement("Card Attributes: detail is GitHub Flavored Markdown")
@given(st.lists(st.tuples(texts, texts, texts), max_size=6))
def test_a_row_never_breaks(rows: list[tuple[str, str, str]]) -> None:
    """A table has the rows and columns that it was given, and text in its cells."""
    made = table(("One", "Two", "Three"), [[escape(cell) for cell in row] for row in rows])
    tokens = RENDERER.parse(made)
    assert sum(token.type == "tr_open" for token in tokens) == len(rows) + 1
    assert sum(token.type == "td_open" for token in tokens) == 3 * len(rows)
    assert tokens[0].type == "table_open"
    assert tokens[-1].type == "table_close"
    cells = {child.type for token in tokens for child in token.children or ()}
    assert cells <= {"text", "text_special"}


@given(texts, st.integers(0, 150))
@example("é" * 200, 139)
@example("😀" * 200, 139)
@example("e\u0301" * 100, 99)
def test_what_is_too_long_is_cut_in_utf16(text: str, longest: int) -> None:
    """Within the limit as a browser counts; never within a letter; what fits is left."""
    whole = plain(text, 100_000)
    cut = shorten(whole, longest)
    assert units(cut) <= longest
    if units(whole) <= longest:
        assert cut == whole
    elif cut:
        assert cut.endswith("…")
        assert whole.startswith(cut[:-1])
        kept = len(cut) - 1
        assert cut == "…" or whole[kept] == " " or not unicodedata.combining(whole[kept])


@pytest.mark.parametrize("text", HOSTILE)
def test_no_address_is_linked_by_itself(text: str) -> None:
    """A renderer that makes links of bare addresses finds none: each is broken by an escape."""
    made = escape(text)
    for address in ("https://", "http://", "www.evil", "somebody@evil", "evil.example"):
        assert address not in made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pain 6.3 of 10, 50%", "Pain 6.3 of 10, 50%"),
        ("a|b", "a&#124;b"),
        ("<b>", "&lt;b&gt;"),
        ("T9 [left]", r"T9 \[left\]"),
        ("  two \n lines ", "two lines"),
        ("\x00\x1b[31mred", r"\[31mred"),
    ],
)
def test_what_the_markdown_is(text: str, expected: str) -> None:
    """Ordinary text stays readable as it is written."""
    assert escape(text) == expected


def test_a_table_has_an_end() -> None:
    """Past a hundred rows they are counted."""
    made = table(("N", "Of"), [(str(number), "x") for number in range(103)])
    assert made.splitlines()[-1] == "| and 3 more |  |"
    assert len(made.splitlines()) == 103


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("https://www.nice.org.uk/guidance/htg117", True),
        ("http://localhost:8000/x?y=1", True),
        ("javascript:alert(1)", False),
        ("/relative", False),
        ("https://x.example/a b", False),
        ("https://x.example/)](y", False),
        ("", False),
    ],
)
def test_only_an_absolute_address_is_linked(url: str, absolute: bool) -> None:
    """Anything else is shown as its text alone."""
    assert is_absolute(url) is absolute
    assert link("2.1.2", url) == (f"[2.1.2]({url})" if absolute else "2.1.2")
