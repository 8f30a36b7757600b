"""One JSON line per request, with nothing of what was sent."""

import logging
import sys
import time
import traceback
from typing import Any, Final

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detente.infer.serve.metrics import Metrics

LEVELS: Final = ("debug", "info", "warning", "error")

_log = logging.getLogger("detente.serve")


class JsonLines(logging.Formatter):
    """Writes a record as JSON; of an error its kind and place, since its message may hold a text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["at"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(record.exc_info[2])][-5:]
        return orjson.dumps(line, default=str).decode()


def configure(level: str) -> None:
    """Send the server's records to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in ("detente.serve", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level.upper())
    logging.getLogger("uvicorn.access").disabled = True


class Access:
    """Logs and counts each request, and answers what went wrong unexpectedly.

    Args:
        app: answers.
        metrics: counts.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            seconds = time.monotonic() - began
            path = _path(scope)
            # Without an answer: the client left, 499 as nginx has it.
            self.metrics.requests.labels(path, str(status or 499)).inc()
            self.metrics.seconds.labels(path).observe(seconds)
            if _log.isEnabledFor(logging.INFO):
                fields = {
                    "method": scope["method"],
                    "path": path,
                    "status": status or 499,
                    "ms": round(seconds * 1e3, 1),
                }
                _log.info("request", extra={"fields": fields | scope.get("detente", {})})


def _path(scope: Scope) -> str:
    """Return the path of the route that answered; what no route answered has one name, since it could be anything."""
    route = scope.get("route")
    return getattr(route, "path", "other") if route is not None else "other"
