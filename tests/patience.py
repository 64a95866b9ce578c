"""How long a service under test waits: longer than any machine that is busy with tests takes to answer.

A service that waits as long as it does in a hospital says on its card that the records, or the EHR, did not
answer. That is right, and where it happened because this machine was busy it is no finding. What is tested
with parts that never answer has a service that waits no longer than it is told.
"""

from __future__ import annotations

from typing import Any

PATIENCE: dict[str, Any] = {"ehr_milliseconds": 20_000, "hook_milliseconds": 60_000}
"""Settings: the EHR has a third of the time, the records kept here the rest."""
PATIENT_PROCESS = {f"HTG117_{name.upper()}": str(value) for name, value in PATIENCE.items()}
"""The same as the environment of a process."""
