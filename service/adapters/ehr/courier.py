"""Results delivered to an EHR: the courier of the channels ``ehr:<client>``.

A transaction is whole or not at all, and asked again makes nothing twice, so that whoever is killed between
sending and noting may send again. A message that a later version of its form overtook is not sent: the later
one carries everything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import structlog

from service.adapters.ehr import faults
from service.adapters.ehr.capability import lacks_for_writing, read_capability
from service.adapters.ehr.exchange import Ask
from service.adapters.ehr.faults import EhrFault
from service.domain.errors import Forbidden, Refused, ServiceError, Unauthenticated, Unavailable
from service.fhir.json_text import decode
from service.operations.ports import Receipt

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.adapters.ehr.backend import BackendTokens
    from service.adapters.ehr.background import Background
    from service.adapters.ehr.breaker import Breaker
    from service.adapters.ehr.exchange import Answer, Exchange
    from service.operations.clients import Client
    from service.operations.ports import Message, Records

Resource = dict[str, Any]

OVERTAKEN = "overtaken"
"""The receipt's reference where a later version of the form carries everything."""
_SECONDS = 30.0
_PLACE = re.compile(r"Bundle\.entry\[(\d{1,4})\]")
_DONE = re.compile(r"2\d\d\b")
_LOCATION = re.compile(r"[A-Za-z0-9:/._-]{1,200}")
_LATER = frozenset({404, 405, 408, 409, 425, 429})
"""Statuses that speak of the address, the moment or of others who write at the same time."""

_log = structlog.get_logger()


class EhrCourier:
    """Delivers to one client's EHR. Safe from several threads at once."""

    def __init__(
        self,
        client: Client,
        records: Records,
        background: Background,
        exchange: Exchange,
        tokens: BackendTokens,
        breaker: Breaker,
        monotonic: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        """The exchange and the tokens belong to the background's event loop."""
        if client.backend is None:
            raise ValueError(client.name)
        self._name = client.name
        self._server = client.backend.server.rstrip("/")
        self._records = records
        self._background = background
        self._exchange = exchange
        self._tokens = tokens
        self._breaker = breaker
        self._monotonic = monotonic
        self._new_id = new_id
        self._looked = False

    def deliver(self, message: Message) -> Receipt:
        """The receipt: where the EHR keeps the form. Unavailable, Unauthenticated and Forbidden may pass."""
        if self._overtaken(message):
            return Receipt(OVERTAKEN)
        return self._background.run(self._deliver(message))

    def _overtaken(self, message: Message) -> bool:
        type_, _, id_ = message.subject.partition("/")
        standing = self._records.read(type_, id_)
        sent = message.details.get("version", "")
        return standing is not None and sent.isdigit() and standing.version > int(sent)

    async def _deliver(self, message: Message) -> Receipt:
        if not self._breaker.admits(self._monotonic()):
            raise Unavailable(faults.RESTING)
        try:
            answer = await self._send(message)
        except EhrFault as fault:
            if fault.counts:
                self._breaker.fail(self._monotonic())
            else:
                self._breaker.succeed()
            raise Unavailable(fault.reason, retry_after=fault.after) from None
        except ServiceError:
            self._breaker.succeed()  # it answered
            raise
        if answer.status in faults.AWAY:
            self._breaker.fail(self._monotonic())
        else:
            self._breaker.succeed()
        return _judge(answer, decode(message.body).resource)

    async def _send(self, message: Message) -> Answer:
        token = await self._tokens.token()
        await self._look(token, message)
        answer = await self._post(token, message)
        if answer.status == 401:  # perhaps it was revoked before its time
            self._tokens.forget(token)
            answer = await self._post(await self._tokens.token(), message)
        return answer

    async def _post(self, token: str, message: Message) -> Answer:
        ask = Ask("POST", self._server, token, message.id, message.body, message.media_type)
        return await self._exchange.send(ask, _SECONDS, failing=True)

    async def _look(self, token: str, message: Message) -> None:
        """Nothing; once, what the server does not say that it can do is logged: it may do it all the same."""
        if self._looked:
            return
        try:
            answer = await self._exchange.send(Ask("GET", f"{self._server}/metadata", token), _SECONDS)
        except EhrFault as fault:
            if fault.counts:
                raise
            return
        self._looked = True
        lacks = list(lacks_for_writing(read_capability(answer.content), decode(message.body).resource))
        if lacks:
            _log.warning("ehr-capability", client=self._name, lacks=lacks)


def _judge(answer: Answer, sent: Resource) -> Receipt:
    """The receipt, where every entry was taken; else the error that the answer means."""
    status, content = answer.status, answer.content
    if status == 401:
        raise Unauthenticated("the EHR does not accept the token that it gave to this service")
    if status == 403:
        raise Forbidden("the EHR does not let this service write: its scopes do not reach that far")
    if status in _LATER or status >= 500 or 300 <= status < 400:
        raise Unavailable(f"the EHR answered {status}", retry_after=answer.after)
    if status == 412:
        raise Refused(f"the EHR has several resources of the same identifier{_blamed(content, sent)}")
    if status >= 400:
        raise Refused(f"the EHR refused the transaction with {status}{_blamed(content, sent)}")
    entries = content.get("entry")
    if content.get("resourceType") != "Bundle" or not isinstance(entries, list):
        raise Unavailable("the EHR answered a transaction with something else")
    if len(entries) != len(sent["entry"]):
        raise Unavailable("the EHR's answer does not account for every entry of the transaction")
    for at, entry in enumerate(entries):
        response = entry.get("response") if isinstance(entry, dict) else None
        said = str(response.get("status", "")) if isinstance(response, dict) else ""
        if not _DONE.match(said):
            raise _entry_fault(said[:3], _named(at, sent))
    location = str(entries[0]["response"].get("location", "")) if entries else ""
    return Receipt(location if _LOCATION.fullmatch(location) else None)


def _entry_fault(status: str, named: str) -> ServiceError:
    code = int(status) if status.isascii() and status.isdigit() else 0
    if code in _LATER or code >= 500 or not code:
        return Unavailable(f"the EHR did not take {named}{f' ({code})' if code else ''}")
    return Refused(f"the EHR refused {named} with {code}")


def _blamed(content: Resource, sent: Resource) -> str:
    """The entry that an OperationOutcome points to, in words; nothing of its own text is repeated."""
    issues = content.get("issue")
    for issue in issues if isinstance(issues, list) else ():
        places = issue.get("expression") if isinstance(issue, dict) else None
        for place in places if isinstance(places, list) else ():
            found = _PLACE.match(place) if isinstance(place, str) else None
            if found and int(found[1]) < len(sent["entry"]):
                return f": {_named(int(found[1]), sent)}"
    return ""


def _named(at: int, sent: Resource) -> str:
    request = sent["entry"][at]["request"]
    kind = request["url"].partition("?")[0].partition("/")[0]
    return f"entry {at + 1} of {len(sent['entry'])} ({kind})"
