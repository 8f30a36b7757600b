"""The routes: what is asked, what is answered."""

import asyncio
import mimetypes
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from detente.infer.encoder.onnx import cores
from detente.infer.label.labeler import Detente, selected, sentence_spans
from detente.infer.readings.reading import Reading
from detente.infer.readings.reading import schema as reading_schema
from detente.infer.serve import examples, schemas, series_endpoint
from detente.infer.serve.access_log import Access
from detente.infer.serve.batching import Gatherer
from detente.infer.serve.errors import Refusal, Room, answer, on_invalid, on_refusal
from detente.infer.serve.json_route import JsonRoute
from detente.infer.serve.limits import Bounds, Budget, Limits
from detente.infer.serve.metrics import Metrics
from detente.infer.serve.model_card import describe
from detente.infer.serve.security import Guard

#: The page's files; through the links of an editable install, so that a new file is seen.
WEB: Final = (Path(__file__).parent / "__init__.py").resolve().parent / "web"

#: Readings of a text that are explained: each takes some seven times as long as it took to read.
MOST_EXPLAINED: Final = 256

_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": schemas.Wrong, "description": description}
    for status, description in (
        (400, "The body is not JSON."),
        (401, "An API key is needed."),
        (403, "A page of another site asks."),
        (408, "The body did not come in."),
        (413, "More than one of the limits."),
        (415, "The body doesn't say that it is JSON."),
        (421, "The server doesn't answer to this host name."),
        (422, "The body is JSON, but not what is described here, or a date, a state or a text is none."),
        (429, "Too many requests in hand; ask again after Retry-After seconds."),
        (503, "The server is stopping."),
        (504, "Not done in time."),
    )
}
_CLOSED: Final[dict[int | str, dict[str, Any]]] = {status: _ERRORS[status] for status in (401, 421)}


class Server:
    """An application with its model, from the first request to the last.

    Args:
        model: opened with `threads=1`: the gatherer takes a core for each of its threads.
        folder: of the model, for its card.
        limits: of requests.
        keys: of the API; see `guard.Guard`.
        hosts: names that are answered to; see `guard.Guard`.
        gather: read texts of several requests together.
        workers: threads that read; None for one on each core.
    """

    def __init__(
        self,
        model: Detente,
        folder: Path,
        *,
        limits: Limits | None = None,
        keys: Sequence[str] = (),
        hosts: Collection[str] = (),
        gather: bool = True,
        workers: int | None = None,
    ) -> None:
        self.model = model
        self.limits = limits or Limits()
        self._keys = keys
        self.metrics = Metrics()
        self.about = describe(model.engine.config, folder, self.limits)
        self.gatherer = Gatherer(model, workers=workers or cores(), gather=gather, observe=self.metrics.batch.observe)
        self._summing = ThreadPoolExecutor(1, "summing")
        self._writing = ThreadPoolExecutor(1, "writing")
        self.api = self._api()
        self._bounds = Bounds(self.api, self.limits)
        self.metrics.in_flight.set_function(lambda: self._bounds.in_flight)
        self._app: ASGIApp = Access(Guard(self._bounds, keys, hosts), self.metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI has it."""
        await self._app(scope, receive, send)

    def drain(self) -> None:
        """Take no new work; what is in hand is answered."""
        self._bounds.draining = True

    @asynccontextmanager
    async def _life(self, _api: FastAPI) -> AsyncIterator[None]:
        self.gatherer.start()
        yield
        await asyncio.to_thread(self.gatherer.stop)
        self._summing.shutdown(cancel_futures=True)
        self._writing.shutdown(cancel_futures=True)

    def _api(self) -> FastAPI:
        api = FastAPI(
            title="detente",
            summary="How each sentence presents the relationship of each pair of states in it.",
            version=version("detente"),
            docs_url=None,  # they would load scripts from another host
            redoc_url=None,
            lifespan=self._life,
            exception_handlers={
                RequestValidationError: on_invalid,
                HTTPException: on_refusal,
                Exception: _on_error,
            },
            telemetry={"tracing": False},
        )
        api.router.route_class = JsonRoute
        api.state.limits = self.limits
        post: dict[str, Any] = {"methods": ["POST"], "responses": _ERRORS}
        get: dict[str, Any] = {"methods": ["GET"]}
        api.add_api_route("/v1/label", self.label, response_model=schemas.Labelled, **post)
        api.add_api_route("/v1/batch", self.batch, response_model=schemas.Results, **post)
        api.add_api_route("/v1/series", self.series, response_model=schemas.Summed, **post)
        api.add_api_route("/v1/model", self.describe, response_model=schemas.Model, responses=_CLOSED, **get)
        api.add_api_route("/healthz", self.healthz, response_model=schemas.State, **get)
        api.add_api_route(
            "/readyz", self.readyz, response_model=schemas.State, responses={503: {"model": schemas.Wrong}}, **get
        )
        api.add_api_route(
            "/metrics", self.prometheus, response_class=Response, responses=_CLOSED, include_in_schema=False, **get
        )
        api.add_api_route("/", self.page, response_class=FileResponse, include_in_schema=False, **get)
        for ending in (".js", ".mjs"):
            mimetypes.add_type("text/javascript", ending)
        if WEB.is_dir():
            api.mount("/web", StaticFiles(directory=WEB))
        self._complete(api.openapi())
        return api

    def _complete(self, described: dict[str, Any]) -> None:
        """Add to the description what the framework doesn't know: examples, and that there are keys."""
        for path, requests in examples.REQUESTS.items():
            body = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]
            body["examples"] = {name: {"value": value} for name, value in requests.items()}
        reading = reading_schema(self.model.scheme)
        described["components"]["schemas"]["Reading"] = {k: v for k, v in reading.items() if k != "$schema"}
        if self.model.engine.config.own is not None:  # its shares and scores are of other labels
            described["components"]["schemas"]["Row"] = {"type": "object"}
        told = described["paths"]["/v1/label"]["post"]["responses"]["200"]["content"]["application/json"]
        told["example"] = examples.LABELLED
        if self._keys:
            described["components"]["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            }
            for path, operations in described["paths"].items():
                if path.startswith("/v1/"):
                    for operation in operations.values():
                        operation["security"] = [{"bearer": []}, {"header": []}]

    async def label(self, request: Request, asked: schemas.Text) -> Response:
        """Label one text: a sentence or an article."""
        readings = await self._read(asked, Budget(self.limits.readings))
        spans = sentence_spans(asked.text)
        self._note(request, asked.text, readings)
        room = Room(self.limits.answer)
        return await self._written(
            lambda: {
                "model": self.model.engine.name,
                "readings": room.written(reading.to_dict() for reading in readings),
                "sentences": spans,
            }
        )

    async def batch(self, request: Request, asked: schemas.Batch) -> Response:
        """Label many texts; one that can't be labelled has its error in its place."""
        budget = Budget(self.limits.readings)
        results = await asyncio.gather(*[self._result(item, budget) for item in asked.items])
        self._note(
            request,
            "".join(item.text for item in asked.items),
            [reading for readings in results if isinstance(readings, list) for reading in readings],
        )
        room = Room(self.limits.answer)
        return await self._written(
            lambda: {
                "model": self.model.engine.name,
                "results": [
                    {"id": item.id, "error": result}
                    if isinstance(result, str)
                    else {"id": item.id, "readings": room.written(reading.to_dict() for reading in result)}
                    for item, result in zip(asked.items, results, strict=True)
                ],
            }
        )

    async def series(self, request: Request, asked: schemas.Series) -> Response:
        """Sum up dated readings, or the readings of dated articles, per dyad and period."""
        rows: list[dict[str, Any]] = []
        if asked.articles:
            texts = [series_endpoint.text(number, article) for number, article in enumerate(asked.articles)]
            budget = Budget(self.limits.readings)
            read = await asyncio.gather(*[self._read(text, budget) for text in texts])
            rows = [
                row
                for number, (article, readings) in enumerate(zip(asked.articles, read, strict=True))
                for row in series_endpoint.rows(number, article, readings)
            ]
            self._note(request, "".join(a.text for a in asked.articles), [r for readings in read for r in readings])
        loop = asyncio.get_running_loop()
        series, about = await loop.run_in_executor(
            self._summing, series_endpoint.summed, asked, rows, self.model.scheme.tone
        )
        room = Room(self.limits.answer)
        return await self._written(
            lambda: {"model": self.model.engine.name, "series": room.written(series), "about": about}
        )

    async def describe(self) -> Response:
        """Describe the model: its card, labels, versions, figures, and the server's limits."""
        return answer(self.about)

    async def healthz(self) -> Response:
        """Say that the process answers."""
        return answer({"status": "ok"})

    async def readyz(self) -> Response:
        """Say whether texts can be labelled."""
        if self._bounds.draining or not self.gatherer.alive():
            return answer({"error": "not ready"}, 503)
        return answer({"status": "ok"})

    async def prometheus(self) -> Response:
        """Return the counters in Prometheus' format."""
        return Response(generate_latest(self.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def page(self) -> Response:
        """Return the page."""
        if not (WEB / "index.html").is_file():
            raise Refusal(404, "this installation has no page; the API is described in /openapi.json")
        return FileResponse(WEB / "index.html")

    async def _written(self, values: Callable[[], Any]) -> Response:
        """Write an answer beside the event loop: ten thousand readings take a tenth of a second."""
        return await asyncio.get_running_loop().run_in_executor(self._writing, lambda: answer(values()))

    async def _read(self, asked: schemas.Text, budget: Budget) -> list[Reading]:
        """Read one text of a request.

        Raises:
            Refusal: it is too long, or not as described.
        """
        if len(asked.text) > self.limits.characters:
            raise Refusal(
                413, f"the text has {len(asked.text)} characters, more than the limit of {self.limits.characters}"
            )
        try:
            document = asked.document()
        except (TypeError, ValueError) as error:
            raise Refusal(422, str(error)) from error
        readings = await self.gatherer.read(document, budget, asked.groups)
        kept = selected(document, readings, include_none=asked.include_none, min_probability=asked.min_probability)
        if not asked.explain:
            return kept
        if len(kept) > MOST_EXPLAINED:
            raise Refusal(
                413, f"{len(kept)} readings are more than {MOST_EXPLAINED} that can be explained; send less text"
            )
        return await asyncio.to_thread(self.model.explained, kept)

    async def _result(self, asked: schemas.Text, budget: Budget) -> list[Reading] | str:
        try:
            return await self._read(asked, budget)
        except Refusal as refusal:
            return str(refusal.detail)

    def _note(self, request: Request, text: str, readings: Sequence[Reading]) -> None:
        """Count what was read, for the log and the metrics."""
        request.scope["detente"] = {"characters": len(text), "readings": len(readings)}
        for tone, count in Counter(reading.tone for reading in readings).items():
            self.metrics.readings.labels(tone).inc(count)


async def _on_error(_request: Request, _error: Exception) -> Response:
    return answer({"error": "the server failed on this request; its log says where"}, 500)
