"""The one tree of errors. Statuses live in ``web/errors.py``, which finds them by walking the MRO.

    ServiceError
      + Refused               what was sent cannot be accepted
      |   + Malformed         not readable as JSON, or past a limit of size or depth
      |   |   + TooLarge      more bytes, levels or entries than the limits allow
      |   + Invalid           readable, but it breaks FHIR's or the form's rules
      |   + Unsupported       a media type, parameter or kind that is not served here
      |   + NotAcceptable     an answer format that cannot be given
      + Unauthenticated       no token, or one that does not hold
      + Forbidden             a token that does not reach this far
      + NotFound              no such resource, version or definition
      |   + Gone              it was here and has been deleted
      + Conflict              the stored state speaks against the request
      |   + PreconditionFailed  If-Match, If-None-Match or If-None-Exist does not hold
      |   + Repeated            what may happen once has happened before
      |   + Overtaken           a claim on work ran out, and the work is another's or done
      + Unprocessable         well-formed, but the operation cannot be done on it
      + DataUnavailable       facts that the answer rests on could not be had
      + Unavailable           a part behind this one (store, EHR, gateway) does not answer
      + ContentFault          the published content is not fit to run on; raised at start only

Each carries issues: code, message, and the FHIRPath of the place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.domain.issues import Issue, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable


class ServiceError(Exception):
    """The root of the tree. ``issues`` is never empty."""

    code = "exception"

    def __init__(self, message: str, *, expression: str = "", issues: Iterable[Issue] = ()) -> None:
        """Takes a sentence with its place, or the issues themselves with a sentence that sums them up."""
        super().__init__(message)
        self.issues: tuple[Issue, ...] = tuple(issues) or (
            Issue(Severity.ERROR, self.code, message, expression),
        )


class Refused(ServiceError):
    """What was sent cannot be accepted; sending it again unchanged will not help."""

    code = "invalid"


class Malformed(Refused):
    """The body is not readable as FHIR JSON."""

    code = "structure"


class TooLarge(Malformed):
    """The body has more bytes, levels or entries than the limits allow."""

    code = "too-long"


class Invalid(Refused):
    """The body is readable, but it breaks FHIR's rules, a profile's or its form's."""

    code = "invalid"


class Unsupported(Refused):
    """A media type, parameter, interaction or kind that is not served here."""

    code = "not-supported"


class NotAcceptable(Refused):
    """None of the formats asked for can be given."""

    code = "not-supported"


class Unauthenticated(ServiceError):
    """There is no token, or it does not hold. The message leaks nothing about why.

    ``why``, and the name of the ``client`` whose token it is, are for the log alone: they hold nothing of the
    token, and are never shown to whoever sent it.
    """

    code = "login"

    def __init__(
        self, message: str = "the token does not hold", *, why: str = "", client: str | None = None
    ) -> None:
        """Takes a sentence; without one the error is told as every other of its kind."""
        super().__init__(message)
        self.why = why
        self.client = client


class Forbidden(ServiceError):
    """The token holds but does not reach this far."""

    code = "forbidden"


class NotFound(ServiceError):
    """There is no such resource, version or definition here."""

    code = "not-found"


class Gone(NotFound):
    """The resource was here and has been deleted; its history may still be read."""

    code = "deleted"


class Conflict(ServiceError):
    """The stored state speaks against the request."""

    code = "conflict"


class PreconditionFailed(Conflict):
    """A condition of the request (If-Match, If-None-Match, If-None-Exist) does not hold."""

    code = "conflict"


class Repeated(Conflict):
    """What may happen only once has happened before."""

    code = "duplicate"


class Overtaken(Conflict):
    """A claim on a piece of work ran out: another has taken it up, or it is settled."""

    code = "conflict"


class Unprocessable(ServiceError):
    """The input is well-formed, but the operation cannot be done on it; the message says why."""

    code = "processing"


class DataUnavailable(ServiceError):
    """Facts that the answer rests on could not be had; the issues name them."""

    code = "incomplete"


class Unavailable(ServiceError):
    """A part behind this one (store, EHR, gateway) does not answer. Trying again may help.

    ``retry_after``: in how many seconds, where the part said so.
    """

    code = "transient"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        """Takes a sentence, and when to try again."""
        super().__init__(message)
        self.retry_after = retry_after


class ContentFault(ServiceError):
    """The published content, or a file that configures the service, is not fit to run on.

    Raised at start, with every fault listed.
    """

    code = "invalid"
