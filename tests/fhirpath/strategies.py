"""What the laws are tried on: syntax trees, texts, System values, JSON of any shape, R4 resources."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from service.fhirpath import R4, syntax
from service.fhirpath.functions import FUNCTIONS
from service.fhirpath.parser import CALENDAR_UNITS
from service.fhirpath.syntax import PRECEDENCE, Expression

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

# -- System values ------------------------------------------------------------------------------------------

INTEGERS = st.integers(-(2**31), 2**31 - 1)
DECIMALS = st.decimals(-(10**15), 10**15, places=8, allow_nan=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DATES = st.dates(date(1, 1, 1), date(9999, 12, 31))

MOMENTS = st.one_of(
    DATES.map(lambda day: f"{day.year:04d}"),
    DATES.map(lambda day: f"{day.year:04d}-{day.month:02d}"),
    DATES.map(lambda day: day.isoformat()),
)
"""Dates at every precision, as text."""

_CLOCKS = st.one_of(
    st.times().map(lambda time: f"{time.hour:02d}"),
    st.times().map(lambda time: f"{time.hour:02d}:{time.minute:02d}"),
    st.times().map(lambda time: time.replace(microsecond=0).isoformat()),
    st.times().map(lambda time: f"{time.replace(microsecond=0).isoformat()}.{time.microsecond // 1000:03d}"),
)
TIMES = _CLOCKS
"""Times at every precision, as text."""

_ZONES = st.sampled_from(["", "Z", "+01:00", "-05:30", "+14:00"])
# Away from the ends of the calendar, where a zone would carry an instant out of it.
_MIDDLE = st.dates(date(2, 1, 1), date(9998, 12, 31)).map(date.isoformat)
DATETIMES = st.one_of(MOMENTS, st.builds("{}T{}{}".format, _MIDDLE, _CLOCKS, _ZONES))
"""Dates with times at every precision and zone, as text."""

SCALARS: SearchStrategy[Any] = st.one_of(
    st.integers(-3, 3), st.decimals(-3, 3, places=1), st.booleans(), st.sampled_from(["", "a", "b", "1"])
)
"""Plain values few enough to be equal often."""

COLLECTIONS = st.lists(SCALARS, max_size=6)

# -- trees and texts ----------------------------------------------------------------------------------------

_NAMES = st.one_of(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True), TEXTS)
_NAMED = st.one_of(_NAMES, st.sampled_from(["true", "div", "as", "is", "contains", "desc", "day", "System"]))
_NUMBERS = st.one_of(
    st.integers(0, 2**31 - 1).map(str), st.decimals(0, 10**9, places=3, allow_nan=False).map("{:f}".format)
)
_TYPES = st.builds(syntax.TypeName, st.sampled_from([None, "System", "FHIR"]), _NAMED)
_LITERALS: SearchStrategy[Expression] = st.one_of(
    st.builds(syntax.Literal, st.just("Boolean"), st.sampled_from(["true", "false"])),
    st.builds(syntax.Literal, st.just("Integer"), st.integers(0, 2**31 - 1).map(str)),
    st.builds(syntax.Literal, st.just("Decimal"), st.decimals(0, 10**9, places=3).map("{:f}".format)),
    st.builds(syntax.Literal, st.just("String"), TEXTS),
    st.builds(syntax.Literal, st.just("Date"), MOMENTS),
    st.builds(
        syntax.Literal, st.just("DateTime"), DATETIMES.map(lambda text: text if "T" in text else f"{text}T")
    ),
    st.builds(syntax.Literal, st.just("Time"), TIMES),
    st.builds(syntax.QuantityLiteral, _NUMBERS, st.sampled_from(sorted(CALENDAR_UNITS)), st.just(True)),
    st.builds(syntax.QuantityLiteral, _NUMBERS, TEXTS, st.just(False)),
    st.builds(syntax.Empty),
    st.builds(syntax.Special, st.sampled_from(["this", "index", "total"])),
    st.builds(syntax.Variable, _NAMED),
    st.builds(syntax.Member, st.none(), _NAMED),
)
_FUNCTIONS = st.one_of(
    st.sampled_from(sorted(set(FUNCTIONS) - {"is", "as", "ofType", "sort"})), _NAMES
).filter(lambda name: name not in ("is", "as", "ofType", "sort"))


def _grown(inner: SearchStrategy[Expression]) -> SearchStrategy[Expression]:
    keys = st.builds(syntax.SortKey, inner, st.booleans())
    source = st.one_of(st.none(), inner)
    return st.one_of(
        st.builds(syntax.Member, inner, _NAMED),
        st.builds(syntax.Call, source, _FUNCTIONS, st.lists(inner, max_size=3).map(tuple)),
        st.builds(syntax.Call, source, st.just("sort"), st.lists(keys, max_size=2).map(tuple)),
        st.builds(
            syntax.Call, source, st.sampled_from(["is", "as", "ofType"]), _TYPES.map(lambda named: (named,))
        ),
        st.builds(syntax.Indexer, inner, inner),
        st.builds(syntax.Unary, st.sampled_from("+-"), inner),
        st.builds(syntax.Binary, st.sampled_from(sorted(set(PRECEDENCE) - {"is", "as"})), inner, inner),
        st.builds(syntax.TypeTest, st.sampled_from(["is", "as"]), inner, _TYPES),
    )


TREES: SearchStrategy[Expression] = st.recursive(_LITERALS, _grown, max_leaves=10)
"""Syntax trees of every kind of part."""

_TOKENS = [
    *sorted(PRECEDENCE),
    *"()[]{}.,%@$'`\\/\" \n",
    *("item", "where", "value", "1", "2.50", "'a'", "@2020-02", "@T10:30", "day", "$this", "%resource"),
    *("first()", "ofType(Quantity)", "true", "{}", "//", "/*", "*/", "\\u00e9", "é", "\ud800"),
]
TOKEN_TEXTS = st.lists(st.sampled_from(_TOKENS), max_size=14).flatmap(
    lambda tokens: st.sampled_from(["", " "]).map(lambda space: space.join(tokens))
)
"""Texts made of the words of the language, rarely in an order it allows."""

# -- JSON and resources -------------------------------------------------------------------------------------

_KEYS = st.sampled_from(
    [
        *("resourceType", "id", "item", "linkId", "answer", "valueCoding", "valueQuantity", "value", "code"),
        *(
            "name",
            "given",
            "_given",
            "family",
            "birthDate",
            "_birthDate",
            "extension",
            "url",
            "valueDateTime",
        ),
        *("entry", "resource", "contained", "status", "active", "identifier", "system", "coding", "authored"),
        *("comparator", "unit", "valueDecimal", "valueDate", "valueBoolean", "valueTime", "text", "div", ""),
    ]
)
_PLAIN: SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["Patient", "Bundle", "QuestionnaireResponse", "2020-02", "10:00", "a", "é\ud800", "1 'kg'"]
    ),
)
JSON: SearchStrategy[Any] = st.recursive(
    _PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=5)),
    max_leaves=25,
)
"""JSON of any shape, with the names that resources have."""

CLAIMED = st.builds(
    lambda kind, value: {**value, "resourceType": kind},
    st.sampled_from(["Patient", "Bundle", "QuestionnaireResponse", "Observation", "Binary", "Nothing"]),
    st.dictionaries(_KEYS, JSON, max_size=6),
)
"""JSON that claims to be a resource."""

_VALUES: dict[str, SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "integer": INTEGERS,
    "positiveInt": st.integers(1, 2**31 - 1),
    "unsignedInt": st.integers(0, 2**31 - 1),
    "decimal": st.decimals(-(10**6), 10**6, places=2),
    "date": MOMENTS,
    "dateTime": st.one_of(MOMENTS, st.builds("{}T{}Z".format, _MIDDLE, st.just("10:11:12.5"))),
    "instant": st.builds("{}T{}Z".format, _MIDDLE, st.just("10:11:12.5")),
    "time": st.times().map(lambda time: time.replace(microsecond=0).isoformat()),
    "base64Binary": st.just("aGVsbG8="),
    "xhtml": st.just('<div xmlns="http://www.w3.org/1999/xhtml">words</div>'),
}
_WORDS = st.text("abc-1", min_size=1, max_size=6)
_RESOURCES = ("Patient", "Observation", "QuestionnaireResponse", "PlanDefinition", "Medication", "Bundle")


@st.composite
def _element(draw: DrawFn, name: str, depth: int) -> Any:
    """A value of a type, made from the model's tables."""
    info = R4.type(name)
    assert info is not None
    if info.kind == "primitive":
        return draw(_VALUES.get(name, _WORDS))
    if info.kind == "resource" and info.abstract:
        info = R4.type(name := "Basic")
        assert info is not None
    made: dict[str, Any] = {"resourceType": name} if info.kind == "resource" else {}
    known = [
        (field, element, type_)
        for field, (element, type_) in sorted(info.fields.items())
        if field not in ("extension", "modifierExtension", "contained")
        and (depth > 0 or _is_primitive(type_))
        and type_ != "Narrative"
    ]
    for field, element, type_ in (
        draw(st.lists(st.sampled_from(known), min_size=1, max_size=4)) if known else []
    ):
        if any(made.get(variant) is not None for variant in element.variants.values()):
            continue
        value = _element(type_, depth - 1)
        made[field] = draw(st.lists(value, min_size=1, max_size=2) if element.repeats else value)
    return made


def _is_primitive(name: str) -> bool:
    info = R4.type(name)
    return info is not None and info.kind == "primitive"


def resources() -> SearchStrategy[dict[str, Any]]:
    """Resources of the right shape, made from the tables of the model."""
    return st.sampled_from(_RESOURCES).flatmap(lambda name: _element(name, 3))


@st.composite
def walks(draw: DrawFn) -> tuple[dict[str, Any], str, list[Any]]:
    """A resource, a path that leads somewhere in it, and what is found there."""
    resource = draw(resources())
    info = R4.type(resource["resourceType"])
    path, items = resource["resourceType"], [resource]
    while True:
        assert info is not None
        steps = sorted(
            {field for item in items if isinstance(item, dict) for field in item if field in info.fields}
        )
        if not steps or (path.count(".") > 1 and draw(st.integers(0, 9)) == 9):
            return resource, path, items
        field = draw(st.sampled_from(steps))
        element, type_ = info.fields[field]
        found = [item[field] for item in items if field in item]
        items = [one for value in found for one in (value if isinstance(value, list) else [value])]
        path += f".{'`div`' if element.name == 'div' else element.name}"
        if element.choice:
            path += f".ofType({type_})"
        if items and R4.is_a(type_, "Resource"):
            kind = items[0]["resourceType"]
            path, type_ = f"{path}.ofType({kind})", kind
            items = [item for item in items if item["resourceType"] == kind]
        if draw(st.booleans()):
            path += draw(st.sampled_from([".where(true)", ".select($this)", ".trace('here')", ".skip(0)"]))
        info = R4.type(type_)
        if info is None or info.kind == "primitive":
            return resource, path, items
