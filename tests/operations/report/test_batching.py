"""Several reports in one E2B(R3) message: made together or not at all, sent once, answered one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from service.adapters.records import Outbox
from service.adapters.records.archive import erase
from service.domain.errors import Conflict, NotFound, Refused, Unavailable, Unprocessable
from service.domain.safety_report import State
from service.domain.site import E2b
from service.operations.ports import Message, Receipt
from service.operations.report import cases
from service.operations.report.answering import join, reading
from service.operations.report.batching import batch
from service.operations.report.drafting import draft
from service.operations.report.exporting import export
from service.operations.report.files import read_file
from service.operations.report.steps import ready
from service.operations.report.strays import list_strays
from service.operations.report.submitting import settled, submit
from service.operations.searching.dates import microseconds
from service.yellow_card.e2b.reader import read
from service.yellow_card.e2b.rendering import Tools, batches, renderer
from service.yellow_card.e2b.terms import Terms
from tests.operations.report.conftest import SITE, House
from tests.operations.report.test_answering import GUIDE, REACTION
from tests.operations.report.test_verbs import MEDICINE, PATIENT, WHO
from tests.yellow_card.e2b.test_acknowledgement import answer
from tests.yellow_card.e2b.test_acknowledgement import case as about

if TYPE_CHECKING:
    from service.operations.report.cases import Case, Export


def ready_ones(house: House, count: int = 3, **more: Any) -> list[str]:
    """So many reports about a medicine, ready."""
    tools = Tools(GUIDE, lambda: house.now, Terms("0.0", {str(MEDICINE["event.term"]): "99999999"}))
    house.site = replace(SITE, e2b=E2b("SENDER", "RECEIVER", "EXAMPLE-TRUST"))
    outbox = Outbox(house.records)  # type: ignore[arg-type]
    house.more |= {
        "renderers": {"e2b": renderer(tools)}, "batches": batches(tools), "gateway": "e2b", "outbox": outbox,
    }  # fmt: skip
    made = []
    for at in range(count):
        event = house.event(REACTION | more, name=f"b-{at}")
        made.append(draft(house.desk, event, WHO, patient=PATIENT).cases[0].id)
        ready(house.desk, made[-1], WHO)
    return made


def held(house: House, ids: list[str]) -> list[Case]:
    return [cases.read(house.records, one) for one in ids]


def states(house: House, ids: list[str]) -> list[str]:
    return [str(one.report.state) for one in held(house, ids)]


def waiting(house: House) -> list[Message]:
    """What a worker takes up now."""
    outbox = Outbox(house.records)  # type: ignore[arg-type]
    return [one.message for one in outbox.claim(("gateway",), house.now, timedelta(seconds=1), 9)]


def numbers(house: House, file: Export) -> tuple[str, list[str]]:
    """The batch's number and its reports', as the recipient reads them."""
    found = read(read_file(house.records, file), GUIDE)
    return found.header["N.1.2"], [one["N.2.r.1"] for one in found.cases]


def settle(house: House, message: Message, outcome: Any) -> None:
    writes, _ = settled(house.desk, reading(house.desk, GUIDE))(message, outcome)
    house.records.commit(list(writes), house.now)


def test_reports_share_one_stored_file_and_each_has_its_own_entry(house: House) -> None:
    ids = ready_ones(house)
    made = batch(house.desk, ids, WHO)
    batch_number, own = numbers(house, made.file)
    assert own == [f"GB-EXAMPLETRUST-{one}" for one in ids]
    assert batch_number == f"GB-EXAMPLETRUST-{ids[0]}.1-3.{house.now:%Y%m%d%H%M%S}"
    assert states(house, ids) == ["prepared"] * 3
    entries = [one.exports[-1] for one in held(house, ids)]
    assert [one.together for one in entries] == [tuple(ids)] * 3
    assert len({(one.binary, one.digest, one.file_name) for one in entries}) == 1
    assert len({one.document for one in entries}) == 3
    assert list(made.cases) == held(house, ids)


def test_the_same_batch_again_is_the_same_file_and_another_one_is_made_anew(house: House) -> None:
    ids = ready_ones(house)
    first = batch(house.desk, ids, WHO)
    house.later(minutes=1)
    again = batch(house.desk, list(reversed(ids)), WHO)
    assert (again.again, again.file.digest) == (True, first.file.digest)
    assert [len(one.exports) for one in held(house, ids)] == [1, 1, 1]
    fewer = batch(house.desk, ids[:2], WHO)
    assert (fewer.again, fewer.file.together) == (False, tuple(ids[:2]))


def test_all_of_them_or_none(house: House) -> None:
    ids = ready_ones(house)
    uncoded = house.event(REACTION | {"event.term": "bleeding"}, name="b-9")
    bad = draft(house.desk, uncoded, WHO, patient=PATIENT).cases[0].id
    with pytest.raises(Conflict, match=f"report {bad}: a report that is draft"):
        batch(house.desk, [*ids, bad], WHO)
    ready(house.desk, bad, WHO)
    with pytest.raises(Unprocessable) as refused:
        batch(house.desk, [*ids, bad], WHO)
    assert all(bad in issue.message for issue in refused.value.issues)
    assert refused.value.issues
    assert states(house, [*ids, bad]) == ["ready"] * 4
    assert [one.exports for one in held(house, ids)] == [()] * 3
    with pytest.raises(NotFound):
        batch(house.desk, [*ids, "no-such"], WHO)
    for given in ([], ids[:1], [ids[0], ids[0]], [f"c-{at}" for at in range(101)]):
        with pytest.raises(Refused):
            batch(house.desk, given, WHO)
    house.more["batches"] = None
    with pytest.raises(Unprocessable, match="makes no E2B"):
        batch(house.desk, ids, WHO)


def test_one_message_goes_out_for_all_and_its_end_is_every_reports(house: House) -> None:
    ids = ready_ones(house)
    file = batch(house.desk, ids, WHO).file
    said = submit(house.desk, ids[1], WHO)
    assert (said.case.id, said.says) == (
        ids[1],
        "queued for the gateway; not delivered yet; its file is a batch, and the 2 others in it went with it",
    )
    assert submit(house.desk, ids[2], WHO).stored == ()
    (message,) = waiting(house)
    assert message.body == read_file(house.records, file)
    assert states(house, ids) == ["submitted"] * 3
    settle(house, message, Unavailable("no answer"))
    assert states(house, ids) == ["prepared"] * 3
    submit(house.desk, ids[0], WHO)
    assert [one.sendings[-1].message for one in held(house, ids)] == [message.id] * 3
    settle(house, message, Receipt("r-1"))
    assert [one.sendings[-1].state for one in held(house, ids)] == ["delivered"] * 3


def test_a_report_that_went_another_way_keeps_the_batch_from_going(house: House) -> None:
    ids = ready_ones(house)
    batch(house.desk, ids, WHO)
    house.later(seconds=1)
    export(house.desk, ids[2], WHO)
    with pytest.raises(Conflict, match=f"report {ids[2]} of the batch"):
        submit(house.desk, ids[0], WHO)
    assert states(house, ids) == ["prepared"] * 3
    assert waiting(house) == []
    assert submit(house.desk, ids[2], WHO).case.report.state is State.SUBMITTED


@pytest.mark.parametrize("by_receipt", [True, False])
def test_each_report_has_its_own_answer(house: House, by_receipt: bool) -> None:
    ids = ready_ones(house, 4)
    file = batch(house.desk, ids, WHO).file
    submit(house.desk, ids[0], WHO)
    (message,) = waiting(house)
    number, own = numbers(house, file)
    body = answer(
        number, "AE", about(own[0], "CA"), about(own[1], "CR", "E.i.7 is wrong"), about(own[2], "CA"),
        about("GB-OTHER-1", "CA"),
    )  # fmt: skip
    if by_receipt:
        settle(house, message, Receipt("r-1", "application/xml", body))
    else:
        settle(house, message, Receipt("r-1"))
        join(house.desk, GUIDE, "ack.xml", body, "handed over")
    after = held(house, ids)
    assert states(house, ids) == ["acknowledged", "rejected", "acknowledged", "submitted"]
    assert after[1].report.changes[-1].reason == "E.i.7: E.i.7 is wrong"
    assert [one.report.yellow_card for one in after] == [f"L-{own[0]}", None, f"L-{own[2]}", None]
    (stray,) = list_strays(house.records)
    assert [one.number for one in stray.unjoined] == ["GB-OTHER-1", own[3]]
    join(house.desk, GUIDE, "ack.xml", body, "handed over")
    assert held(house, ids) == after
    assert list_strays(house.records) == (stray,)


def test_each_report_of_a_batch_keeps_the_number_that_it_first_had(house: House) -> None:
    ids = ready_ones(house, 2)
    export(house.desk, ids[1], WHO)
    house.site = replace(house.site, nation="northern-ireland", e2b=E2b("SENDER", "RECEIVER", "NEW"))
    house.later(seconds=1)
    file = batch(house.desk, ids, WHO).file
    number, own = numbers(house, file)
    assert own == [f"XI-NEW-{ids[0]}", f"GB-EXAMPLETRUST-{ids[1]}"]
    assert [one.report.number for one in held(house, ids)] == own
    submit(house.desk, ids[0], WHO)
    join(
        house.desk, GUIDE, "ack.xml", answer(number, "AE", *(about(one, "CA") for one in own)), "handed over"
    )
    assert states(house, ids) == ["acknowledged"] * 2
    assert list_strays(house.records) == ()


def test_an_answer_to_the_whole_batch_is_every_reports(house: House) -> None:
    ids = ready_ones(house)
    file = batch(house.desk, ids, WHO).file
    submit(house.desk, ids[0], WHO)
    number, own = numbers(house, file)
    join(house.desk, GUIDE, "ack.xml", answer(number, "AA", about(own[0], "CR", "no")), "handed over")
    assert states(house, ids) == ["rejected", "acknowledged", "acknowledged"]


def test_erasing_one_patient_empties_the_message_that_holds_others_too(house: House) -> None:
    ids = ready_ones(house)
    batch(house.desk, ids, WHO)
    submit(house.desk, ids[0], WHO)
    (message,) = waiting(house)
    erase(house.records.engine, [("SafetyReport", ids[2])], microseconds(house.now))  # type: ignore[attr-defined]
    found = Outbox(house.records).find(message.id)  # type: ignore[arg-type]
    assert found is not None
    assert (found.fate, found.digest) == ("dropped", "")
