"""Code systems, value sets and maps: membership in three values, and the terminology operations' answers."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.errors import NotFound, TooLarge, Unprocessable
from service.fhir.concepts import NotEnumerable, Terminology
from service.fhir.concepts.maps import translate
from service.fhir.concepts.parameters import expand_value_set, look_up, translate_code, validate_code

BASE = "https://toy.example.org/fhir"
ANIMALS = f"{BASE}/CodeSystem/animals"

SYSTEM: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "url": ANIMALS,
    "version": "1.0.0",
    "name": "Animals",
    "caseSensitive": True,
    "content": "complete",
    "concept": [
        {
            "code": "mammal",
            "display": "Mammal",
            "definition": "It has hair.",
            "concept": [
                {"code": "cat", "display": "Cat", "property": [{"code": "legs", "valueInteger": 4}]},
                {
                    "code": "bat",
                    "display": "Bat",
                    "designation": [{"language": "de", "value": "Fledermaus"}],
                    "property": [{"code": "flies", "valueBoolean": True}],
                },
            ],
        },
        {
            "code": "bird",
            "display": "Bird",
            "concept": [
                {
                    "code": "dodo",
                    "display": "Dodo",
                    "property": [{"code": "inactive", "valueBoolean": True}],
                }
            ],
        },
    ],
}


def value_set(name: str, **compose: Any) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "url": f"{BASE}/ValueSet/{name}", "compose": compose}


def filtered(name: str, operator: str, property_: str, value: str) -> dict[str, Any]:
    condition = {"property": property_, "op": operator, "value": value}
    return value_set(name, include=[{"system": ANIMALS, "filter": [condition]}])


MAMMALS = filtered("mammals", "is-a", "concept", "mammal")
OUTSIDE = value_set("outside", include=[{"system": "http://snomed.info/sct"}])
HELD = {
    found["url"]: found
    for found in (
        SYSTEM,
        MAMMALS,
        OUTSIDE,
        value_set("ring", include=[{"valueSet": [f"{BASE}/ValueSet/ring"]}]),
    )
}
TERMINOLOGY = Terminology(HELD.get)


def codes(resource: dict[str, Any]) -> list[str]:
    return [member.code for member in TERMINOLOGY.expand(resource).values()]


@pytest.mark.parametrize(
    ("operator", "property_", "value", "expected"),
    [
        ("is-a", "concept", "mammal", ["mammal", "cat", "bat"]),
        ("descendent-of", "concept", "mammal", ["cat", "bat"]),
        ("is-not-a", "concept", "mammal", ["bird", "dodo"]),
        ("generalizes", "concept", "dodo", ["bird", "dodo"]),
        ("=", "legs", "4", ["cat"]),
        ("=", "parent", "bird", ["dodo"]),
        ("in", "code", "cat, dodo", ["cat", "dodo"]),
        ("not-in", "code", "cat,bat,mammal", ["bird", "dodo"]),
        ("exists", "flies", "true", ["bat"]),
        ("exists", "flies", "false", ["mammal", "cat", "bird", "dodo"]),
        ("regex", "display", ".at", ["cat", "bat"]),
    ],
)
def test_every_r4_filter_selects_what_it_says(
    operator: str, property_: str, value: str, expected: list[str]
) -> None:
    chosen = filtered("f", operator, property_, value)
    assert codes(chosen) == expected
    everything = ("mammal", "cat", "bat", "bird", "dodo")
    assert [code for code in everything if TERMINOLOGY.contains(chosen, ANIMALS, code)] == expected


def test_includes_unite_value_sets_intersect_and_excludes_take_away() -> None:
    chosen = value_set(
        "x",
        include=[
            {"system": ANIMALS, "valueSet": [MAMMALS["url"]]},
            {"system": ANIMALS, "concept": [{"code": "dodo"}]},
        ],
        exclude=[{"system": ANIMALS, "concept": [{"code": "cat"}]}],
    )
    assert codes(chosen) == ["mammal", "bat", "dodo"]
    assert TERMINOLOGY.contains(chosen, ANIMALS, "cat") is False
    assert codes(chosen | {"compose": chosen["compose"] | {"inactive": False}}) == ["mammal", "bat"]


def test_what_is_not_held_here_is_undecided_never_no() -> None:
    assert TERMINOLOGY.contains(OUTSIDE, "http://snomed.info/sct", "94222008") is None
    assert TERMINOLOGY.contains(OUTSIDE, ANIMALS, "cat") is False
    assert TERMINOLOGY.contains(f"{BASE}/ValueSet/unheard-of", ANIMALS, "cat") is None
    assert TERMINOLOGY.contains(f"{BASE}/ValueSet/ring", ANIMALS, "cat") is None
    without = value_set("y", include=[{"system": ANIMALS}], exclude=[{"valueSet": ["urn:nowhere"]}])
    assert TERMINOLOGY.contains(without, ANIMALS, "cat") is None
    for resource in (OUTSIDE, without, HELD[f"{BASE}/ValueSet/ring"]):
        with pytest.raises(NotEnumerable):
            TERMINOLOGY.expand(resource)


def test_a_bare_code_may_come_from_any_system_of_the_value_set() -> None:
    assert TERMINOLOGY.contains(MAMMALS, None, "cat") is True
    assert TERMINOLOGY.contains(MAMMALS, None, "dodo") is False


def test_a_stored_expansion_serves_where_there_is_no_compose() -> None:
    contained = [{"system": ANIMALS, "code": "mammal", "abstract": True, "contains": [{"code": "cat"}]}]
    stored = {"resourceType": "ValueSet", "url": "urn:e", "expansion": {"contains": contained}}
    assert codes(stored) == ["cat"]
    assert TERMINOLOGY.contains(stored, None, "cat") is True


def test_case_counts_only_where_the_system_says_so() -> None:
    loose = Terminology({ANIMALS: SYSTEM | {"caseSensitive": False}}.get)
    assert loose.display(ANIMALS, "CAT") == "Cat"
    assert TERMINOLOGY.display(ANIMALS, "CAT") is None


def test_subsumption() -> None:
    assert TERMINOLOGY.subsumes(ANIMALS, "mammal", "cat") is True
    assert TERMINOLOGY.subsumes(ANIMALS, "cat", "mammal") is False
    assert TERMINOLOGY.subsumes(ANIMALS, "cat", "unicorn") is None


def test_expand_pages_and_filters_and_says_how() -> None:
    page = expand_value_set(
        TERMINOLOGY,
        MAMMALS,
        now="2026-01-01T00:00:00Z",
        identifier="urn:uuid:1",
        text="at",
        offset=1,
        count=1,
    )
    assert page == MAMMALS | {
        "expansion": {
            "identifier": "urn:uuid:1",
            "timestamp": "2026-01-01T00:00:00Z",
            "total": 2,
            "offset": 1,
            "parameter": [
                {"name": "filter", "valueString": "at"},
                {"name": "offset", "valueInteger": 1},
                {"name": "count", "valueInteger": 1},
            ],
            "contains": [{"system": ANIMALS, "version": "1.0.0", "code": "bat", "display": "Bat"}],
        }
    }


def test_expand_refuses_what_it_cannot_list_whole() -> None:
    with pytest.raises(Unprocessable, match="not all held here"):
        expand_value_set(TERMINOLOGY, OUTSIDE, now="2026-01-01T00:00:00Z", identifier="urn:uuid:1")
    many = value_set(
        "many", include=[{"system": "urn:s", "concept": [{"code": str(n)} for n in range(1001)]}]
    )
    with pytest.raises(TooLarge, match="count and offset"):
        expand_value_set(TERMINOLOGY, many, now="2026-01-01T00:00:00Z", identifier="urn:uuid:1")


def test_look_up_says_what_the_system_says() -> None:
    assert look_up(TERMINOLOGY, ANIMALS, "bat")["parameter"] == [
        {"name": "name", "valueString": "Animals"},
        {"name": "version", "valueString": "1.0.0"},
        {"name": "display", "valueString": "Bat"},
        {
            "name": "designation",
            "part": [
                {"name": "language", "valueCode": "de"},
                {"name": "value", "valueString": "Fledermaus"},
            ],
        },
        {
            "name": "property",
            "part": [{"name": "code", "valueCode": "flies"}, {"name": "value", "valueBoolean": True}],
        },
        {
            "name": "property",
            "part": [{"name": "code", "valueCode": "parent"}, {"name": "value", "valueCode": "mammal"}],
        },
    ]
    with pytest.raises(NotFound, match="'unicorn' is not a code of"):
        look_up(TERMINOLOGY, ANIMALS, "unicorn")
    with pytest.raises(NotFound, match="not held here"):
        look_up(TERMINOLOGY, "urn:nothing", "x")


def verdict(held: dict[str, Any], *codings: dict[str, Any], inferred: bool = False) -> dict[str, Any]:
    answer = validate_code(TERMINOLOGY, held, codings, inferred=inferred)
    return {entry["name"]: next(v for k, v in entry.items() if k != "name") for entry in answer["parameter"]}


def test_validate_code_names_the_right_display() -> None:
    cat = {"system": ANIMALS, "code": "cat"}
    assert verdict(MAMMALS, cat) == {"result": True, "display": "Cat"}
    assert verdict(SYSTEM, {"code": "cat", "display": "Dog"}) == {
        "result": False,
        "message": "'Dog' is not a display of cat; it is 'Cat'",
        "display": "Cat",
    }
    assert verdict(MAMMALS, {"system": ANIMALS, "code": "bat", "display": "Fledermaus"})["result"] is True
    assert verdict(MAMMALS, {"code": "cat"}) == {
        "result": False,
        "message": "the code has no system; give one, or ask with inferSystem",
    }
    assert verdict(MAMMALS, {"code": "cat"}, inferred=True) == {"result": True}
    assert verdict(MAMMALS, {"system": ANIMALS, "code": "dodo"}, cat)["result"] is True
    with pytest.raises(Unprocessable, match="cannot be decided"):
        validate_code(TERMINOLOGY, OUTSIDE, [{"system": "http://snomed.info/sct", "code": "1"}])


MAP: dict[str, Any] = {
    "resourceType": "ConceptMap",
    "url": f"{BASE}/ConceptMap/m",
    "group": [
        {
            "source": ANIMALS,
            "target": "urn:t",
            "element": [
                {
                    "code": "cat",
                    "target": [
                        {"code": "T1", "equivalence": "wider", "comment": "any beast"},
                        {"equivalence": "unmatched"},
                    ],
                }
            ],
            "unmapped": {"mode": "fixed", "code": "T0", "display": "Other"},
        }
    ],
}


def test_translate_forward_backward_and_unmapped() -> None:
    assert [(m.code, m.equivalence, m.usable) for m in translate(MAP, ANIMALS, "cat")] == [
        ("T1", "wider", True),
        (None, "unmatched", False),
    ]
    assert [(m.code, m.equivalence) for m in translate(MAP, "urn:t", "T1", reverse=True)] == [
        ("cat", "narrower")
    ]
    assert [m.code for m in translate(MAP, ANIMALS, "dodo")] == ["T0"]
    assert translate(MAP, ANIMALS, "cat", target="urn:other") == []
    provided = MAP | {"group": [MAP["group"][0] | {"unmapped": {"mode": "provided"}}]}
    assert [m.code for m in translate(provided, ANIMALS, "dodo")] == ["dodo"]


def test_translate_answers_parameters() -> None:
    answer = translate_code([MAP], [{"system": ANIMALS, "code": "dodo"}])
    assert answer["parameter"] == [
        {"name": "result", "valueBoolean": True},
        {
            "name": "match",
            "part": [
                {"name": "equivalence", "valueCode": "relatedto"},
                {"name": "concept", "valueCoding": {"system": "urn:t", "code": "T0", "display": "Other"}},
                {"name": "source", "valueUri": f"{BASE}/ConceptMap/m"},
            ],
        },
    ]
    assert translate_code([MAP], [{"system": "urn:x", "code": "y"}])["parameter"] == [
        {"name": "result", "valueBoolean": False},
        {"name": "message", "valueString": "no map held here translates this code"},
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {"compose": "x"},
        {"compose": {"include": ["x"]}},
        {"compose": {"include": None}},
        {"compose": None},
        {"compose": {"include": {"system": ANIMALS}}},
        {"compose": {"include": [{"system": 1}]}},
        {"compose": {"include": [{"system": ANIMALS, "concept": [{"code": 1}]}]}},
        {"compose": {"include": [{"system": ANIMALS, "concept": [{}]}]}},
        {"compose": {"include": [{"system": ANIMALS, "concept": "cat"}]}},
        {"compose": {"include": [{"system": ANIMALS, "filter": ["x"]}]}},
        {"compose": {"include": [{"valueSet": ANIMALS}]}},
        {"compose": {"include": [{"valueSet": [1]}]}},
        {"expansion": []},
        {"expansion": {"contains": [{"code": "cat", "contains": "x"}]}},
        {"expansion": {"contains": [{"code": {}}]}},
    ],
)
def test_a_value_set_of_no_sound_shape_decides_nothing(broken: dict[str, Any]) -> None:
    """One contained in a form comes in with it and may be anything."""
    resource = {"resourceType": "ValueSet", "url": "urn:broken"} | broken
    assert TERMINOLOGY.contains(resource, ANIMALS, "cat") is None
    assert Terminology({"urn:broken": resource}.get).contains("urn:broken", ANIMALS, "cat") is None
    with pytest.raises(NotEnumerable):
        TERMINOLOGY.expand(resource)
