"""Find, read, fetch and list the corpora."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pooch

from detente.data.corpora import readers, standoff, unlabeled
from detente.data.corpora.examples import LABELS, Corpus, CorpusError, Example, Problem, sentence_id
from detente.data.corpora.registry import ENTRIES, Entry, File

if TYPE_CHECKING:
    import datasets

#: Environment variable for the folder of corpora.
VARIABLE: Final = "DETENTE_CORPORA"

#: Share of the training sentences held out as dev split, for a corpus without one.
DEV_SHARE: Final = 0.15

_READERS: Final[dict[str, readers.Reader]] = {
    "plv": readers.plv,
    "dse": readers.dse,
    "newsmtsc": readers.newsmtsc,
    "annotations": readers.annotations,
    "detente": readers.detente,
    "codings": standoff.codings,
    "newsroom": standoff.newsroom,
    "events": standoff.events,
}


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of a corpus on disk.

    Attributes:
        entry: the corpus.
        missing: paths of files that aren't on disk.
        size: size of the files on disk, in bytes.
        rows: number of rows by split, for unlabelled corpora too.
        labels: count of each label value, by split, label and value.
        problems: malformed records.
    """

    entry: Entry
    missing: tuple[str, ...]
    size: int
    rows: dict[str, int]
    labels: dict[str, dict[str, dict[str, int]]]
    problems: tuple[Problem, ...]


def catalogue() -> tuple[Entry, ...]:
    """Return all corpora in the registry."""
    return ENTRIES


def find(name: str) -> Entry:
    """Return the corpus of a name, or raise a `CorpusError` that lists the names."""
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    raise CorpusError(f"no corpus {name!r}; known are {', '.join(e.name for e in ENTRIES)}")


def folders() -> tuple[Path, ...]:
    """Return the folders that are searched for corpora, in order.

    This is `$DETENTE_CORPORA` if it is set; else `shared/` beside the repository or the working directory, if it
    exists, and the user's cache, where `fetch` stores its files.
    """
    if configured := os.environ.get(VARIABLE):
        return (Path(configured).expanduser(),)
    candidates = dict.fromkeys(root.parent / "shared" for root in (Path(__file__).resolve().parents[2], Path.cwd()))
    existing = (f for f in candidates if (f / "annotations").is_dir() or (f / "corpora").is_dir())
    return (*existing, Path(pooch.os_cache("detente")))


def folder() -> Path:
    """Return the first folder that is searched for corpora; it need not exist."""
    return folders()[0]


def on_disk(path: str) -> Path | None:
    """Return the file at a relative path in the first of the corpus folders that has it, or None."""
    return next((file for place in folders() if (file := place / path).is_file()), None)


def locate(name: str, split: str) -> Path:
    """Return the file of a split.

    Raises:
        CorpusError: there is no such corpus or split, or its file isn't on disk.
    """
    entry = find(name)
    if split not in entry.splits:
        raise CorpusError(f"{name} has no split {split!r}; it has {', '.join(entry.splits)}")
    file = entry.splits[split]
    if path := _on_disk(file):
        return path
    places = " or ".join(map(str, folders()))
    remedy = f"fetch it with `detente corpora --fetch {name}`, or " if entry.public else "it is not public; "
    raise CorpusError(f"{name}: no {file.path} in {places}; {remedy}set {VARIABLE} to the folder that holds it")


def read(name: str, split: str) -> Corpus:
    """Read a split of a labelled corpus.

    PLV, NewsMTSC and the codings have no dev split. A hash assigns each sentence of their training file to `dev` or
    `train`, so that no sentence is in both and the split is reproducible. For `newsroom`, the file of labels assigns
    the articles.

    Args:
        name: name of a labelled corpus: `plv`, `dse`, `newsmtsc`, `annotations`, `codings` …
        split: one of the corpus's splits, or several joined by a plus (`train+dev`).

    Raises:
        CorpusError: there is no such corpus or split, or a file is missing or malformed.
    """
    entry = find(name)
    if not entry.labelled:
        raise CorpusError(f"{name} has no labels: its texts come from detente.data.corpora.load.{name}()")
    parts = [_read(entry, part) for part in split.split("+")]
    # Splits that share a file share its problems.
    problems = dict.fromkeys(chain.from_iterable(part.problems for part in parts))
    return Corpus(list(chain.from_iterable(part.examples for part in parts)), list(problems))


def in_dev(text: str) -> bool:
    """Return whether a training sentence belongs to the dev split: a fixed `DEV_SHARE` of all sentences, by hash."""
    return int(sentence_id(text), 16) < DEV_SHARE * 16**12


def dataset(name: str, split: str) -> "datasets.Dataset":
    """Return a split as a `datasets.Dataset`, with the same schema for all corpora.

    The columns are the fields of `Example`, `sentence_id` and `binary`. Malformed records are dropped.

    Raises:
        CorpusError: the same errors as `read`, or `datasets` isn't installed.
    """
    try:
        from datasets import Dataset, Features, Sequence, Value  # noqa: PLC0415 (not in the core install)
    except ModuleNotFoundError as error:
        raise CorpusError("datasets isn't installed; pip install 'detente[train]'") from error
    string, span = Value("string"), Sequence(Value("int32"), length=2)
    types = {"a": Sequence(span), "b": Sequence(span), "cue": span, "confidence": Value("int8"), "seen": Value("bool")}
    columns = (*Example.__slots__, "sentence_id", "binary")
    return Dataset.from_list(
        [{column: getattr(example, column) for column in columns} for example in read(name, split).examples],
        features=Features({column: types.get(column, string) for column in columns}),
    )


def transfer() -> Iterator[unlabeled.Sentence]:
    """Yield the unlabelled sentences; 5,455 of them are also in the annotations' train split, none in dev and test."""
    return unlabeled.sentences(locate("transfer", "all"))


def articles() -> Iterator[unlabeled.Article]:
    """Yield the unlabelled articles."""
    return unlabeled.articles(locate("articles", "all"))


def fetch(name: str) -> tuple[Path, ...]:
    """Download a public corpus to `$DETENTE_CORPORA` or the user's cache, and return its files.

    Files with the right checksum are kept; a download with a wrong checksum is discarded.

    Raises:
        CorpusError: the corpus isn't public, the download fails, or its checksum is wrong.
    """
    entry = find(name)
    if not entry.public:
        raise CorpusError(f"{name} is not public; set {VARIABLE} to the folder that holds {entry.files[0].path}")
    return tuple(_fetch(entry, file) for file in entry.files)


def summary() -> Iterator[Summary]:
    """Yield the statistics of each corpus, computed lazily."""
    for entry in ENTRIES:
        paths = {file.path: _on_disk(file) for file in entry.files}
        splits = [split for split, file in entry.splits.items() if paths[file.path]]
        rows: dict[str, int] = {}
        labels: dict[str, dict[str, dict[str, int]]] = {}
        problems: dict[Problem, None] = {}
        for split in splits:
            if not entry.labelled:
                rows[split] = unlabeled.count(locate(entry.name, split))
                continue
            corpus = _parse(entry, split)
            rows[split] = len(corpus.examples)
            labels[split] = _count(corpus.examples)
            problems |= dict.fromkeys(corpus.problems)
        yield Summary(
            entry=entry,
            missing=tuple(file for file, path in paths.items() if path is None),
            size=sum(path.stat().st_size for path in paths.values() if path),
            rows=rows,
            labels=labels,
            problems=tuple(problems),
        )


def _on_disk(file: File) -> Path | None:
    if file.packaged:
        path = Path(__file__).parent / file.path
        return path if path.is_file() else None
    return on_disk(file.path)


def _parse(entry: Entry, split: str) -> Corpus:
    """Read the file of a split; if `train` and `dev` share a file, only the examples of that split."""
    corpus = _READERS[entry.name](locate(entry.name, split), split)
    if not entry.has_splits and split in ("train", "dev") and entry.splits["train"] == entry.splits.get("dev"):
        held_out = split == "dev"
        return Corpus([e for e in corpus.examples if in_dev(e.text) == held_out], corpus.problems)
    return corpus


def _read(entry: Entry, split: str) -> Corpus:
    """Read a split, and mark the examples that are also in the training file."""
    corpus = _parse(entry, split)
    train = entry.splits["train"]
    if entry.splits[split] == train:
        return corpus
    training_keys = {(e.text, e.a, e.b) for e in _READERS[entry.name](locate(entry.name, "train"), "train").examples}
    return Corpus([replace(e, seen=(e.text, e.a, e.b) in training_keys) for e in corpus.examples], corpus.problems)


def _count(examples: list[Example]) -> dict[str, dict[str, int]]:
    counts = {label: Counter(str(v) for e in examples if (v := getattr(e, label)) is not None) for label in LABELS}
    return {label: dict(count.most_common()) for label, count in counts.items() if count}


def _fetch(entry: Entry, file: File) -> Path:
    path = Path(os.environ.get(VARIABLE) or pooch.os_cache("detente")).expanduser() / file.path
    if path.is_file() and pooch.file_hash(path) in file.sha256:
        return path
    # Not streamed: the files are small, and a streamed response that fails keeps its connection open.
    downloader = pooch.HTTPDownloader(stream=False)
    try:
        pooch.retrieve(file.url, file.sha256[0], fname=path.name, path=path.parent, downloader=downloader)
    except OSError as error:  # base class of the errors of requests
        raise CorpusError(f"{entry.name}: {file.url} can't be fetched to {path}: {error}; try again") from error
    except ValueError as error:
        raise CorpusError(
            f"{entry.name}: {file.url} is not the file it was (its SHA-256 is another) and was not kept; "
            f"try again, or see {entry.source} for a change"
        ) from error
    return path
