"""The HTTP API says what `label` says, whoever asks beside."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from detente.data.codebook.label_schema import SHIPPED as SHIPPED_SCHEME
from detente.data.codebook.label_schema import Variable
from detente.data.codebook.labels import TONES
from detente.data.gazetteer.gazetteer import tables
from detente.infer.label.labeler import Detente, Sentence, load
from detente.infer.readings.document import Document
from detente.infer.readings.reading import Reading, schema
from detente.infer.series.series import series
from detente.infer.serve import app as serving
from detente.infer.serve import examples
from detente.infer.serve.app import Server
from detente.infer.serve.batching import MOST, SHARE, Gatherer
from detente.infer.serve.errors import Refusal
from detente.infer.serve.limits import Budget
from detente.infer.serve.model_card import metrics
from detente.infer.serve.schemas import Series
from detente.infer.serve.series_endpoint import summed
from detente.models.model_dir import SHIPPED, resolve
from tests.helpers.serving import PATIENCE, Gated, asking, near, served, until

TEXT = "Japan thanked India for its help 🌾. China warned the United States. Nothing else. The two countries met."
STATES = ["China", "Japan", "the United States", "India", "Germany", "France", "Brazil", "Kenya"]


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Detente:
    return load(tiny_model, threads=1)


@pytest.fixture(scope="module")
def server(model: Detente, tiny_model: Path) -> Iterator[httpx.Client]:
    with served(model, tiny_model) as address, asking(address) as client:
        yield client


def ask(client: httpx.Client, path: str, **body: Any) -> Any:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def alike(got: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    return len(got) == len(expected) and all(map(near, got, expected))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"id": "7", "date": "2021-03-10", "title": "Japan and India"},
        {"include_none": True},
        {"dyads": [["USA", "CHN"], ["BRA", "KEN"]]},
        {"include_none": True, "min_probability": 0.5},
    ],
)
def test_label(server: httpx.Client, model: Detente, options: dict[str, Any]) -> None:
    answer = ask(server, "/v1/label", text=TEXT, **options)
    assert answer["model"] == "tiny 1"
    assert alike(answer["readings"], [reading.to_dict() for reading in model.label(TEXT, **options)])
    # Offsets count code points: the sheaf of rice is one.
    assert [TEXT[start:end] for start, end in answer["sentences"]] == [
        "Japan thanked India for its help 🌾.",
        "China warned the United States.",
        "Nothing else.",
        "The two countries met.",
    ]


def test_label_says_why(server: httpx.Client, model: Detente, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    readings = ask(server, "/v1/label", text=TEXT, explain=True)["readings"]
    assert readings
    assert alike(readings, [reading.to_dict() for reading in model.label(TEXT, explain=True)])
    for reading in readings:
        assert reading["why"]["like"]
        Draft202012Validator(schema()).validate(reading)
    monkeypatch.setattr(serving, "MOST_EXPLAINED", 0)
    answer = server.post("/v1/label", json={"text": TEXT, "explain": True})
    assert answer.status_code == 413
    assert "more than 0 that can be explained" in answer.json()["error"]


def test_batch_keeps_its_order_and_its_errors_in_place(server: httpx.Client, model: Detente) -> None:
    items = [
        {"id": "a", "text": TEXT, "include_none": True},
        {"id": "b", "text": " \n"},
        {"id": "c", "text": "Japan met India.", "dyads": [["JPN", "XXX"]]},
        {"id": "d", "text": "Japan met India.", "date": "2021-13-10"},
        {"id": "e", "text": "Nothing of note."},
    ]
    results = ask(server, "/v1/batch", items=items)["results"]
    assert [result["id"] for result in results] == list("abcde")
    expected = model.label(TEXT, id="a", include_none=True)
    assert alike(results[0]["readings"], [reading.to_dict() for reading in expected])
    assert results[1]["error"] == "the text is empty"
    assert "'XXX' is not a known state" in results[2]["error"]
    assert "'2021-13-10' is not a date" in results[3]["error"]
    assert results[4]["readings"] == []


def article(number: int) -> str:
    """Some sentences, other ones and other lengths for every number."""
    pairs = [(STATES[(number * 3 + n) % 8], STATES[(number + n * 5 + 1) % 8]) for n in range(number % 7 + 1)]
    return " ".join(f"{a} {'warned' if n % 2 else 'thanked'} {b} in talks {number}." for n, (a, b) in enumerate(pairs))


def test_many_clients_get_their_own_answers(model: Detente, tiny_model: Path, server: httpx.Client) -> None:
    texts = [article(number) for number in range(60)] + [" ".join(map(article, range(60)))]
    expected = [[reading.to_dict() for reading in model.label(text, include_none=True)] for text in texts]

    async def ask_all() -> list[Any]:
        async with httpx.AsyncClient(base_url=server.base_url, timeout=60) as client:
            asked = [client.post("/v1/label", json={"text": text, "include_none": True}) for text in texts]
            return [answer.json()["readings"] for answer in await asyncio.gather(*asked)]

    for got, wanted in zip(asyncio.run(ask_all()), expected, strict=True):
        assert alike(got, wanted)


def gathered(model: Detente, texts: list[str], **options: Any) -> list[int]:
    """Let texts wait until all are there, read them, and return how many sentences each batch had."""
    sizes: list[int] = []
    gatherer = Gatherer(model, workers=1, observe=sizes.append, **options)

    async def read() -> None:
        reads = [asyncio.create_task(gatherer.read(Document(text), Budget(10_000))) for text in texts]
        await asyncio.sleep(0)
        gatherer.start()
        await asyncio.gather(*reads)

    asyncio.run(read())
    gatherer.stop()
    return sizes


def test_texts_that_wait_are_read_together(model: Detente) -> None:
    assert gathered(model, ["Japan met India."] * 40) == [40]
    assert gathered(model, ["Japan met India."] * 3, gather=False) == [1, 1, 1]


def test_a_long_text_does_not_keep_others_waiting(model: Detente) -> None:
    long = "Japan met India. " * (MOST + 2 * SHARE)
    order: list[str] = []

    class Noting(Detente):
        def read(self, sentences: Sequence[Sentence]) -> Iterator[Reading]:
            order.extend(sentence.document.text[:5] for sentence in sentences)
            return super().read(sentences)

    gathered(Noting(model.engine, model.linker), [long, *["China met Japan."] * 8])
    assert order == ["Japan"] * SHARE + ["China"] * 8 + ["Japan"] * (MOST + SHARE)


def test_who_leaves_frees_its_place(model: Detente) -> None:
    gated = Gated(model)
    gatherer = Gatherer(gated, workers=1)
    gatherer.start()

    async def read() -> None:
        first = asyncio.create_task(gatherer.read(Document("Japan met India. " * 200), Budget(10_000)))
        await asyncio.to_thread(gated.reading.wait)
        left = asyncio.create_task(gatherer.read(Document("Japan met India."), Budget(10_000)))
        stays = asyncio.create_task(gatherer.read(Document("China met Japan."), Budget(10_000)))
        await asyncio.sleep(0)
        first.cancel()
        left.cancel()
        gated.gate.set()
        assert len(await stays) == 1
        assert first.cancelled()
        assert left.cancelled()

    asyncio.run(read())
    gatherer.stop()
    assert not gatherer.alive()


def test_a_model_that_fails_is_told_and_the_next_is_read(
    model: Detente, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Detente):
        broken = True

        def read(self, sentences: Any) -> Any:
            if self.broken:
                raise RuntimeError("Japan met India.")
            return super().read(sentences)

    failing = Failing(model.engine, model.linker)
    with served(failing, tiny_model) as address:
        answer = httpx.post(f"{address}/v1/label", json={"text": "Japan met India."}, timeout=PATIENCE)
        assert answer.status_code == 500
        assert answer.json() == {"error": "the server failed on this request; its log says where"}
        failing.broken = False
        assert httpx.post(f"{address}/v1/label", json={"text": "Japan met India."}, timeout=PATIENCE).status_code == 200


ARTICLES = [{"id": str(n), "date": f"2021-0{n % 3 + 1}-10", "text": article(n), "source": "wire"} for n in range(12)]


def test_series_of_articles_is_that_of_their_readings(server: httpx.Client, model: Detente) -> None:
    options: dict[str, Any] = {"period": "quarter", "smooth": 3, "source_cap": 0.5}
    answer = ask(server, "/v1/series", articles=ARTICLES, **options)
    documents = [Document.from_record(article) for article in ARTICLES]
    expected = series(zip(documents, model.label_many(documents), strict=True), **options)
    got = pd.DataFrame(answer["series"])
    assert list(got.columns) == list(expected.columns)
    assert list(got["period"]) == [f"{period:%Y-%m-%d}" for period in expected["period"]]
    for column in ("warmth", "smooth", "frosty", "balance", "sentences"):
        assert got[column].tolist() == pytest.approx(expected[column].tolist(), abs=0.002), column
    assert answer["about"]["read"] == expected.attrs["read"]
    # The same from the readings themselves, dated by whoever has them.
    results = ask(server, "/v1/batch", items=[{k: a[k] for k in ("id", "date", "text")} for a in ARTICLES])["results"]
    dated = [
        {**reading, "date": article["date"], "source": "wire"}
        for article, result in zip(ARTICLES, results, strict=True)
        for reading in result["readings"]
    ]
    again = ask(server, "/v1/series", readings=dated, **options)
    assert again["series"] == answer["series"]


def test_series_of_nothing_is_empty(server: httpx.Client) -> None:
    assert ask(server, "/v1/series", articles=[{"date": "2021", "text": "No state here."}])["series"] == []
    assert ask(server, "/v1/series", readings=[])["series"] == []


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({}, "the body: give either readings or articles"),
        ({"readings": [], "articles": []}, "the body: give either readings or articles"),
        ({"articles": [{"date": "03/10/2021", "text": "a"}]}, "articles.0.date: '03/10/2021' is not a date"),
        ({"articles": ARTICLES, "smooth": 2}, "smooth must be an odd number"),
        ({"articles": ARTICLES, "since": "2030"}, "no reading is left"),
        ({"articles": ARTICLES, "dyads": [["NPL", "MLI"]]}, "no reading of MLI-NPL"),
        ({"articles": ARTICLES, "period": "decade"}, "period: should be one of day, week"),
        (
            {"readings": [{"date": "2021", "dyad": "CHN-USA", "tone": "frosty", "warmth": -1}], "min_probability": 0.5},
            "min_probability needs the probabilities",
        ),
        (
            {"readings": [{"date": "2021", "dyad": "CHN-USA", "tone": "icy", "warmth": -1}]},
            "readings.0.tone: 'icy' is none of none, frosty",
        ),
        *(
            ({"readings": [{"date": "2021", "dyad": dyad, "tone": "frosty", "warmth": warmth}]}, line)
            for dyad, warmth, line in (
                ("CHN-USA", 1e308, "readings.0.warmth: must lie between -1 and 1"),
                ("CHN-CHN", -1, "readings.0.dyad: the dyad CHN-CHN names the same state twice"),
                ("ZZZ-AAA", -1, "readings.0.dyad: 'ZZZ' is not a known state"),
                ("USA-CHN", -1, "not in alphabetical order; write CHN-USA, and turn the direction"),
            )
        ),
        ({"readings": [{"date": "x", "dyad": "CHN-USA", "tone": "frosty", "warmth": -1}]}, "'x' is not a date"),
    ],
)
def test_series_that_cannot_be(server: httpx.Client, body: dict[str, Any], line: str) -> None:
    answer = server.post("/v1/series", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(line) or line in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_model(server: httpx.Client, tiny_model: Path) -> None:
    about = server.get("/v1/model").json()
    assert about["name"] == "tiny"
    assert about["labels"]["tone"] == list(TONES)
    assert about["warmth"]["alliance-building"] == 1
    assert about["states"] == tables().states
    assert about["limits"]["characters"] == 100_000


def test_card_and_its_figures() -> None:
    card = (resolve(SHIPPED) / "README.md").read_text("utf-8")
    rows = metrics(card)
    assert len(rows) > 10
    assert {"test", "95 % interval"} <= set(rows[0])
    assert all(row["test"] and row["95 % interval"] for row in rows)
    assert metrics("no table here") == []


def test_health_and_metrics(server: httpx.Client) -> None:
    assert server.get("/healthz").json() == {"status": "ok"}
    assert server.get("/readyz").json() == {"status": "ok"}
    for path in ("/healthz", "/readyz"):
        asked = server.head(path)
        assert (asked.status_code, asked.content) == (200, b"")
    ask(server, "/v1/label", text=TEXT, include_none=True)
    text = server.get("/metrics").text
    assert 'detente_requests_total{path="/v1/label",status="200"}' in text
    assert "detente_batch_sentences_count" in text
    assert "detente_in_flight 0.0" in text
    assert "detente_readings_total{tone=" in text


def test_no_page_is_said_plainly(
    model: Detente, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "WEB", tmp_path / "web")
    with served(model, tiny_model) as address:
        for path in ("/", "/web/app.js"):
            answer = httpx.get(address + path, timeout=PATIENCE)
            assert answer.status_code == 404
            assert answer.json()["error"]


def test_static_files_are_sent_as_what_they_are(
    model: Detente, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "app.js").write_text("export {};")
    (tmp_path / "key.txt").symlink_to("/etc/hostname")
    monkeypatch.setattr(serving, "WEB", tmp_path)
    with served(model, tiny_model) as address:
        for path, kind in (("/", "text/html"), ("/web/app.js", "text/javascript")):
            answer = httpx.get(address + path, timeout=PATIENCE)
            assert answer.headers["content-type"].startswith(kind)
            assert answer.headers["content-security-policy"].startswith("default-src 'self'")
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
        for path in ("/web/../app.py", "/web/%2e%2e/app.py", "/web/key.txt"):
            assert httpx.get(address + path, timeout=PATIENCE).status_code == 404


def test_description_has_the_one_schema_and_examples_that_work(server: httpx.Client) -> None:
    described = server.get("/openapi.json").json()
    expected = {key: value for key, value in schema().items() if key != "$schema"}
    assert described["components"]["schemas"]["Reading"] == expected
    assert not [path for path in described["paths"] if path not in {"/healthz", "/readyz"} and "/v1/" not in path]
    for path, operations in described["paths"].items():
        if "post" in operations:
            examples = operations["post"]["requestBody"]["content"]["application/json"]["examples"]
            assert examples
            for example in examples.values():
                ask(server, path, **example["value"])


def test_readings_are_of_the_schema(server: httpx.Client) -> None:
    validator = Draft202012Validator(schema())
    for reading in examples.LABELLED["readings"]:
        validator.validate(reading)
    for reading in ask(server, "/v1/label", text=TEXT, dyads=[["CHN", "USA"], ["BRA", "KEN"]])["readings"]:
        validator.validate(reading)


def test_server_stops_its_threads(model: Detente, tiny_model: Path) -> None:
    server = Server(model, tiny_model)
    server.gatherer.start()
    assert server.gatherer.alive()
    server.gatherer.stop()
    until(lambda: not server.gatherer.alive())


def test_a_series_of_labels_of_ones_own() -> None:
    coercion = Variable(name="coercion", kind="binary", labels=("no", "yes"))
    readings = [
        {"id": "a", "date": "2021-03-10", "dyad": "CHN-JPN", "tone": tone, "warmth": warmth, "direction": "mutual"}
        for tone, warmth in (("yes", 0.9), ("yes", 0.7))
    ]
    asked = Series.model_validate({"readings": readings})
    (row,), about = summed(asked, [], coercion)
    assert row["warmth"] == pytest.approx(0.8)
    assert (row["share_yes"], row["share_no"]) == (1.0, 0.0)
    assert about["labels"]
    with pytest.raises(Refusal, match=r"readings\.0\.tone: 'yes' is none of none, frosty"):
        summed(asked, [], SHIPPED_SCHEME.tone)
