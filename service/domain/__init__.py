"""Decisions and faults as frozen dataclasses. Imports the standard library and itself."""
