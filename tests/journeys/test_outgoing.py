"""The running service delivers what is put into its outbox, beside other processes, and says how it goes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from service.adapters.records import Outbox, connect
from service.app import build, now
from service.operations.outbox import Fate
from service.operations.ports import Message
from service.settings import Settings
from tests.web.conftest import Client

if TYPE_CHECKING:
    from pathlib import Path

    from service.adapters.records import Store

SITE = 'nation = "england"\norganisation = "Example Trust"\n[gateway]\nkind = "folder"\nfolder = "out"\n'


def wait_until_sent(store: Store) -> None:
    """Returns when the outbox is empty; the service looks once a second for what others put in."""
    ended = time.monotonic() + 30
    while any(one.open for one in Outbox(store).backlog()):
        assert time.monotonic() < ended, "nothing is delivered"
        time.sleep(0.05)


def test_the_service_delivers_what_any_process_puts_in_and_counts_it(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "m3.xml").write_bytes(b"<another/>")
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    url = f"sqlite:///{tmp_path}/records.sqlite3"
    before = threading.active_count()
    with Client(build(Settings(database_url=url, site=str(tmp_path / "site.toml")))) as client:
        other = connect(url)  # as another process would
        for at in range(4):
            message = Message(f"m{at}", "gateway", f"SafetyReport/{at}", "application/xml", b"<case/>")
            other.commit([], now(), [message])
        wait_until_sent(other)
        measured = client.get("/metrics").text.splitlines()
    assert sorted(one.name for one in (tmp_path / "out").glob("*.xml")) == [f"m{at}.xml" for at in range(4)]
    assert {one.id: one.fate for one in Outbox(other).page()[0]} == {
        "m0": Fate.DELIVERED, "m1": Fate.DELIVERED, "m2": Fate.DELIVERED, "m3": Fate.REFUSED,
    }  # fmt: skip
    other.close()
    told = ("htg117_outbox_stuck{", "htg117_outbox_answers ")
    assert [line for line in measured if line.startswith(told)] == [
        "htg117_outbox_answers 1.0",
        'htg117_outbox_stuck{channel="gateway"} 1.0',
    ]
    assert threading.active_count() == before  # the worker stopped with the service
