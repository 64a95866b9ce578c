"""``$expand``, ``$lookup``, ``$validate-code`` and ``$translate`` over the published terminology."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import Invalid, NotFound, Refused
from service.domain.issues import ordered
from service.fhir.concepts.parameters import expand_value_set, look_up, translate_code, validate_code
from service.operations.checks import check
from service.operations.representation import instant
from service.web.operations.declared import Answer, In, Operation

if TYPE_CHECKING:
    from service.web.operations.declared import Call

Resource = dict[str, Any]
_HL7 = "http://hl7.org/fhir/OperationDefinition"


def _held(call: Call, type_: str, *names: str, version: str | None = None) -> Resource:
    """The resource that the call is about: that of the address, or of the canonical in a parameter."""
    if call.id is not None:
        found = call.services.content.read(type_, call.id)
        if found is None:
            raise NotFound(f"there is no {type_}/{call.id[:64]} here")
        return found.resource
    given = next((value for name in names if (value := call.one(name)) is not None), None)
    if given is None:
        raise Refused(f"say which {type_} is meant: by '{names[0]}', or by calling it on an instance")
    if isinstance(given, dict):
        return _checked(call, given)
    asked = call.one(version) if version else None
    canonical = f"{given}|{asked}" if asked and "|" not in given else given
    resource = call.services.content.resolve(canonical)
    if resource is None or resource["resourceType"] != type_:
        raise NotFound(f"the {type_} {canonical[:200]} is not held here")
    return resource


def _checked(call: Call, given: Resource) -> Resource:
    """A resource sent along, once it is known to be one; Invalid with its faults."""
    issues = check(given, call.services.content)
    if any(issue.fails for issue in issues):
        raise Invalid(f"the {given['resourceType']} sent along has faults", issues=ordered(issues))
    return given


def _expand(call: Call) -> Answer:
    offset, count = call.one("offset") or 0, call.one("count")
    if offset < 0 or (count is not None and count < 0):
        raise Refused("'offset' and 'count' are whole numbers from 0")
    return Answer(
        expand_value_set(
            call.services.terminology,
            _held(call, "ValueSet", "url", "valueSet", version="valueSetVersion"),
            now=instant(call.services.clock()),
            identifier=f"urn:uuid:{call.services.new_id()}",
            text=call.one("filter"),
            offset=offset,
            count=count,
            designations=call.one("includeDesignations") or False,
            active_only=call.one("activeOnly") or False,
        )
    )


def _codings(call: Call, *, system: str = "system") -> list[Resource]:
    """The codings that a call asks about: ``code`` with its system, ``coding`` or ``codeableConcept``."""
    ways = [name for name in ("code", "coding", "codeableConcept") if call.one(name) is not None]
    if len(ways) != 1:
        raise Refused("give one of code (with its system), coding and codeableConcept")
    if ways == ["coding"]:
        found = [call.one("coding")]
    elif ways == ["codeableConcept"]:
        found = call.one("codeableConcept").get("coding", [])
    else:
        given = {"system": call.one(system), "code": call.one("code"), "display": call.one("display")}
        found = [{name: value for name, value in given.items() if value is not None}]
    if not isinstance(found, list) or not all(
        isinstance(one, dict) and isinstance(one.get("code"), str) for one in found
    ):
        raise Refused("each coding has a code")
    return found


def _look_up(call: Call) -> Answer:
    coding = _codings(call)[0] if call.one("code") or call.one("coding") else {}
    system = coding.get("system")
    if not isinstance(system, str):
        raise Refused("give code and system, or a coding with both")
    properties = call.inputs.get("property", ())
    return Answer(look_up(call.services.terminology, system, coding["code"], properties))


def _validate_value_set(call: Call) -> Answer:
    held = _held(call, "ValueSet", "url", "valueSet", version="valueSetVersion")
    inferred = bool(call.one("inferSystem"))
    return Answer(validate_code(call.services.terminology, held, _codings(call), inferred=inferred))


def _validate_code_system(call: Call) -> Answer:
    held = _held(call, "CodeSystem", "url", "codeSystem", version="version")
    return Answer(validate_code(call.services.terminology, held, _codings(call, system="url")))


def _translate(call: Call) -> Answer:
    reverse = bool(call.one("reverse"))
    if call.id is not None or call.one("url") is not None or call.one("conceptMap") is not None:
        maps = [_held(call, "ConceptMap", "url", "conceptMap", version="conceptMapVersion")]
    else:
        maps = [one.resource for one in call.services.content.of_type("ConceptMap")]
        for name in ("source", "target"):
            wanted = call.one(name)
            if wanted is not None:
                maps = [one for one in maps if wanted in (one.get(f"{name}Uri"), one.get(f"{name}Canonical"))]
    codings = _codings(call)
    if not all(isinstance(one.get("system"), str) for one in codings):
        raise Refused("give the system of each code: without it the code means nothing", expression="system")
    return Answer(translate_code(maps, codings, target=call.one("targetsystem"), reverse=reverse))


_CODE = (
    In("code", "code", "The code."),
    In("system", "uri", "The code's system."),
    In("version", "string", "The code system's version."),
    In("display", "string", "The display to judge."),
    In("coding", "Coding", "Code and system in one."),
    In("codeableConcept", "CodeableConcept", "Several codings, of which one must do."),
)

TERMINOLOGY = (
    Operation(
        "expand", f"{_HL7}/ValueSet-expand", ("ValueSet",), "The codes of a value set.", _expand,
        (
            In("url", "uri", "The value set's canonical."),
            In("valueSet", "ValueSet", "A value set sent along."),
            In("valueSetVersion", "string", "The value set's version."),
            In("filter", "string", "Only codes whose code or display holds this text."),
            In("offset", "integer", "How many codes to skip."),
            In("count", "integer", "How many codes to give."),
            In("includeDesignations", "boolean", "Whether designations are wanted."),
            In("activeOnly", "boolean", "Whether inactive codes are left out."),
        ),
        on_instance=True, gives="ValueSet",
    ),
    Operation(
        "lookup", f"{_HL7}/CodeSystem-lookup", ("CodeSystem",), "What a code system says of a code.",
        _look_up, (*_CODE[:2], _CODE[4], In("property", "code", "Only these properties.", repeats=True)),
    ),
    Operation(
        "validate-code", f"{_HL7}/ValueSet-validate-code", ("ValueSet",), "Whether a code is in a value set.",
        _validate_value_set,
        (
            In("url", "uri", "The value set's canonical."),
            In("valueSet", "ValueSet", "A value set sent along."),
            In("valueSetVersion", "string", "The value set's version."),
            *(one for one in _CODE if one.name != "version"),
            In("inferSystem", "boolean", "Whether a code without system may be of any."),
        ),
        on_instance=True,
    ),
    Operation(
        "validate-code", f"{_HL7}/CodeSystem-validate-code", ("CodeSystem",),
        "Whether a code is in a code system.", _validate_code_system,
        (
            In("url", "uri", "The code system's canonical."),
            In("codeSystem", "CodeSystem", "A code system sent along."),
            *(one for one in _CODE if one.name != "system"),
        ),
        on_instance=True,
    ),
    Operation(
        "translate", f"{_HL7}/ConceptMap-translate", ("ConceptMap",),
        "A code in another vocabulary.", _translate,
        (
            In("url", "uri", "The map's canonical; else every map is asked."),
            In("conceptMap", "ConceptMap", "A map sent along."),
            In("conceptMapVersion", "string", "The map's version."),
            *(one for one in _CODE if one.name not in ("version", "display")),
            In("source", "uri", "The value set that the code is of."),
            In("target", "uri", "The value set that is wanted."),
            In("targetsystem", "uri", "The code system that is wanted."),
            In("reverse", "boolean", "Whether the maps are read from target to source."),
        ),
        on_instance=True,
    ),
)  # fmt: skip
