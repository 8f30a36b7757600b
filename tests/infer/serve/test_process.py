"""`detente serve` as a process: what it says, what it logs, how it starts and stops."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.helpers.serving import PATIENCE, asking, command, connect, started, until

SECRET = "Japan secretly met India behind the Zanzibar curtain"
ROOT = Path(__file__).resolve().parents[3]

#: A server whose model reads only once a file is there.
WAITING = """
import sys, time
from pathlib import Path
from detente.cli import main
from detente.infer.label.labeler import Detente

go, real = Path(sys.argv.pop(1)), Detente.read

def read(self, sentences):
    while not go.exists():
        time.sleep(0.01)
    return real(self, sentences)

Detente.read = read
sys.argv[0] = "detente"
main()
"""


def usage(*arguments: str | Path) -> tuple[int, str]:
    """Run the command where it can't start; return its exit code and the one line that it complains with."""
    done = subprocess.run(
        [sys.executable, "-m", "detente", "serve", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
    )
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.returncode, done.stderr


def test_another_address_asks_for_a_key(tiny_model: Path, tmp_path: Path) -> None:
    code, line = usage("--host", "0.0.0.0")
    assert code == 2
    assert "can be reached from elsewhere: give --api-key-file" in line
    code, line = usage("--host", "0.0.0.0", "--api-key-file", tmp_path / "none")
    assert code == 1
    assert str(tmp_path / "none") in line
    (tmp_path / "empty").touch()
    code, line = usage("--api-key-file", tmp_path / "empty")
    assert code == 1
    assert "holds no key" in line
    (tmp_path / "keys").write_text("one-key-of-sixteen\n")
    options = ("--host", "0.0.0.0", "--api-key-file", tmp_path / "keys", "--model", tiny_model)
    with command(*options) as (_, address):
        local = address.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{local}/v1/model", timeout=PATIENCE).status_code == 401
        # With a key, any name will do: the other side must know the key.
        headers = {"X-API-Key": "one-key-of-sixteen", "Host": "news.example.org"}
        assert httpx.get(f"{local}/v1/model", headers=headers, timeout=PATIENCE).status_code == 200


def test_what_cannot_be_served(tiny_model: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, line = usage("--port", str(port), "--model", tiny_model)
        assert code == 1
        assert f"cannot listen on 127.0.0.1:{port}" in line
    for endless in ("inf", "nan", "1e9"):
        code, line = usage("--timeout", endless)
        assert code == 2
        assert "--timeout" in line
    code, line = usage("--log-level", "loud")
    assert code == 2
    assert "--log-level 'loud' is none of" in line
    code, line = usage("--model", tmp_path / "none")
    assert code == 1
    assert "no model folder" in line


def logged(process: subprocess.Popen[str], *, stopped: bool = False) -> list[dict[str, Any]]:
    """Stop a server unless it was; return what it logged, every line JSON."""
    if not stopped:
        process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    return [json.loads(line) for line in errors.splitlines()]


def test_logs_hold_nothing_of_what_was_sent(tiny_model: Path) -> None:
    with command("--model", tiny_model, "--log-level", "debug") as (process, address):
        with asking(address) as client:
            for body in (
                {"text": SECRET, "id": SECRET, "include_none": True},
                {"text": SECRET, "date": SECRET},
                {"text": SECRET, SECRET: 1},
                {"text": SECRET, "dyads": [[SECRET, SECRET]]},
            ):
                client.post("/v1/label", json=body)
            client.post("/v1/label", content=SECRET, headers={"Content-Type": "application/json"})
            client.post("/v1/batch", json={"items": [{"text": SECRET, "id": "Zanzibar"}]})
            client.post("/v1/series", json={"articles": [{"text": SECRET, "date": "2021", "source": "Zanzibar"}]})
            client.get("/Zanzibar?q=Zanzibar", headers={"User-Agent": "Zanzibar", "Referer": "http://zanzibar"})
        garbage = connect(address)
        garbage.sendall(SECRET.encode() + b"\r\n\r\n")
        assert garbage.recv(4096).startswith(b"HTTP/1.1 400")
        garbage.close()
        lines = logged(process)
    assert "zanzibar" not in json.dumps(lines).lower()
    requests = [line for line in lines if line["event"] == "request"]
    assert [line["status"] for line in requests] == [200, 422, 422, 422, 400, 200, 200, 404]
    first = requests[0]
    assert first["path"] == "/v1/label"
    assert first["characters"] == len(SECRET)
    assert first["readings"] == 1
    assert first["ms"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", first["time"])


def test_an_error_is_logged_by_kind_and_place(tiny_model: Path, tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(
        "from detente.cli import main\nfrom detente.infer.label.labeler import Detente\n"
        "def read(self, sentences):\n    raise ValueError(sentences[0].document.text)\n"
        "Detente.read = read\nmain()\n"
    )
    with started(script, "serve", "--port", "0", "--model", tiny_model) as (process, address):
        answer = httpx.post(f"{address}/v1/label", json={"text": SECRET}, timeout=PATIENCE)
        assert answer.status_code == 500
        lines = logged(process)
    assert "Zanzibar" not in json.dumps(lines)
    (error,) = [line for line in lines if line["level"] == "error"]
    assert error["error"] == "ValueError"
    assert any("failing.py:4 read" in place for place in error["at"])


def test_sigterm_answers_what_is_in_hand(tiny_model: Path, tmp_path: Path) -> None:
    script, go = tmp_path / "waiting.py", tmp_path / "go"
    script.write_text(WAITING)
    answers: list[httpx.Response] = []

    def ask(address: str) -> None:
        body = {"text": "Japan met India.", "include_none": True}
        answers.append(httpx.post(f"{address}/v1/label", json=body, timeout=PATIENCE))

    with (
        started(script, go, "serve", "--port", "0", "--model", tiny_model) as (process, address),
        asking(address) as client,
    ):
        threads = [threading.Thread(target=ask, args=(address,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: "detente_in_flight 4.0" in client.get("/metrics").text)
        process.send_signal(signal.SIGTERM)

        def turned_away() -> bool:
            try:
                connect(address).close()
            except ConnectionError:
                return True
            return False

        until(turned_away)
        assert not answers
        go.touch()
        for thread in threads:
            thread.join(PATIENCE)
        logged(process, stopped=True)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(len(answer.json()["readings"]) == 1 for answer in answers)


def test_sigterm_waits_for_no_body_that_does_not_come(tiny_model: Path) -> None:
    with command("--model", tiny_model) as (process, address):
        endless = connect(address)
        endless.sendall(
            b"POST /v1/label HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        assert httpx.get(f"{address}/healthz", timeout=PATIENCE).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert endless.recv(4096).startswith(b"HTTP/1.1 503")
        assert process.wait(20) == 0  # --timeout is 60
        endless.close()


def test_the_containers_command_starts(tiny_model: Path, tmp_path: Path) -> None:
    recipe = (ROOT / "Dockerfile").read_text("utf-8")
    (written,) = re.findall(r"^CMD (\[.*\])$", recipe, re.MULTILINE)
    program, *arguments = json.loads(written)
    assert program == "detente"
    (user,) = re.findall(r"^USER (\S+)$", recipe, re.MULTILINE)
    assert user not in {"root", "0"}
    key = arguments[arguments.index("--api-key-file") + 1]
    (tmp_path / "key").write_text("one-key-of-sixteen\n")
    assert "8000" in re.findall(r"^EXPOSE (\d+)$", recipe, re.MULTILINE)
    assert "--port" not in arguments  # what is exposed is what it listens on unasked
    assert arguments[0] == "serve"
    options = [str(tmp_path / "key") if argument == key else argument for argument in arguments[1:]]
    with command(*options, "--model", tiny_model) as (process, address):
        local = address.replace("0.0.0.0", "127.0.0.1")
        (health,) = re.findall(r'^HEALTHCHECK .*CMD \["python", "-c", "(.*)"\]$', recipe, re.MULTILINE)
        check = health.replace("http://127.0.0.1:8000", local)
        assert check != health
        subprocess.run([sys.executable, "-c", check], check=True, timeout=PATIENCE)
        assert httpx.get(f"{local}/v1/model", timeout=PATIENCE).status_code == 401
        logged(process)
        done = subprocess.run([sys.executable, "-c", check], capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode != 0


def test_container_copies_what_there_is() -> None:
    recipe = (ROOT / "Dockerfile").read_text("utf-8")
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    for line in re.findall(r"^COPY (?!--from)(.*)$", recipe, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists(), source
            assert f"!{source.rstrip('/')}" in ignored, f"{source} isn't sent to the builder"


def test_it_writes_nothing(tiny_model: Path, tmp_path: Path) -> None:
    """A read-only file system will do, as the container has it."""
    home = tmp_path / "home"
    home.mkdir()
    with command("--model", tiny_model, HOME=str(home), TMPDIR=str(home)) as (process, address):
        assert httpx.post(f"{address}/v1/label", json={"text": "Japan met India."}, timeout=PATIENCE).status_code == 200
        articles = [{"date": "2021-03-10", "text": "Japan met India. China warned Japan."}]
        httpx.post(f"{address}/v1/series", json={"articles": articles}, timeout=PATIENCE)
        opened = []
        for file in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed since it was listed
                opened.append(str(file.readlink()))
        logged(process)
    assert not [*home.rglob("*")]
    assert not [name for name in opened if name.startswith(str(home))]
