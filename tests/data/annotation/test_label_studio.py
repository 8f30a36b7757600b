"""The loop through a real Label Studio: our page and tasks in, annotations by its API, its exports back.

Label Studio stands in `.cache/label-studio`, an environment of its own (a gigabyte): `make label-studio`.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detente.data.annotation.label_studio import Task, page
from detente.data.annotation.label_studio_import import read_exports
from detente.data.codebook.label_schema import Scheme, Variable

HOME = Path(__file__).resolve().parents[3] / ".cache" / "label-studio"
PROGRAM = HOME / "bin" / "label-studio"
TOKEN = "0123456789" * 4

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROGRAM.exists(), reason=f"no Label Studio in {HOME}; `make label-studio` installs it"),
]

SCHEME = Scheme(
    (
        Variable(name='a "b" & <c>', kind="nominal", labels=("yes & no", "<b>", "ä=1")),
        Variable(name="tone", kind="ordinal", labels=("frosty", "-1", "warm")),
    )
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("label-studio")
    made = HOME / "empty.sqlite3"  # making the tables takes longer than all else, so they are kept
    if made.exists():
        shutil.copy(made, folder / "label_studio.sqlite3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            PROGRAM, "start", "--no-browser", "--data-dir", folder, "--port", str(port), "--internal-host", "127.0.0.1",
            "--username", "a@example.org", "--password", "a-password-1", "--user-token", TOKEN,
            "--enable-legacy-api-token", "--log-level", "ERROR",
        ],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "COLLECT_ANALYTICS": "false", "SENTRY_DSN": "",
             "FRONTEND_SENTRY_DSN": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, server)
        if not made.exists():
            shutil.copy(folder / "label_studio.sqlite3", made)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _wait(address: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(500):
        if server.poll() is not None:
            pytest.skip("Label Studio doesn't start here")
        try:
            _ask(address, "GET", "/api/version")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(1)
        else:
            return
    pytest.skip("Label Studio doesn't answer")


def _ask(address: str, method: str, path: str, body: Any = None) -> bytes:
    request = urllib.request.Request(
        address + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        data: bytes = answer.read()
        return data


def test_there_and_back(address: str, tmp_path: Path) -> None:
    project = json.loads(_ask(address, "POST", "/api/projects", {"title": "detente", "label_config": page(SCHEME)}))
    tasks = [
        Task(
            unit=f"u{number}:CHN-USA",
            document="d",
            sentence='China <i>"warned"</i> U.S. & Japan,\n=1',
            dyad="CHN-USA",
            states=("China", "United States"),
            mentions=[(0, 5)],
            part="train" if number else "test",
            predictions={"tone": "frosty"} if number else {},
            score=0.5,
            model="tiny 1",
        )
        for number in range(3)
    ]
    path = f"/api/projects/{project['id']}"
    imported = json.loads(_ask(address, "POST", f"{path}/import", [task.to_dict() for task in tasks]))
    assert (imported["task_count"], imported["prediction_count"]) == (3, 2)
    there = json.loads(_ask(address, "GET", f"/api/tasks?project={project['id']}&fields=all"))["tasks"]
    assert there[1]["predictions"][0]["model_version"] == "tiny 1"
    for number, task in enumerate(there):
        result = [
            {"from_name": v.name, "to_name": "text", "type": "choices", "value": {"choices": [v.labels[number]]}}
            for v in SCHEME.variables
        ]
        said = {"result": [], "was_cancelled": True} if number == 2 else {"result": result}
        _ask(address, "POST", f"/api/tasks/{task['id']}/annotations", said)
    for form in ("JSON", "JSON_MIN", "CSV", "TSV"):
        file = tmp_path / f"export.{form}"
        file.write_bytes(_ask(address, "GET", f"{path}/export?exportType={form}&download_all_tasks=true"))
        found = read_exports([file], SCHEME)
        assert [(row.id, row.sentence, row.part, dict(row.labels)) for row in found.rows] == [
            (tasks[at].unit, tasks[at].sentence, tasks[at].part, {v.name: v.labels[at] for v in SCHEME.variables})
            for at in range(2)
        ]
        assert found.skipped == (form == "JSON")
