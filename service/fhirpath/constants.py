"""Variables that never change, such as a published form, and what expressions found that rest on them alone.

A form's expressions look up its own parts again and again: `%questionnaire.item.where(linkId = 'x')
.answerOption.value` is the same at every call. A part that names no variable but such ones, and asks neither
the resource, the clock nor the caller's services, is evaluated once for each `Constants`.

For published content only: what is found is kept as long as the `Constants` are, so a patient's data must
never be among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .given import collection
from .model import R4, Model
from .shapes import shapes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frame import Frame

_MOST = 1024
"""How many parts are kept; any beyond them is evaluated each time."""


class Constants:
    """Variables of published content by name, as engine's items; EvaluationError for what is no FHIR JSON.

    Threads may share them. The JSON they were made of must not be changed.
    """

    __slots__ = ("_found", "variables")

    def __init__(self, variables: dict[str, Any], *, model: Model = R4) -> None:
        shapes = shapes_of(model)
        self.variables = {name: collection(value, shapes, None) for name, value in variables.items()}
        self._found: dict[str, tuple[list[Any], int]] = {}

    def answer(
        self, part: str, names: tuple[str, ...], run: Callable[[Frame], list[Any]], frame: Frame
    ) -> list[Any]:
        """What a part gives that rests on these names alone, evaluated when it is first asked for.

        It costs as many steps each time. Where a frame has another value for a name, or fewer steps left
        than the part takes, the part is evaluated as any other.
        """
        for name in names:
            known = self.variables.get(name)
            if known is None or frame.variables.get(name, known) is not known:
                return run(frame)
        kept = self._found.get(part)
        if kept is None:
            # Without the indexes at hand the part costs what it costs wherever it comes first.
            indexes, frame.indexes = frame.indexes, {}
            before = frame.steps
            try:
                kept = run(frame), before - frame.steps
            finally:
                frame.indexes = indexes
            if len(self._found) < _MOST:
                self._found[part] = kept
        elif kept[1] > frame.steps:
            return run(frame)
        else:
            frame.steps -= kept[1]
        return kept[0]
