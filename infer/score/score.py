"""A corpus of any size in, a folder of readings out: in parts, so that a run that was stopped goes on where it was.

The records are taken in their order, a few hundred kilobytes of text at a time; threads label them side by side (what
takes the time, runs outside Python's lock); the rows are written in the order of the records. Rows, parts and their
borders depend on the corpus, the model and the options only, not on the threads or on where a run was stopped.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa

from detente._files import sha256
from detente._timing import span, timed
from detente.data.tables_io.columns import Columns, SourceError
from detente.data.tables_io.files import STANDARD_INPUT
from detente.infer.corpus.reader import Corpus, Cursor, Record, Reject
from detente.infer.encoder.base import Encoder
from detente.infer.encoder.cached import CachedEncoder
from detente.infer.encoder.onnx import cores
from detente.infer.label.labeler import Detente, Groups, load
from detente.infer.readings.document import Document
from detente.infer.readings.table import WRITERS, row, schema
from detente.infer.score.output import Output, OutputError, Totals
from detente.infer.text.chunks import windows
from detente.models.model_dir import MANIFEST, read_config, resolve, verify

#: Characters that are labelled together: hundreds of sentences with a dyad, enough to sort by length. Half or twice as
#: many are not faster.
BATCH_CHARACTERS: Final = 1 << 19

#: Records that are labelled together at most, where they are short.
BATCH_RECORDS: Final = 2000

#: Batches of one part: what a kill can cost, some ten seconds of work.
PART_BATCHES: Final = 16

#: Records that may be rejects before the first that can be read; by then the corpus was asked for wrongly.
HOPELESS: Final = 1000

#: Threads that label: Python's lock feeds no more.
MOST_WORKERS: Final = 8

#: Rows that are Python objects at once.
_ROWS: Final = 2048


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        position: bytes of the corpus, as it is on disk, that were taken.
        size: of the corpus; 0 where unknown.
        totals: of the parts so far, and of the one that is being written.
    """

    position: int
    size: int
    totals: Totals


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run gave.

    Attributes:
        output: the folder.
        totals: of all parts, those of earlier starts too.
        kept: records that were there already when this start began.
        seconds: that this start took.
        passed_over: files of the corpus that are of no known kind.
    """

    output: Path
    totals: Totals
    kept: int
    seconds: float
    passed_over: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A record, or a part of a long one.

    Attributes:
        number: of the record in the corpus.
        record: it, its text left out.
        document: what is labelled.
        shift: characters of its text that stand before.
    """

    number: int
    record: Record
    document: Document
    shift: int


@dataclass(slots=True)
class _Batch:
    """What is labelled together.

    Attributes:
        pieces: of the records.
        rejects: that stand among them, by number.
        records: that end here, rejects included.
        cursor: behind the last record; None where it goes on in the next batch.
        position: in the corpus, in bytes.
    """

    pieces: list[Piece] = field(default_factory=list)
    rejects: list[tuple[int, Reject]] = field(default_factory=list)
    records: int = 0
    cursor: Cursor | None = None
    position: int = 0


class Observer(Protocol):
    """Looks at the records and pairs of a run as they pass."""

    def records(self, entries: Iterator[tuple[Cursor, Record | Reject]]) -> Iterator[tuple[Cursor, Record | Reject]]:
        """Yield the corpus's entries, or fewer."""
        ...

    def encoder(self, encoder: Encoder) -> Encoder:
        """Return an encoder with the same predictions."""
        ...


def score(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | None = None,
    columns: Mapping[str, str] | None = None,
    input_format: str = "",
    output_format: str = "parquet",
    encoding: str = "utf-8",
    date_format: str = "",
    include_none: bool = False,
    min_probability: float = 0.0,
    groups: Groups = True,
    workers: int | None = None,
    batch_size: int = BATCH_RECORDS,
    strict: bool = False,
    progress: Callable[[Progress], None] | None = None,
    observer: Observer | None = None,
) -> Summary:
    """Label a corpus into a folder of parts; started again on the same folder, go on from the last part.

    Args:
        source: a file of JSON lines, CSV, TSV or Parquet, a text, a folder of such (`.gz` and `.zst` too), or `-`.
        output: the folder; `rows` describes its parts, `part-*.parquet`. What can't be read is in `_rejects.jsonl`.
        model: as in `load`.
        columns: names of the columns by what they hold (`text`, `id`, `date`, `title`, `source`, `speaker`); see
            `Columns`.
        input_format: `jsonl`, `csv`, `tsv`, `parquet` or `text`, where the files' names don't tell.
        output_format: `parquet`, `jsonl` or `csv`.
        encoding: of the corpus.
        date_format: of `strptime`, for dates that can be read in several ways (`%d/%m/%Y`).
        include_none: keep the pairs that come out as `none`.
        min_probability: leave out readings whose tone is less probable than this.
        groups: as in `Detente.label`.
        workers: threads that label; None for one on each core.
        batch_size: records that are labelled together, at most; sixteen such batches are one part.
        strict: stop at the first record that can't be read.
        progress: called now and then.
        observer: sees what passes, as `detente bench` does.

    Raises:
        SourceError: the corpus can't be read as it was asked for, none of its records can, or it was changed meanwhile.
        OutputError: the folder can't be written, or holds another run.
        ModelError: there is no such model, or it isn't whole.
        ValueError: an argument can't be.
    """
    began = time.monotonic()
    if output_format not in WRITERS:
        raise ValueError(f"{output_format!r} is not a format that can be written; those are {', '.join(WRITERS)}")
    if groups not in (True, False, "all"):
        raise ValueError(f"groups must be True, False or 'all', not {groups!r}")
    if batch_size < 1 or (workers is not None and workers < 1):
        raise ValueError("there must be at least one worker, and one record in a batch")
    workers = workers or min(MOST_WORKERS, cores())
    out = Path(output)
    _keep_apart(source, out)
    corpus = Corpus(
        source, columns=Columns.of(columns or {}), form=input_format, encoding=encoding, date_form=date_format
    )
    folder = resolve(model)
    verify(folder)
    config = read_config(folder)
    versions = {"detente.version": version("detente"), "detente.model": f"{config.name} {config.version}"}
    options = {"include_none": include_none, "min_probability": min_probability, "groups": groups}
    run = {
        "input": corpus.identity(),
        "model": {"name": versions["detente.model"], "sha256": sha256(folder / MANIFEST)},
        "options": {**options, "batch_size": batch_size},
        "version": versions["detente.version"],
    }
    if config.own is not None:
        run["scheme"] = config.own.to_dict()  # what `series` knows the labels by
    with Output(out, output_format, run, versions, schema(config.scheme)) as parts:
        kept = parts.totals.records
        if not parts.done:
            detente = load(folder, threads=1)

            def label(batch: _Batch) -> list[pa.RecordBatch]:
                # Remembered within a batch only: what is read together, and so each digit, is the same in every run.
                encoder: Encoder = CachedEncoder(detente.engine)
                if observer is not None:
                    encoder = observer.encoder(encoder)
                reader = Detente(encoder, detente.linker)
                with span("write"):
                    return [*label_pieces(reader, batch.pieces, **options)]

            entries = timed("read", corpus.read(parts.cursor))
            batches = _batches(
                entries if observer is None else observer.records(entries), corpus, parts, batch_size, strict=strict
            )
            _write(_side_by_side(label, batches, workers), parts, corpus.found.size, progress)
            corpus.check_unchanged()
            if not parts.totals.records:
                raise SourceError(f"{os.fspath(source)} holds no records")
            if not parts.totals.documents:
                raise SourceError(f"none of the records can be read; the first, {parts.first_reject()}")
            parts.finish()
        return Summary(out, parts.totals, kept, time.monotonic() - began, corpus.found.passed_over)


def _keep_apart(source: str | os.PathLike[str], output: Path) -> None:
    """Refuse to write among the files that are read."""
    if os.fspath(source) == STANDARD_INPUT:
        return
    inner, outer = output.resolve(), Path(source).resolve()
    if inner == outer or outer in inner.parents:
        raise OutputError(f"{output} is the input or lies in it; give an output folder elsewhere")


def _batches(
    entries: Iterable[tuple[Cursor, Record | Reject]], corpus: Corpus, parts: Output, size: int, *, strict: bool
) -> Iterator[_Batch]:
    """Yield what stands behind the parts, in batches."""
    number, readable = parts.totals.records, parts.totals.documents > 0
    batch, characters = _Batch(), 0
    for cursor, entry in entries:
        if isinstance(entry, Reject):
            if strict:
                raise SourceError(str(entry))
            batch.rejects.append((number, entry))
            if not readable and number + 1 >= HOPELESS:
                raise SourceError(f"none of the first {number + 1} records can be read; the last of them, {entry}")
        else:
            readable = True
            text, record = entry.document.text, replace(entry, document=replace(entry.document, text=""))
            for shift, part in timed("split", windows(text)):
                batch.pieces.append(Piece(number, record, replace(entry.document, text=part), shift))
                characters += len(part)
                if characters >= BATCH_CHARACTERS and shift + len(part) < len(text):
                    batch.cursor, batch.position = None, corpus.position
                    yield batch
                    batch, characters = _Batch(), 0
        number += 1
        batch.records += 1
        batch.cursor, batch.position = cursor, corpus.position
        if characters >= BATCH_CHARACTERS or batch.records >= size:
            yield batch
            batch, characters = _Batch(), 0
    if batch.records:
        yield batch


def _side_by_side(
    label: Callable[[_Batch], list[pa.RecordBatch]], batches: Iterable[_Batch], workers: int
) -> Iterator[tuple[_Batch, list[pa.RecordBatch]]]:
    """Label batches in threads and yield them in their order, few of them in memory."""
    pool = ThreadPoolExecutor(workers)
    waiting: deque[tuple[_Batch, Future[list[pa.RecordBatch]]]] = deque()
    try:
        for batch in batches:
            waiting.append((batch, pool.submit(label, batch)))
            if len(waiting) > workers:
                first, answer = waiting.popleft()
                yield first, answer.result()
        for rest, answer in waiting:
            yield rest, answer.result()
    finally:
        pool.shutdown(cancel_futures=True)


def label_pieces(model: Detente, pieces: list[Piece], **options: Any) -> Iterator[pa.RecordBatch]:
    """Label pieces together and yield their rows in order; the options are those of `Detente.label_many`."""
    columns = schema(model.scheme)
    rows: list[dict[str, Any]] = []
    labelled = timed("decode", model.label_many((p.document for p in pieces), **options))
    for piece, readings in zip(pieces, labelled, strict=True):
        record = piece.record
        for reading in readings:
            rows.append(row(reading, document=piece.number, date=record.date, source=record.source, shift=piece.shift))
            if len(rows) == _ROWS:
                yield pa.RecordBatch.from_pylist(rows, columns)
                rows = []
    if rows:
        yield pa.RecordBatch.from_pylist(rows, columns)


def _write(
    answers: Iterable[tuple[_Batch, list[pa.RecordBatch]]],
    parts: Output,
    size: int,
    progress: Callable[[Progress], None] | None,
) -> None:
    held, cursor = 0, None
    for batch, rows in answers:
        with span("write"):
            parts.add(rows, batch.rejects, batch.records)
        held, cursor = held + 1, batch.cursor
        if progress is not None:
            progress(Progress(batch.position, size, parts.so_far()))
        if held >= PART_BATCHES and cursor is not None:
            with span("write"):
                parts.commit(cursor)
            held = 0
    if held and cursor is not None:  # the last batch ends with a record
        with span("write"):
            parts.commit(cursor)
