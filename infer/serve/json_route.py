"""How a request's body is read: JSON in UTF-8, by the same parser as JSON lines; lengths are checked first."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from detente.infer.serve.errors import Refusal
from detente.infer.serve.limits import Limits

#: Keys of one object: no object that is described has as many.
MOST_KEYS: Final = 64

#: Commas and opening brackets of a body; 10,000 readings with all that they hold have about half as many.
MOST_COMMAS: Final = 1_000_000
MOST_BRACKETS: Final = 300_000

#: Bytes of a body that is parsed on the event loop: half a millisecond.
SMALL: Final = 1 << 16

_parsing = ThreadPoolExecutor(1, "parsing")


class _JsonRequest(Request):
    """Knows no NaN, no half of a surrogate pair and no nesting without end, as Python's own parser does."""

    async def json(self) -> Any:
        body, limits = await self.body(), self.app.state.limits
        if len(body) <= SMALL:
            return parse(body, limits)
        return await asyncio.get_running_loop().run_in_executor(_parsing, parse, body, limits)


def parse(body: bytes, limits: Limits) -> Any:
    """Return what a body holds, unless a list or an object in it is too long to be validated.

    Args:
        body: JSON.
        limits: of a request.

    Raises:
        Refusal: something is too long.
        json.JSONDecodeError: it is not JSON.
    """
    if body.count(b",") > MOST_COMMAS or body.count(b"[") + body.count(b"{") > MOST_BRACKETS:
        raise Refusal(413, "the body has too many parts to be read; send less at a time")
    value = orjson.loads(body)
    if isinstance(value, dict):
        _check_keys(value)
        for name, most, what in (
            ("items", limits.items, "texts"),
            ("articles", limits.items, "texts"),
            ("readings", limits.readings, "readings"),
        ):
            records = value.get(name)
            if not isinstance(records, list):
                continue
            if len(records) > most:
                raise Refusal(
                    413, f"{name}: {len(records)} {what} are more than the limit of {most}; send fewer at a time"
                )
            for record in records:
                if isinstance(record, dict):
                    _check_keys(record)
    return value


def _check_keys(record: dict[str, Any]) -> None:
    """Refuse an object with so many keys that the complaints about them would fill the memory."""
    for part in (record, record.get("probabilities")):
        if isinstance(part, dict) and len(part) > MOST_KEYS:
            raise Refusal(422, f"an object has {len(part)} keys, more than {MOST_KEYS}")


class JsonRoute(APIRoute):
    """A route whose body is JSON and says so, which a page of another site cannot say unasked."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answered = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if self.body_field and not _is_json(request.headers.get("content-type", "")):
                raise Refusal(415, "send JSON, and say so: Content-Type: application/json")
            return await answered(_JsonRequest(request.scope, request.receive))

        return handler


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"
