"""When two items, or two collections, are equal or equivalent (§6.1), and sets by equality."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import decimals, quantity, temporal
from .errors import LimitError
from .nodes import Node
from .quantity import Quantity
from .temporal import Date, DateTime, Time
from .values import system

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_COMPARISONS = 1_000_000
_NUMBERS: frozenset[Any] = frozenset({int, Decimal})
_MOMENTS: frozenset[Any] = frozenset({Date, DateTime, Time})


class Work:
    """How much comparing was done: two deep elements can take very long to tell apart."""

    __slots__ = ("comparisons",)

    def __init__(self) -> None:
        self.comparisons = 0

    def count(self, comparisons: int) -> None:
        """Adds to the comparisons made; LimitError when they are too many."""
        self.comparisons += comparisons
        if self.comparisons > _MOST_COMPARISONS:
            raise LimitError(f"more than {_MOST_COMPARISONS} comparisons to tell items apart")


def equal(a: Any, b: Any, work: Work | None = None) -> bool | None:
    """Whether a = b for two items (§6.1.1); None where precision or units leave it open.

    A primitive with extensions and no value is taken as its value, which is empty (FHIR R4 ``fhirpath.html``,
    types), so it is neither equal to a value nor different from it.

    `work` is told how much comparing was done.
    """
    left, right = system(a), system(b)
    kind, other = left.__class__, right.__class__
    if kind is other and kind in (str, int, bool, Decimal):
        return bool(left == right)
    if kind in _NUMBERS and other in _NUMBERS:
        return bool(left == right)
    if kind in _MOMENTS and other in _MOMENTS:
        return temporal.equal(left, right)
    if left is None or right is None:
        return bool(a.sibling == b.sibling) if left is right else None
    if kind is Quantity or other is Quantity:
        return _equal_quantities(left, right)
    if kind is Node and other is Node:
        return _equal_nodes(left, right, work)
    return bool(left == right) if kind is other else False


def _equal_quantities(a: Any, b: Any) -> bool | None:
    left, right = as_quantity(a), as_quantity(b)
    if left is None or right is None:
        return False
    return quantity.equal(left, right)


def as_quantity(value: Any) -> Quantity | None:
    """A System value as a Quantity: numbers convert implicitly, with the unit '1' (§5.5 Conversion)."""
    if value.__class__ is Quantity:
        found: Quantity = value
        return found
    if value.__class__ in _NUMBERS:
        number: int | Decimal = value
        return Quantity(Decimal(number), "1")
    return None


def _equal_nodes(a: Node, b: Node, work: Work | None) -> bool | None:
    """Complex elements are equal when all their children are, by name and in order."""
    if a.value is b.value:
        return True
    if a.shape.name != b.shape.name:
        return False
    if a.value == b.value:
        return True
    if a.shape.info is None:
        return False
    if work is not None:
        work.count(len(a.shape.info.elements))
    open_ = False
    for name in a.shape.info.elements:
        get = a.shape.getter(name)
        left: list[Any] = []
        right: list[Any] = []
        get(a, left)
        get(b, right)
        if len(left) != len(right):
            return False
        for one, two in zip(left, right, strict=True):
            same = equal(one, two, work)
            if same is False:
                return False
            open_ = open_ or same is None
    return None if open_ else True


def equal_collections(left: list[Any], right: list[Any], work: Work | None = None) -> bool | None:
    """Whether two collections are equal: empty beside an empty one, else item by item in order (§6.1.1)."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    open_ = False
    for a, b in zip(left, right, strict=True):
        same = equal(a, b, work)
        if same is False:
            return False
        open_ = open_ or same is None
    return None if open_ else True


def equivalent(a: Any, b: Any, work: Work | None = None) -> bool:
    """Whether a ~ b for two items (§6.1.3): texts but for case and blanks, numbers to the least precision."""
    left, right = system(a), system(b)
    kind, other = left.__class__, right.__class__
    if kind is str and other is str:
        return _normal(left) == _normal(right)
    if kind in _NUMBERS and other in _NUMBERS:
        if kind is int and other is int:
            return bool(left == right)
        return decimals.equivalent(Decimal(left), Decimal(right))
    if kind in _MOMENTS and other in _MOMENTS:
        return temporal.equivalent(left, right)
    if kind is Quantity or other is Quantity:
        one, two = as_quantity(left), as_quantity(right)
        return one is not None and two is not None and quantity.equivalent(one, two)
    if kind is Node and other is Node:
        return _equivalent_nodes(left, right, work)
    if left is None and right is None:
        return bool(a.sibling == b.sibling)
    return kind is other and bool(left == right)


def _normal(text: str) -> str:
    return " ".join(text.casefold().split())


def _equivalent_nodes(a: Node, b: Node, work: Work | None) -> bool:
    """Complex elements are equivalent when their children are, whatever the order."""
    if a.value is b.value or a.value == b.value:
        return True
    if a.shape.name != b.shape.name or a.shape.info is None:
        return False
    if work is not None:
        work.count(len(a.shape.info.elements))
    for name in a.shape.info.elements:
        get = a.shape.getter(name)
        left: list[Any] = []
        right: list[Any] = []
        get(a, left)
        get(b, right)
        if not equivalent_collections(left, right, work):
            return False
    return True


def equivalent_collections(left: list[Any], right: list[Any], work: Work | None = None) -> bool:
    """Whether two collections are equivalent: the same items in any order; two empty ones are (§6.1.3)."""
    if len(left) != len(right):
        return False
    if len(left) == 1:
        return equivalent(left[0], right[0], work)
    rest = list(right)
    for item in left:
        for index, candidate in enumerate(rest):
            if equivalent(item, candidate, work):
                del rest[index]
                break
        else:
            return False
    return True


class ItemSet(Work):
    """Items by equality: equal ones share a bucket, so that membership seldom compares whole elements."""

    __slots__ = ("buckets",)

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__()
        self.buckets: dict[Any, list[Any]] = {}
        for item in items:
            self.add(item)

    def add(self, item: Any) -> bool:
        """Whether the item is new; it is in the set now."""
        key, exact = _key(item)
        bucket = self.buckets.get(key)
        if bucket is None:
            self.buckets[key] = [item]
            return True
        if exact or self._found(bucket, item):
            return False
        bucket.append(item)
        return True

    def __contains__(self, item: Any) -> bool:
        key, exact = _key(item)
        bucket = self.buckets.get(key)
        return bucket is not None and (exact or self._found(bucket, item))

    def _found(self, bucket: list[Any], item: Any) -> bool:
        self.count(len(bucket))
        return any(equal(item, other, self) is True for other in bucket)


def _key(item: Any) -> tuple[Any, bool]:
    """A key that equal items share, and whether it settles equality by itself."""
    value = system(item)
    kind = value.__class__
    if kind is str:
        return value, True
    if kind is bool:
        return (bool, value), True
    if kind is Node:
        shape = value.shape
        try:
            key = (shape.name, *map(value.value.get, shape.keys))
            hash(key)
        except TypeError:  # something that should be a text is not
            return shape.name, False
        return key, False
    if kind in _NUMBERS:
        return (Decimal, value), True
    if kind is Quantity:
        return Quantity, False
    if kind in _MOMENTS:
        return _MOMENTS, False
    return (kind, value if kind is not type(None) else None), False
