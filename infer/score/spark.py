"""Scoring on Spark: the rows that one machine gives, by as many as there are (extra `[spark]`).

Every worker process opens the model once and reads whole Arrow batches. The rows are those of `rows.schema`; only
`document` differs, since on a cluster no record knows how many stand before it: it is unique, but not consecutive.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa

from detente._optional import MissingExtra
from detente.data.tables_io.columns import Columns, SourceError
from detente.infer.corpus import dates
from detente.infer.corpus.reader import Record
from detente.infer.encoder.cached import CachedEncoder
from detente.infer.label.labeler import Detente, Groups, load
from detente.infer.readings.document import Document
from detente.infer.readings.table import schema
from detente.infer.score.score import Piece, label_pieces
from detente.infer.text.chunks import windows
from detente.models.model_dir import SHIPPED, read_config, resolve, verify

try:
    from pyspark import SparkFiles
    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql import functions as sql
    from pyspark.sql.pandas.types import from_arrow_schema
except ModuleNotFoundError as error:
    raise MissingExtra(error, "spark") from error

#: What can't be read, and why.
REJECTS: Final = pa.schema([("document", pa.int64()), ("id", pa.string()), ("reason", pa.string())])

#: The column into which Spark's reader of JSON puts a line that isn't JSON.
_CORRUPT: Final = "_corrupt_record"

#: How Spark reads each format, by the ending of the files.
_READERS: Final[Mapping[str, Callable[[SparkSession, str], DataFrame]]] = {
    "parquet": lambda spark, path: spark.read.parquet(path),
    "jsonl": lambda spark, path: spark.read.json(path, columnNameOfCorruptRecord=_CORRUPT),
    "csv": lambda spark, path: spark.read.csv(path, header=True, multiLine=True, escape='"'),
    "tsv": lambda spark, path: spark.read.csv(path, header=True, multiLine=True, escape='"', sep="\t"),
    "text": lambda spark, path: spark.read.text(path, wholetext=True).select(
        sql.col("value").alias("text"), sql.input_file_name().alias("id")
    ),
}

_Batches = Iterator[pa.RecordBatch]


def score(
    frame: DataFrame,
    *,
    model: str | None = None,
    columns: Mapping[str, str] | None = None,
    date_format: str = "",
    include_none: bool = False,
    min_probability: float = 0.0,
    groups: Groups = True,
) -> DataFrame:
    """Label the texts of a frame.

    Args:
        frame: a record a row. A column `document` of whole numbers numbers them; else Spark does. A column `dyads` of
            pairs of codes asks for exactly these.
        model: as in `load`; a folder of the driver is sent to the workers.
        columns: as in `detente.score`.
        date_format: as in `detente.score`.
        include_none: as in `detente.score`.
        min_probability: as in `detente.score`.
        groups: as in `detente.score`.

    Returns:
        A row per reading (`rows.schema` of the model's scheme). Records that can't be read give none; `rejects` names
        them.

    Raises:
        SourceError: the text's column, or one that was named, isn't there.
        ModelError: there is no such model, or it isn't whole.
    """
    work = partial(
        _label,
        model=_sent(frame.sparkSession, model),
        date_format=date_format,
        include_none=include_none,
        min_probability=min_probability,
        groups=groups,
    )
    return _records(frame, columns or {}).mapInArrow(
        work, from_arrow_schema(schema(read_config(resolve(model)).scheme))
    )


def rejects(frame: DataFrame, *, columns: Mapping[str, str] | None = None, date_format: str = "") -> DataFrame:
    """Return the records of a frame that can't be read, each with the reason (`REJECTS`); arguments as in `score`."""
    work = partial(_reject, date_format=date_format)
    return _records(frame, columns or {}).mapInArrow(work, from_arrow_schema(REJECTS))


def read(spark: SparkSession, source: str, form: str = "") -> DataFrame:
    """Read a corpus that every worker can reach, spread over all cores.

    Args:
        spark: the session.
        source: a file or a folder of one format, or whatever else Spark reads (`hdfs://`, `s3a://`).
        form: `parquet`, `jsonl`, `csv`, `tsv` or `text`; empty to go by the name's ending.

    Raises:
        SourceError: the format can't be told.
    """
    form = form or _ending(source)
    if form not in _READERS:
        raise SourceError(f"{source}: Spark can't tell its format; say it with --from: {', '.join(_READERS)}")
    return _READERS[form](spark, source).repartition(4 * spark.sparkContext.defaultParallelism)


def _ending(source: str) -> str:
    names = [source.rstrip("/")]
    if Path(source).is_dir():
        names = [name for file in Path(source).iterdir() if not (name := file.name).startswith((".", "_"))]
    endings = {"ndjson": "jsonl", "json": "jsonl", "txt": "text", "pq": "parquet"}
    found = {name.removesuffix(".gz").removesuffix(".zst").rpartition(".")[2].lower() for name in names}
    forms = {endings.get(ending, ending) for ending in found}
    return forms.pop() if len(forms) == 1 else ""


def _records(frame: DataFrame, names: Mapping[str, str]) -> DataFrame:
    """Choose the columns, under the names that they have in a `Record`."""
    corrupt = _CORRUPT in frame.columns
    chosen = Columns.of(names).among([name for name in frame.columns if name != _CORRUPT])

    def text(name: str) -> Column:
        return sql.col(name).cast("string") if name else sql.lit(None).cast("string")

    number = sql.col("document") if "document" in frame.columns else sql.monotonically_increasing_id()
    return frame.select(
        number.cast("long").alias("document"),
        text(chosen.id).alias("id"),
        text(chosen.date).alias("date"),
        text(chosen.title).alias("title"),
        text(chosen.source).alias("source"),
        text(chosen.speaker).alias("speaker"),
        text(chosen.text).alias("text"),
        (sql.to_json("dyads") if "dyads" in frame.columns else text("")).alias("dyads"),
        text(_CORRUPT if corrupt else "").alias("corrupt"),
    )


def _sent(spark: SparkSession, model: str | None) -> str | None:
    """Send a model's folder to the workers and return what they open: the shipped one is in their package."""
    if model is None or model == SHIPPED:
        return None
    folder = resolve(model)
    verify(folder)
    spark.sparkContext.addFile(str(folder.resolve()), recursive=True)
    return folder.resolve().name


@cache
def _opened(model: str | None) -> Detente:
    """Open a model, once in a process: Spark runs one task at a time in it, on one core."""
    return load(None if model is None else SparkFiles.get(model), threads=1)


def _label(batches: _Batches, *, model: str | None, date_format: str, **options: Any) -> _Batches:
    detente = _opened(model)
    for batch in batches:
        reader = Detente(CachedEncoder(detente.engine), detente.linker)
        pieces = _pieces(batch.to_pylist(), date_format)
        yield from label_pieces(reader, pieces, **options)


def _pieces(rows: Iterable[Mapping[str, Any]], date_format: str) -> list[Piece]:
    return [
        Piece(row["document"], record, replace(record.document, text=part), shift)
        for row in rows
        if isinstance(record := _record(row, date_format), Record)
        for shift, part in windows(record.document.text)
    ]


def _reject(batches: _Batches, *, date_format: str) -> _Batches:
    for batch in batches:
        found = [
            {"document": row["document"], "id": row["id"], "reason": record}
            for row in batch.to_pylist()
            if isinstance(record := _record(row, date_format), str)
        ]
        yield pa.RecordBatch.from_pylist(found, REJECTS)


def _record(row: Mapping[str, Any], date_format: str) -> Record | str:
    """Read a record, or say why it can't be read."""
    if row["corrupt"] is not None:
        return "not JSON"
    if not row["text"]:
        return "no text"
    try:
        date = dates.iso(row["date"], date_format)
        parts = {
            "text": row["text"],
            "date": date,
            "title": row["title"],
            "speaker": row["speaker"] or None,
            "id": row["id"] or str(row["document"]),
            "dyads": None if row["dyads"] is None else orjson.loads(row["dyads"]),
        }
        return Record(Document.from_record(parts), date, row["source"] or None, "", 0)
    except (TypeError, ValueError) as error:
        return str(error)
