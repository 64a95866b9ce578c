"""A gateway on a socket: takes messages by their ids, and fails as it is told to."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator


@dataclass(slots=True)
class Answer:
    """What is answered. ``status`` 0 drops the connection; ``takes`` says whether the message is kept."""

    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    takes: bool = True


@dataclass(slots=True)
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Peer:
    """What came, and what is answered: ``answer`` decides, by the id and how often it came before."""

    def __init__(self, answer: Callable[[Asked, int], Answer] = lambda _asked, _times: Answer()) -> None:
        """Answers 201 to everything unless told otherwise."""
        self.answer = answer
        self.asked: list[Asked] = []
        self.taken: dict[str, bytes] = {}
        self.order: list[str] = []
        self.times: Counter[str] = Counter()
        self.faults: list[str] = []
        self.url = ""
        self._lock = threading.Lock()

    def receive(self, asked: Asked) -> Answer:
        """The answer; what is taken is kept by its id."""
        id_ = asked.headers.get("idempotency-key", "")
        with self._lock:
            self.asked.append(asked)
            answer = self.answer(asked, self.times[id_])
            self.times[id_] += 1
            if answer.takes and (answer.status == 0 or answer.status < 300):
                if self.taken.get(id_, asked.body) != asked.body:
                    self.faults.append(f"{id_} came with two contents")
                if id_ not in self.taken:
                    self.order.append(id_)
                self.taken[id_] = asked.body
        return answer


@contextmanager
def serving(peer: Peer, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """The peer on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if len(body) < length:  # its sender was killed: half a message is none
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = peer.receive(Asked(self.path, headers, body))
            time.sleep(answer.seconds)
            if answer.status == 0:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Clients are killed here: their broken connections are expected."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    peer.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/reports"
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
