"""CDS Hooks 2.0.1: requests read, services derived from plans, evaluations shown as cards. Pure."""
