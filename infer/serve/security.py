"""Who may ask: API keys, names that the server answers to, and pages of other sites."""

import hmac
import ipaddress
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detente.infer.serve.errors import Refusal, refused

#: Characters of the shortest key that is taken.
SHORTEST_KEY: Final = 16

#: What needs neither key nor name: what watches the server asks for it by its number.
_OPEN: Final = ("/healthz", "/readyz")

_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})

#: Of every answer. The page loads nothing from elsewhere and runs no script that stands in it.
_HEADERS: Final = [
    (b"content-security-policy", b"default-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
                                 b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]  # fmt: skip


class Guard:
    """Refuses who may not ask.

    Args:
        app: answers the others.
        keys: of the API; none asked for where there are none.
        hosts: names that the server answers to, against pages that point a name of their own at this machine; any
            where there are none.
    """

    def __init__(self, app: ASGIApp, keys: Sequence[str] = (), hosts: Collection[str] = ()) -> None:
        self.app = app
        self._keys = [key.encode() for key in keys]
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        try:
            self._check(scope)
        except Refusal as refusal:
            await refused(refusal)(scope, receive, with_headers)
        else:
            await self.app(scope, receive, with_headers)

    def _check(self, scope: Scope) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if self._hosts and scope["path"] not in _OPEN and _name(host) not in self._hosts:
            raise Refusal(421, "the server doesn't answer to this host name; allow it with --allow-host")
        if scope["method"] == "POST" and (
            headers.get(b"sec-fetch-site") == b"cross-site" or not _same(headers.get(b"origin", b""), host)
        ):
            raise Refusal(403, "pages of other sites may not ask")
        if self._keys and self._closed(scope["path"]) and not self._has_key(headers):
            raise Refusal(
                401,
                "an API key is needed: Authorization: Bearer KEY, or X-API-Key: KEY",
                {"WWW-Authenticate": "Bearer"},
            )

    def _closed(self, path: str) -> bool:
        """Say whether a key is needed. The page itself needs none: it is where its reader gives one."""
        return path.startswith(("/v1/", "/metrics", "/openapi.json"))

    def _has_key(self, headers: dict[bytes, bytes]) -> bool:
        scheme, _, bearer = headers.get(b"authorization", b"").partition(b" ")
        given = bearer.strip() if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"")
        # Each is compared, so that the time tells nothing of which was nearest.
        return any([hmac.compare_digest(given, key) for key in self._keys])  # noqa: C419


def read_keys(file: Path) -> list[str]:
    """Read API keys, one a line; blank lines and those that begin with # are passed over.

    Raises:
        ValueError: there is none, or one is too short or not of plain characters.
        OSError: the file can't be read.
    """
    lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    if not keys:
        raise ValueError(f"{file} holds no key; write one a line: openssl rand -hex 32 > {file}")
    for number, key in enumerate(keys, 1):
        if len(key) < SHORTEST_KEY or not (key.isascii() and key.isprintable() and " " not in key):
            raise ValueError(
                f"{file}: key {number} must have {SHORTEST_KEY} plain characters or more: openssl rand -hex 32"
            )
    return keys


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def local_names(host: str) -> frozenset[str]:
    """Return the names that a server on a loopback address answers to."""
    return _LOCAL | {host}


def _name(host: str) -> str:
    """Return a Host header's name without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _same(origin: bytes, host: str) -> bool:
    """Say whether a request comes from a page of this server, or from no page."""
    return not origin or origin.decode("latin-1").partition("://")[2].lower() == host.lower()
