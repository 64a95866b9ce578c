"""Records in a database: SQLite in one file, or PostgreSQL. SQLAlchemy Core, one code for both.

``tables`` names the tables, ``changes`` makes a set of writes inside a transaction, ``selection`` turns a
search into SQL, ``store`` opens the database and fulfils the port, ``group_commit`` shares SQLite's one
writer among requests, ``migrations`` make and change the tables.
"""

from service.adapters.records.store import Store, connect

__all__ = ["Store", "connect"]
