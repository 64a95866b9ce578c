"""What a recipient answers to a batch: ``MCCI_IN200101UV01``, read and matched with what was sent.

The batch is accepted (AA), partly (AE) or refused (AR); each case is accepted (CA) or refused (CR, CE). What
the recipient says of a case is split into sentences, each beside the element that it names.
Source: HL7 v3 as ICH E2B(R3) uses it (ACK.M, ACK.A and ACK.B elements).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from service.domain.errors import Malformed
from service.domain.issues import Issue, Severity
from service.yellow_card.e2b.skeleton import HL7
from service.yellow_card.e2b.xml_reading import line_of, read_xml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml import etree

    from service.yellow_card.e2b.elements import Guide
    from service.yellow_card.e2b.xml_reading import XmlLimits

ROOT = "MCCI_IN200101UV01"
_CASE = "MCCI_IN000002UV01"
_BATCH_CODES = ("AA", "AE", "AR")
_CASE_CODES = ("CA", "CR", "CE")
_LONGEST = 100
"""Characters of a recipient's own number of a case."""
_NUMBER = re.compile(
    r"(?<![\w.])((?:[A-Z]{2,4}\.)?[NCDEFGH]\.(?:[0-9ikr]+[a-f]?)(?:\.(?:[0-9ikr]+[a-f]?))*)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of the recipient's, and the element it names (``FDA.C.1.12`` where regional), or None."""

    text: str
    element: str | None = None


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """The answer to one case. ``message`` is N.2.r.1 as sent; ``reference`` the recipient's own number."""

    message: str
    code: str
    said: tuple[Said, ...] = ()
    reference: str | None = None
    created: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the recipient took the case."""
        return self.code == "CA"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The answer to one batch. ``batch`` is N.1.2 as sent; ``identifier`` the answer's own number.

    ``reference`` is the recipient's number for the batch; dates are HL7 text as sent.
    """

    identifier: str
    batch: str
    code: str
    said: tuple[Said, ...] = ()
    cases: tuple[CaseAnswer, ...] = ()
    sender: str | None = None
    receiver: str | None = None
    reference: str | None = None
    created: str | None = None
    transmitted: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch that was sent: its number (N.1.2) and its messages (N.2.r.1)."""

    batch: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an acknowledgement means for one message.

    ``accepted`` None: not told yet. ``flag``: empty where it belongs to the batch that was answered;
    ``unknown`` for a message never sent; ``other-batch`` for one that was sent in another batch.
    """

    message: str
    accepted: bool | None
    said: tuple[Said, ...] = ()
    reference: str | None = None
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """An acknowledgement beside what was sent; ``known``: whether its batch was sent by this house."""

    acknowledgement: Acknowledgement
    known: bool
    outcomes: tuple[Outcome, ...] = field(default=())

    @property
    def flagged(self) -> bool:
        """Whether a person has to look: the batch or one of its cases is not what was sent."""
        return not self.known or any(outcome.flag for outcome in self.outcomes)


def read_acknowledgement(body: bytes, guide: Guide, limits: XmlLimits | None = None) -> Acknowledgement:
    """The acknowledgement in these bytes; Malformed or TooLarge says what is wrong with them, and where."""
    root = read_xml(body, limits)
    if root.tag != f"{{{HL7}}}{ROOT}":
        name = str(root.tag).rpartition("}")[2]
        _refuse(
            root, f"the document is a '{name[:60]}'; an acknowledgement is a {ROOT} in the namespace {HL7}"
        )
    top = _one(root, "acknowledgement")
    code, said = _answer(top, guide, _BATCH_CODES)
    batch = _identifier(top, "targetBatch/id")
    if batch is None:
        _refuse(top, "it does not say which batch it answers (targetBatch/id); ask the sender for it again")
    return Acknowledgement(
        identifier=_identifier(root, "id") or "",
        batch=batch,
        code=code,
        said=said,
        cases=tuple(_case(one, guide) for one in _all(root, _CASE)),
        sender=_identifier(root, "sender/device/id"),
        receiver=_identifier(root, "receiver/device/id"),
        reference=_attention(root, "2", "extension"),
        created=_attribute(root, "creationTime", "value"),
        transmitted=_attention(root, "3", "value"),
    )


def match(acknowledgement: Acknowledgement, sent: Iterable[Sent]) -> Matched:
    """The acknowledgement beside what was sent, with an outcome for each message it speaks of or leaves out.

    A case that was never sent, or in another batch, is kept and flagged. Messages of the batch that it does
    not name follow the batch: accepted with AA, refused with AR, not told with AE.
    """
    batches = {one.batch: one for one in sent}
    mine = batches.get(acknowledgement.batch)
    elsewhere = {message for one in batches.values() if one is not mine for message in one.messages}
    own = mine.messages if mine is not None else ()
    outcomes = []
    for case in acknowledgement.cases:
        flag = "" if case.message in own else "other-batch" if case.message in elsewhere else "unknown"
        outcomes.append(Outcome(case.message, case.accepted, case.said, case.reference, flag))
    named = {case.message for case in acknowledgement.cases}
    follows = {"AA": True, "AR": False}.get(acknowledgement.code)
    outcomes += [
        Outcome(message, follows, acknowledgement.said, acknowledgement.reference)
        for message in own
        if message not in named
    ]
    return Matched(acknowledgement, mine is not None, tuple(outcomes))


def sentences(text: str, guide: Guide) -> Iterator[Said]:
    """A recipient's text in sentences, each with the element that it names."""
    for part in text.split(";"):
        sentence = " ".join(part.split())
        if sentence:
            yield Said(sentence, _element(sentence, guide))


def _element(sentence: str, guide: Guide) -> str | None:
    numbers = [found[1] for found in _NUMBER.finditer(sentence)]
    for number in numbers:
        if number in guide.elements or number in guide.names:
            return number
        # Recipients count repeats (E.2.2.1b) where the list of elements has letters (E.i.2.1b).
        counted = [
            one for one in guide.elements if re.fullmatch(re.sub(r"\.[ikr](?=\.|$)", r"\\.\\d+", one), number)
        ]
        if len(counted) == 1:
            return counted[0]
    return next(iter(numbers), None)


def _case(element: etree._Element, guide: Guide) -> CaseAnswer:
    answer = _one(element, "acknowledgement")
    code, said = _answer(answer, guide, _CASE_CODES)
    message = _identifier(answer, "targetMessage/id")
    if message is None:
        _refuse(
            answer, "it does not say which report it answers (targetMessage/id); ask the sender for it again"
        )
    reference = _identifier(element, "id")
    if reference is not None and (len(reference) > _LONGEST or not reference.isprintable()):
        _refuse(element, f"the recipient's own number is no line of at most {_LONGEST} characters")
    return CaseAnswer(message, code, said, reference, _attention(element, "1", "value"))


def _answer(element: etree._Element, guide: Guide, codes: tuple[str, ...]) -> tuple[str, tuple[Said, ...]]:
    code = element.get("typeCode", "")
    if code not in codes:
        _refuse(element, f"the acknowledgement's code is '{code[:10]}'; it is {', '.join(codes)}")
    texts = ["".join(map(str, one.itertext())) for one in _all(element, "acknowledgementDetail/text")]
    return code, tuple(said for text in texts for said in sentences(text, guide))


def _all(element: etree._Element, path: str) -> list[etree._Element]:
    return element.findall("/".join(f"{{{HL7}}}{step}" for step in path.split("/")))


def _one(element: etree._Element, path: str) -> etree._Element:
    found = _all(element, path)
    if len(found) != 1:
        _refuse(element, f"there are {len(found)} of '{path}' where one is needed")
    return found[0]


def _identifier(element: etree._Element, path: str) -> str | None:
    return _attribute(element, path, "extension")


def _attribute(element: etree._Element, path: str, name: str) -> str | None:
    values = (str(one.get(name, "")).strip() for one in _all(element, path))
    return next((value for value in values if value), None)


def _attention(element: etree._Element, code: str, name: str) -> str | None:
    for line in _all(element, "attentionLine"):
        if _attribute(line, "keyWordText", "code") == code:
            return _attribute(line, "value", name)
    return None


def _refuse(element: etree._Element, message: str) -> NoReturn:
    line = line_of(element)
    place = f"line {line}: {message}"
    raise Malformed(place, issues=[Issue(Severity.ERROR, "structure", place, line=line, column=1)])
