"""Where in a JSON text an element stands: read only when there is an issue to show."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*|`[^`]*`)(\((?:'[^']*'|[^()']*)*\))?|\[(\d+)\]")


@dataclass(slots=True)
class _Place:
    """The offset of a value, and those inside it."""

    offset: int
    fields: dict[str, _Place] = field(default_factory=dict)
    entries: list[_Place] = field(default_factory=list)


class Places:
    """The offsets of every value in one JSON text."""

    def __init__(self, text: str) -> None:
        """Takes well-formed JSON, or JSON with a duplicate key; nothing is read yet."""
        self._text = text
        self._root: _Place | None = None
        self._duplicate = 0

    def find(self, expression: str) -> tuple[int, int]:
        """Line and column, from 1, of a FHIRPath place (``Patient.name[0].given``) or its nearest ancestor.

        ``value`` finds ``valueQuantity``; functions such as ``ofType(Quantity)`` are passed over.
        """
        if self._root is None:
            self._root = self._read()
        place = self._root
        for number, step in enumerate(_STEP.finditer(expression)):
            name, call, index = step.groups()
            if call is not None or (number == 0 and name and name[:1].isupper()):
                continue
            found = _entry(place, int(index)) if index is not None else _field(place, name.strip("`"))
            if found is None:
                break
            place = found
        return self._line_and_column(place.offset)

    def duplicate(self) -> tuple[int, int]:
        """Line and column, from 1, of the first key that stands twice in one object."""
        self._read()
        return self._line_and_column(self._duplicate)

    def _line_and_column(self, offset: int) -> tuple[int, int]:
        line = self._text.count("\n", 0, offset) + 1
        return line, offset - (self._text.rfind("\n", 0, offset) + 1) + 1

    def _read(self) -> _Place:
        """The tree of offsets, read with a stack of its own so that depth costs no recursion."""
        root = _Place(0)
        stack: list[_Place] = []
        key: str | None = None
        key_offset = 0
        awaiting_key = False
        for token in _TOKEN.finditer(self._text):
            mark = token.group()
            if mark in "]}":
                if stack:
                    stack.pop()
                awaiting_key = False
            elif mark == ",":
                awaiting_key = bool(stack) and not stack[-1].entries
            elif mark == ":":
                awaiting_key = False
            elif awaiting_key and mark[0] == '"':
                key, key_offset = json.loads(mark), token.start()
                if key in stack[-1].fields:
                    self._duplicate = key_offset
                    return root  # what follows was not read as JSON, and need not be any
            else:
                place = _Place(key_offset if key is not None else token.start())
                if not stack:
                    root = place
                elif key is not None:
                    stack[-1].fields[key] = place
                else:
                    stack[-1].entries.append(place)
                key = None
                if mark in "[{":
                    stack.append(place)
                    awaiting_key = mark == "{"
        return root


def _entry(place: _Place, index: int) -> _Place | None:
    if index < len(place.entries):
        return place.entries[index]
    return place if index == 0 and not place.entries else None


def _field(place: _Place, name: str) -> _Place | None:
    if place.entries:
        place = place.entries[0]
    found = place.fields.get(name) or place.fields.get("_" + name)
    if found is not None:
        return found
    return next(
        (
            inner
            for key, inner in place.fields.items()
            if key.startswith(name) and key[len(name) :][:1].isupper()
        ),
        None,
    )
