"""Records in a database: SQLite in one file, or PostgreSQL. SQLAlchemy Core, one code for both.

``tables`` names the tables, ``changes`` makes a set of writes inside a transaction, ``selection`` turns a
search into SQL, ``store`` opens the database and fulfils the port, ``group_commit`` shares SQLite's one
writer among requests, ``extras`` put in messages and marks with a commit, ``outbox`` is the port to what is
on its way out, ``migrations`` make and change the tables.
"""

from service.adapters.records.outbox import Outbox
from service.adapters.records.store import Store, connect

__all__ = ["Outbox", "Store", "connect"]
