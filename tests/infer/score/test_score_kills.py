"""A run killed at any moment goes on when it is started again, and gives what an undisturbed run gives."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILLS = 20

#: A process that is killed from within, at the n-th call of something that a run does all the time.
KILLED = """
import os, signal, sys
from pathlib import Path
from detente.infer.corpus import reader
from detente.infer.score import output as parts, score

left = int(sys.argv[4])

def counted(real):
    def call(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)
    return call

for owner, name in [(os, "fsync"), (os, "open"), (Path, "replace"), (parts.Output, "add"), (parts, "_line"),
                    (parts.Output, "_count"), (score, "label_pieces"), (reader, "_check"), (Path, "unlink")]:
    setattr(owner, name, counted(getattr(owner, name)))
score.score(sys.argv[1], sys.argv[2], model=sys.argv[3], include_none=True, batch_size=2)
print(left)
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of several kinds with 200 records, every ninth of the lines a reject."""
    folder = tmp_path_factory.mktemp("corpus")
    for name in ("a", "b"):
        lines = [json.dumps({"id": n, "text": f"China warned Japan in {name}{n}. Nothing of note."}) for n in range(90)]
        lines[4::9] = ["{broken"] * len(lines[4::9])
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    for n in range(20):
        (folder / f"c{n}.txt").write_text(f"Japan thanked India in {n}.")
    return folder


def listing(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def start(*arguments: str | Path | int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.slow
def test_killed_between_any_two_steps(corpus: Path, tiny_model: Path, tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    whole = start(script, corpus, tmp_path / "whole", tiny_model, 10**9)
    steps = 10**9 - int(whole.communicate(timeout=300)[0])
    assert steps > 300
    dice = random.Random(20)
    kills = 0
    while kills < KILLS:
        out = tmp_path / f"out{kills}"
        # Killed, started again, killed again, and so on, until one start comes to the end.
        while True:
            process = start(script, corpus, out, tiny_model, dice.randint(1, steps))
            _, errors = process.communicate(timeout=300)
            if process.returncode == 0:
                break
            assert process.returncode == -signal.SIGKILL, errors.decode()
            kills += 1
        assert listing(out) == listing(tmp_path / "whole")


@pytest.mark.slow
def test_killed_by_the_clock(corpus: Path, tiny_model: Path, tmp_path: Path) -> None:
    command = ("-m", "detente", "score", corpus)
    options = ("--all", "--model", tiny_model, "--batch-size", "1", "--format", "csv")
    began = time.monotonic()
    start(*command, tmp_path / "whole", *options).communicate(timeout=300)
    seconds = time.monotonic() - began
    dice = random.Random(4)
    killed = 0
    while True:
        process = start(*command, tmp_path / "out", *options)
        try:
            process.communicate(timeout=seconds * (0.5 + 0.5 * dice.random()) if killed < 5 else 300)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
            continue
        assert process.returncode == 0
        break
    assert killed > 0
    assert listing(tmp_path / "out") == listing(tmp_path / "whole")
