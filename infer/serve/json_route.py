"""How a request's body is read: JSON in UTF-8, by the same parser as JSON lines."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from detente.infer.serve.errors import Refusal


class _JsonRequest(Request):
    """Knows no NaN, no half of a surrogate pair and no nesting without end, as Python's own parser does."""

    async def json(self) -> Any:
        return orjson.loads(await self.body())


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
