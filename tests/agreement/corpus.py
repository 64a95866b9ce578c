"""The corpus: good documents, and cases that each change one of them in one named way.

``corpus/content`` holds what documents rest on (forms, value sets, code systems, profiles), ``corpus/good``
the other good documents, ``corpus/*.toml`` the cases. Every good document is a case of its own: it is valid.

A change is written as paths of the JSON: ``item[2].text``, or ``item[pedals].text`` for the entry whose
``linkId``, ``id``, ``url`` or ``code`` is that; ``item[+]`` appends. ``set`` gives values, ``remove`` takes
elements away, ``null`` writes a JSON null (TOML has none).
"""

from __future__ import annotations

import copy
import functools
import json
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.fhir.json_text import Limits
from service.fhir.xml_text import decode_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent / "corpus"
ROOT = HERE.parents[2]
UK_CORE = ROOT.parent / "shared" / "ukcore"
_STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)|\[([^\]]*)\]|\.")
_UK = "https://fhir.hl7.org.uk/StructureDefinition/"
_NAMES = ("linkId", "id", "url", "code", "key")
_FIELDS = {"id", "says", "good", "verdict", "at", "rule", "set", "remove", "null", "needs"}


@dataclass(frozen=True, slots=True)
class Case:
    """One document, and what is to be said of it.

    ``verdict`` is ``ok`` or ``error``: whether a validator may find errors in it. ``at`` is the FHIRPath
    expression at, above or below which ours must place one of them, ``rule`` the key that this issue has.
    ``needs`` is ``ukcore`` where the document rests on profiles that are no part of this project.
    """

    id: str
    says: str
    document: dict[str, Any]
    verdict: str
    at: str = ""
    rule: str = ""
    needs: str = ""


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return found


@functools.cache
def content() -> dict[str, dict[str, Any]]:
    """What documents rest on, by file name without its ending."""
    return {path.stem: _read(path) for path in sorted((HERE / "content").glob("*.json"))}


@functools.cache
def good() -> dict[str, dict[str, Any]]:
    """Every good document by name, content included."""
    return content() | {path.stem: _read(path) for path in sorted((HERE / "good").glob("*.json"))}


@functools.cache
def cases() -> tuple[Case, ...]:
    """Every case: the good documents as they are, then the changed ones."""
    plain = (
        Case(f"good/{name}", "It is valid as it stands.", document, "ok", needs=_needs(document))
        for name, document in good().items()
    )
    changed = (case for path in sorted(HERE.glob("*.toml")) for case in _changed(path))
    return (*plain, *changed)


def _needs(document: dict[str, Any]) -> str:
    return (
        "ukcore"
        if "https://fhir.hl7.org.uk/StructureDefinition/" in json.dumps(document, default=str)
        else ""
    )


def _changed(path: Path) -> Iterator[Case]:
    with path.open("rb") as file:
        written = tomllib.load(file, parse_float=Decimal)
    for entry in written["case"]:
        surplus = entry.keys() - _FIELDS
        if surplus:
            raise ValueError(f"{path.name}: {entry.get('id')} has unknown fields {surplus}")
        document = copy.deepcopy(good()[entry.get("good") or written["good"]])
        for place in entry.get("remove", ()):
            _remove(document, place)
        for place, value in entry.get("set", {}).items():
            _set(document, place, value)
        for place in entry.get("null", ()):
            _set(document, place, None)
        yield Case(
            f"{path.stem}/{entry['id']}",
            entry["says"],
            document,
            entry["verdict"],
            entry.get("at", ""),
            entry.get("rule", ""),
            _needs(document),
        )


def _steps(place: str) -> list[str | int]:
    found: list[str | int] = []
    end = 0
    for match in _STEP.finditer(place):
        if match.start() != end:
            break
        end = match.end()
        if match[1]:
            found.append(match[1])
        elif match[2] is not None:
            found.append(int(match[2]) if match[2].isdigit() else f"[{match[2]}")
    if end != len(place) or not found:
        raise ValueError(f"{place!r} is no path")
    return found


def _step(at: Any, step: str | int, place: str) -> Any:
    if isinstance(step, str) and step.startswith("["):
        for entry in at:
            if any(entry.get(name) == step[1:] for name in _NAMES):
                return entry
        raise KeyError(f"{place}: no entry {step}]")
    return at[step]


def _owner(document: Any, place: str) -> tuple[Any, str | int]:
    *above, last = _steps(place)
    for step in above:
        document = _step(document, step, place)
    return document, last


def _set(document: Any, place: str, value: Any) -> None:
    owner, last = _owner(document, place)
    if last == "[+":
        owner.append(value)
    elif isinstance(last, str) and last.startswith("["):
        owner[owner.index(_step(owner, last, place))] = value
    else:
        owner[last] = value


def _remove(document: Any, place: str) -> None:
    owner, last = _owner(document, place)
    if isinstance(last, str) and last.startswith("["):
        owner.remove(_step(owner, last, place))
    else:
        del owner[last]


def _uk_core() -> Iterator[dict[str, Any]]:
    for path in sorted(UK_CORE.rglob("*.xml")) if UK_CORE.is_dir() else ():
        yield decode_xml(path.read_bytes(), Limits(size=5_000_000)).resource


@functools.cache
def _by_canonical() -> dict[str, dict[str, Any]]:
    held: dict[str, dict[str, Any]] = {}
    own = (_read(path) for path in sorted((ROOT / "profiles").rglob("*.json")))
    for resource in (*content().values(), *own, *_uk_core()):
        url = resource.get("url")
        if isinstance(url, str):
            held.setdefault(url, resource)
            held[f"{url}|{resource.get('version')}"] = resource
    return held


def resolve(canonical: str) -> dict[str, Any] | None:
    """The resource of a canonical, from the corpus and from what this project publishes; else None."""
    return _by_canonical().get(canonical)
