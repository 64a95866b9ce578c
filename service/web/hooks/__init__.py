"""CDS Hooks over HTTP: discovery, calls and feedback, under ``/cds-services``. CDS Hooks 2.0.1."""
