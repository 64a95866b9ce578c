"""HTTP: the FHIR interface, pages and operations. Statuses and headers are known here and nowhere below."""
