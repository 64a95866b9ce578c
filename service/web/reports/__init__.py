"""``/reports``: safety reports over HTTP, for software as JSON and for safety officers as pages."""
