"""Servers for the tests: a real one on a real port, in a thread or as the command that users start."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from detente.data.codebook.labels import TONES
from detente.infer.label.labeler import Detente, Sentence
from detente.infer.readings.reading import Reading
from detente.infer.serve.app import Server
from detente.infer.serve.run import Process, listen, url

#: Longer than anything here takes; no test waits for it.
PATIENCE = 60.0


class Gated(Detente):
    """A model that reads nothing until it is let."""

    def __init__(self, model: Detente) -> None:
        super().__init__(model.engine, model.linker)
        self.gate = threading.Event()
        self.reading = threading.Event()

    def read(self, sentences: Sequence[Sentence]) -> Iterator[Reading]:
        self.reading.set()
        assert self.gate.wait(PATIENCE)
        return super().read(sentences)


@contextmanager
def served(model: Detente, folder: Path, **options: Any) -> Iterator[str]:
    """Run a server in a thread and give its address; its gate, if it has one, is opened in the end."""
    server = Server(model, folder, **options)
    process, taken = Process(server), listen("127.0.0.1", 0)
    thread = threading.Thread(target=process.run, kwargs={"sockets": [taken]})
    thread.start()
    try:
        until(lambda: process.started)
        yield url(taken)
    finally:
        if isinstance(model, Gated):
            model.gate.set()
        process.should_exit = True
        thread.join(PATIENCE)
    assert not thread.is_alive()


@contextmanager
def command(*arguments: str | Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `detente serve` on a free port; give the process and its address. It is killed in the end."""
    with started("-m", "detente", "serve", "--port", "0", *arguments, **environment) as running:
        yield running


@contextmanager
def started(*arguments: str | Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a Python program that is `detente serve` in the end."""
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)], stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        found = re.search(r"http://\S+", first)
        assert found, first + process.stderr.read()
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


def asking(address: str) -> httpx.Client:
    """Open a client that waits for its answers as long as a test may take."""
    return httpx.Client(base_url=address, timeout=PATIENCE)


def until(true: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until something holds."""
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def near(got: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Say whether two readings are the same: what is read together may differ in a probability's last digit."""
    numbers = {"warmth", "probabilities"}
    if {k: v for k, v in got.items() if k not in numbers} != {k: v for k, v in expected.items() if k not in numbers}:
        return False
    pairs = [(got["probabilities"][tone], expected["probabilities"][tone]) for tone in TONES]
    pairs += [(got["warmth"] or 0.0, expected["warmth"] or 0.0)]
    return all(abs(a - b) <= 0.002 for a, b in pairs)


def connect(address: str) -> socket.socket:
    """Open a connection of one's own."""
    host, port = address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)
