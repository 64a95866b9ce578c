"""E2B(R3) from a form to the recipient's answer: the message that leaves, the answer joined to its report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.errors import Malformed, Refused, Unprocessable
from service.domain.safety_report import State
from service.domain.site import E2b
from service.operations.ports import Message, Receipt
from service.operations.report import cases
from service.operations.report.answering import accepting, join, reading
from service.operations.report.drafting import draft
from service.operations.report.exporting import export
from service.operations.report.files import read_file
from service.operations.report.renderings import make_renderers
from service.operations.report.steps import ask_follow_up, follow_up, nullify, ready
from service.operations.report.strays import count_strays, list_strays, look_into, read_body
from service.operations.report.submitting import Answer, settled, submit
from service.yellow_card.e2b.elements import read_guide
from service.yellow_card.e2b.reader import read
from service.yellow_card.e2b.rendering import TABLE, Tools, renderer
from service.yellow_card.e2b.terms import Terms
from tests.operations.report.conftest import CONTENT, SITE, House
from tests.operations.report.test_verbs import MEDICINE, PATIENT, WHO
from tests.yellow_card.e2b.test_acknowledgement import answer, case

if TYPE_CHECKING:
    from service.operations.report.cases import Case

GUIDE = read_guide(CONTENT.data[TABLE])
REACTION = {**MEDICINE, "event.narrative": "Hot after the injection", "event.outcome": "resolved"}


def queued(house: House, name: str = "f-1") -> tuple[Case, Message]:
    """A report about a medicine given to the gateway, and its message."""
    terms = Terms("0.0", {str(MEDICINE["event.term"]): "99999999"})
    tools = Tools(GUIDE, lambda: house.now, terms)
    house.site = replace(SITE, e2b=E2b("SENDER", "RECEIVER", "EXAMPLE-TRUST"))
    house.more |= {"renderers": {"e2b": renderer(tools)}, "gateway": "e2b"}
    put: list[Any] = []
    event = house.event(REACTION, name=name)
    made = draft(house.desk, event, WHO, patient=PATIENT).cases[0]
    ready(house.desk, made.id, WHO)
    export(house.desk, made.id, WHO)
    commit = house.records.commit

    class Watching:
        def commit(self, writes: Any, now: Any, messages: Any = (), once: Any = ()) -> Any:
            put.extend(messages)
            return commit(writes, now, messages, once)

        def __getattr__(self, name: str) -> Any:
            return getattr(house.records, name)

    done = submit(replace(house.desk, records=Watching()), made.id, WHO)
    (message,) = put
    return done.case, message


def delivered(house: House, message: Message, body: bytes = b"") -> Case:
    receipt = Receipt("r-1", "application/xml", body)
    writes, _ = settled(house.desk, reading(house.desk, GUIDE))(message, receipt)
    house.records.commit(list(writes), house.now)
    return found(house, message)


def found(house: House, message: Message) -> Case:
    held = cases.find(house.records, str(message.details["case"]))
    assert held is not None
    return held


def numbers(message: Message) -> tuple[str, str]:
    """The batch's number and the report's, as the recipient reads them."""
    batch = read(message.body, GUIDE)
    return batch.header["N.1.2"], batch.cases[0]["N.2.r.1"]


def test_the_message_that_leaves_is_e2b_and_carries_the_cases_id(house: House) -> None:
    held, message = queued(house)
    batch, number = numbers(message)
    assert held.report.state is State.SUBMITTED
    assert number == f"GB-EXAMPLETRUST-{held.id}"
    assert batch.startswith(f"{number}.1.")
    assert b"999 000 0018" not in message.body
    assert b"Testcase" not in message.body


def test_an_answer_with_the_delivery_acknowledges_its_report(house: House) -> None:
    _, message = queued(house)
    batch, number = numbers(message)
    held = delivered(house, message, answer(batch, "AA", case(number, "CA", "Loaded")))
    assert (held.report.state, held.report.yellow_card) == (State.ACKNOWLEDGED, f"L-{number}")
    assert [one.kind for one in held.exports] == ["e2b", "answer"]


def test_a_refusal_keeps_each_sentence_beside_its_element(house: House) -> None:
    _, message = queued(house)
    batch, number = numbers(message)
    held = delivered(house, message, answer(batch, "AE", case(number, "CR", "E.i.7 is wrong;Too late")))
    assert held.report.state is State.REJECTED
    assert held.report.changes[-1].reason == "E.i.7: E.i.7 is wrong; Too late"


@pytest.mark.parametrize("body", [b"", b"<html/>", b"OK", answer("ANOTHER", "AA")])
def test_a_receipt_that_is_no_answer_to_it_leaves_the_report_submitted(house: House, body: bytes) -> None:
    _, message = queued(house)
    held = delivered(house, message, body)
    assert (held.report.state, held.report.yellow_card) == (State.SUBMITTED, None)


def test_the_batchs_code_speaks_for_a_report_that_is_not_named(house: House) -> None:
    held, message = queued(house)
    batch, number = numbers(message)
    file = message.details["file_name"]
    heard = reading(house.desk, GUIDE)

    def said(body: bytes) -> tuple[dict[str, Answer], list[str]]:
        found = heard(message, Receipt(None, None, body))
        assert found is not None
        kept = [write.resource or {} for write in found.writes]
        return dict(found.answers), [one["why"] for stray in kept for one in stray["unjoined"]]

    assert said(answer(batch, "AA")) == ({held.id: Answer(accepted=True, file=file)}, [])
    assert said(answer(batch, "AR", text="No")) == ({held.id: Answer(False, ("No",), file=file)}, [])
    assert said(answer(batch, "AE")) == (
        {},
        ["the batch is answered, and nothing is said of this report"],
    )
    assert said(answer(batch, "AA", case(number, "CA"), case(number, "CR"))) == (
        {},
        ["it is accepted and refused in the same acknowledgement"],
    )


def test_a_file_from_the_inbox_is_taken_once(house: House) -> None:
    _, message = queued(house)
    batch, number = numbers(message)
    delivered(house, message)
    accept = accepting(house.desk, GUIDE)
    body = answer(batch, "AA", case(number, "CA"))
    accept("ack.xml", body)
    once = found(house, message)
    accept("ack again.xml", body)
    again = found(house, message)
    assert (once.report.state, len(once.documents)) == (State.ACKNOWLEDGED, 1)
    assert again == once


def test_a_file_that_names_only_the_batch_is_joined_to_its_report(house: House) -> None:
    _, message = queued(house)
    batch, _ = numbers(message)
    delivered(house, message)
    accepting(house.desk, GUIDE)("ack.xml", answer(batch, "AR", text="N.1.2 was sent before"))
    held = found(house, message)
    assert held.report.state is State.REJECTED
    assert held.report.changes[-1].reason == "N.1.2: N.1.2 was sent before"


def test_an_answer_for_an_unknown_or_anothers_report_is_kept_and_flagged_and_the_rest_is_taken(
    house: House,
) -> None:
    _, message = queued(house)
    batch, number = numbers(message)
    delivered(house, message)
    accept = accepting(house.desk, GUIDE)
    with pytest.raises(Unprocessable, match=r"GB-OTHER-1: no such report was sent from here; it is kept as"):
        accept("ack.xml", answer(batch, "AE", case("GB-OTHER-1", "CA"), case(number, "CA")))
    assert found(house, message).report.state is State.ACKNOWLEDGED
    with pytest.raises(Unprocessable, match=f"{number}: this report was not sent in that batch"):
        accept("other.xml", answer("OTHER", "AE", case(number, "CR")))
    assert found(house, message).report.state is State.ACKNOWLEDGED
    with pytest.raises(Unprocessable, match="B-9: no such batch was sent from here"):
        accept("whole.xml", answer("B-9", "AA"))
    kept = list_strays(house.records)
    assert [(one.name, one.batch, [two.number for two in one.unjoined]) for one in kept] == sorted(
        [
            ("ack.xml", batch, ["GB-OTHER-1"]),
            ("other.xml", "OTHER", ["OTHER", number]),
            ("whole.xml", "B-9", ["B-9"]),
        ],
        key=lambda one: next(stray.digest for stray in kept if stray.name == one[0]),
    )
    assert {read_body(house.records, one.digest) for one in kept} == {
        answer(batch, "AE", case("GB-OTHER-1", "CA"), case(number, "CA")),
        answer("OTHER", "AE", case(number, "CR")),
        answer("B-9", "AA"),
    }


def test_the_same_stray_bytes_are_kept_once_and_stay_once_a_person_has_looked(house: House) -> None:
    body = answer("B-9", "AA", case("GB-OTHER-1", "CA"))
    first = join(house.desk, GUIDE, "a.xml", body, "handed over")
    house.later(days=1)
    again = join(house.desk, GUIDE, "b.xml", body, "the gateway's inbox")
    assert (again.stray, count_strays(house.records)) == (first.stray, 1)
    assert first.stray is not None
    with pytest.raises(Refused):
        look_into(house.desk, first.stray.digest, WHO, " ")
    seen = look_into(house.desk, first.stray.digest, WHO, "another hospital's; sent on")
    assert (seen.state, seen.who, seen.reason) == ("seen", WHO, "another hospital's; sent on")
    assert look_into(house.desk, first.stray.digest, "Bob", "again") == seen
    assert join(house.desk, GUIDE, "c.xml", body, "handed over").stray == seen
    assert (count_strays(house.records), list_strays(house.records, None)) == (0, (seen,))
    assert read_body(house.records, seen.digest) == body


def test_a_receipt_that_answers_anothers_report_is_joined_there_or_kept(house: House) -> None:
    _, message = queued(house)
    _, other = queued(house, "f-2")
    batch, number = numbers(other)
    delivered(house, message, answer(batch, "AA", case(number, "CA"), case("GB-X-7", "CR")))
    assert found(house, message).report.state is State.SUBMITTED
    assert found(house, other).report.state is State.ACKNOWLEDGED
    (kept,) = list_strays(house.records)
    assert [one.number for one in kept.unjoined] == ["GB-X-7"]
    delivered(house, message, answer(batch, "AA", case(number, "CA"), case("GB-X-7", "CR")))
    assert list_strays(house.records) == (kept,)


def test_a_file_that_is_no_acknowledgement_is_refused(house: House) -> None:
    for body in (b"<html/>", b"<!DOCTYPE x><x/>"):
        with pytest.raises(Malformed):
            accepting(house.desk, GUIDE)("x.xml", body)


def test_what_a_recipient_says_at_length_is_cut_and_its_number_is_short(house: House) -> None:
    made, message = queued(house)
    batch, number = message.details["file_name"][:-4], f"GB-EXAMPLETRUST-{made.id}"
    long = ";".join(["x" * 2000] * 150)
    accept = accepting(house.desk, GUIDE)
    accept("ack.xml", answer(batch, "AE", case(number, "CR", long)))
    told = cases.read(house.records, made.id).report.changes[-1].reason or ""
    assert told.split("; ") == ["x" * 999 + "\N{HORIZONTAL ELLIPSIS}"] * 100 + [
        "and 50 more, which its file has"
    ]
    for named in ("N" * 101, "N\u202e"):
        body = answer(batch, "AA", case(number, "CA")).decode().replace(f"L-{number}", named)
        with pytest.raises(Malformed):
            accept("ack.xml", body.encode())


def test_an_answer_to_an_earlier_message_says_nothing_of_the_later_one(house: House) -> None:
    made, message = queued(house)
    number = f"GB-EXAMPLETRUST-{made.id}"
    first = message.details["file_name"][:-4]
    accept = accepting(house.desk, GUIDE)
    ask_follow_up(house.desk, made.id, WHO, "the dose is known now")
    follow_up(house.desk, made.id, WHO)
    house.later(hours=1)
    ready(house.desk, made.id, WHO)
    export(house.desk, made.id, WHO)
    submit(house.desk, made.id, WHO)
    for code, what in (("CR", "rejected by the recipient"), ("CA", "acknowledged")):
        accept(f"{code}.xml", answer(first, "AE", case(number, code)))
        told = cases.read(house.records, made.id)
        assert (told.report.version, told.report.state) == (2, State.SUBMITTED)
        assert told.flag == f"an answer came to a message that another has followed: {what} as L-{number}"
    second = told.exports[-3].file_name[:-4]
    accept("now.xml", answer(second, "AA", case(number, "CA")))
    assert cases.read(house.records, made.id).report.state is State.ACKNOWLEDGED


@pytest.mark.parametrize("step", [ask_follow_up, nullify])
def test_the_cases_number_stays_whatever_the_site_file_says_later(house: House, step: Any) -> None:
    made, message = queued(house)
    number = f"GB-EXAMPLETRUST-{made.id}"
    assert cases.read(house.records, made.id).report.number == number
    first = message.details["file_name"][:-4]
    accepting(house.desk, GUIDE)("1.xml", answer(first, "AA", case(number, "CA")))
    house.site = replace(house.site, nation="northern-ireland", e2b=E2b("SENDER", "RECEIVER", "NEW-NAME"))
    step(house.desk, made.id, WHO, "the dose is known now")
    follow_up(house.desk, made.id, WHO)
    house.later(hours=1)
    ready(house.desk, made.id, WHO)
    file = export(house.desk, made.id, WHO).case.exports[-1]
    batch = read(read_file(house.records, file), GUIDE)
    assert [(one["C.1.1"], one["C.1.8.1"], one["N.2.r.1"]) for one in batch.cases] == [(number,) * 3]
    assert batch.header["N.1.2"].startswith(f"{number}.2.")
    submit(house.desk, made.id, WHO)
    accepting(house.desk, GUIDE)("2.xml", answer(batch.header["N.1.2"], "AA", case(number, "CA")))
    told = cases.read(house.records, made.id)
    assert (told.report.version, told.report.state) == (2, State.ACKNOWLEDGED)
    assert list_strays(house.records) == ()


def test_a_number_that_never_went_into_a_message_is_not_kept_and_one_that_did_survives_a_refresh(
    house: House,
) -> None:
    terms = Terms("0.0", {str(MEDICINE["event.term"]): "99999999"})
    e2b, sheet = renderer(Tools(GUIDE, lambda: house.now, terms)), make_renderers(CONTENT, lambda: house.now)
    house.site = replace(SITE, e2b=E2b("SENDER", "RECEIVER", "EXAMPLE-TRUST"))
    house.more |= {"renderers": {"e2b": e2b, "sheet": sheet["sheet"]}}
    made = draft(house.desk, house.event(REACTION), WHO, patient=PATIENT).cases[0]
    ready(house.desk, made.id, WHO)
    assert export(house.desk, made.id, WHO, kinds=["sheet"]).case.report.number is None
    number = f"GB-EXAMPLETRUST-{made.id}"
    assert export(house.desk, made.id, WHO).case.report.number == number
    house.submit({"event": [REACTION | {"event.narrative": "Hot, and better by noon"}]}, status="amended")
    draft(house.desk, made.event.partition("/")[2], WHO)
    told = cases.read(house.records, made.id).report
    assert (told.state, told.narrative, told.number) == (State.DRAFT, "Hot, and better by noon", number)


def test_an_acceptance_after_a_refusal_gives_a_rejected_report_no_reference(house: House) -> None:
    made, message = queued(house)
    number, batch = f"GB-EXAMPLETRUST-{made.id}", message.details["file_name"][:-4]
    accept = accepting(house.desk, GUIDE)
    accept("1.xml", answer(batch, "AE", case(number, "CR")))
    accept("2.xml", answer(batch, "AA", case(number, "CA")))
    told = cases.read(house.records, made.id)
    assert (told.report.state, told.report.yellow_card) == (State.REJECTED, None)
    assert told.flag == f"an answer came while the report was rejected: acknowledged as L-{number}"
