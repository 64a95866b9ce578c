"""Submitted forms written back to an EHR on a socket, over real records: nothing lost, nothing twice."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from service import app
from service.adapters import content as published
from service.adapters import records
from service.adapters.ehr import faults
from service.adapters.ehr.capability import lacks_for_writing, read_capability
from service.adapters.ehr.courier import OVERTAKEN
from service.adapters.ehr.couriers import Couriers
from service.adapters.ehr.retries import Retries
from service.domain.errors import Forbidden, Refused, ServiceError, Unauthenticated, Unavailable
from service.fhir.json_text import decode
from service.operations.clients import Backend, Client
from service.operations.ports import Message, Receipt
from service.operations.submit import Sent, submit
from service.operations.write_back import WriteBacks, owner_of
from service.settings import Settings
from tests.adapters.ehr.keeping import Keeping
from tests.adapters.ehr.peer import outcome, reply
from tests.web.conftest import eligibility

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from service.adapters.records import Store
    from service.operations.submit import Submission

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = ECKey.generate_key("P-384", {"kid": "ours"})
RSA = RSAKey.generate_key(2048, {"kid": "ours-rsa"})


@pytest.fixture
def ehr() -> Iterator[Keeping]:
    with Keeping(KEY, RSA) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = records.connect(f"sqlite:///{tmp_path}/records.sqlite3")
    yield opened
    opened.close()


def make_client(
    ehr: Keeping, folder: Path, *, key: Any = KEY, algorithm: str = "ES384", **more: Any
) -> Client:
    (folder / "key.json").write_text(json.dumps(key.as_dict(private=True)), encoding="utf-8")
    backend = Backend(ehr.base, "htg117", ehr.token_url, str(folder / "key.json"), algorithm, write_back=True)
    return Client(
        "royal", "https://i.example", servers=(ehr.base,), backend=backend, local_references=True, **more
    )


class House:
    """The service's own side: records, and what is in the outbox."""

    def __init__(self, store: Store, client: Client) -> None:
        self.held = app.compose(
            Settings(), published.load(), store, ThreadPoolExecutor(1), records.Outbox(store)
        )
        self.store = store
        self.now = NOW
        self.writes = WriteBacks((client,))
        self.messages: list[Message] = []
        self.couriers = self.open(client)

    def open(self, client: Client) -> Couriers:
        return Couriers(
            [client], self.store, clock=lambda: self.now, monotonic=lambda: self.now.timestamp(),
            new_id=lambda: str(uuid.uuid4()), retries=Retries(),
        )  # fmt: skip

    def submit(self, form: dict[str, Any]) -> Submission:
        """What is stored of the form; what goes to the outbox is noted."""

        def write_back(*given: Any) -> tuple[Message, ...]:
            made = self.writes(*given)
            self.messages += made
            return made

        body = json.dumps(form).encode()
        document = decode(body)
        return submit(
            Sent(document, document.resource, body), self.held.records, self.held.content, self.held.act,
            now=NOW, write_back=write_back,
        )  # fmt: skip

    def deliver(self, message: Message | None = None) -> Receipt:
        return self.couriers.by_channel["ehr:royal"].deliver(message or self.messages[-1])


@pytest.fixture
def house(store: Store, ehr: Keeping, tmp_path: Path) -> Iterator[House]:
    made = House(store, make_client(ehr, tmp_path))
    yield made
    made.couriers.close()


def form(**more: Any) -> dict[str, Any]:
    return eligibility(subject={"reference": "Patient/1"}) | more


KEPT = {"QuestionnaireResponse": 1, "Observation": 1, "GuidanceResponse": 1, "CarePlan": 1}


def test_a_form_and_its_results_reach_the_ehr_and_point_to_each_other(house: House, ehr: Keeping) -> None:
    house.submit(form())
    receipt = house.deliver()
    assert ehr.count() == KEPT
    (answered,) = ehr.kept["QuestionnaireResponse"].values()
    (observed,) = ehr.kept["Observation"].values()
    assert receipt == Receipt(f"QuestionnaireResponse/{answered['id']}/_history/1")
    assert answered["identifier"] == form()["identifier"]
    assert answered["subject"] == observed["subject"] == {"reference": "Patient/1"}
    assert observed["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{answered['id']}"}]
    assert observed["identifier"][-1]["system"] == "urn:ietf:rfc:3986"
    (assertion,) = ehr.assertions
    claims, header = assertion["claims"], assertion["header"]
    assert header == {"alg": "ES384", "typ": "JWT", "kid": "ours"}
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("htg117", "htg117", ehr.token_url)
    assert 0 < claims["exp"] - NOW.timestamp() <= 300
    assert assertion["form"]["grant_type"] == ["client_credentials"]
    assert assertion["form"]["scope"] == ["system/*.rs"]


def test_an_rsa_key_serves_too(store: Store, ehr: Keeping, tmp_path: Path) -> None:
    house = House(store, make_client(ehr, tmp_path, key=RSA, algorithm="RS384"))
    house.submit(form())
    house.deliver()
    house.couriers.close()
    assert ehr.count() == KEPT


def test_delivered_again_nothing_is_there_twice(house: House, ehr: Keeping) -> None:
    house.submit(form())
    first = house.deliver()
    assert [house.deliver() for _ in range(3)] == [first] * 3
    assert ehr.count() == KEPT
    assert len(ehr.assertions) == 1


def test_an_answer_that_is_lost_leaves_no_duplicates(house: House, ehr: Keeping) -> None:
    house.submit(form())
    ehr.silent = True
    with pytest.raises(Unavailable, match=faults.BROKEN):
        house.deliver()
    assert ehr.count() == KEPT  # it has it, and nobody here knows
    ehr.silent = False
    house.deliver()
    assert ehr.count() == KEPT


def test_an_amended_form_replaces_and_a_withdrawn_one_marks(house: House, ehr: Keeping) -> None:
    house.submit(form())
    house.deliver()
    amended = form(status="amended")
    amended["item"][3]["answer"][0]["valueDecimal"] = 3
    house.submit(amended)
    house.deliver()
    assert ehr.count() == KEPT
    (answered,) = ehr.kept["QuestionnaireResponse"].values()
    assert answered["status"] == "amended"
    house.submit(form(status="entered-in-error"))
    house.deliver()
    assert ehr.count() == KEPT
    statuses = {type_: [one["status"] for one in kept.values()] for type_, kept in ehr.kept.items()}
    assert statuses == {type_: ["entered-in-error"] for type_ in KEPT}


def test_what_a_later_version_overtook_is_not_sent(house: House, ehr: Keeping) -> None:
    house.submit(form())
    house.submit(form(status="amended"))
    early, late = house.messages
    house.deliver(late)
    assert house.deliver(early) == Receipt(OVERTAKEN)
    (answered,) = ehr.kept["QuestionnaireResponse"].values()
    assert (answered["status"], ehr.count()) == ("amended", KEPT)


def test_events_without_an_identifier_search_are_put_under_their_own_id(house: House, ehr: Keeping) -> None:
    example = next(
        one for one in house.held.content.examples("QuestionnaireResponse") if "follow-up" in one.file
    )
    follow_up = json.loads(example.body) | {"subject": {"reference": "Patient/1"}}
    made = house.submit(follow_up)
    house.deliver()
    house.deliver()
    here = {one.id for one in made.versions if one.type == "AdverseEvent"}
    assert here
    assert set(ehr.kept["AdverseEvent"]) == here
    stored = {one.type for one in made.versions} - {"Provenance"}
    assert {t: n for t, n in ehr.count().items() if t in stored} == ehr.count()
    assert set(ehr.kept) == stored
    house.submit(follow_up | {"status": "entered-in-error"})
    house.deliver()
    assert ehr.kept["AdverseEvent"] == {}


def test_the_same_form_sent_again_is_no_second_message(house: House) -> None:
    house.submit(form())
    house.submit(form())
    assert len(house.messages) == 1
    (message,) = house.messages
    assert (message.channel, message.details, message.media_type) == (
        "ehr:royal", {"version": "1"}, "application/fhir+json"
    )  # fmt: skip
    assert message.subject.startswith("QuestionnaireResponse/")


def test_while_the_ehr_is_down_nothing_is_lost_and_its_retry_after_is_kept(
    house: House, ehr: Keeping
) -> None:
    house.submit(form())
    ehr.down = True
    with pytest.raises(Unavailable) as raised:
        house.deliver()
    assert raised.value.retry_after == 7
    ehr.down = False
    house.deliver()
    assert ehr.count() == KEPT


def test_an_ehr_that_is_gone_is_left_alone_for_a_while(house: House, ehr: Keeping) -> None:
    house.submit(form())
    ehr.__exit__()
    reasons = []
    for _ in range(6):
        with pytest.raises(Unavailable) as raised:
            house.deliver()
        reasons.append(str(raised.value))
    assert reasons == [faults.DOWN] * 5 + [faults.RESTING]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_ehr_that_says_that_it_is_down_is_left_alone_too(house: House, ehr: Keeping, status: int) -> None:
    house.submit(form())
    house.deliver()  # it has its token, and has looked what the server can do
    ehr.answer = reply(b"", status)
    reasons = []
    for _ in range(6):
        with pytest.raises(Unavailable) as raised:
            house.deliver()
        reasons.append(str(raised.value))
    assert reasons == [f"the EHR answered {status}"] * 5 + [faults.RESTING]
    house.now += timedelta(seconds=11)
    ehr.answer = b""
    house.deliver()
    house.deliver()
    assert ehr.count() == KEPT


@pytest.mark.parametrize("status", [429, 500, 409])
def test_what_one_transaction_comes_to_does_not_hold_up_the_others(
    house: House, ehr: Keeping, status: int
) -> None:
    """A server that fails over one transaction, or is busy, is not down."""
    house.submit(form())
    house.deliver()
    ehr.answer = reply(b"", status)
    for _ in range(9):
        with pytest.raises(Unavailable, match=f"the EHR answered {status}"):
            house.deliver()


def test_a_token_is_kept_until_shortly_before_its_end_and_renewed_when_revoked(
    house: House, ehr: Keeping
) -> None:
    house.submit(form())
    house.deliver()
    house.now += timedelta(seconds=260)
    house.deliver()
    assert len(ehr.assertions) == 1
    house.now += timedelta(seconds=15)
    house.deliver()
    assert len(ehr.assertions) == 2
    ehr.tokens.clear()
    house.deliver()
    assert len(ehr.assertions) == 3


def test_many_deliveries_at_once_ask_for_one_token(house: House, ehr: Keeping) -> None:
    for number in range(6):
        house.submit(form(identifier={"system": "https://ehr.example.org/forms", "value": f"f-{number}"}))
    with ThreadPoolExecutor(6) as threads:
        receipts: Sequence[Receipt] = list(threads.map(house.deliver, house.messages))
    assert len({receipt.reference for receipt in receipts}) == 6
    assert (len(ehr.assertions), len(ehr.kept["Observation"])) == (1, 6)


def answers(*statuses: str) -> bytes:
    entries = [{"response": {"status": status, "outcome": outcome("error")}} for status in statuses]
    return reply({"resourceType": "Bundle", "type": "transaction-response", "entry": entries})


POINTING = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "invalid",
            "diagnostics": "SECRET",
            "expression": ["Bundle.entry[1].resource.code"],
        }
    ],
}


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            reply(POINTING, 422),
            Refused,
            "the EHR refused the transaction with 422: entry 2 of 4 (Observation)",
        ),
        (
            reply(POINTING, 412),
            Refused,
            "the EHR has several resources of the same identifier: entry 2 of 4 (Observation)",
        ),
        (reply(b"<html>SECRET", 400, "text/html"), Refused, "the EHR refused the transaction with 400"),
        (reply(outcome("error"), 413), Refused, "the EHR refused the transaction with 413"),
        (
            reply(outcome("error"), 403),
            Forbidden,
            "the EHR does not let this service write: its scopes do not reach that far",
        ),
        (
            reply(outcome("error"), 401),
            Unauthenticated,
            "the EHR does not accept the token that it gave to this service",
        ),
        (reply(outcome("error"), 409), Unavailable, "the EHR answered 409"),
        (reply(outcome("error"), 404), Unavailable, "the EHR answered 404"),
        (reply(outcome("error"), 429), Unavailable, "the EHR answered 429"),
        (
            reply(b"", 302, headers={"Location": "https://attacker.example"}),
            Unavailable,
            "the EHR answered 302",
        ),
        (reply(b"<html>SECRET", 500, "text/html"), Unavailable, "the EHR answered 500"),
        (reply(b"<html>SECRET", 200, "text/html"), Unavailable, faults.NOT_FHIR),
        (reply(b"{"), Unavailable, faults.BROKEN),
        (reply(outcome("error")), Unavailable, "the EHR answered a transaction with something else"),
        (
            answers("201 Created"),
            Unavailable,
            "the EHR's answer does not account for every entry of the transaction",
        ),
        (
            answers("201", "422 SECRET", "201", "201"),
            Refused,
            "the EHR refused entry 2 of 4 (Observation) with 422",
        ),
        (
            answers("201", "201", "503", "201"),
            Unavailable,
            "the EHR did not take entry 3 of 4 (GuidanceResponse) (503)",
        ),
        (answers("201", "201", "201", "x"), Unavailable, "the EHR did not take entry 4 of 4 (CarePlan)"),
    ],
)
def test_what_the_ehr_says_against_it_is_told_without_its_words(
    house: House, ehr: Keeping, answer: bytes, kind: type[ServiceError], said: str
) -> None:
    house.submit(form())
    ehr.answer = answer
    with pytest.raises(kind) as raised:
        house.deliver()
    assert str(raised.value) == said
    assert type(raised.value) is kind
    ehr.answer = None
    house.deliver()
    assert ehr.count() == KEPT


def test_a_key_that_the_ehr_does_not_know_is_told(store: Store, ehr: Keeping, tmp_path: Path) -> None:
    stranger = ECKey.generate_key("P-384", {"kid": "ours"})
    house = House(store, make_client(ehr, tmp_path, key=stranger))
    house.submit(form())
    with pytest.raises(Unauthenticated) as raised:
        house.deliver()
    house.couriers.close()
    assert str(raised.value) == "the EHR's token service does not accept this service's key (invalid_client)"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (reply({"token_type": "bearer"}, kind="application/json"), "without a token"),
        (reply({"access_token": "a\nb", "token_type": "bearer"}, kind="application/json"), "without a token"),
        (reply({"access_token": "a", "token_type": "mac"}, kind="application/json"), "without a token"),
        (reply(b"", 500), faults.FAILED),
        (reply(b"", 302, headers={"Location": "https://attacker.example/token"}), faults.FAILED),
        (reply(b"<html>", kind="text/html"), faults.NOT_FHIR),
    ],
)
def test_a_token_service_that_fails_leaves_the_message_for_later(
    house: House, ehr: Keeping, answer: bytes, said: str
) -> None:
    async def broken(_request: Any, writer: Any) -> None:
        writer.write(answer)

    whole = ehr.routes["/token"]
    ehr.routes["/token"] = broken
    house.submit(form())
    with pytest.raises(Unavailable, match=said):
        house.deliver()
    ehr.routes["/token"] = whole
    house.deliver()
    assert ehr.count() == KEPT


# --- whose patient it is


def clients(*pairs: tuple[str, bool]) -> tuple[Client, ...]:
    backend = Backend("https://a.example/back", "x", "https://a.example/t", "k", write_back=True)
    return tuple(
        Client(f"c{at}", f"https://i{at}.example", servers=(server,), local_references=local, backend=backend)
        for at, (server, local) in enumerate(pairs)
    )


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ({"reference": "Patient/1"}, "c1"),
        ({"identifier": {"system": "urn:x", "value": "1"}}, "c1"),
        ({"reference": "https://a.example/fhir/Patient/1"}, "c0"),
        ({"reference": "https://b.example/fhir/Patient/1"}, "c1"),
        ({"reference": "https://A.example:443/fhir/Patient/1"}, "c0"),
        ({"reference": "https://b.example:443/fhir/Patient/1"}, "c1"),
        ({"reference": "http://a.example/fhir/Patient/1"}, None),
        ({"reference": "https://a.example/FHIR/Patient/1"}, None),
        ({"reference": "https://a.example/fhirx/Patient/1"}, None),
        ({"reference": "https://elsewhere.example/fhir/Patient/1"}, None),
    ],
)
def test_results_go_to_the_ehr_whose_patient_it_is(subject: dict[str, Any], name: str | None) -> None:
    both = clients(("https://a.example/fhir", False), ("https://b.example/fhir/", True))
    owner = owner_of({"subject": subject}, both)
    assert (owner.name if owner else None) == name


def test_a_patient_of_nobody_is_written_nowhere(house: House) -> None:
    house.submit(form(subject={"reference": "https://elsewhere.example/fhir/Patient/1"}))
    assert house.messages == []


def test_a_reference_into_the_ehr_is_relative_there(house: House, ehr: Keeping) -> None:
    house.submit(form(subject={"reference": f"{ehr.base.replace('http:', 'HTTP:')}/Patient/1"}))
    house.deliver()
    (observed,) = ehr.kept["Observation"].values()
    assert observed["subject"] == {"reference": "Patient/1"}


# --- what the server says it can do


def test_what_a_server_does_not_say_that_it_can_do_is_told(house: House) -> None:
    house.submit(form())
    bundle = decode(house.messages[-1].body).resource
    able = {
        "resourceType": "CapabilityStatement",
        "fhirVersion": "4.0.1",
        "format": ["xml", "application/fhir+json"],
        "rest": [
            {"mode": "client"},
            {
                "mode": "server",
                "interaction": [{"code": "transaction"}],
                "resource": [
                    {
                        "type": type_,
                        "conditionalCreate": True,
                        "interaction": [{"code": "read"}],
                        "searchParam": [{"name": "identifier"}],
                    }
                    for type_ in KEPT
                ],
            },
        ],
    }
    assert list(lacks_for_writing(read_capability(able), bundle)) == []
    assert list(lacks_for_writing(read_capability({"fhirVersion": "5.0.0", "rest": 1}), bundle)) == [
        "it does not say that it speaks FHIR R4 (4.0)",
        "it does not say that it speaks JSON",
        "it does not say that it takes transactions",
        *(
            f"{type_}: it does not say that {said}"
            for type_ in sorted(KEPT)
            for said in ("it does conditionalCreate", "it is searched by identifier")
        ),
    ]
