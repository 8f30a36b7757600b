"""The process: a server on an address until it is told to stop."""

import signal
import socket
from types import FrameType

import uvicorn

from detente.infer.serve.app import Server
from detente.infer.serve.logs import configure

#: Connections that the system holds until they are taken.
BACKLOG = 256


class _Process(uvicorn.Server):
    """Tells the application when it is time to stop, and ends with exit code 0 when it was told to."""

    def __init__(self, config: uvicorn.Config, server: Server) -> None:
        super().__init__(config)
        self._server = server

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._server.drain()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """Take an address.

    Raises:
        OSError: it is taken, or none of this machine's.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    taken = socket.socket(family, kind, protocol)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen(BACKLOG)
    except OSError:
        taken.close()
        raise
    return taken


def url(taken: socket.socket) -> str:
    """Return the address as a browser takes it."""
    host, port, *_ = taken.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(server: Server, taken: socket.socket, *, log_level: str = "info") -> None:
    """Serve until SIGTERM or SIGINT; requests in hand are answered then."""
    configure(log_level)
    config = uvicorn.Config(
        server,
        log_config=None,
        log_level=log_level,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(server.limits.seconds) + 1,
        ws="none",
    )
    process = _Process(config, server)
    process.run(sockets=[taken])
