"""FHIR JSON to decisions and back, as pure functions over plain dicts (decimals as ``Decimal``)."""
