"""CDS Hooks, pure: requests, discovery, orders, records, cards."""
