"""MLflow's own server answers what `label` says."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from detente.infer.label.labeler import load
from tests.helpers.serving import PATIENCE, until

ROWS: list[dict[str, Any]] = [
    {"id": "a", "text": "China warned Japan over the islands. Japan met China for talks.", "date": "2021-03-10"},
    {"id": "b", "text": "No state here.", "date": ""},
    {"id": "c", "text": "The two countries met. Nothing else.", "title": "India and Japan", "date": "2021"},
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of MLflow, as it logs
def test_the_logged_model_is_served(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    from detente.train.tracking.runs import log_result

    monkeypatch.chdir(tmp_path)
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    mlflow.set_tracking_uri(store)
    mlflow.set_experiment("serving")
    with mlflow.start_run() as run:
        log_result(tiny_model, [])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # As docs/serving.md has it.
    command = ["-m", "mlflow", "models", "serve", "-m", f"runs:/{run.info.run_id}/model", "--env-manager", "local"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    server = subprocess.Popen(
        [sys.executable, *command, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"

    def up() -> bool:
        assert server.poll() is None
        try:
            return httpx.get(f"{address}/ping", timeout=PATIENCE).status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(up, patience=3 * PATIENCE)
        answer = httpx.post(f"{address}/invocations", json={"dataframe_records": ROWS}, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        said = answer.json()["predictions"]
    finally:
        stop(server)
    model = load(tiny_model)
    ours = [
        r for row in ROWS for r in model.label(row["text"], date=row["date"], title=row.get("title", ""), id=row["id"])
    ]
    assert ours
    expected = [{**r.to_dict(), "probability": r.probability} for r in ours]
    assert len(said) == len(expected)
    for got, wanted in zip(said, expected, strict=True):
        assert {"id", "sentence", "start", "end", "dyad", "tone", "warmth", "direction", "cue"} < set(got)
        for name, value in got.items():
            assert value == (
                pytest.approx(wanted[name], abs=0.002) if name in {"warmth", "probability"} else wanted[name]
            )


def stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server and the process that it started, its group."""
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
