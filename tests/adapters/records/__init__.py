"""The records' parts, on each database."""
