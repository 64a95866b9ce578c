"""Codes that resemble a code but for their code system's address or the way that they are written.

Hospitals write one code in several ways (with and without its dot, in small letters, under an older address
of its system, under none). Such an order is never assessed, nor is it passed over in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Code = tuple[str, str]
    Alike = Mapping[str, Code]

Resource = dict[str, Any]


def squeezed(code: str) -> str:
    """The code's letters and digits alone, small."""
    return "".join(one for one in code if one.isalnum()).casefold()


def alike(codes: Iterable[Code]) -> Alike:
    """The codes by what is left of them without marks."""
    return {squeezed(code): (system, code) for system, code in codes}


def corrected(resource: Resource, names: tuple[str, ...], known: Alike) -> Resource | None:
    """The resource with codings written as the known codes are; None where none of them resembles one.

    ``names`` are its elements that hold CodeableConcepts. What stands beside a code that resembles one, in
    the same system, is written like it.
    """
    held = {name: _listed(resource[name]) for name in names if name in resource}
    like: dict[str, Code] = {}
    for concepts in held.values():
        for concept in concepts:
            for coding in _codings(concept):
                target = known.get(squeezed(coding["code"]))
                if target is not None:
                    like.setdefault(_system(coding), target)
    if not like:
        return None
    return resource | {name: [_written(one, like) for one in concepts] for name, concepts in held.items()}


def _written(concept: Any, like: Mapping[str, Code]) -> Any:
    codings = list(_codings(concept))
    if not codings:
        return concept
    made = []
    for coding in codings:
        target = like.get(_system(coding))
        if target is not None:
            coding = coding | {"system": target[0], "code": _respelled(coding["code"], target[1])}
        made.append(coding)
    return concept | {"coding": made}


def _respelled(code: str, pattern: str) -> str:
    """The code with marks and large letters where the pattern has them, if it is as long without marks."""
    left = [one for one in code if one.isalnum()]
    if len(left) != sum(one.isalnum() for one in pattern):
        return code
    left.reverse()
    made = "".join(left.pop() if one.isalnum() else one for one in pattern)
    return made.upper() if pattern.isupper() else made


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _codings(concept: Any) -> list[Resource]:
    found = concept.get("coding") if isinstance(concept, dict) else None
    return [
        one
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, dict) and isinstance(one.get("code"), str)
    ]


def _system(coding: Resource) -> str:
    return str(coding.get("system", ""))
