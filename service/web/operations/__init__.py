"""FHIR operations over HTTP: declared once (``declared.py``), called and described from the declaration."""
