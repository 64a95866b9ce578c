"""One validation from start to end: what it may look up, what it has found, how far it may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.issues import Issue, Severity, ordered
from service.fhir.validation import places

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.fhir.concepts import CodeSystem, Terminology
    from service.fhir.validation.bundles import BundleIndex
    from service.fhir.validation.places import Place

DEPTH = 160
"""Levels of objects that are entered; R4 sets none, but no resource in use comes near."""

STEPS = 400_000
"""Objects that are looked at in one check."""

KEPT = 1_000
"""Issues of one severity that are kept; the answer shows fewer."""


class Exhausted(Exception):
    """The walk has found or done enough. Never leaves ``check``."""


class Run:
    """The state of one check.

    ``resource`` is the innermost resource and ``place`` its place; ``container`` the one that contains it,
    or itself; ``contained`` the container's contained resources by id; ``local`` the ``#`` references seen;
    ``odd`` whether something was met that JSON cannot hold, ``misshapen`` whether an element lacks the shape
    of its type.
    """

    __slots__ = (
        "_counts",
        "_found",
        "bundle",
        "contained",
        "container",
        "local",
        "misshapen",
        "now",
        "odd",
        "place",
        "profiled",
        "profiles",
        "questionnaire",
        "resolve",
        "resource",
        "root",
        "steps",
        "terminology",
    )

    def __init__(
        self, resource: Any, resolve: Callable[[str], Any] | None = None, now: datetime | None = None
    ) -> None:
        self.now = now
        self.root = resource
        self.resource: dict[str, Any] = resource
        self.container: dict[str, Any] = resource
        self.place: Place = places.root("")
        self.bundle: BundleIndex | None = None
        self.contained: dict[str, dict[str, Any]] = {}
        self.local: set[str] = set()
        self.questionnaire: Any = None
        self.misshapen = False
        self.odd = False
        self.profiles: list[Any] = []
        self.profiled: set[tuple[int, int]] = set()
        self.resolve = resolve
        self.terminology: Terminology | None = None
        self.steps = STEPS
        self._found: list[tuple[Severity, str, str, Place, str]] = []
        self._counts = dict.fromkeys(Severity, 0)

    def report(self, severity: Severity, code: str, message: str, place: Place, key: str) -> None:
        """Keeps one finding; the place is written out at the end."""
        count = self._counts[severity] = self._counts[severity] + 1
        if severity is Severity.ERROR and code in ("structure", "value", "too-long", "too-costly"):
            self.misshapen = True
        if count <= KEPT:
            self._found.append((severity, code, message, place, key))
        elif severity is Severity.ERROR:
            raise Exhausted

    def error(self, code: str, message: str, place: Place, key: str = "") -> None:
        """Keeps a finding that refuses the resource."""
        self.report(Severity.ERROR, code, message, place, key)

    def warn(self, code: str, message: str, place: Place, key: str = "") -> None:
        """Keeps a finding that does not."""
        self.report(Severity.WARNING, code, message, place, key)

    def note(self, code: str, message: str, place: Place, key: str = "") -> None:
        """Keeps a remark."""
        self.report(Severity.INFORMATION, code, message, place, key)

    def adopt(self, issue: Issue, place: Place, name: str) -> None:
        """Keeps an issue that a form's check has made, whose expression starts at the resource ``name``."""
        expression = issue.expression
        if place[0] is not None:
            expression = places.render(place, self.root) + expression.removeprefix(name)
        self.report(issue.severity, issue.code, issue.message, (None, expression, -2, 0), issue.key)

    def find(self, canonical: str) -> dict[str, Any] | None:
        """The resource of a canonical, through the caller's ``resolve``, or None."""
        found = self.resolve(canonical) if self.resolve is not None else None
        return found if isinstance(found, dict) else None

    def code_system(self, url: str) -> CodeSystem | None:
        """The complete code system that the caller brings under a url, or None."""
        from service.fhir.validation import held

        return held.code_system(url, self)

    def structure(self, canonical: str) -> dict[str, Any] | None:
        """The sound StructureDefinition of a canonical, through the caller's ``resolve``, or None."""
        from service.fhir.validation import held

        found = self.find(canonical)
        return found if found and held.is_sound(found, "StructureDefinition") else None

    def follow(self, reference: str) -> dict[str, Any] | None:
        """The resource inside this document that a literal reference leads to, or None."""
        if reference.startswith("#"):
            return self.container if reference == "#" else self.contained.get(reference[1:])
        return self.bundle.find(reference, self) if self.bundle is not None else None

    def spend(self, place: Place) -> None:
        """Counts one object; ends the walk where too many have been looked at."""
        self.steps -= 1
        if self.steps < 0:
            self.error("too-costly", "too large to check in one go; split it", place)
            raise Exhausted

    def trial(self) -> Run:
        """A run over the same document whose findings are not kept: only whether there are errors."""
        found = Run(self.root, self.resolve, self.now)
        for name in (
            "resource",
            "place",
            "container",
            "contained",
            "bundle",
            "terminology",
            "odd",
            "profiled",
            "steps",
        ):
            setattr(found, name, getattr(self, name))
        return found

    @property
    def failed(self) -> bool:
        """Whether an error has been found."""
        return bool(self._counts[Severity.ERROR])

    def issues(self, limit: int) -> tuple[Issue, ...]:
        """What was found, once each, most severe first."""
        seen = dict.fromkeys(
            Issue(
                severity, code, message, place[1] if place[2] == -2 else places.render(place, self.root), key
            )
            for severity, code, message, place, key in self._found
        )
        return ordered(seen, limit)


def quoted(value: Any) -> str:
    """A faulty value for a message: cut to 40 characters, control characters escaped."""
    text = value if isinstance(value, str) else _scalar(value)
    text = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text[:41])
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, int):
        return str(value) if -(10**40) < value < 10**40 else "a very long number"
    return str(value) if type(value).__module__ in ("builtins", "decimal") else type(value).__name__
