"""EHRs' FHIR servers reached over HTTP: the record read for a call, results written back in the background.

One pool of connections for the process; every address is checked before it is asked.
"""

from service.adapters.ehr.pool import Ehrs

__all__ = ["Ehrs"]
