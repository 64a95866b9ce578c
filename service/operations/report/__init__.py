"""``report``: from a recorded adverse event to a safety report, drafted, made ready, exported and sent."""
