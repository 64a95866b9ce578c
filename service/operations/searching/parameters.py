"""The search parameters that are served, by resource type, with the elements that each one reads.

An element is a dotted path below the resource; ``[x]`` marks a choice and ``**`` any depth of the element
before it. Source: R4 search parameter registry, of which these are the parameters of token, reference,
date, string and uri type for the types kept or published here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache


class Kind(StrEnum):
    """A search parameter's type (R4 value set search-param-type)."""

    TOKEN = "token"  # noqa: S105 - the name of a search parameter type
    REFERENCE = "reference"
    DATE = "date"
    STRING = "string"
    URI = "uri"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter. ``target`` is the only type of resource that a reference may lead to, if any."""

    name: str
    kind: Kind
    paths: tuple[tuple[str, ...], ...]
    target: str | None = None


_ALL = "_id token id; _lastUpdated date meta.lastUpdated; _profile uri meta.profile; _tag token meta.tag"
_EVENT = "identifier token identifier; subject reference subject; patient reference:Patient subject; "
_PUBLISHED = (
    "url uri url; version token version; name string name; title string title; status token status; "
    "date date date; publisher string publisher; description string description; "
    "identifier token identifier; jurisdiction token jurisdiction; context token useContext.value[x]; "
)

_RECORDS = {
    "QuestionnaireResponse": _EVENT
    + "author reference author; authored date authored; based-on reference basedOn; "
    "encounter reference encounter; part-of reference partOf; questionnaire reference questionnaire; "
    "source reference source; status token status",
    "Observation": _EVENT + "based-on reference basedOn; category token category; code token code; "
    "combo-code token code,component.code; component-code token component.code; "
    "component-value-concept token component.valueCodeableConcept; "
    "combo-value-concept token valueCodeableConcept,component.valueCodeableConcept; "
    "data-absent-reason token dataAbsentReason; date date effective[x]; "
    "derived-from reference derivedFrom; device reference device; encounter reference encounter; "
    "focus reference focus; has-member reference hasMember; method token method; part-of reference partOf; "
    "performer reference performer; specimen reference specimen; status token status; "
    "value-concept token valueCodeableConcept; value-date date valueDateTime,valuePeriod; "
    "value-string string valueString,valueCodeableConcept.text",
    "AdverseEvent": "actuality token actuality; category token category; date date date; event token event; "
    "location reference location; recorder reference recorder; "
    "resultingcondition reference resultingCondition; seriousness token seriousness; "
    "severity token severity; study reference study; subject reference subject; "
    "substance reference suspectEntity.instance",
    "Procedure": _EVENT + "based-on reference basedOn; category token category; code token code; "
    "date date performed[x]; encounter reference encounter; "
    "instantiates-canonical reference instantiatesCanonical; instantiates-uri uri instantiatesUri; "
    "location reference location; part-of reference partOf; performer reference performer.actor; "
    "reason-code token reasonCode; reason-reference reference reasonReference; status token status",
    "Device": "device-name string deviceName.name,type.text,type.coding.display; "
    "identifier token identifier; location reference location; manufacturer string manufacturer; "
    "model string modelNumber; "
    "organization reference owner; patient reference:Patient patient; status token status; type token type; "
    "udi-carrier string udiCarrier.carrierHRF; udi-di string udiCarrier.deviceIdentifier; url uri url",
    "GuidanceResponse": _EVENT + "request token requestIdentifier",
    "CarePlan": _EVENT + "activity-code token activity.detail.code; activity-date date "
    "activity.detail.scheduledPeriod; activity-reference reference activity.reference; "
    "based-on reference basedOn; care-team reference careTeam; category token category; "
    "condition reference addresses; date date period; encounter reference encounter; goal reference goal; "
    "instantiates-canonical reference instantiatesCanonical; instantiates-uri uri instantiatesUri; "
    "intent token intent; part-of reference partOf; performer reference activity.detail.performer; "
    "replaces reference replaces; status token status",
    "RequestGroup": _EVENT + "author reference author; authored date authoredOn; code token code; "
    "encounter reference encounter; group-identifier token groupIdentifier; "
    "instantiates-canonical reference instantiatesCanonical; instantiates-uri uri instantiatesUri; "
    "intent token intent; participant reference action.participant; priority token priority; "
    "status token status",
    "Task": "authored-on date authoredOn; based-on reference basedOn; business-status token businessStatus; "
    "code token code; encounter reference encounter; focus reference focus; "
    "group-identifier token groupIdentifier; identifier token identifier; intent token intent; "
    "modified date lastModified; owner reference owner; part-of reference partOf; "
    "patient reference:Patient for; performer token performerType; period date executionPeriod; "
    "priority token priority; requester reference requester; status token status; subject reference for",
    "Provenance": "agent reference agent.who; agent-role token agent.role; agent-type token agent.type; "
    "entity reference entity.what; location reference location; patient reference:Patient target; "
    "recorded date recorded; signature-type token signature.type; target reference target; "
    "when date occurredDateTime",
    "DocumentReference": "authenticator reference authenticator; author reference author; "
    "category token category; contenttype token content.attachment.contentType; "
    "custodian reference custodian; date date date; description string description; "
    "encounter reference context.encounter; event token context.event; facility token context.facilityType; "
    "format token content.format; identifier token masterIdentifier,identifier; "
    "language token content.attachment.language; location uri content.attachment.url; "
    "patient reference:Patient subject; period date context.period; related reference context.related; "
    "relatesto reference relatesTo.target; relation token relatesTo.code; "
    "security-label token securityLabel; setting token context.practiceSetting; status token status; "
    "subject reference subject; type token type",
    "Binary": "",  # R4 gives it none of its own
    "AuditEvent": "agent reference agent.who; date date recorded; entity reference entity.what; "
    "outcome token outcome; patient reference:Patient agent.who,entity.what; type token type",
}

_INTERNAL = {
    "HookFeedback": "service token service; card token card; outcome token outcome; at date at; "
    "subject reference subject; patient reference:Patient subject",
    "SafetyReport": "state token state; branch token branch; seriousness token seriousness; "
    "flag string flag; "
    "updated date updated; created date created; event reference event; form reference form; "
    "subject reference subject; patient reference:Patient subject",
    "LocalReference": "subject reference subject; patient reference:Patient subject",
    "StrayAcknowledgement": "state token state; received date received",
}
"""Records of the house's own that ``/fhir`` does not serve."""

_DATA = {
    "Condition": _EVENT
    + "abatement-date date abatementDateTime,abatementPeriod; asserter reference asserter; "
    "body-site token bodySite; category token category; clinical-status token clinicalStatus; "
    "code token code; encounter reference encounter; onset-date date onsetDateTime,onsetPeriod; "
    "recorded-date date recordedDate; severity token severity; stage token stage.summary; "
    "verification-status token verificationStatus",
    "MedicationRequest": _EVENT + "authoredon date authoredOn; code token medicationCodeableConcept; "
    "encounter reference encounter; intent token intent; medication reference medicationReference; "
    "priority token priority; requester reference requester; status token status",
    "ServiceRequest": _EVENT + "authored date authoredOn; based-on reference basedOn; "
    "body-site token bodySite; category token category; code token code; encounter reference encounter; "
    "instantiates-canonical reference instantiatesCanonical; intent token intent; "
    "occurrence date occurrence[x]; performer reference performer; priority token priority; "
    "requester reference requester; status token status",
    "Patient": "identifier token identifier; active token active; birthdate date birthDate; "
    "family string name.family; gender token gender; given string name.given; "
    "name string name.text,name.family,name.given",
    "Encounter": _EVENT + "class token class; date date period; status token status; type token type",
}
"""Types that a caller's data may hold: searched in memory, never kept."""

_CODES = "code token code"
_PUBLISHED_ALSO = {
    "ActivityDefinition": "topic token topic; depends-on reference relatedArtifact.resource,library",
    "CodeSystem": "code token concept**.code; content-mode token content; system uri url; "
    "supplements reference supplements; language token concept**.designation.language",
    "ConceptMap": "dependson uri group.element.target.dependsOn.property; source-system uri group.source; "
    "target-system uri group.target; source-code token group.element.code; "
    "target-code token group.element.target.code; source reference source[x]; target reference target[x]",
    "ImplementationGuide": "depends-on reference dependsOn.uri; resource reference "
    "definition.resource.reference; global reference global.profile; experimental token experimental",
    "Library": "topic token topic; type token type; content-type token content.contentType",
    "Measure": "topic token topic; depends-on reference relatedArtifact.resource,library",
    "OperationDefinition": f"{_CODES}; base reference base; instance token instance; kind token kind; "
    "system token system; type token type",
    "PlanDefinition": "definition reference action**.definition[x]; topic token topic; type token type; "
    "depends-on reference relatedArtifact.resource,library",
    "Questionnaire": "code token item**.code; definition uri item**.definition; "
    "subject-type token subjectType",
    "StructureDefinition": "abstract token abstract; base reference baseDefinition; "
    "derivation token derivation; kind token kind; type uri type; path token snapshot.element.path",
    "ValueSet": "code token expansion.contains**.code; expansion uri expansion.identifier; "
    "reference uri compose.include.system",
    "CapabilityStatement": "fhirversion token fhirVersion; format token format; mode token rest.mode; "
    "resource token rest.resource.type; security-service token rest.security.service; "
    "software string software.name",
}

RECORD_TYPES = tuple(sorted(_RECORDS))
"""The types that are kept as records and served."""
INTERNAL_TYPES = tuple(sorted(_INTERNAL))
"""The types that are kept as records and not served."""


@cache
def parameters(type_: str) -> dict[str, Parameter]:
    """The parameters of one resource type by name; a type that is not a record's gets the published ones."""
    own = next((table[type_] for table in (_RECORDS, _INTERNAL, _DATA) if type_ in table), None)
    if own is None:
        own = _PUBLISHED + _PUBLISHED_ALSO.get(type_, "")
    return {parameter.name: parameter for parameter in _read(f"{_ALL}; {own}")}


def _read(text: str) -> list[Parameter]:
    found = []
    for line in text.split(";"):
        words = line.split()
        if words:
            kind, _, target = words[1].partition(":")
            paths = tuple(tuple(path.split(".")) for path in "".join(words[2:]).split(","))
            found.append(Parameter(words[0], Kind(kind), paths, target or None))
    return found
