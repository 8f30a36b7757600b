"""Answers in JSON; what is wrong with a request is one clear line under `error`."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

#: Pydantic's names of what is no JSON object where one should be.
_NO_OBJECT: Final = ("model_attributes_type", "model_type", "dict_type")


#: Characters of a line that says what is wrong.
LONGEST_LINE: Final = 500


class Refusal(HTTPException):
    """A request that is not answered as it was asked; the message says what, where and what to do."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, dict(headers or {}))


def answer(values: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return values as a JSON response; NaN is written as null."""
    return Response(orjson.dumps(values), status, headers, "application/json")


class Room:
    """Bytes that an answer may still take, counted while it is written and not when it is there.

    Args:
        most: bytes of all its records together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most

    def written(self, records: Iterable[Mapping[str, Any]]) -> list[orjson.Fragment]:
        """Return records as JSON.

        Raises:
            Refusal: the answer has no room for them.
        """
        fragments = []
        for record in records:
            line = orjson.dumps(record)
            self._left -= len(line)
            if self._left < 0:
                raise Refusal(413, f"the answer is larger than {self._most} bytes; send less text or fewer dyads")
            fragments.append(orjson.Fragment(line))
        return fragments


def refused(refusal: HTTPException) -> Response:
    """Return what a refused request is answered."""
    return answer({"error": shortened(refusal.detail)}, refusal.status_code, refusal.headers)


def shortened(message: str, most: int = LONGEST_LINE) -> str:
    """Return a message that may quote what was sent, whose length nobody knows."""
    return message if len(message) <= most else message[: most - 1] + "…"


async def on_refusal(_request: Request, error: Exception) -> Response:
    """Answer a refusal, ours or the framework's (404, 405)."""
    assert isinstance(error, HTTPException)
    return refused(error)


async def on_invalid(_request: Request, error: Exception) -> Response:
    """Answer a body that isn't JSON, or not of the form that the description asks for."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return answer({"error": f"the body is not JSON in UTF-8: {first['ctx']['error']}"}, 400)
    return answer({"error": line(error)}, 422)


def line(error: RequestValidationError | ValidationError) -> str:
    """Say the first of a validation's complaints, without what was sent."""
    first = error.errors()[0]
    where = ".".join(shortened(str(part), 40) for part in first["loc"] if part != "body") or "the body"
    what = "should be a JSON object" if first["type"] in _NO_OBJECT else first["msg"].removeprefix("Value error, ")
    return f"{where}: {what}"
