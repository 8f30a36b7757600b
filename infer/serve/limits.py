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


#: Bytes of a body or an answer that is small: the bound on what is held leaves them alone, so that nobody is sent away
#: with one because others hold back megabytes. 900 connections have 60 MB of them.
SMALL: Final = 1 << 16


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
        held: bytes of bodies and answers in hand, of those that are not small.
        seconds: from a request's head to its answer, and for the body to come in.
    """

    body: int = 8 << 20
    characters: int = 100_000
    items: int = 256
    readings: int = 10_000
    answer: int = 16 << 20
    in_flight: int = 64
    held: int = 128 << 20
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


class Held:
    """Bytes of bodies and answers in hand; everything runs on the event loop.

    Args:
        most: bytes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.bytes = 0

    def hold(self) -> "Hold":
        """Return what one request holds, as yet nothing."""
        return Hold(self)


class Hold:
    """Bytes that one request holds."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._bytes = 0

    def take(self, size: int) -> None:
        """Hold bytes; those of something small are not counted.

        Raises:
            Refusal: others hold too many.
        """
        if size <= SMALL:
            return
        if self._held.bytes + size > self._held.most:
            raise Refusal(
                429,
                f"{self._held.most} bytes of large requests are in hand; ask again later, or send less at a time",
                {"Retry-After": str(RETRY_AFTER), "Connection": "close"},
            )
        self._held.bytes += size
        self._bytes += size

    def free(self) -> None:
        """Hold nothing more."""
        self._held.bytes -= self._bytes
        self._bytes = 0


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
        self.held = Held(limits.held)
        self._bringing: set[asyncio.Timeout] = set()

    def cut_off(self) -> None:
        """Wait for no body that isn't there; called on the event loop when the server stops."""
        self.draining = True
        for bringing in self._bringing:
            bringing.reschedule(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            # In slices, so that what a client doesn't take waits here, where it is counted and has its time.
            body = message.get("body", b"")
            for at in range(SMALL, len(body), SMALL):
                await send({**message, "body": body[at - SMALL : at], "more_body": True})
            await send({**message, "body": body[(len(body) - 1) // SMALL * SMALL :]} if body else message)

        hold = scope["hold"] = self.held.hold()
        try:
            await self._bounded(scope, receive, watched, hold)
        except Refusal as refusal:
            if not started:
                await refused(refusal)(scope, receive, send)
        finally:
            hold.free()

    async def _bounded(self, scope: Scope, receive: Receive, send: Send, hold: Hold) -> None:
        limits = self.limits
        stopping = Refusal(
            503, "the server is stopping; ask again later", {"Retry-After": str(RETRY_AFTER), "Connection": "close"}
        )
        if self.draining:
            raise stopping
        try:
            async with asyncio.timeout(limits.seconds) as bringing:
                self._bringing.add(bringing)
                try:
                    body = await self._body(scope, receive, hold)
                finally:
                    self._bringing.remove(bringing)
        except TimeoutError:
            if self.draining:
                raise stopping from None
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

    async def _body(self, scope: Scope, receive: Receive, hold: Hold) -> bytes | None:
        """Read a body of any form (a chunked one has no length to look at); None where its client has left."""
        counted = 0
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
            if len(body) - counted > SMALL:
                hold.take(len(body) - counted)
                counted = len(body)
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
