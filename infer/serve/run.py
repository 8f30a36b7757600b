"""The process: a server on an address until it is told to stop."""

import asyncio
import signal
import socket
from types import FrameType
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from detente.infer.serve.access_log import configure
from detente.infer.serve.app import Server

#: Connections that are held, busy or not; more are cut off. Most systems allow a process 1,024 open files.
CONNECTIONS: Final = 900

#: Connections that the system holds until they are taken.
BACKLOG: Final = 256

#: Seconds in which a request's head must be in, and after which a connection that was closed is cut off.
HEAD_SECONDS: Final = 10.0


class Connection(H11Protocol):
    """Closes a connection that brings no request, which uvicorn itself holds as long as its client likes."""

    _head_seconds = HEAD_SECONDS
    _idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            transport.abort()
            return
        self._idle_since = self.loop.time()
        self.loop.call_later(self._head_seconds, self._look)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def _look(self) -> None:
        if self not in self.connections:
            return
        waited = self.loop.time() - self._idle_since
        busy = self.cycle is not None and not self.cycle.response_complete
        if self.transport.is_closing():
            self.transport.abort()  # it doesn't take what it was answered
        elif not busy and waited >= self._head_seconds:
            self.transport.close()
            self.loop.call_later(self._head_seconds, self._look)
        else:
            self.loop.call_later(self._head_seconds if busy else self._head_seconds - waited, self._look)


class Process(uvicorn.Server):
    """Runs a server; tells it when it is time to stop, and ends with exit code 0 when it was told to."""

    def __init__(self, server: Server, **settings: Any) -> None:
        self._server = server
        super().__init__(
            uvicorn.Config(
                cast(Any, server),
                http=Connection,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=int(server.limits.seconds) + 1,
                **settings,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is in hand; a body that isn't there isn't waited for."""
        self._server.cut_off()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop; at a second Ctrl-C without waiting for what is in hand."""
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
    Process(server, log_level=log_level).run(sockets=[taken])
