"""Run by an interpreter that has HealthChain: its sandbox client sends one hook, and what came is printed.

Standard input: ``{"url": …, "workflow": …, "context": {…}, "prefetch": {…}}``. Its own requests lose what a
hook's context holds beyond user and patient (its model serialises the context as the base of all hooks), so
the context is made to serialise as what it is.
"""

from __future__ import annotations

import json
import sys

from healthchain.models.hooks.basehookcontext import BaseHookContext  # noqa: TC002 - the model reads it
from healthchain.models.requests import CDSRequest
from healthchain.sandbox.requestconstructors import CdsRequestConstructor
from healthchain.sandbox.sandboxclient import SandboxClient
from pydantic import SerializeAsAny  # noqa: TC002 - the model reads it


class Request(CDSRequest):  # type: ignore[misc, unused-ignore]
    """A request with its whole context."""

    context: SerializeAsAny[BaseHookContext]


asked = json.load(sys.stdin)
client = SandboxClient(asked["url"], asked["workflow"])
made = CdsRequestConstructor().construct_request(asked["prefetch"], client.workflow, asked["context"])
client.requests.append(Request(hook=made.hook, context=made.context, prefetch=made.prefetch))
json.dump(client.send_requests(), sys.stdout)
