"""``QuestionnaireResponse/$submit``: the form goes in, what is stored comes back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from service.operations.report.following import follow_form
from service.operations.representation import parameter_text, serve
from service.operations.submit import Sent, submit
from service.web.bundles import bundle, entry, issue_entry
from service.web.forms import expected_version
from service.web.operations.declared import Answer, In, Operation

if TYPE_CHECKING:
    from service.web.operations.declared import Call

FORM = "QuestionnaireResponse"
_INPUT = "questionnaire-response"


def _submit(call: Call) -> Answer:
    held, document = call.services, call.document
    form = call.one(_INPUT)
    if document is None:  # an empty body has been refused: the parameter is required
        raise AssertionError
    text = document.text if form is document.resource else parameter_text(document.text, _INPUT)
    made = submit(
        Sent(document, form, (text or document.text).encode()),
        held.records,
        held.content,
        held.act,
        now=held.clock(),
        expected=expected_version(call.headers.get("if-match")),
        software=f"htg117 {held.version}",
        write_back=held.write_back,
        reporting=partial(follow_form, held.reports),
    )
    entries = [entry(f"{call.base}/{one.reference}", serve(one)) for one in made.versions]
    told = [issue for issue in made.issues if issue.key != "dom-6"]
    if told:
        entries.append(issue_entry(told, held.new_id(), mode=None))
    stored = made.versions[0]
    address = f"{call.base}/{stored.reference}/_history/{stored.version}"
    headers = {"ETag": f'W/"{stored.version}"', "Content-Location": address}
    return Answer(
        bundle("collection", entries, id_=held.new_id(), now=held.clock(), total=None), headers=headers
    )


SUBMIT = Operation(
    name="submit",
    definition="questionnaireresponse-submit",
    types=(FORM,),
    said="Takes a completed, amended or entered-in-error form, acts on it and stores it with its results and "
    "Provenance in one transaction. The same form again gives the same resources.",
    run=_submit,
    inputs=(In(_INPUT, FORM, "The form; it may also be the body itself.", minimum=1),),
    changes=True,
    bare=_INPUT,
    gives="Bundle",
)
