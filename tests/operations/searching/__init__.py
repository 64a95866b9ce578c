"""Search parameters and what resources say to them."""
