"""Limits have clear answers, and clients that hang, leave or send garbage take nothing from the others."""

import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detente.infer.label.labeler import Detente, Sentence, load
from detente.infer.readings.reading import Reading
from detente.infer.serve import app as serving
from detente.infer.serve.errors import on_invalid
from detente.infer.serve.limits import Limits
from detente.infer.serve.run import Connection
from detente.infer.serve.security import is_loopback, read_keys
from tests.helpers.serving import PATIENCE, Gated, asking, connect, served, until

SMALL = Limits(body=2000, characters=500, items=3, readings=5, in_flight=2, seconds=30)
KEY = "a-key-of-sixteen-or-more"
HEAD = b"POST /v1/label HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Detente:
    return load(tiny_model, threads=1)


@pytest.fixture(scope="module")
def small(model: Detente, tiny_model: Path) -> Iterator[httpx.Client]:
    hosts = {"127.0.0.1", "localhost"}
    with (
        served(model, tiny_model, limits=SMALL, hosts=hosts) as address,
        asking(address) as client,
    ):
        yield client


def well(client: httpx.Client) -> bool:
    """Say whether the server answers as ever."""
    answer = client.post("/v1/label", json={"text": "Japan met India.", "include_none": True})
    return answer.status_code == 200 and len(answer.json()["readings"]) == 1


def refused(answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert words in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_large_bodies(small: httpx.Client) -> None:
    body = b'{"text": "' + b"a" * 2000 + b'"}'
    headers = {"Content-Type": "application/json"}
    refused(small.post("/v1/label", content=body, headers=headers), 413, "larger than 2000 bytes")
    chunks = (body[at : at + 100] for at in range(0, len(body), 100))  # sent chunked, without a length
    refused(small.post("/v1/label", content=chunks, headers=headers), 413, "larger than 2000 bytes")
    assert well(small)


def test_long_texts_many_items_many_readings(small: httpx.Client) -> None:
    refused(small.post("/v1/label", json={"text": "a" * 501}), 413, "501 characters, more than the limit of 500")
    items = [{"id": str(n), "text": "Japan met India."} for n in range(4)]
    refused(small.post("/v1/batch", json={"items": items}), 413, "4 texts are more than the limit of 3")
    articles = [{"date": "2021", "text": "a"}] * 4
    refused(small.post("/v1/series", json={"articles": articles}), 413, "4 texts are more than the limit of 3")
    refused(small.post("/v1/label", json={"text": "Japan met India. " * 6}), 413, "more than 5 pairs of states")
    # Found or not, each costs a reading.
    refused(small.post("/v1/label", json={"text": "So. " * 6, "dyads": [["CHN", "USA"]]}), 413, "more than 5 pairs")
    reading = {"date": "2021", "dyad": "CHN-USA", "tone": "frosty", "warmth": -1}
    refused(small.post("/v1/series", json={"readings": [reading] * 6}), 413, "6 readings are more than the limit of 5")
    # The texts of a batch share what one request may ask for.
    three = small.post("/v1/batch", json={"items": [{"id": "x", "text": "Japan met India. " * 3}] * 3}).json()
    assert sum("error" in result for result in three["results"]) == 2
    assert well(small)


@pytest.mark.parametrize("name", ["id", "title", "date"])
def test_long_parts(model: Detente, tiny_model: Path, name: str) -> None:
    """An id stands in every reading: one of 100 kB with 10,000 readings would be a gigabyte."""
    article = {"text": "a", "date": "2021", name: "b" * 2001}
    with served(model, tiny_model) as address, asking(address) as client:
        refused(client.post("/v1/label", json=article), 422, f"{name}: ")
        refused(client.post("/v1/batch", json={"items": [article]}), 422, f"items.0.{name}: ")
        refused(client.post("/v1/series", json={"articles": [article]}), 422, f"articles.0.{name}: ")


def test_large_answers(model: Detente, tiny_model: Path) -> None:
    text = "So it is. " * 10
    dyads = [["CHN", "USA"], ["IND", "JPN"]]
    with served(model, tiny_model, limits=Limits(answer=2000)) as address, asking(address) as client:
        refused(client.post("/v1/label", json={"text": text, "dyads": dyads}), 413, "answer is larger than 2000 bytes")
        items = [{"text": "So it is.", "dyads": dyads}] * 10
        refused(client.post("/v1/batch", json={"items": items}), 413, "answer is larger than 2000 bytes")
        assert well(client)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/batch", b'{"items": [' + b"0," * 3_000_000 + b"0]}"),
        ("/v1/batch", b'{"items": [' + b"0," * 200 + b"0]}"),
        ("/v1/batch", b'{"items": [' + b'{"text":""},' * 100_000 + b"0]}"),
        ("/v1/series", b'{"readings": [' + b"{}," * 250_000 + b"{}]}"),
        ("/v1/series", b'{"readings": [' + b"{}," * 9_000 + b"{}]}"),
        ("/v1/series", b'{"readings": [], "sources": [' + b"0," * 900_000 + b"0]}"),
        ("/v1/series", b'{"readings": [{"probabilities": {%s}}]}' % b",".join(b'"%d":2' % n for n in range(99_999))),
        ("/v1/label", b"{%s}" % b",".join(b'"%d":2' % n for n in range(99_999))),
        ("/v1/label", b'{"text": "a", "dyads": [[' + b"0," * 900_000 + b"0]]}"),
        ("/v1/label", b'{"text": "a", "dyads": [' + b"0," * 900_000 + b"0]}"),
    ],
    ids=range(10),
)
def test_floods_of_what_is_wrong(model: Detente, tiny_model: Path, path: str, body: bytes) -> None:
    """Every complaint is an object: only the first is made, and lists are measured before they are validated."""
    errors: list[int] = []

    async def noted(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        errors.append(len(error.errors()))
        return await on_invalid(request, error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "on_invalid", noted)
        with served(model, tiny_model) as address, asking(address) as client:
            answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in {413, 422}, answer.text
            assert len(answer.text) < 200
            assert sum(errors) <= 64
            assert well(client)


def test_what_is_wrong_is_quoted_in_part(small: httpx.Client) -> None:
    answer = small.post("/v1/label", json={"text": "a", "b" * 1000: 1})
    refused(answer, 422, "bbb…: Extra inputs")
    assert len(answer.text) < 120


class Unread(Detente):
    """A model that must not be asked."""

    def read(self, sentences: Sequence[Sentence]) -> Iterator[Reading]:
        raise AssertionError("a sentence was read")


def test_a_text_with_too_many_pairs_is_refused_before_the_first_is_read(model: Detente, tiny_model: Path) -> None:
    unread = Unread(model.engine, model.linker)
    with served(unread, tiny_model, limits=Limits(readings=99)) as address, asking(address) as client:
        refused(client.post("/v1/label", json={"text": "Japan met India. " * 100}), 413, "more than 99 pairs")


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"{", "application/json", 400, "not JSON"),
        (b"\xff\xfe", "application/json", 400, "not JSON"),
        (b'{"text": "\\ud800"}', "application/json", 400, "not JSON"),
        (b'{"text": "a", "min_probability": NaN}', "application/json", 400, "not JSON"),
        (b"[" * 1900, "application/json", 400, "not JSON"),
        (b"", "application/json", 422, "the body: Field required"),
        (b"[]", "application/json", 422, "the body: should be a JSON object"),
        (b"{}", "application/json", 422, "text: Field required"),
        (b'{"text": 1, "date": 2}', "application/json", 422, "text: Input should be a valid string"),
        (b'{"text": "a", "titel": "b"}', "application/json", 422, "titel: Extra inputs"),
        (b'{"text": " "}', "application/json", 422, "the text is empty"),
        (b'{"text": "a", "date": "soon"}', "application/json", 422, "'soon' is not a date"),
        (b'{"text": "a", "dyads": [["CHN"]]}', "application/json", 422, "dyads.0"),
        (b'{"text": "a", "dyads": [["CHN", "CHN"]]}', "application/json", 422, "same state twice"),
        (b'{"text": "a"}', "text/plain", 415, "send JSON"),
        (b'{"text": "a"}', "", 415, "send JSON"),
        (b"text=a", "application/x-www-form-urlencoded", 415, "send JSON"),
    ],
)
def test_bodies_that_are_none(small: httpx.Client, body: bytes, kind: str, status: int, words: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    refused(small.post("/v1/label", content=body, headers=headers), status, words)


def test_too_many_at_once(model: Detente, tiny_model: Path) -> None:
    gated = Gated(model)
    limits = Limits(in_flight=1)
    with (
        served(gated, tiny_model, limits=limits) as address,
        ThreadPoolExecutor(1) as others,
        asking(address) as client,
    ):
        first = others.submit(well, client)
        assert gated.reading.wait(PATIENCE)
        second = httpx.post(f"{address}/v1/label", json={"text": "Japan met India."}, timeout=PATIENCE)
        refused(second, 429, "1 requests are in hand")
        assert int(second.headers["Retry-After"]) >= 1
        assert httpx.get(f"{address}/healthz", timeout=PATIENCE).status_code == 200
        gated.gate.set()
        assert first.result()
        assert well(client)


def test_too_slow(model: Detente, tiny_model: Path) -> None:
    gated = Gated(model)
    limits = Limits(in_flight=1, seconds=0.2)
    with served(gated, tiny_model, limits=limits) as address, asking(address) as client:
        for _ in range(3):  # the place is free again
            refused(client.post("/v1/label", json={"text": "Japan met India."}), 504, "not done within 0.2 s")


def half_a_request(address: str) -> socket.socket:
    connection = connect(address)
    connection.sendall(HEAD + b'Content-Length: 100\r\n\r\n{"text"')
    return connection


def test_a_body_that_does_not_come(model: Detente, tiny_model: Path) -> None:
    with served(model, tiny_model, limits=Limits(seconds=0.2)) as address:
        connection = half_a_request(address)
        told = b"".join(iter(lambda: connection.recv(4096), b""))
        assert told.startswith(b"HTTP/1.1 408")
        assert b"did not come in within 0.2 s" in told
        connection.close()


def test_who_only_begins_takes_no_place(small: httpx.Client) -> None:
    slow = [half_a_request(str(small.base_url).rstrip("/")) for _ in range(5)]
    assert well(small)
    for connection in slow:
        connection.close()


def test_who_leaves_frees_the_place(model: Detente, tiny_model: Path) -> None:
    gated = Gated(model)
    limits = Limits(in_flight=1, seconds=30)
    with (
        served(gated, tiny_model, limits=limits) as address,
        asking(address) as client,
    ):
        body = b'{"text": "Japan met India."}'
        for _ in range(3):
            leaver = connect(address)
            leaver.sendall(HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            until(lambda: "detente_in_flight 1.0" in client.get("/metrics").text)
            leaver.close()
            until(lambda: "detente_in_flight 0.0" in client.get("/metrics").text)
        gated.gate.set()
        assert well(client)
        assert 'path="/v1/label",status="499"} 3.0' in client.get("/metrics").text


def test_connections_that_bring_nothing_are_closed(
    model: Detente, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "_head_seconds", 0.2)
    with served(model, tiny_model) as address, asking(address) as client:
        silent, half, again = connect(address), connect(address), connect(address)
        half.sendall(b"POST /v1/label HTTP/1.1\r\nHost: a")
        again.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert again.recv(4096).startswith(b"HTTP/1.1 200")
        again.sendall(b"GET /heal")
        for connection in (silent, half, again):
            while connection.recv(4096):
                pass  # what is left of an answer, then the end
            connection.close()
        assert well(client)


def test_an_answer_that_is_not_taken(model: Detente, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "_head_seconds", 0.2)
    limits = Limits(in_flight=1, seconds=2)
    with (
        served(model, tiny_model, limits=limits) as address,
        asking(address) as client,
    ):
        lazy = socket.socket()
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = address.removeprefix("http://").split(":")
        lazy.connect((host, int(port)))
        body = b'{"include_none": true, "text": "%s"}' % (b"Japan met India. " * 5000)
        lazy.sendall(HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        until(lambda: "detente_in_flight 1.0" in client.get("/metrics").text)
        until(lambda: "detente_in_flight 0.0" in client.get("/metrics").text)
        lazy.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    garbage=st.one_of(
        st.binary(min_size=1, max_size=300),
        st.binary(max_size=100).map(lambda data: HEAD + b"Content-Length: 5\r\n\r\n" + data),
        st.binary(max_size=100).map(lambda data: HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + data),
        st.binary(max_size=100).map(lambda data: b"GET /" + data + b" HTTP/1.1\r\n\r\n"),
    )
)
def test_garbage(small: httpx.Client, garbage: bytes) -> None:
    connection = connect(str(small.base_url).rstrip("/"))
    connection.sendall(garbage)
    connection.shutdown(socket.SHUT_WR)
    told = b""
    try:
        while data := connection.recv(4096):
            told += data
    except ConnectionResetError:
        pass
    connection.close()
    assert b" 500 " not in told.partition(b"\r\n")[0]
    assert well(small)


def test_keys(model: Detente, tiny_model: Path) -> None:
    with (
        served(model, tiny_model, keys=[KEY, KEY + "2"]) as address,
        asking(address) as client,
    ):
        body = {"text": "Japan met India."}
        for path in ("/v1/label", "/v1/batch", "/v1/series"):
            answer = client.post(path, json=body)
            refused(answer, 401, "an API key is needed")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        for path in ("/v1/model", "/metrics", "/openapi.json"):
            refused(client.get(path), 401, "an API key is needed")
        wrong: list[dict[str, str]] = [
            {"Authorization": "Bearer wrong"},
            {"Authorization": f"Basic {KEY}"},
            {"Authorization": "Bearer"},
            {"X-API-Key": KEY[:-1]},
            {"X-API-Key": "clé"},
        ]
        for headers in wrong:
            encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
            refused(client.post("/v1/label", json=body, headers=encoded), 401, "an API key is needed")
        for headers in ({"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer {KEY}2"}, {"X-API-Key": KEY}):
            assert client.post("/v1/label", json=body, headers=headers).status_code == 200
        for path in ("/", "/healthz", "/readyz"):
            assert client.get(path).status_code != 401
        described = client.get("/openapi.json", headers={"X-API-Key": KEY}).json()
        assert described["paths"]["/v1/label"]["post"]["security"] == [{"bearer": []}, {"header": []}]


def test_other_names_and_other_sites(small: httpx.Client) -> None:
    body = {"text": "Japan met India."}
    refused(small.get("/v1/model", headers={"Host": "evil.example:8000"}), 421, "--allow-host")
    refused(small.get("/", headers={"Host": "127.0.0.1.evil.example"}), 421, "--allow-host")
    assert small.get("/v1/model", headers={"Host": "LOCALHOST:1"}).status_code == 200
    assert small.get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200
    port = small.base_url.port
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        refused(small.post("/v1/label", json=body, headers=headers), 403, "pages of other sites")
    own: dict[str, Any] = {"Origin": f"http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}
    assert small.post("/v1/label", json=body, headers=own).status_code == 200


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("example.org", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def test_key_files(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# of the newsroom\n\n  {KEY}  \n{KEY}2\n")
    assert read_keys(file) == [KEY, f"{KEY}2"]
    for content, words in (("", "holds no key"), ("# a\n", "holds no key"), ("short\n", "key 1 must have 16")):
        file.write_text(content)
        with pytest.raises(ValueError, match=words):
            read_keys(file)
    file.write_text(f"{KEY}\nа-key-in-Cyrillic-letters\n")
    with pytest.raises(ValueError, match="key 2 must"):
        read_keys(file)


def test_limits_hold_beside_work(model: Detente, tiny_model: Path) -> None:
    """Health and the page answer while every place is taken."""
    gated = Gated(model)
    with served(gated, tiny_model, limits=Limits(in_flight=2)) as address:
        threads = [
            threading.Thread(
                target=httpx.post, args=(f"{address}/v1/label",), kwargs={"json": {"text": text}, "timeout": PATIENCE}
            )
            for text in ("Japan met India.", "China met Japan.")
        ]
        for thread in threads:
            thread.start()
        until(lambda: "detente_in_flight 2.0" in httpx.get(f"{address}/metrics", timeout=PATIENCE).text)
        assert httpx.get(f"{address}/readyz", timeout=PATIENCE).status_code == 200
        gated.gate.set()
        for thread in threads:
            thread.join(30)
