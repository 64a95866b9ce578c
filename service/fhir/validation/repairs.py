"""HL7's invariants that are checked in Python, and those whose expression HL7 got wrong."""

from __future__ import annotations

NATIVE: dict[str, str] = {
    "bdl-8": "bundles.py: HL7's expression comes to nothing over an entry without fullUrl, no fault",
    "ref-1": "references.py: HL7's expression comes to nothing over a reference without text, no fault",
    "txt-1": "narrative.py: htmlChecks() is not defined in FHIRPath",
    "txt-2": "narrative.py: htmlChecks() is not defined in FHIRPath",
    "cid-0": "nowhere: it speaks of ChargeItemDefinition.name, which R4 does not have",
    "que-2": "questionnaires.py: linkIds are unique in a form; the test holds it to HL7's text",
}
"""Key -> where it is checked, and why it is not run as FHIRPath."""

_NAME = "name.empty() or name.matches('^[A-Z]([A-Za-z0-9_]){0,254}$')"
_NAME_REASON = (
    "HL7's expression is not anchored: any name with a capital passes; without a name it comes to nothing"
)
_NAMED = (
    "adf cpb csd cpd cmd ees evd evi evv esc gdf ig lib mea msd nsd opd pdf que rsd red rvs spd sdf smp "
    "tcp tst vsd"
)

REPAIRED: dict[str, tuple[str, str]] = {
    **{f"{prefix}-0": (_NAME, _NAME_REASON) for prefix in _NAMED.split()},
    "que-7": (
        "operator = 'exists' implies (answer is boolean)",
        "HL7's expression asks for System.Boolean; an element that holds true or false is a FHIR.boolean",
    ),
    "que-12": (
        "enableWhen.count() > 1 implies enableBehavior.exists()",
        "HL7's sentence says 'more than one', HL7's expression '> 2'",
    ),
}
"""Key -> the expression that is run instead, and why."""
