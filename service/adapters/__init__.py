"""Disk and database, behind the ports of ``operations/ports.py``."""
