"""Reading JSON strictly: what is refused, where, and that nothing is lost on the way."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import Malformed, TooLarge
from service.domain.issues import error
from service.fhir import json_text
from service.fhir.json_text import Limits, decode, encode

TEXT = b"""{
  "resourceType": "Observation",
  "status": "final",
  "valueQuantity": {"value": 6.30, "unit": "cm"},
  "component": [
    {"valueString": "a"},
    {"code": {"text": "b"},
     "valueString": "c"}
  ]
}"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "line 1, column 2: this is not JSON"),
        (
            b'{"a": 1,\n "a": 2}',
            "line 2, column 2: the key 'a' stands twice in one object; keep one of the two",
        ),
        (b'{"a": {"b": [1, {"c": 1, "c": 2}]}}', "line 1, column 26: the key 'c' stands twice"),
        (b'{"a": {"b": 1, "b": 2}, "\t": 1}', "line 1, column 16: the key 'b' stands twice"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": "\\ud83d"}', "line 1, column 8: a \\u escape is half of a surrogate pair"),
        (b'{"\\udc00": 1}', "half of a surrogate pair"),
        (b'{"a": "\xff"}', "line 1, column 8: the text is not UTF-8 here"),
        (b"[1]", "not a JSON object"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "a number in the body cannot be read"),
        (b'{"a": 1e501}', "it has more than 500 places"),
        (b'{"a": 1e-501}', "it has more than 500 places"),
        (b'{"a": 1e99999999999999999999}', "a number in the body cannot be read"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_with_its_place(body: bytes, said: str) -> None:
    with pytest.raises(Malformed) as refusal:
        decode(body)
    assert said in str(refusal.value)
    assert refusal.value.issues[0].fails


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert decode(b'{"a": "\\ud83d\\ude00"}').resource == {"a": "\U0001f600"}


def test_limits_are_the_callers() -> None:
    nested = b'{"a":' * 10 + b"1" + b"}" * 10
    assert decode(nested, Limits(depth=10)).resource
    with pytest.raises(TooLarge, match="more than 9 levels"):
        decode(nested, Limits(depth=9))
    with pytest.raises(TooLarge, match="the limit is 20"):
        decode(nested, Limits(size=20))


@pytest.mark.parametrize("levels", [1_000, 100_000])
def test_deep_nesting_is_refused_not_survived_by_luck(levels: int) -> None:
    with pytest.raises(TooLarge):
        decode(b'{"a":' + b"[" * levels + b"]" * levels + b"}")


def test_decimals_stay_as_written() -> None:
    body = b'{"a":6.30,"b":1E+2,"c":0.10000000000000000001,"d":7,"e":0E+501}'
    document = decode(body)
    assert document.resource["a"] == Decimal("6.30")
    assert encode(document.resource) == body


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("Observation", (1, 1)),
        ("Observation.status", (3, 3)),
        ("Observation.value", (4, 3)),
        ("Observation.value.ofType(Quantity).unit", (4, 36)),
        ("Observation.component[1].value", (8, 6)),
        ("Observation.component[1].code.text", (7, 15)),
        ("Observation.component[1].code.nothing", (7, 6)),
        ("Observation.status[0]", (3, 3)),
        ("nonsense ((", (1, 1)),
        ("", (1, 1)),
    ],
)
def test_a_place_has_a_line_and_a_column(expression: str, place: tuple[int, int]) -> None:
    assert decode(TEXT).position(expression) == place


def test_issues_are_given_their_places() -> None:
    document = decode(TEXT)
    assert document.placed((error("value", "no", "Observation.status"),)) == (
        error("value", "no", "Observation.status").at(3, 3),
    )
    assert document.placed(()) == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), _JSON))
def test_what_is_written_is_read_back(resource: dict[str, object]) -> None:
    assert decode(encode(resource)).resource == resource


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused_and_never_anything_else(body: bytes) -> None:
    try:
        assert isinstance(decode(body).resource, dict)
    except Malformed as refusal:
        assert refusal.issues


@given(st.dictionaries(st.text(), _JSON), st.integers(0, 6), st.text(max_size=30))
def test_every_place_lies_in_the_text(resource: dict[str, object], indent: int, expression: str) -> None:
    text = json.dumps(resource, indent=indent)
    line, column = decode(text.encode()).position(expression)
    lines = text.split("\n")
    assert 1 <= line <= len(lines)
    assert 1 <= column <= len(lines[line - 1]) + 1


_NUMBERS = st.sampled_from(
    ["0", "-0", "-0.0", "1e5", "1E+5", "6.30", "1.0e-7", "01", "1.", "9" * 25, "9" * 5000, "1e999", "NaN"]
)
_TEXTS = st.sampled_from(
    [
        '"a"',
        '"\\u0061"',
        '"\\/"',
        '"\\ud83d\\ude00"',
        '"\\ud83d"',
        '"\\udc00"',
        '"\\t"',
        '"\t"',
        '"\\":"',
        '"é"',
    ]
)
_SPELLED = st.recursive(
    _NUMBERS | _TEXTS | st.sampled_from(["null", "true", "tru", "[]", "{}", "[ ]", ""]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda found: f"[{' , '.join(found)}]")
        | st.lists(st.tuples(st.sampled_from(['"a"', '"b"', '"\\u0061"', "a"]), inner), max_size=3).map(
            lambda found: "{" + ",\n".join(f"{key}: {value}" for key, value in found) + "}"
        )
    ),
    max_leaves=8,
)


def _read(body: bytes) -> str:
    """What reading comes to, to the last digit and type, or what is said of it."""
    try:
        return repr(decode(body, Limits(depth=4)).resource)
    except (Malformed, TooLarge) as refusal:
        return f"{refusal!r} {refusal.issues}"


def _read_both_ways(body: bytes) -> tuple[str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "_read_plain", lambda _body: None)
        strictly = _read(body)
    return _read(body), strictly


@given(
    st.lists(st.tuples(st.sampled_from(['"a"', '"b"']), _SPELLED), max_size=3),
    st.binary(max_size=1),
    st.data(),
)
def test_the_quick_reader_reads_as_the_strict_one(
    members: list[tuple[str, str]], stray: bytes, data: st.DataObject
) -> None:
    text = ("{" + ",".join(f"{key}:{value}" for key, value in members) + "}").encode()
    at = data.draw(st.integers(0, len(text)))
    for body in (text, text[:at] + stray + text[at:]):
        quickly, strictly = _read_both_ways(body)
        assert quickly == strictly


@given(st.dictionaries(st.text(), _JSON), st.sampled_from([None, 0, 2]), st.booleans())
def test_the_quick_reader_reads_what_others_write(
    resource: dict[str, object], indent: int | None, ascii_only: bool
) -> None:
    quickly, strictly = _read_both_ways(json.dumps(resource, indent=indent, ensure_ascii=ascii_only).encode())
    assert quickly == strictly


def _depth(found: object) -> int:
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


_BRACKETED = st.recursive(
    st.none() | st.text("[]{}a", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("[]{}", max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text("[]{}", max_size=3), _BRACKETED), st.integers(1, 6), st.sampled_from([None, 2])
)
def test_what_nests_deeper_than_the_limit_is_refused_and_nothing_else(
    resource: dict[str, object], limit: int, indent: int | None
) -> None:
    body = json.dumps(resource, indent=indent).encode()
    if _depth(resource) > limit:
        with pytest.raises(TooLarge):
            decode(body, Limits(depth=limit))
    else:
        assert decode(body, Limits(depth=limit)).resource == resource
