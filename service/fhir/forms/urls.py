"""The canonical addresses of the extensions that forms carry (FHIR R4 extensions and SDC 4.0)."""

from __future__ import annotations

_CORE = "http://hl7.org/fhir/StructureDefinition/"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"

MIN_VALUE = _CORE + "minValue"
MAX_VALUE = _CORE + "maxValue"
MIN_QUANTITY = _SDC + "minQuantity"
MAX_QUANTITY = _SDC + "maxQuantity"
MIN_LENGTH = _CORE + "minLength"
MAX_DECIMAL_PLACES = _CORE + "maxDecimalPlaces"
REGEX = _CORE + "regex"
ENTRY_FORMAT = _CORE + "entryFormat"
MIME_TYPE = _CORE + "mimeType"
MAX_SIZE = _CORE + "maxSize"
MIN_OCCURS = _CORE + "questionnaire-minOccurs"
MAX_OCCURS = _CORE + "questionnaire-maxOccurs"
REFERENCE_RESOURCE = _CORE + "questionnaire-referenceResource"
REFERENCE_PROFILE = _CORE + "questionnaire-referenceProfile"
UNIT = _CORE + "questionnaire-unit"
UNIT_OPTION = _CORE + "questionnaire-unitOption"
UNIT_VALUE_SET = _CORE + "questionnaire-unitValueSet"
UNIT_OPEN = _SDC + "unitOpen"
UNIT_SUPPLEMENTAL_SYSTEM = _SDC + "unitSupplementalSystem"
OPTION_EXCLUSIVE = _CORE + "questionnaire-optionExclusive"
HIDDEN = _CORE + "questionnaire-hidden"
DERIVATION_TYPE = _CORE + "questionnaire-derivationType"
TRANSLATION = _CORE + "translation"

TARGET_CONSTRAINT = _CORE + "targetConstraint"
CONSTRAINT = _CORE + "questionnaire-constraint"
VARIABLE = _CORE + "variable"
CQF_EXPRESSION = _CORE + "cqf-expression"

LAUNCH_CONTEXT = _SDC + "launchContext"
ENABLE_WHEN_EXPRESSION = _SDC + "enableWhenExpression"
INITIAL_EXPRESSION = _SDC + "initialExpression"
CALCULATED_EXPRESSION = _SDC + "calculatedExpression"
ANSWER_EXPRESSION = _SDC + "answerExpression"
ANSWER_OPTIONS_TOGGLE = _SDC + "answerOptionsToggleExpression"
CANDIDATE_EXPRESSION = _SDC + "candidateExpression"
CONTEXT_EXPRESSION = _SDC + "contextExpression"
ITEM_POPULATION_CONTEXT = _SDC + "itemPopulationContext"
ITEM_EXTRACTION_CONTEXT = _SDC + "itemExtractionContext"
SOURCE_QUERIES = _SDC + "sourceQueries"
ASSEMBLE_CONTEXT = _SDC + "assembleContext"
SUB_QUESTIONNAIRE = _SDC + "subQuestionnaire"
OBSERVATION_LINK_PERIOD = _SDC + "observationLinkPeriod"
IS_SUBJECT = _SDC + "isSubject"

OBSERVATION_EXTRACT = _SDC + "observationExtract"
OBSERVATION_EXTRACT_ENTRY = _SDC + "observationExtractEntry"
TEMPLATE_EXTRACT = _SDC + "templateExtract"
TEMPLATE_EXTRACT_BUNDLE = _SDC + "templateExtractBundle"
TEMPLATE_EXTRACT_CONTEXT = _SDC + "templateExtractContext"
TEMPLATE_EXTRACT_VALUE = _SDC + "templateExtractValue"
EXTRACT_ALLOCATE_ID = _SDC + "extractAllocateId"
DEFINITION_EXTRACT = _SDC + "definitionExtract"
DEFINITION_EXTRACT_VALUE = _SDC + "definitionExtractValue"

LIMITS = frozenset(
    {
        *(
            MIN_VALUE,
            MAX_VALUE,
            MIN_QUANTITY,
            MAX_QUANTITY,
            MIN_LENGTH,
            MAX_DECIMAL_PLACES,
            REGEX,
            ENTRY_FORMAT,
        ),
        *(MIME_TYPE, MAX_SIZE, MIN_OCCURS, MAX_OCCURS, REFERENCE_RESOURCE, REFERENCE_PROFILE),
        *(UNIT, UNIT_OPTION, UNIT_VALUE_SET, UNIT_OPEN, UNIT_SUPPLEMENTAL_SYSTEM),
    }
)
"""The extensions that limit what an answer may be, or how many there may be."""
