"""The corpora: where they are found, how they are fetched, split and counted."""

import gzip
import hashlib
import http.server
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detente.data.codebook.labels import TONES
from detente.data.corpora import load as corpora
from detente.data.corpora import standoff, unlabeled
from detente.data.corpora.examples import CorpusError, Example
from detente.data.corpora.registry import Entry, File
from detente.train.held_out import held_out, key, reserved
from detente.train.run import training_rows
from detente.train.settings import Corpus, TrainArgs

FILES = Path(__file__).resolve().parents[2] / "corpora"
SHARED = Path(__file__).resolve().parents[4] / "shared"
ROWS = {
    "plv": {"train+dev": 1050, "test": 1033},
    "dse": {"train": 13144, "dev": 1461, "test": 1623},
    "newsmtsc": {"train+dev": 8739, "test_mt": 1476, "test_rw": 1146},
    "annotations": {"train": 10435, "dev": 369, "test": 365},
}

needs_shared = pytest.mark.skipif(not (SHARED / "corpora").is_dir(), reason="no ../shared with the corpora")


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(corpora.VARIABLE, str(FILES))


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(corpora.VARIABLE, str(SHARED))


# Where they are


def test_the_variable_alone_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(corpora.VARIABLE, "~/texts")
    assert corpora.folders() == (Path.home() / "texts",)


def test_a_shared_folder_beside_the_working_directory_comes_before_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(corpora.VARIABLE, raising=False)
    (tmp_path / "shared" / "annotations").mkdir(parents=True)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    assert tmp_path / "shared" in corpora.folders()
    assert corpora.folders()[-1].name == "detente"
    assert corpora.folder() == corpora.folders()[0]


def test_what_is_not_there_is_said_with_where_and_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(corpora.VARIABLE, str(tmp_path))
    with pytest.raises(CorpusError) as error:
        corpora.locate("dse", "dev")
    assert str(error.value) == (
        f"dse: no corpora/dse/valid.txt in {tmp_path}; fetch it with `detente corpora --fetch dse`, "
        "or set DETENTE_CORPORA to the folder that holds it"
    )
    with pytest.raises(CorpusError, match="not public; set DETENTE_CORPORA"):
        corpora.locate("annotations", "dev")


@pytest.mark.parametrize(
    ("name", "split", "reason"),
    [
        (
            "pvl",
            "train",
            "no corpus 'pvl'; known are detente, plv, dse, newsmtsc, annotations, codings, newsroom, events, transfer, "
            "articles",
        ),
        ("newsmtsc", "test", "newsmtsc has no split 'test'; it has train, dev, test_mt, test_rw"),
        ("plv", "train+", "plv has no split ''; it has train, dev, test"),
        ("transfer", "all", r"transfer has no labels: its texts come from detente.data.corpora.load.transfer\(\)"),
    ],
)
def test_a_name_that_is_not_known_is_refused(made_up: None, name: str, split: str, reason: str) -> None:
    with pytest.raises(CorpusError, match=reason):
        corpora.read(name, split)


# Splits


@pytest.mark.parametrize("name", ["plv", "newsmtsc"])
def test_dev_is_carved_out_of_train_by_sentence(made_up: None, name: str) -> None:
    train, dev = (corpora.read(name, split).examples for split in ("train", "dev"))
    assert train
    assert dev
    assert {e.split for e in dev} == {"dev"}
    assert not {e.sentence_id for e in train} & {e.sentence_id for e in dev}
    assert not any(e.seen for e in train + dev)
    assert corpora.read(name, "train+dev").examples == train + dev


def test_seen_rows_are_those_of_the_training_file(made_up: None) -> None:
    assert [e.seen for e in corpora.read("dse", "dev").examples] == [True, False]  # the same text, other entities
    assert not any(e.seen for e in corpora.read("dse", "train+test").examples)
    assert [e.seen for e in corpora.read("newsmtsc", "test_rw").examples] == [True, False]


def test_splits_that_share_a_file_report_a_problem_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(corpora.VARIABLE, str(tmp_path))
    path = tmp_path / "corpora/newsmtsc/train.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("{\n", encoding="utf-8")
    assert [p.line for p in corpora.read("newsmtsc", "train+dev").problems] == [1]


@needs_shared
@pytest.mark.parametrize(("name", "split"), [(name, split) for name, splits in ROWS.items() for split in splits])
def test_every_published_row_is_read(shared: None, name: str, split: str) -> None:
    corpus = corpora.read(name, split)
    assert corpus.problems == []
    assert len(corpus.examples) == ROWS[name][split]
    for example in corpus.examples:
        assert all(0 <= a < b <= len(example.text) for a, b in (*example.a, *example.b, example.cue or (0, 1)))
        assert example.a or example.b
    assert len({e.id for e in corpus.examples}) == len(corpus.examples)


@needs_shared
@pytest.mark.parametrize(("name", "split", "seen"), [("dse", "test", 400), ("dse", "dev", 392), ("plv", "test", 0)])
def test_seen_rows_are_as_counted(shared: None, name: str, split: str, seen: int) -> None:
    assert sum(e.seen for e in corpora.read(name, split).examples) == seen


@needs_shared
def test_what_is_reserved_is_nowhere_in_training(shared: None) -> None:
    reserved = {e.sentence_id for e in corpora.read("annotations", "dev+test").examples}
    assert not reserved & {e.sentence_id for e in corpora.read("annotations", "train").examples}
    assert not reserved & {s.id for s in corpora.transfer()}


@needs_shared
def test_one_sentence_has_one_name_everywhere(shared: None) -> None:
    for example in corpora.read("annotations", "train+dev+test").examples:
        assert example.id == f"{example.sentence_id}:{example.dyad}"


@needs_shared
def test_the_files_at_hand_are_those_of_the_catalogue(shared: None) -> None:
    for entry in corpora.catalogue():
        for file in entry.files:
            if file.url:
                assert hashlib.sha256((SHARED / file.path).read_bytes()).hexdigest() in file.sha256


def test_the_labels_that_the_package_carries_come_without_text() -> None:
    codings, events = (
        [orjson.loads(line) for line in f.read_bytes().splitlines()] for f in (standoff.CODINGS, standoff.EVENTS)
    )
    for records in (codings, events):
        assert len({record["id"] for record in records}) == len(records) > 0
        for record in records:
            assert all(0 <= start < end for start, end in (*record["a"], *record["b"]))
    for record in codings:
        assert set(record) == {"id", "a", "b", "tone", "direction", "cue", "confidence"}
        assert re.fullmatch("[0-9a-f]{12}:[A-Z]{3}-[A-Z]{3}", record["id"])
        assert record["tone"] in TONES
        assert (record["tone"] == "none") == (record["direction"] == "n/a") == (record["cue"] is None)
    for record in events:
        assert set(record) == {"id", "a", "b", "root"}
        assert re.fullmatch("[0-9a-f]{12}:[A-Z]{3}>[A-Z]{3}", record["id"])


@needs_shared
@pytest.mark.parametrize("name", ["codings", "events"])
def test_every_label_has_its_sentence_which_is_in_no_test(shared: None, name: str) -> None:
    corpus = corpora.read(name, "train")
    assert corpus.problems == []
    assert not {key(e.text) for e in corpus.examples} & (held_out() - reserved())
    assert all(e.id.startswith(f"{e.sentence_id}:") for e in corpus.examples)


def test_newsroom_gives_every_pair_of_a_sentence_with_its_second_best_tone(made_up: None) -> None:
    corpus = corpora.read("newsroom", "train")
    assert corpus.problems == []
    found = {e.id: e for e in corpus.examples}
    assert len(found) == 11
    rejected = found["n1:45:CHN-JPN"]
    assert (rejected.tone, rejected.second, rejected.direction, rejected.confidence) == ("frosty", "neutral", "b>a", 2)
    assert rejected.cue is not None
    assert rejected.text[slice(*rejected.cue)] == "rejected China's claim"
    assert [rejected.text[slice(*span)] for span in rejected.b] == ["Japan"]
    assert found["n1:45:CHN-IND"].direction == "n/a"
    assert {e.date for e in corpora.read("newsroom", "dev").examples} == {"2023-01-05"}
    assert not {e.text for e in corpora.read("newsroom", "dev").examples} & {e.text for e in corpus.examples}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"article": "n9"}, "has no article n9"),
        ({"span": [0, 4000]}, "not inside"),
        ({"pairs": [{"dyad": "CHN-JPN", "tone": "cold", "confidence": 3}]}, "tone is 'cold'"),
        ({"pairs": [{"dyad": "CHN-KOR", "tone": "none", "confidence": 3}]}, "no 'KOR'"),
    ],
)
def test_a_label_of_newsroom_that_cannot_be_read_is_a_problem(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    source = FILES / "corpora" / "newsroom"
    shutil.copyfile(source / "articles.parquet", tmp_path / "articles.parquet")
    lines = gzip.decompress((source / "newsroom.jsonl.gz").read_bytes()).splitlines()
    lines[0] = orjson.dumps({**orjson.loads(lines[0]), **change})
    (tmp_path / "newsroom.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines)))
    corpus = standoff.newsroom(tmp_path / "articles.parquet", "train")
    (problem,) = corpus.problems
    assert problem.line == 1
    assert reason in problem.reason


@needs_shared
def test_newsroom_is_whole(shared: None) -> None:
    train, dev = corpora.read("newsroom", "train"), corpora.read("newsroom", "dev")
    assert train.problems == dev.problems == []
    assert len(dev.examples) == 12_076
    assert len(train.examples) + len(dev.examples) == 126_740
    assert not {key(e.text) for e in dev.examples} & {key(e.text) for e in train.examples} - reserved()


@needs_shared
@pytest.mark.slow
def test_no_run_learns_from_a_sentence_that_articles_are_measured_on(shared: None, tmp_path: Path) -> None:
    labelled = [entry.name for entry in corpora.catalogue() if entry.labelled and "train" in entry.splits]
    settings = TrainArgs(output=tmp_path, corpora={name: Corpus() for name in labelled})
    known = reserved()
    assert len(known) > 5_000
    assert sum(key(row.text) in known for row in training_rows(settings)) == 0


# Datasets


def test_all_corpora_have_one_schema(made_up: None) -> None:
    datasets = pytest.importorskip("datasets")
    every = [corpora.dataset(name, "train") for name in ROWS]
    joined = datasets.concatenate_datasets(every)
    assert joined.num_rows == sum(len(corpora.read(name, "train").examples) for name in ROWS)
    row = next(row for row in joined if row["cue"] is not None)
    example = next(e for e in corpora.read("annotations", "train").examples if e.id == row["id"])
    assert [tuple(span) for span in row["a"]] == list(example.a)
    assert tuple(row["cue"]) == example.cue
    assert row["sentence_id"] == example.sentence_id
    assert (row["binary"], row["polarity"]) == (None, None)
    assert set(row) == {*Example.__slots__, "sentence_id", "binary"}


def test_without_datasets_the_error_names_the_extra(made_up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(CorpusError, match=r"pip install 'detente\[train\]'"):
        corpora.dataset("plv", "train")


# Texts


def test_unlabelled_texts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(corpora.VARIABLE, str(tmp_path))
    for file in ("transfer/sentences", "articles/articles"):
        (tmp_path / "corpora" / file).parent.mkdir(parents=True)
    row = {"id": "1", "corpus": "made_up", "date": None, "title": "Talks", "states": "CHE FRA", "sentence": "Bern…"}
    pq.write_table(pa.Table.from_pylist([row] * 5000), tmp_path / "corpora/transfer/sentences.parquet")
    pq.write_table(pa.Table.from_pylist([{"id": "2"}]), tmp_path / "corpora/articles/articles.parquet")
    sentences = list(corpora.transfer())
    assert len(sentences) == unlabeled.count(corpora.locate("transfer", "all")) == 5000
    assert sentences[0] == unlabeled.Sentence("1", "Bern…", "", "Talks", ("CHE", "FRA"), "transfer/made_up")
    with pytest.raises(CorpusError, match=r"articles\.parquet: no column date; expected id, date"):
        next(corpora.articles())


@needs_shared
def test_articles_have_all_they_need(shared: None) -> None:
    article = next(corpora.articles())
    assert (article.id, article.date, article.origin) == ("reuters21578/1", "1987-02-26", "articles/reuters21578")
    assert article.text
    assert article.title


# The summary


def test_labels_beside_other_sentences_take_the_place_of_those_carried(made_up: None) -> None:
    train, dev = (corpora.read("codings", split) for split in ("train", "dev"))
    assert (len(train.examples), len(dev.examples)) == (6, 2)
    assert train.problems == []
    assert {e.origin for e in corpora.read("events", "train").examples} == {"events/made_up"}


def test_the_summary_counts_what_is_on_disk(made_up: None) -> None:
    found = {s.entry.name: s for s in corpora.summary()}
    assert found["plv"].rows == {"train": 7, "dev": 1, "test": 2}
    assert found["plv"].labels["test"] == {
        "root": {"SUPPORT": 1, "COERCE": 1},
        "quad": {"verbal cooperation": 1, "material conflict": 1},
        "binary": {"cooperation": 1, "conflict": 1},
    }
    assert found["annotations"].labels["train"]["tone"] == {"alliance-building": 1, "frosty": 1, "none": 1}
    assert found["annotations"].labels["test"] == {}
    assert found["dse"].size == sum(f.stat().st_size for f in (FILES / "corpora/dse").iterdir())
    assert found["dse"].missing == ()
    assert found["articles"].missing == ("corpora/articles/articles.parquet",)
    assert found["articles"].rows == {}


@needs_shared
def test_the_summary_of_the_real_files(shared: None) -> None:
    found = {s.entry.name: s for s in corpora.summary()}
    assert not any(s.missing or s.problems for s in found.values())
    assert found["annotations"].labels["train"]["tone"] == {
        "none": 4097, "frosty": 2450, "engaging": 1757, "neutral": 1101, "alliance-building": 1030,
    }  # fmt: skip
    assert (found["transfer"].rows, found["articles"].rows) == ({"all": 147534}, {"all": 29978})


# Fetching


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; of a file named `half` it promises more than it sends."""

    def do_GET(self) -> None:
        if self.path != "/half":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half of it")

    def log_message(self, *args: object) -> None:
        pass


CONTENT = b"[Ann] met [Bob].\tAnn\tBob\t0\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
Publish = Callable[[str, str], Path]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """Publish a one-file corpus `tiny` at a path of a local server; give where it should come to lie."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "good").write_bytes(CONTENT)
    monkeypatch.setenv(corpora.VARIABLE, str(tmp_path / "home"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path / "site")))
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()

    def entry(page: str, digest: str) -> Path:
        file = File("corpora/tiny/all.txt", f"http://127.0.0.1:{server.server_port}/{page}", (digest,))
        tiny = Entry("tiny", "made up", "none", "https://example.org", "", {"train": file})
        monkeypatch.setattr(corpora, "ENTRIES", (tiny,))
        return tmp_path / "home" / file.path

    yield entry
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_good_file_is_fetched_once(publish: Publish) -> None:
    path = publish("good", DIGEST)
    assert corpora.fetch("tiny") == (path,)
    assert path.read_bytes() == CONTENT
    publish("gone", DIGEST)
    assert corpora.fetch("tiny") == (path,)  # there already: the server isn't asked
    assert corpora.locate("tiny", "train") == path


@pytest.mark.parametrize(
    ("page", "digest", "reason"),
    [
        ("good", "0" * 64, "is not the file it was"),
        ("half", DIGEST, "can't be fetched"),
        ("gone", DIGEST, "can't be fetched.*404"),
    ],
)
def test_a_file_that_is_not_the_right_one_is_not_kept(publish: Publish, page: str, digest: str, reason: str) -> None:
    path = publish(page, digest)
    with pytest.raises(CorpusError, match=reason) as error:
        corpora.fetch("tiny")
    assert "\n" not in str(error.value)
    assert list(path.parent.iterdir()) == []


def test_a_wrong_file_on_disk_is_replaced_by_the_right_one_only(publish: Publish) -> None:
    path = publish("half", DIGEST)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"old")
    with pytest.raises(CorpusError):
        corpora.fetch("tiny")
    assert path.read_bytes() == b"old"
    publish("good", DIGEST)
    corpora.fetch("tiny")
    assert path.read_bytes() == CONTENT


def test_a_copy_with_another_known_digest_is_kept(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    path = publish("gone", "0" * 64)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    (entry,) = corpora.catalogue()
    (file,) = entry.files
    known = replace(file, sha256=(*file.sha256, DIGEST))
    monkeypatch.setattr(corpora, "ENTRIES", (replace(entry, splits={"train": known}),))
    assert corpora.fetch("tiny") == (path,)


def test_what_is_not_public_is_not_fetched(made_up: None) -> None:
    with pytest.raises(CorpusError, match="annotations is not public; set DETENTE_CORPORA"):
        corpora.fetch("annotations")


def test_public_files_are_pinned() -> None:
    public = [entry for entry in corpora.catalogue() if entry.public]
    assert [entry.name for entry in public] == ["plv", "dse", "newsmtsc"]
    for file in (file for entry in public for file in entry.files):
        _, _, host, _, _, commit, *_ = file.url.split("/")
        assert host == "raw.githubusercontent.com"
        assert len(bytes.fromhex(commit)) == 20
        assert all(len(bytes.fromhex(digest)) == 32 for digest in file.sha256)
