"""What a request to ``/reports`` asks for: filters, page, form of the answer, and who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import NotAcceptable, Refused
from service.domain.safety_report import Branch, State
from service.fhir.json_text import decode
from service.operations.report.listing import Filters
from service.operations.searching.query import DEFAULT_COUNT, LARGEST_COUNT
from service.web.bodies import read_bytes
from service.web.negotiation import check_content_type
from service.web.services import services

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

Json = dict[str, Any]
SERIOUSNESS = ("serious", "non-serious", "unknown")
NEEDS = ("attention",)
PARAMETERS = (
    "state", "branch", "seriousness", "age", "event", "form", "needs", "_count", "_cursor", "_format",
)  # fmt: skip
_OLDEST = 36_500
_LONGEST = 200
_FORMS = {
    "json": ("application/json", "application/fhir+json", "application/*", "*/*"),
    "html": ("text/html", "application/xhtml+xml", "text/*"),
    "csv": ("text/csv",),
}
_NAMED = {media: form for form, medias in _FORMS.items() for media in medias} | {
    form: form for form in _FORMS
}


def filters(request: Request) -> Filters:
    """The filters of the address. Refused names the one that cannot be read."""
    unknown = sorted({name for name in request.query_params if name not in PARAMETERS})
    if unknown:
        raise Refused(f"'{unknown[0][:40]}' is no parameter here; these are: {', '.join(PARAMETERS)}")
    days = request.query_params.get("age")
    if days is not None and not (days.isascii() and days.isdigit() and int(days[:9]) <= _OLDEST):
        raise Refused(f"'age' is a whole number of days from 0 to {_OLDEST}: reports at least so old")
    needs = request.query_params.get("needs")
    if needs is not None and needs not in NEEDS:
        raise Refused(f"'needs' is {' or '.join(NEEDS)}, not '{needs[:40]}'")
    return Filters(
        _chosen(request, "state", State),
        _chosen(request, "branch", Branch),
        _chosen(request, "seriousness", SERIOUSNESS),
        int(days) if days is not None else None,
        request.query_params.get("event"),
        request.query_params.get("form"),
    )


def _chosen(request: Request, name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The values of a parameter, separated by commas or given again."""
    given = [part.strip() for text in request.query_params.getlist(name) for part in text.split(",")]
    allowed = [str(one) for one in known]
    for one in given:
        if one and one not in allowed:
            raise Refused(f"'{name}' has no value '{one[:40]}'; it has: {', '.join(allowed)}")
    return tuple(dict.fromkeys(one for one in given if one))


def page_of(request: Request) -> tuple[int, str | None]:
    """How many at a time, and where the page begins."""
    text = request.query_params.get("_count", "")
    if text and not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= LARGEST_COUNT):
        raise Refused(f"'_count' is a whole number from 1 to {LARGEST_COUNT}")
    return int(text) if text else DEFAULT_COUNT, request.query_params.get("_cursor")


def answer_form(request: Request, offered: tuple[str, ...]) -> str:
    """``json``, ``html`` or ``csv``: what ``_format``, else Accept, prefers of what is offered."""
    named = request.query_params.get("_format")
    if named is not None:
        found = _NAMED.get(named.replace(" ", "+").partition(";")[0].strip().lower())
        if found in offered:
            return found
    else:
        accepted = request.headers.get("accept", "").strip() or "*/*"
        for form in sorted(_weighed(accepted), key=lambda pair: -pair[1]):
            if form[0] in offered and form[1] > 0:
                return form[0]
    raise NotAcceptable(f"ask for one of: {', '.join(_FORMS[form][0] for form in offered)}")


def _weighed(accepted: str) -> list[tuple[str, float]]:
    found = []
    for part in accepted.split(","):
        media, *rest = (piece.strip().lower() for piece in part.split(";"))
        weight = next((piece[2:] for piece in rest if piece.startswith("q=")), "1")
        try:
            found.append((_NAMED[media], float(weight)))
        except (KeyError, ValueError):
            continue
    return found


def expected(request: Request) -> int | None:
    """The version of the case that If-Match asks for, or None without it."""
    text = request.headers.get("if-match")
    if text is None:
        return None
    plain = text.strip().removeprefix("W/").strip('"')
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10):
        raise Refused('If-Match is the ETag of the report, such as W/"3"')
    return int(plain)


async def members(request: Request, known: Iterable[str], needed: Iterable[str] = ()) -> Json:
    """The members of the JSON object in the body, an empty body counting as none of them.

    Refused names a member that is not known or not there; ``by`` is known everywhere.
    """
    body = await read_bytes(request)
    given: Json = {}
    if body.strip():
        check_content_type(request)
        given = decode(body, services(request).limits).resource
    allowed = ("by", *known)
    for name in given:
        if name not in allowed:
            raise Refused(
                f"'{name[:40]}' is no member here; these are: {', '.join(allowed)}", expression=name[:40]
            )
    for name in needed:
        if given.get(name) in (None, ""):
            raise Refused(f"'{name}' is missing", expression=name)
    return given


def text_of(given: Json, name: str, *, most: int = 2000) -> str | None:
    """The member as a text without surplus white space, or None. Refused where it is no text, or too long."""
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > most or any(ord(c) < 32 and c not in "\n\t" for c in value):
        raise Refused(f"'{name}' is a text of at most {most} characters", expression=name)
    return value.strip() or None


def who(request: Request, given: Json) -> str:
    """Who does it: the person named by ``by`` and the caller that the token speaks for."""
    person = text_of(given, "by", most=_LONGEST)
    caller = getattr(request.state, "caller", None)
    name = str(caller.name) if caller is not None else "development"
    return f"{person} ({name})" if person else name
