"""An EHR that keeps what it is sent: tokens for a signed assertion, transactions whole or not at all."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.adapters.ehr.peer import FHIR_JSON, Peer, outcome, reply

if TYPE_CHECKING:
    from asyncio import StreamWriter

    from tests.adapters.ehr.peer import Request

Resource = dict[str, Any]


class Keeping(Peer):
    """Keeps resources by type and id. ``down``: answers 503. ``silent``: keeps, but the answer is lost."""

    def __init__(self, *keys: Any) -> None:
        super().__init__()
        self.keys = KeySet(list(keys))
        self.kept: dict[str, dict[str, Resource]] = {}
        self.tokens: set[str] = set()
        self.assertions: list[dict[str, Any]] = []
        self.down = False
        self.silent = False
        self.answer: bytes | None = None
        self.routes["/token"] = self._token
        self.on("", self._transaction)
        self.on("/metadata", reply({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}))

    @property
    def token_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    def count(self) -> dict[str, int]:
        """How many of each type are kept."""
        return {type_: len(kept) for type_, kept in self.kept.items() if kept}

    async def _token(self, request: Request, writer: StreamWriter) -> None:
        form = request.form
        try:
            token = jwt.decode(form["client_assertion"][0], self.keys, algorithms=["ES384", "RS384"])
        except JoseError:
            writer.write(
                reply({"error": "invalid_client", "error_description": "SECRET"}, 401, "application/json")
            )
            return
        self.assertions.append({"header": token.header, "claims": token.claims, "form": form})
        made = uuid.uuid4().hex
        self.tokens.add(made)
        granted = {"access_token": made, "token_type": "bearer", "expires_in": 300}
        writer.write(reply(granted, kind="application/json"))

    async def _transaction(self, request: Request, writer: StreamWriter) -> None:
        if self.down:
            writer.write(reply(outcome("error"), 503, headers={"Retry-After": "7"}))
        elif request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            writer.write(reply(outcome("error"), 401))
        elif self.answer:
            writer.write(self.answer)
        else:
            assert request.headers["content-type"] == FHIR_JSON
            answer = self.take(json.loads(request.body))
            if self.silent:
                writer.close()
            else:
                writer.write(reply(answer))

    def take(self, bundle: Resource) -> Resource:
        """The transaction's answer; its references by fullUrl lead to what is kept."""
        entries = bundle["entry"]
        placed = [self._place(entry) for entry in entries]
        names = {
            entry["fullUrl"]: f"{type_}/{id_}"
            for entry, (type_, id_, _) in zip(entries, placed, strict=True)
            if "fullUrl" in entry
        }
        answers = []
        for entry, (type_, id_, status) in zip(entries, placed, strict=True):
            if entry["request"]["method"] == "DELETE":
                self.kept.get(type_, {}).pop(id_, None)
            elif status != "200 nothing done":
                self.kept.setdefault(type_, {})[id_] = self._pointed(entry["resource"], names) | {"id": id_}
            answers.append({"response": {"status": status, "location": f"{type_}/{id_}/_history/1"}})
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": answers}

    def _place(self, entry: Resource) -> tuple[str, str, str]:
        request = entry["request"]
        path, _, search = request["url"].partition("?")
        type_, _, id_ = path.partition("/")
        if request["method"] == "DELETE":
            return type_, id_, "204"
        if id_:
            return type_, id_, "200 OK" if id_ in self.kept.get(type_, {}) else "201 Created"
        found = self._find(type_, request.get("ifNoneExist") or search)
        if len(found) == 1:
            return type_, found[0], "200 nothing done" if request["method"] == "POST" else "200 OK"
        assert not found, "several match"
        return type_, uuid.uuid4().hex, "201 Created"

    def _find(self, type_: str, search: str) -> list[str]:
        (token,) = parse_qs(search)["identifier"]
        system, value = (part.replace("\\", "") for part in re.split(r"(?<!\\)\|", token))
        wanted = {"system": system, "value": value}
        return [
            id_
            for id_, one in self.kept.get(type_, {}).items()
            if any(
                {key: found.get(key) for key in wanted} == wanted
                for found in (
                    [one["identifier"]] if isinstance(one["identifier"], dict) else one["identifier"]
                )
            )
        ]

    def _pointed(self, node: Any, names: dict[str, str]) -> Any:
        if isinstance(node, dict):
            return {
                key: self._reference(value, names)
                if key == "reference" and isinstance(value, str)
                else self._pointed(value, names)
                for key, value in node.items()
            }
        return [self._pointed(part, names) for part in node] if isinstance(node, list) else node

    def _reference(self, reference: str, names: dict[str, str]) -> str:
        type_, mark, search = reference.partition("?")
        if mark:
            (id_,) = self._find(type_, search)
            return f"{type_}/{id_}"
        assert not reference.startswith("urn:") or reference in names, reference
        return names.get(reference, reference)
