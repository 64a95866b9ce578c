"""HTG117 as computable FHIR R4: the service.

The floors, from the top (imports only go down; import-linter keeps them):
``__main__ > cli > app > settings > web | adapters > operations > fhir > domain | fhirpath``.
"""
