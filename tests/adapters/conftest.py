"""Records on both databases: an SQLite file, and a private PostgreSQL where its binaries are found."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from service.adapters.records import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.adapters.records import Store


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A URL, without a database's name, of a PostgreSQL that only these tests use."""
    binaries = _binaries()
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL's initdb is not installed, and CI must run these tests")
        pytest.skip("PostgreSQL's initdb is not installed")
    folder = Path("/tmp") / f"htg117-pg-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    # PostgreSQL refuses to run as root: the cluster belongs to the account that Debian made for it
    runs_as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if runs_as:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    subprocess.run(
        [*runs_as, str(binaries / "initdb"), "-D", str(data),
         "-U", "test", "-A", "trust", "--no-sync", "-E", "UTF8"],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=60"
    control = [*runs_as, str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True, cwd=folder)
    yield f"postgresql+psycopg://test@/{{name}}?host={folder}"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, cwd=folder)
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records.sqlite3"
    url: str = request.getfixturevalue("cluster")
    name = f"t{uuid.uuid4().hex[:12]}"
    engine = create_engine(url.format(name="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.format(name=name)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """Empty records."""
    opened = connect(database_url)
    yield opened
    opened.close()
