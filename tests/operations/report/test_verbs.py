"""A report's way through its states, over a real store."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    Refused,
    Unavailable,
    Unprocessable,
)
from service.domain.report_json import to_json
from service.domain.safety_report import Branch, State
from service.fhir.json_text import decode, encode
from service.operations.ports import Receipt
from service.operations.report import cases
from service.operations.report.attention import needing_attention
from service.operations.report.drafting import draft
from service.operations.report.edits import clear, enter, override, take_up
from service.operations.report.exporting import export
from service.operations.report.following import follow_form
from service.operations.report.listing import Filters
from service.operations.report.steps import (
    ask_follow_up,
    back,
    cancel,
    enter_reference,
    follow_up,
    leave_follow_up,
    look_over,
    nullify,
    ready,
)
from service.operations.report.submitting import Answer, acknowledge, settled, submit
from service.yellow_card.rendered import Rendered

if TYPE_CHECKING:
    from service.domain.safety_report import SafetyReport
    from service.domain.site import Site
    from service.operations.report.cases import Case
    from tests.operations.report.conftest import House

WHO = "Ada Example"
LEAK = {"event.term": "cement-leak", "event.suspect": ["cement"], "event.narrative": "It leaked"}
PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Testcase", "given": ["Zebedee"]}],
    "birthDate": "1950-03-02",
    "gender": "male",
}


def as_text(report: SafetyReport, _site: Site) -> Rendered:
    return Rendered("text/plain", "report.txt", encode(to_json(report)))


def as_xml(report: SafetyReport, _site: Site) -> Rendered:
    if report.branch is Branch.DEVICE:
        raise Unprocessable("a device does not go there")
    return Rendered("application/xml", "report.xml", f"<a>{report.case}{report.version}</a>".encode())


RENDERERS = {"sheet": as_text, "e2b": as_xml}


def first(house: House, answers: dict[str, Any] = LEAK, **more: Any) -> Case:
    """The first case of the one event that a form with these answers comes to."""
    house.more |= {"renderers": RENDERERS}
    event = house.event(answers, **more)
    return draft(house.desk, event, WHO, patient=PATIENT).cases[0]


def story(case: Case) -> list[tuple[str, str]]:
    return [(one.what, str(one.state)) for one in case.report.changes]


def test_a_report_goes_from_draft_to_acknowledged_and_each_change_is_kept(house: House) -> None:
    case = first(house)
    assert case.report.state is State.DRAFT
    assert ready(house.desk, case.id, WHO).case.report.state is State.READY
    made = export(house.desk, case.id, WHO)
    assert made.case.unmade == (("e2b", "a device does not go there"),)
    said = submit(house.desk, case.id, WHO)
    assert (said.case.report.state, said.stored) == (State.PREPARED, ())
    assert (
        said.says == "this site has no gateway; a person submits what is prepared, and says so with by-hand"
    )
    submit(house.desk, case.id, "Bea", by_hand=True)
    done = enter_reference(house.desk, case.id, "YC-1", WHO).case
    assert done.report.yellow_card == "YC-1"
    assert story(done) == [
        ("drafted", "draft"),
        (
            "ready; it lacks: one of: When it started, When it was recognised, Product name, Manufacturer",
            "ready",
        ),
        ("prepared: sheet", "prepared"),
        ("submitted by hand, as Bea says", "submitted"),
        ("reference YC-1 entered", "acknowledged"),
    ]
    assert {one.when for one in done.report.changes} == {"2026-07-14T09:00:00.000Z"}
    assert enter_reference(house.desk, case.id, "YC-1", WHO).stored == ()
    assert cases.read(house.records, case.id) == done


def test_what_is_exported_is_kept_byte_for_byte_with_its_hashes(house: House) -> None:
    case = first(house)
    ready(house.desk, case.id, WHO)
    made = export(house.desk, case.id, WHO).case
    [one] = made.exports
    document = decode(house.records.read(*one.document.split("/")).body).resource  # type: ignore[union-attr]
    binary = decode(house.records.read(*one.binary.split("/")).body).resource  # type: ignore[union-attr]
    body = base64.b64decode(binary["data"])
    prepared = replace(made.report, changes=case.report.changes, state=State.DRAFT)
    assert prepared == case.report
    assert hashlib.sha256(body).hexdigest() == one.digest
    attachment = document["content"][0]["attachment"]
    assert attachment == {
        "contentType": "text/plain",
        "url": one.binary,
        "size": len(body),
        "hash": base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode(),
        "title": "report.txt",
        "creation": "2026-07-14T09:00:00.000Z",
    }
    assert document["subject"] == {"reference": "https://ehr.example.org/fhir/Patient/9990000018"}
    assert document["context"] == {"related": [{"reference": case.event}]}
    assert b"9990000018" not in body


def test_each_verb_again_changes_nothing(house: House) -> None:
    case = first(house)
    assert ready(house.desk, case.id, WHO).stored != ()
    assert ready(house.desk, case.id, WHO).stored == ()
    export(house.desk, case.id, WHO)
    assert submit(house.desk, case.id, WHO, by_hand=True).stored != ()
    assert submit(house.desk, case.id, WHO, by_hand=True).stored == ()
    assert draft(house.desk, case.event.partition("/")[2], WHO).stored == ()


def test_a_version_that_is_not_the_one_seen_is_refused(house: House) -> None:
    case = first(house)
    ready(house.desk, case.id, WHO, expected=case.record)
    with pytest.raises(PreconditionFailed):
        back(house.desk, case.id, WHO, "again", expected=case.record)
    assert back(house.desk, case.id, WHO, "again").case.report.state is State.DRAFT


def test_a_step_that_is_not_possible_names_those_that_are(house: House) -> None:
    case = first(house)
    with pytest.raises(Conflict, match="cannot take the step 'submit'; possible are: entries, ready, "):
        submit(house.desk, case.id, WHO)
    with pytest.raises(NotFound):
        ready(house.desk, "none", WHO)


@pytest.mark.parametrize("reference", ["", " ", "x" * 101, "a\nb"])
def test_a_reference_is_one_short_line(house: House, reference: str) -> None:
    case = first(house)
    with pytest.raises(Refused):
        enter_reference(house.desk, case.id, reference, WHO)


def test_a_text_that_may_identify_stops_it_until_it_is_edited(house: House) -> None:
    case = first(house, LEAK | {"event.narrative": "Zebedee was in pain, NHS 999 000 0018"})
    with pytest.raises(Unprocessable) as refused:
        ready(house.desk, case.id, WHO)
    assert [str(one) for one in refused.value.issues] == [
        "narrative: this may identify the patient (name); edit it, or say why it does not",
        "narrative: this may identify the patient (nhs-number); edit it, or say why it does not",
        "narrative: this may identify the patient (number); edit it, or say why it does not",
    ]
    assert "Zebedee" not in str(refused.value.issues)
    enter(house.desk, case.id, {"narrative": "The patient was in pain"}, WHO)
    assert ready(house.desk, case.id, WHO).case.report.narrative == "The patient was in pain"


def test_a_persons_word_holds_for_the_text_as_it_stood(house: House) -> None:
    case = first(house, LEAK | {"event.narrative": "Testcase run of the pump"})
    with pytest.raises(Refused):
        clear(house.desk, case.id, "narrative", WHO, " ")
    clear(house.desk, case.id, "narrative", WHO, "the pump is called so")
    assert clear(house.desk, case.id, "narrative", WHO, "again").stored == ()
    done = ready(house.desk, case.id, WHO).case
    assert done.cleared[0].reason == "the pump is called so"
    enter(house.desk, case.id, {"narrative": "Testcase said so"}, WHO)
    with pytest.raises(Unprocessable):
        ready(house.desk, case.id, WHO)
    with pytest.raises(NotFound):
        clear(house.desk, case.id, "events.0.treatment", WHO, "none there")


def test_a_persons_word_does_not_cover_what_is_found_once_more_is_known(house: House) -> None:
    event = house.event(LEAK | {"event.narrative": "Mr Smith's chair was moved to Wigglesworth ward"})
    [case] = draft(house.desk, event, WHO).cases
    clear(house.desk, case.id, "narrative", WHO, "Mr Smith is the porter")
    assert ready(house.desk, case.id, WHO).case.report.state is State.READY
    known = {"resourceType": "Patient", "name": [{"family": "Wigglesworth"}]}
    draft(house.desk, event, WHO, patient=known)
    with pytest.raises(Unprocessable) as refused:
        export(house.desk, case.id, WHO)
    assert [one.expression for one in refused.value.issues] == ["narrative"]
    clear(house.desk, case.id, "narrative", WHO, "the ward is called so")
    assert [one.reason for one in cases.read(house.records, case.id).cleared] == [
        "Mr Smith is the porter",
        "the ward is called so",
    ]


def test_an_entry_holds_until_the_record_says_something_else_there(house: House) -> None:
    case = first(house)
    values = {
        "narrative": "Shorter",
        "reporter.name": "Dr Bea Example",
        "devices.0.model": "M1",
        "devices.1.lot": "L2",
    }
    done = enter(house.desk, case.id, values, WHO).case
    assert [(one.path, one.value, one.source) for one in done.entered] == [
        ("narrative", "Shorter", "It leaked"),
        ("reporter.name", "Dr Bea Example", "Dr Ada Example"),
        ("devices.0.model", "M1", None),
        ("devices.1.lot", "L2", None),
    ]
    house.submit({"event": [LEAK | {"event.narrative": "It leaked into the vein"}]}, status="amended")
    [again] = draft(house.desk, case.event.partition("/")[2], WHO).cases
    assert again.report.narrative == "It leaked into the vein"
    assert again.report.reporter.name == "Dr Bea Example"
    assert (again.report.devices[0].model, again.report.devices[1].lot) == ("M1", "L2")
    assert "dropped" in again.report.changes[-1].what


@pytest.mark.parametrize(
    "values",
    [{}, {"case": "x"}, {"subject.local_reference": "x"}, {"events.0.term": "x"}, {"devices.9.lot": "x"},
     {"devices.x.lot": "x"}, {"subject.age": "old"}, {"narrative": 3}, {"reporter": {}}, {"linked": []},
     {"devices.0.lot.x": "y"}],
)  # fmt: skip
def test_what_cannot_be_entered_is_refused(house: House, values: dict[str, Any]) -> None:
    case = first(house)
    with pytest.raises(Refused):
        enter(house.desk, case.id, values, WHO)


def test_two_suspects_give_two_reports_that_name_each_other(house: House) -> None:
    event = house.event(
        LEAK
        | {"event.suspect": ["cement", "medicine"], "event.medicine": [{"event.medicine.name": "Examplin"}]}
    )
    device, medicine = draft(house.desk, event, WHO).cases
    assert (device.report.branch, medicine.report.branch) == (Branch.DEVICE, Branch.MEDICINE)
    assert (device.report.linked, medicine.report.linked) == ((medicine.id,), (device.id,))
    assert device.report.subject.local_reference is None
    assert medicine.report.subject.local_reference is not None


def test_a_clinician_who_says_why_no_device_was_involved_takes_it_to_local_reporting(house: House) -> None:
    case = first(house, {"event.term": "chondrolysis"})
    assert case.report.branch is Branch.DEVICE
    made = override(house.desk, case.id, Branch.LOCAL, "Dr Cy Example", "known before the procedure")
    held = {one.report.branch: one.report for one in made.cases}
    assert held[Branch.DEVICE].state is State.CANCELLED
    assert held[Branch.LOCAL].decided_by == (
        "Dr Cy Example decided on local incident reporting: known before the procedure"
    )
    kept = held[Branch.LOCAL].override
    assert kept is not None
    assert (kept.who, kept.reason, kept.instead_of) == (
        "Dr Cy Example",
        "known before the procedure",
        Branch.DEVICE,
    )
    again = draft(house.desk, case.event.partition("/")[2], WHO)
    assert again.stored == ()
    with pytest.raises(Unprocessable, match="no report goes out"):
        ready(house.desk, held[Branch.LOCAL].case, WHO)
    taken_back = override(house.desk, held[Branch.LOCAL].case, Branch.DEVICE, WHO, "the device was involved")
    assert {one.report.branch: one.report.state for one in taken_back.cases} == {
        Branch.DEVICE: State.DRAFT,
        Branch.LOCAL: State.CANCELLED,
    }


def test_a_medicine_report_beside_an_antibiotic_is_offered_and_can_be_taken_up(house: House) -> None:
    site = {"site.location": "femur", "cement.product": "Example cement G", "cement.antibiotic": True}
    house.submit({"site": [site]}, "htg117-procedure", name="p-1")
    case = first(house)
    assert case.report.offered == (Branch.MEDICINE,)
    made = take_up(house.desk, case.id, Branch.MEDICINE, WHO, "a rash")
    device, medicine = made.cases
    assert medicine.report.decided_by == "Ada Example decided on a medicine report: a rash"
    assert device.report.linked == (medicine.id,)
    assert [one.antibiotic for one in medicine.report.devices] == [True]
    assert take_up(house.desk, case.id, Branch.MEDICINE, WHO, "a rash").stored == ()


def test_what_is_not_offered_cannot_be_taken_up(house: House) -> None:
    case = first(house)
    with pytest.raises(Unprocessable, match="offered are: none"):
        take_up(house.desk, case.id, Branch.MEDICINE, WHO, "a rash")


def sent(house: House, answers: dict[str, Any] = LEAK) -> Case:
    case = first(house, answers)
    ready(house.desk, case.id, WHO)
    export(house.desk, case.id, WHO)
    return submit(house.desk, case.id, WHO, by_hand=True).case


def amended(house: House, answers: dict[str, Any], **more: Any) -> None:
    """The form amended as the service does it: reports follow in the same transaction."""
    house.submit(
        {"event": [answers]}, **({"status": "amended"} | more), reporting=partial(follow_form, house.desk)
    )


def test_an_amended_form_makes_a_follow_up_due_and_leaves_what_was_sent(house: House) -> None:
    case = sent(house)
    house.later(days=1)
    amended(house, LEAK | {"event.outcome": "resolved"})
    due = cases.read(house.records, case.id)
    assert (due.report.state, due.due) == (
        State.FOLLOW_UP,
        "the form was amended after this report was submitted",
    )
    assert due.report.events == case.report.events
    begun = follow_up(house.desk, case.id, WHO).case
    assert (begun.report.version, begun.report.state, begun.id) == (2, State.DRAFT, case.id)
    assert begun.report.events[0].outcome == "resolved"
    assert begun.report.received == case.report.received
    assert begun.report.updated != case.report.updated
    dropped = cancel(house.desk, case.id, WHO, "not needed").case
    assert (dropped.report.version, dropped.report.state) == (1, State.FOLLOW_UP)
    left = leave_follow_up(house.desk, case.id, WHO, "not needed").case
    assert (left.report.state, left.due) == (State.SUBMITTED, None)


def test_an_amendment_that_changes_nothing_of_the_report_asks_for_nothing(house: House) -> None:
    case = sent(house)
    house.submit(
        {"event": [LEAK], "pain.score": 3}, status="amended", reporting=partial(follow_form, house.desk)
    )
    assert cases.read(house.records, case.id).report.state is State.SUBMITTED


def test_a_withdrawn_form_cancels_a_draft(house: House) -> None:
    case = first(house)
    amended(house, LEAK, status="entered-in-error")
    held = cases.read(house.records, case.id)
    assert held.report.state is State.CANCELLED
    assert held.report.changes[-1].reason == "the form was withdrawn as entered in error"


def test_a_withdrawn_form_proposes_to_nullify_what_was_sent(house: House) -> None:
    case = sent(house)
    amended(house, LEAK, status="entered-in-error")
    held = cases.read(house.records, case.id)
    assert (held.report.state, held.report.amendment) == (State.FOLLOW_UP, "nullification")
    begun = follow_up(house.desk, case.id, WHO).case
    assert (begun.report.version, begun.report.amendment) == (2, "nullification")
    assert begun.report.narrative == "It leaked"
    assert ready(house.desk, case.id, WHO).case.report.state is State.READY


def test_a_form_submitted_drafts_its_reports_in_the_same_transaction(house: House) -> None:
    amended(house, LEAK, status="completed")
    [held] = cases.search(house.records, [])
    assert (held.report.state, held.report.branch) == (State.DRAFT, Branch.DEVICE)
    assert held.report.reporter.name == "Dr Ada Example"


def test_several_events_of_one_form_share_the_patients_local_reference(house: House) -> None:
    medicine = {"event.suspect": ["medicine"], "event.medicine": [{"event.medicine.name": "Examplin"}]}
    both = [{"event.term": "fever"} | medicine, {"event.term": "bleeding"} | medicine]
    house.submit({"event": both}, reporting=partial(follow_form, house.desk))
    found = list(cases.search(house.records, []))
    assert {one.report.events[0].term.code for one in found} == {"fever", "bleeding"}
    assert len({one.report.subject.local_reference for one in found}) == 1


def test_equal_events_keep_their_own_narratives(house: House) -> None:
    both = [LEAK | {"event.narrative": "first"}, LEAK | {"event.narrative": "second"}]
    house.submit({"event": both}, reporting=partial(follow_form, house.desk))
    before = {one.event: one.report.narrative for one in cases.search(house.records, [])}
    assert sorted(before.values()) == ["first", "second"]
    house.submit(
        {"event": [*both, {"event.term": "fever"}]},
        status="amended",
        reporting=partial(follow_form, house.desk),
    )
    after = {one.event: one.report.narrative for one in cases.search(house.records, [])}
    assert after | before == after


def test_a_form_that_is_refused_leaves_no_report(house: House) -> None:
    amended(house, LEAK, status="completed")
    with pytest.raises(Conflict):
        amended(house, {"event.term": "fever"}, status="completed")
    assert len(list(cases.search(house.records, []))) == 1


def test_what_changed_after_the_draft_must_be_looked_at(house: House) -> None:
    case = first(house)
    house.submit({"event": [LEAK | {"event.outcome": "resolved"}]}, status="amended")
    with pytest.raises(Conflict, match="the form was changed"):
        ready(house.desk, case.id, WHO)


MEDICINE = {
    "event.term": "fever",
    "event.suspect": ["medicine"],
    "event.medicine": [{"event.medicine.name": "X"}],
}


def queued(house: House) -> tuple[Case, Any]:
    """A report given to the gateway, and the message."""
    put: list[Any] = []
    commit = house.records.commit

    class Watching:
        def __getattr__(self, name: str) -> Any:
            return getattr(house.records, name)

        def commit(self, writes: Any, now: Any, messages: Any = (), once: Any = ()) -> Any:
            made = commit(writes, now, messages, once)
            put.extend(messages)
            return made

    case = first(house, MEDICINE)
    house.more |= {"gateway": "e2b"}
    ready(house.desk, case.id, WHO)
    export(house.desk, case.id, WHO)
    done = submit(replace(house.desk, records=Watching()), case.id, WHO)
    assert done.says == "queued for the gateway; not delivered yet"
    assert submit(replace(house.desk, records=Watching()), case.id, WHO).stored == ()
    [message] = put
    return done.case, message


def settle(house: House, message: Any, outcome: Any) -> Case:
    writes, messages = settled(house.desk)(message, outcome)
    assert not messages
    house.records.commit(writes, house.now)
    return cases.read(house.records, message.subject.partition("/")[2])


def test_a_report_is_given_to_the_gateway_once_with_the_bytes_that_were_kept(house: House) -> None:
    case, message = queued(house)
    assert case.report.state is State.SUBMITTED
    assert (message.channel, message.subject, message.media_type) == (
        "gateway",
        f"SafetyReport/{case.id}",
        "application/xml",
    )
    assert message.body == f"<a>{case.id}1</a>".encode()
    assert dict(message.details) == {"case": case.id, "file_name": "report.xml", "version": "1"}
    done = settle(house, message, Receipt(reference="r-1"))
    assert (done.report.state, done.sendings[-1].state) == (State.SUBMITTED, "delivered")
    assert done.report.changes[-1].what == "delivered to the gateway as r-1"
    assert settled(house.desk)(message, Receipt(reference="r-1")) == ((), ())


def test_a_gateway_that_is_given_up_leaves_the_report_prepared(house: House) -> None:
    _, message = queued(house)
    done = settle(house, message, Unavailable("no answer in five days"))
    assert (done.report.state, done.sendings[-1].state) == (State.PREPARED, "failed")
    assert done.sendings[-1].reason == "no answer in five days"
    again = submit(house.desk, done.id, WHO)
    assert (again.case.report.state, again.case.sendings[-1].state) == (State.SUBMITTED, "queued")
    assert again.case.sendings[-1].message == message.id  # it may have arrived: the recipient knows it again


def test_a_gateway_that_refuses_rejects_the_report(house: House) -> None:
    _, message = queued(house)
    done = settle(house, message, Forbidden("not in this format"))
    assert (done.report.state, done.report.changes[-1].reason) == (State.REJECTED, "not in this format")
    fixed = enter(house.desk, done.id, {"medicines.0.dose": "1 mg"}, WHO).case
    assert (fixed.report.state, fixed.report.version) == (State.DRAFT, 1)


def test_a_report_edited_after_its_export_is_exported_again_before_it_is_sent(house: House) -> None:
    case = first(house, MEDICINE)
    house.more |= {"gateway": "e2b"}
    ready(house.desk, case.id, WHO)
    export(house.desk, case.id, WHO)
    enter(house.desk, case.id, {"medicines.0.dose": "1 mg"}, WHO)
    ready(house.desk, case.id, WHO)
    export(house.desk, case.id, WHO, kinds=["sheet"])
    said = submit(house.desk, case.id, WHO)
    assert said.case.report.state is State.PREPARED
    assert said.says == "the gateway takes 'e2b', which is not prepared of this report; a person submits it"


def test_an_acknowledgement_is_kept_once_and_one_that_contradicts_is_flagged(house: House) -> None:
    case = sent(house)
    came = Rendered("application/xml", "ack.xml", b"<ack/>", "acknowledgement")
    done = acknowledge(house.desk, case.id, Answer(True, (), "GB-1"), "the gateway", document=came).case
    assert (done.report.state, done.report.yellow_card, len(done.documents)) == (
        State.ACKNOWLEDGED,
        "GB-1",
        1,
    )
    assert (
        acknowledge(house.desk, case.id, Answer(True, (), "GB-1"), "the gateway", document=came).stored == ()
    )
    other = Rendered("application/xml", "nack.xml", b"<nack/>", "acknowledgement")
    odd = acknowledge(
        house.desk, case.id, Answer(False, ("E.i.2.1b: no such term",)), "the gateway", document=other
    ).case
    assert (odd.report.state, odd.flag) == (
        State.ACKNOWLEDGED,
        "an answer came while the report was acknowledged: rejected by the recipient",
    )
    assert look_over(house.desk, case.id, WHO, "the second was a mistake").case.flag is None


def test_a_rejection_is_kept_with_what_it_says_and_the_report_can_be_put_right(house: House) -> None:
    case = sent(house)
    done = acknowledge(
        house.desk, case.id, Answer(False, ("D.1: missing", "H.1: missing")), "the gateway"
    ).case
    assert (done.report.state, done.report.changes[-1].reason) == (
        State.REJECTED,
        "D.1: missing; H.1: missing",
    )
    assert cancel(house.desk, case.id, WHO, "told by telephone").case.report.state is State.CANCELLED


def test_an_acknowledgement_after_the_form_was_amended_leaves_the_follow_up_due(house: House) -> None:
    case = sent(house)
    amended(house, LEAK | {"event.outcome": "resolved"})
    done = acknowledge(house.desk, case.id, Answer(True), "the gateway").case
    assert (done.report.state, done.due is not None) == (State.FOLLOW_UP, True)
    assert leave_follow_up(house.desk, case.id, WHO, "said by letter").case.report.state is State.ACKNOWLEDGED


def test_a_submitted_report_is_nullified_and_its_id_is_not_used_again(house: House) -> None:
    case = sent(house)
    with pytest.raises(Conflict, match="it can be nullified"):
        cancel(house.desk, case.id, WHO, "a mistake")
    nullify(house.desk, case.id, WHO, "a mistake")
    begun = follow_up(house.desk, case.id, WHO).case
    assert (begun.report.amendment, begun.report.amendment_reason) == ("nullification", "a mistake")
    ready(house.desk, case.id, WHO)
    export(house.desk, case.id, WHO)
    submit(house.desk, case.id, WHO, by_hand=True)
    enter_reference(house.desk, case.id, "YC-2", WHO)
    made = draft(house.desk, case.event.partition("/")[2], WHO)
    [fresh] = [one for one in made.cases if one.report.state is State.DRAFT]
    assert (fresh.id != case.id, fresh.report.version, fresh.again) == (True, 1, 1)


def test_a_follow_up_is_asked_for_with_a_reason(house: House) -> None:
    case = sent(house)
    with pytest.raises(Refused):
        ask_follow_up(house.desk, case.id, WHO, "")
    assert ask_follow_up(house.desk, case.id, WHO, "the lot is known now").case.due == "the lot is known now"
    with pytest.raises(Refused):
        follow_up(house.desk, case.id, WHO, amendment="correction")
    begun = follow_up(house.desk, case.id, WHO, amendment="amendment", reason="wrong lot").case
    assert (begun.report.amendment, begun.report.amendment_reason) == ("amendment", "wrong lot")


def test_a_decision_on_the_branch_is_asked_about_again_once_something_else_is_suspected(house: House) -> None:
    unsaid = {name: held for name, held in LEAK.items() if name != "event.suspect"}
    case = first(house, unsaid)
    [_, local] = override(house.desk, case.id, Branch.LOCAL, "Dr A", "it was contrast, no cement").cases
    assert (local.report.branch, local.flag) == (Branch.LOCAL, None)
    amended(house, unsaid | {"event.narrative": "It leaked a little"})
    assert cases.read(house.records, local.id).flag is None
    amended(house, LEAK)
    told = cases.read(house.records, local.id)
    assert (told.report.branch, told.report.override) == (Branch.LOCAL, local.report.override)
    assert told.flag == (
        "what is suspected was changed after Dr A decided on the branch; see whether it still holds"
    )
    reasons = [
        why for one in needing_attention(house.records, Filters(), house.now, 7) for why in one.reasons
    ]
    assert reasons == [f"To be looked into: {told.flag}"]


CARD = {"event.yellow-card": [{"event.yellow-card.reference": "YC-77"}]}


def test_a_reference_on_the_form_says_that_it_was_reported_elsewhere(house: House) -> None:
    case = first(house, LEAK | CARD)
    assert (case.report.state, case.report.yellow_card) == (State.ACKNOWLEDGED, "YC-77")
    assert case.report.changes[-1].what == "reported elsewhere as YC-77"
    assert draft(house.desk, case.event.partition("/")[2], WHO).stored == ()


def test_a_reference_that_came_with_an_amendment_counts_too(house: House) -> None:
    case = first(house)
    amended(house, LEAK | CARD)
    assert cases.read(house.records, case.id).report.state is State.ACKNOWLEDGED


def test_a_reference_that_the_form_names_after_it_was_submitted_is_left_to_a_person(house: House) -> None:
    case = sent(house)
    day = {"event.yellow-card.reference": "YC-77", "event.yellow-card.date": "2026-07-13"}
    amended(house, LEAK | {"event.yellow-card": [day]})
    told = cases.read(house.records, case.id)
    assert (told.report.state, told.report.yellow_card) == (State.SUBMITTED, None)
    assert told.flag == (
        "the form names a report made elsewhere (YC-77 on 2026-07-13); enter it on the report that it means"
    )
    assert draft(house.desk, case.event.partition("/")[2], WHO).stored == ()


def test_a_reference_that_may_mean_either_report_is_left_to_a_person(house: House) -> None:
    case = first(house, MEDICINE | CARD | {"event.suspect": ["medicine", "cement"]})
    assert (case.report.state, case.report.yellow_card) == (State.DRAFT, None)
    assert case.flag == "the form names a report made elsewhere (YC-77); enter it on the report that it means"
    assert draft(house.desk, case.event.partition("/")[2], WHO).stored == ()
    look_over(house.desk, case.id, WHO, "it means the other one")
    assert draft(house.desk, case.event.partition("/")[2], WHO).stored == ()
