"""``/reports`` over HTTP."""
