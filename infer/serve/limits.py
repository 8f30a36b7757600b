"""What a request may ask for, how many may be in hand, and how long one may take."""

import asyncio
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detente.infer.serve.errors import Refusal, refused

#: Seconds after which a client that was sent away may come back.
RETRY_AFTER: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of what is asked and of what is in hand.

    Attributes:
        body: bytes of a request's body.
        characters: of one text.
        items: texts of a batch, or of a series.
        readings: that one request may ask for, those included that come out as `none`.
        answer: bytes of one request's answer.
        in_flight: requests that are labelled or wait for it.
        seconds: from a request's head to its answer, and for the body to come in.
    """

    body: int = 8 << 20
    characters: int = 100_000
    items: int = 256
    readings: int = 10_000
    answer: int = 16 << 20
    in_flight: int = 64
    seconds: float = 60.0

    def to_dict(self) -> dict[str, Any]:
        """Return the limits as JSON values."""
        return asdict(self)


@dataclass(slots=True)
class Budget:
    """The readings that a request may still ask for; its texts share it, whichever thread links them.

    Attributes:
        most: that the request may ask for.
        left: of these.
    """

    most: int
    left: int = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.left = self.most

    def spend(self, readings: int) -> None:
        """Take readings from the budget.

        Raises:
            Refusal: there are not so many left.
        """
        with self._lock:
            if readings > self.left:
                raise Refusal(
                    413, f"more than {self.most} pairs of states in sentences to read; send less text or fewer dyads"
                )
            self.left -= readings


class Bounds:
    """Holds requests that bring a body to the limits: its size, how many are in hand, and time.

    The body is read before the request counts as one in hand, so that slow clients take no one's place. When a client
    leaves, its request is dropped.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits
        self.in_flight = 0
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._bounded(scope, receive, watched)
        except Refusal as refusal:
            if not started:
                await refused(refusal)(scope, receive, send)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits = self.limits
        if self.draining:
            raise Refusal(503, "the server is stopping; ask again later", {"Retry-After": str(RETRY_AFTER)})
        try:
            async with asyncio.timeout(limits.seconds):
                body = await self._body(scope, receive)
        except TimeoutError:
            raise Refusal(
                408, f"the body did not come in within {limits.seconds:g} s", {"Connection": "close"}
            ) from None
        if body is None:
            return  # whoever asked has left
        if self.in_flight >= limits.in_flight:
            raise Refusal(
                429, f"{limits.in_flight} requests are in hand; ask again later", {"Retry-After": str(RETRY_AFTER)}
            )
        self.in_flight += 1
        try:
            async with asyncio.timeout(limits.seconds):
                await self._until_left(scope, body, receive, send)
        except TimeoutError:
            raise Refusal(504, f"not done within {limits.seconds:g} s; send less text at a time") from None
        finally:
            self.in_flight -= 1

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """Read a body of any form (a chunked one has no length to look at); None where its client has left."""
        most = self.limits.body
        refusal = Refusal(413, f"the body is larger than {most} bytes; send less at a time", {"Connection": "close"})
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > most:
            raise refusal
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > most:
                raise refusal
            if not message.get("more_body", False):
                return bytes(body)

    async def _until_left(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Run the application on a body that is there, until it is done or its client leaves."""
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def left() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            task.cancel()

        task = asyncio.ensure_future(self.app(scope, replay, send))
        watch = asyncio.create_task(left())
        try:
            await task
        except asyncio.CancelledError:
            if not watch.done():  # it was not the client: time is up, or the server stops
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                raise
        finally:
            watch.cancel()
