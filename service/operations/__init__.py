"""One module a verb. Each takes what it needs of the world as arguments (``ports.py``)."""
