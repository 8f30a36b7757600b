"""How fast the server is, and whether it stays right under load: `make load`, or `python -m tests.helpers.load --help`.

Client and server share the machine. The client writes its requests to sockets itself: a client library would take more
of the two cores than the server's own HTTP.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import detente
from detente.infer.label.labeler import sentence_spans
from tests.helpers.serving import command, near

DISPATCHES = Path(__file__).resolve().parents[2] / "seeds" / "dispatches.jsonl"
CLIENTS = 32


class Client:
    """One connection, kept alive; opened again when it was closed."""

    def __init__(self, address: str) -> None:
        host, port = address.removeprefix("http://").split(":")
        self.host, self.port = host, int(port)
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
        kind = "Content-Type: application/json\r\n" if data else ""
        return f"{head}{kind}Content-Length: {len(data)}\r\n\r\n".encode() + data

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; return status and body of its answer. A connection that was idle may have been closed."""
        if self.streams is not None:
            try:
                return await self._ask(request)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
        return await self._ask(request)

    async def _ask(self, request: bytes) -> tuple[int, bytes]:
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if b"connection: close" in head:
            self.close()
        return int(head[9:12]), body

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


def sentences() -> list[dict[str, str]]:
    """Every sentence of the seed dispatches that gives a reading, with its date."""
    model = detente.load()
    found = []
    for record in map(json.loads, DISPATCHES.read_text("utf-8").splitlines()):
        for start, end in sentence_spans(record["text"]):
            text = record["text"][start:end]
            if model.label(text, date=record["date"]):
                found.append({"text": text, "date": record["date"]})
    return found


async def closed_loop(address: str, seconds: float, texts: list[dict[str, str]]) -> list[float]:
    """Let 32 clients ask one sentence after another; return how long each answer took."""
    times: list[float] = []
    end = time.monotonic() + seconds

    async def one(number: int) -> None:
        client, at = Client(address), number
        while (began := time.monotonic()) < end:
            status, _ = await client.ask(client.request("POST", "/v1/label", texts[at % len(texts)]))
            assert status == 200, status
            times.append(time.monotonic() - began)
            at += CLIENTS
        client.close()

    await asyncio.gather(*map(one, range(CLIENTS)))
    return times


async def open_loop(address: str, seconds: float, rate: float, texts: list[dict[str, str]]) -> list[float]:
    """Ask at random moments, so many a second, whether or not earlier ones were answered."""
    times: list[float] = []
    idle: list[Client] = []
    dice = random.Random(1)

    async def one(text: dict[str, str], due: float) -> None:
        client = idle.pop() if idle else Client(address)
        status, _ = await client.ask(client.request("POST", "/v1/label", text))
        assert status == 200, status
        times.append(time.monotonic() - due)
        idle.append(client)

    due = began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        while due < began + seconds:
            due += dice.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.create_task(one(dice.choice(texts), due))
    for client in idle:
        client.close()
    return times


def speed(seconds: float, rounds: int) -> None:
    """Compare the server with and without gathering, side by side, then measure how long answers take."""
    texts = sentences()
    print(f"{len(texts)} sentences with a reading, {CLIENTS} clients, {rounds} rounds of {seconds:g} s each")
    rates: dict[str, list[float]] = {"with gathering": [], "without": []}
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(command(*options, "--log-level", "warning"))
            for name, options in (("with gathering", ()), ("without", ("--no-gather",)))
        }
        for _, address in servers.values():
            asyncio.run(closed_loop(address, 2, texts))
        for _ in range(rounds):
            for name, (process, address) in servers.items():
                before = busy(process.pid)
                times = asyncio.run(closed_loop(address, seconds, texts))
                each = (busy(process.pid) - before) / len(times) * 1e3
                rates[name].append(len(times) / seconds)
                print(f"{name}: {rates[name][-1]:.0f} requests/s, {each:.1f} ms of processor each, {told(times)}")
        peak, alone = (statistics.median(rates[name]) for name in servers)
        print(f"medians: {peak:.0f} and {alone:.0f} requests/s, {peak / alone:.2f} times")
        times = asyncio.run(open_loop(servers["with gathering"][1], 3 * seconds, peak / 2, texts))
        ratio = percentile(times, 99) / percentile(times, 50)
        print(f"at {peak / 2:.0f} requests/s: {told(times)}, p99 {ratio:.1f} times the median")


def percentile(times: list[float], part: int) -> float:
    return statistics.quantiles(times, n=100)[part - 1]


def told(times: list[float]) -> str:
    return f"median {percentile(times, 50) * 1e3:.1f} ms, p99 {percentile(times, 99) * 1e3:.1f} ms"


class Mixed:
    """Clients that ask all there is and check the answers, among others that hang, leave and send garbage."""

    def __init__(self, address: str, seconds: float) -> None:
        self.address = address
        self.end = time.monotonic() + seconds
        self.counts: Counter[str] = Counter()
        model = detente.load()
        records = [json.loads(line) for line in DISPATCHES.read_text("utf-8").splitlines()]
        self.records = [{key: record[key] for key in ("id", "text", "date", "title")} for record in records]
        self.expected = [[r.to_dict() for r in model.label(**record)] for record in self.records]
        client = Client(address)
        self.series = client.request(
            "POST", "/v1/series", {"articles": [{"date": r["date"], "text": r["text"]} for r in self.records[:8]]}
        )

    def right(self, number: int, readings: list[dict[str, Any]]) -> bool:
        wanted = self.expected[number]
        return len(readings) == len(wanted) and all(map(near, readings, wanted))

    async def until_end(self, once: Callable[[random.Random], Awaitable[None]], seed: int) -> None:
        dice = random.Random(seed)
        while time.monotonic() < self.end:
            await once(dice)

    def honest(self) -> Callable[[random.Random], Awaitable[None]]:
        client = Client(self.address)

        async def once(dice: random.Random) -> None:
            number = dice.randrange(len(self.records))
            kind = dice.choices(["label", "batch", "series", "model"], [80, 12, 4, 4])[0]
            try:
                match kind:
                    case "label":
                        status, body = await client.ask(client.request("POST", "/v1/label", self.records[number]))
                        right = status == 200 and self.right(number, json.loads(body)["readings"])
                    case "batch":
                        numbers = [(number + n) % len(self.records) for n in range(5)]
                        items = {"items": [self.records[n] for n in numbers]}
                        status, body = await client.ask(client.request("POST", "/v1/batch", items))
                        results = json.loads(body)["results"] if status == 200 else []
                        right = len(results) == 5 and all(
                            self.right(n, result["readings"]) for n, result in zip(numbers, results, strict=True)
                        )
                    case "series":
                        status, body = await client.ask(self.series)
                        right = status == 200 and len(json.loads(body)["series"]) > 0
                    case _:
                        status, body = await client.ask(client.request("GET", "/v1/model"))
                        right = status == 200
                self.counts[kind] += 1
                self.counts["errors"] += status != 200
                self.counts["wrong"] += status == 200 and not right
            except (OSError, asyncio.IncompleteReadError):
                client.close()
                self.counts["errors"] += 1
            await asyncio.sleep(dice.expovariate(20))

        return once

    async def hangs(self, dice: random.Random) -> None:
        """Send a part of a request and wait until the server closes, or for a while."""
        client = Client(self.address)
        reader, writer = await asyncio.open_connection(client.host, client.port)
        request = client.request("POST", "/v1/label", dice.choice(self.records))
        writer.write(request[: dice.randrange(len(request))])
        with suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(reader.read(), dice.uniform(5, 20))
        writer.close()
        self.counts["hung"] += 1

    async def leaves(self, dice: random.Random) -> None:
        """Ask, and leave before the answer is there."""
        client = Client(self.address)
        _, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(client.request("POST", "/v1/batch", {"items": dice.sample(self.records, 10)}))
        await asyncio.sleep(dice.uniform(0, 0.05))
        writer.transport.abort()
        self.counts["left"] += 1
        await asyncio.sleep(dice.expovariate(4))

    async def garbage(self, dice: random.Random) -> None:
        """Send what is no request, or no JSON."""
        client = Client(self.address)
        reader, writer = await asyncio.open_connection(client.host, client.port)
        noise = dice.randbytes(dice.randrange(1, 400))
        head = b"POST /v1/label HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        writer.write(dice.choice([noise, head + b"Content-Length: %d\r\n\r\n%s" % (len(noise), noise)]))
        with suppress(OSError, TimeoutError):
            line = await asyncio.wait_for(reader.readline(), 20)
            self.counts["errors"] += b" 50" in line[:13]
        writer.close()
        self.counts["garbage"] += 1
        await asyncio.sleep(dice.expovariate(4))

    async def run(self) -> None:
        kinds: list[Callable[[random.Random], Awaitable[None]]] = [self.honest() for _ in range(8)]
        kinds += [self.hangs] * 16 + [self.leaves] * 2 + [self.garbage] * 2
        tasks: list[Coroutine[Any, Any, None]] = [self.until_end(kind, n) for n, kind in enumerate(kinds)]
        await asyncio.gather(*tasks)


def busy(pid: int) -> float:
    """Return the seconds of processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Return the memory that a process has, in MB."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def mixed(minutes: float) -> None:
    """Check every answer under load, and memory after against before."""
    with command("--log-level", "error") as (process, address):
        asyncio.run(Mixed(address, 20).run())  # every part of the server was in use once
        before = resident(process.pid)
        load = Mixed(address, minutes * 60)
        asyncio.run(load.run())
        after = resident(process.pid)
        print(f"{minutes:g} minutes: {dict(load.counts)}")
        print(f"errors {load.counts['errors']}, wrong answers {load.counts['wrong']}")
        print(f"memory {before:.0f} MB before, {after:.0f} MB after, {after / before:.2f} times")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Load test of `detente serve` with the shipped model.")
    parser.add_argument("--seconds", type=float, default=10, help="of one round of the comparison")
    parser.add_argument("--rounds", type=int, default=3, help="of the comparison; 0 to leave it out")
    parser.add_argument("--minutes", type=float, default=1, help="of mixed load; 0 to leave it out")
    given = parser.parse_args()
    if given.rounds:
        speed(given.seconds, given.rounds)
    if given.minutes:
        mixed(given.minutes)
