"""All the steps of one call in their order; only the records and the EHR are waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from service.cds.model import Unread
from service.cds.prefetch import PATIENT
from service.operations.advise.recorded import Kept

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from service.cds.model import Call, Service, Showing
    from service.operations.advise.advisor import Advice, Advisor
    from service.operations.clients import Client, Ehrs

    Run = Callable[..., Awaitable[Kept]]

_LEAST = 0.05
"""So many seconds the EHR has at least, however long the records took."""


async def advise(
    advisor: Advisor,
    ehrs: Ehrs,
    run: Run,
    call: Call,
    service: Service,
    client: Client | None,
    showing: Showing,
    seconds: float,
) -> Advice:
    """The advice on a call. ``run`` runs a function in a thread; the EHR may take so many seconds.

    DataUnavailable (CDS Hooks: 412) where what the answer rests on is neither sent nor can be read.
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    question = advisor.question(call, service, client)
    kept = Kept() if question.is_settled else await run(advisor.kept, question)
    queries = advisor.queries(question, kept)
    if not queries or call.access is None:
        return advisor.advice(question, kept, {}, showing)
    left = max(seconds - (clock() - began), _LEAST)  # what the records took is not the EHR's
    gathered = await ehrs.of(client).read(call.access, queries, left)
    found = gathered.get(PATIENT)
    if found and not isinstance(found, Unread) and not kept.fault:  # by its identifiers more may be found
        kept = await run(advisor.kept, question, gathered)
    return advisor.advice(question, kept, gathered, showing)
