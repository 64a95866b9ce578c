"""How a function of the specification is declared: its name, section, parameters, and what it gives.

Three decorators, for the three shapes functions have:

* `scalar`: one System value in, one out. An empty input or argument gives empty; more than one is an error.
* `collection`: a collection in, a collection or one value out; its arguments are values or collections.
* `special`: made at compile time from the codes of its input and arguments: criteria, types, the frame.

A parameter is written `name: Kind`, with `?` after the name of one that may be left out. Kinds: a System type
or one of the groups `code.typed` knows; `Collection`; `Expression`, evaluated once for each item; `Type`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from service.fhirpath.code import Code, One, text_of, typed, valued
from service.fhirpath.texts import paid

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhirpath.frame import Frame


class Parameter(NamedTuple):
    """One parameter of a function."""

    name: str
    kind: str
    optional: bool


class Function(NamedTuple):
    """A function of the specification.

    `takes` is the System type an input must have, or `Any`. `gives` names what comes back: a System type, or
    `input` (items of the input), `argument` (what the last argument gives), `type` (of the type named),
    `value` (one System value of any type), `any`. `ordered` marks those whose answer depends on the order of
    the input; `outward`, those that ask the clock or the caller, or define variables.
    """

    name: str
    section: str
    parameters: tuple[Parameter, ...]
    takes: str
    gives: str
    ordered: bool
    variadic: bool
    build: Callable[..., Code]
    outward: bool = False

    @property
    def least(self) -> int:
        """The fewest arguments it takes."""
        return sum(not parameter.optional for parameter in self.parameters)

    @property
    def most(self) -> int | None:
        """The most arguments it takes; None for any number."""
        return None if self.variadic else len(self.parameters)


FUNCTIONS: dict[str, Function] = {}


def scalar(
    name: str, section: str, *parameters: str, takes: str, gives: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function from one value to one value."""
    declared = tuple(_parameter(text) for text in parameters)
    boolean = gives == "Boolean"

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        def build(source: Code, *arguments: Code) -> Code:
            said = f"{name}()"
            value = text_of(source, said) if takes == "String" else typed(source, takes, said)
            given = [
                typed(argument, parameter.kind, f"{name}() for its {parameter.name}")
                for argument, parameter in zip(arguments, declared, strict=False)
            ]
            made = _applied(function, value, given)
            return valued(paid(made) if gives == "String" else made, boolean=boolean)

        register(Function(name, section, declared, takes, gives, False, False, build))
        return function

    return declare


def _applied(function: Callable[..., Any], value: One, given: list[One]) -> One:
    """The closure that calls a scalar function unless something is empty."""
    if not given:

        def alone(frame: Frame) -> Any:
            found = value(frame)
            return None if found is None else function(found)

        return alone
    if len(given) == 1:
        first = given[0]

        def beside(frame: Frame) -> Any:
            found, other = value(frame), first(frame)
            return None if found is None or other is None else function(found, other)

        return beside

    def among(frame: Frame) -> Any:
        found = value(frame)
        others = [argument(frame) for argument in given]
        return None if found is None or None in others else function(found, *others)

    return among


def collection(
    name: str, section: str, *parameters: str, gives: str = "input", ordered: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function over a whole collection. It gets the items and its arguments, and gives a list where
    `gives` is `input` or `any`, else one value or None."""
    declared = tuple(_parameter(text) for text in parameters)

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        def build(source: Code, *arguments: Code) -> Code:
            given = [
                argument.run
                if parameter.kind == "Collection"
                else typed(argument, parameter.kind, f"{name}() for its {parameter.name}")
                for argument, parameter in zip(arguments, declared, strict=False)
            ]
            return _over(function, source, given, gives)

        register(Function(name, section, declared, "Any", gives, ordered, False, build))
        return function

    return declare


def _over(function: Callable[..., Any], source: Code, given: list[One], gives: str) -> Code:
    items = source.run
    if len(given) == 1:
        first = given[0]

        def apply(frame: Frame) -> Any:
            found = items(frame)
            frame.spend(len(found))
            return function(found, first(frame))

    elif given:

        def apply(frame: Frame) -> Any:
            found = items(frame)
            frame.spend(len(found))
            return function(found, *(argument(frame) for argument in given))

    else:

        def apply(frame: Frame) -> Any:
            return function(items(frame))

    if gives not in ("input", "any"):
        return valued(paid(apply) if gives == "String" else apply, boolean=gives == "Boolean")

    def counted(frame: Frame) -> Any:
        made = apply(frame)
        frame.spend(len(made))
        return made

    return Code(counted)


def special(
    name: str,
    section: str,
    *parameters: str,
    takes: str = "Any",
    gives: str = "any",
    ordered: bool = False,
    variadic: bool = False,
    outward: bool = False,
) -> Callable[[Callable[..., Code]], Callable[..., Code]]:
    """Declare a function that makes its own code from that of its input and arguments."""
    declared = tuple(_parameter(text) for text in parameters)

    def declare(build: Callable[..., Code]) -> Callable[..., Code]:
        register(Function(name, section, declared, takes, gives, ordered, variadic, build, outward))
        return build

    return declare


def _parameter(text: str) -> Parameter:
    name, kind = text.split(": ")
    return Parameter(name.rstrip("?"), kind, name.endswith("?"))


def register(function: Function) -> None:
    FUNCTIONS[function.name] = function
