"""``$extract``: a completed form made into resources, by what its Questionnaire says (SDC 4.0).

    found = extract(response, questionnaire, new_id=new_id)
    found.bundle                     # the transaction Bundle, without entries where nothing is extracted
    found.entries                    # each resource with the place in the form that it came from
    found.issues                     # what could not be extracted, or is to be known
    check(questionnaire)             # the faults of a Questionnaire's extraction, before any form is filled

Source: SDC 4.0, Form Data Extraction. Template-, definition- and observation-based extraction may stand side
by side in one Questionnaire, which is prepared once and kept. Nothing here stores, reads a clock, or changes
what it is given; what is extracted shares parts with form and Questionnaire: it must not be changed either.
"""

from __future__ import annotations

from service.fhir.extraction.entries import Entry
from service.fhir.extraction.extracting import Extraction, check, extract, extracts

__all__ = ["Entry", "Extraction", "check", "extract", "extracts"]
