"""A reading as a row: the columns of what `detente score` writes, in Parquet, JSON lines or CSV.

One row is one reading, that is, one dyad in one sentence:

| column | type | what |
|---|---|---|
| `document` | int64 | number of the record in the corpus, from 0, rejects counted; unique where ids aren't |
| `id` | string | the record's id; without one its file and line |
| `date` | string | ISO 8601, as exact as it was given (`2021-03-10`, `2021-03`, `2021`); null where unknown |
| `source` | string | the outlet; null where unknown |
| `sentence` | string | as it stands in the text |
| `start`, `end` | int64 | its characters in the text, the end exclusive |
| `dyad` | string | ISO 3166-1 alpha-3 codes in alphabetical order, `CHN-USA` |
| `tone` | string | `none`, `frosty`, `neutral`, `engaging` or `alliance-building` |
| `warmth` | float64 | expected warmth given that there is a relationship, -1..1; null where the dyad wasn't found |
| `p_none`, `p_frosty`, `p_neutral`, `p_engaging`, `p_alliance_building` | float64 | the tones' probabilities |
| `direction` | string | `a>b`, `b>a`, `mutual`; `n/a` where the tone is `none` |
| `cue` | string | the words that show the tone; empty where it is `none` |
| `cue_start`, `cue_end` | int64 | its characters in the text, or null |
| `root`, `quad` | string | PLOVER codes; null where the tone is `none` |
| `mentions` | list of struct | `start`, `end`, `text`, `state`, `how`, `via` of each mention of the two states |
| `found` | bool | whether both states are in the sentence; false only for a dyad that a record asked for |
| `by_group` | bool | whether either state is known by a group's name alone ("the Quad"); since schema version 2 |
| `model` | string | name and version |

Of a model with a scheme of its own, `tone`, `warmth` and `p_LABEL` are those of the scheme's first variable; each
further variable NAME has the columns `NAME` (its label), `NAME_score` and `p_NAME_LABEL`, null where the dyad wasn't
found.

Numbers are rounded to four digits. A Parquet file's metadata has `detente.schema` (`SCHEMA_VERSION`), `detente.version`
and `detente.model`. In CSV a null is empty and the mentions are JSON.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from detente.data.codebook.label_schema import SHIPPED, Scheme, column
from detente.infer.readings.reading import Reading

if TYPE_CHECKING:
    import pyarrow.dataset as ds

#: Changes when a column is added, taken away or means something else.
SCHEMA_VERSION: Final = "2"

_MENTION = pa.struct(
    [
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("text", pa.string()),
        ("state", pa.string()),
        ("how", pa.string()),
        ("via", pa.string()),
    ]
)


@cache
def _probability(label: str, prefix: str = "p") -> str:
    """Name the column of a label's probability; remembered, for it is asked for with every row."""
    return f"{prefix}_{column(label)}"


def schema(scheme: Scheme = SHIPPED) -> pa.Schema:
    """Return the columns of the rows of a model with this scheme.

    Raises:
        ValueError: two columns would have one name; the message says which.
    """
    tone, *further = scheme.variables
    fields = [
        pa.field("document", pa.int64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("date", pa.string()),
        pa.field("source", pa.string()),
        pa.field("sentence", pa.string(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("dyad", pa.string(), nullable=False),
        pa.field("tone", pa.string(), nullable=False),
        pa.field("warmth", pa.float64()),
        *(pa.field(_probability(label), pa.float64(), nullable=False) for label in tone.labels),
        pa.field("direction", pa.string(), nullable=False),
        pa.field("cue", pa.string(), nullable=False),
        pa.field("cue_start", pa.int64()),
        pa.field("cue_end", pa.int64()),
        pa.field("root", pa.string()),
        pa.field("quad", pa.string()),
        pa.field("mentions", pa.list_(_MENTION), nullable=False),
        pa.field("found", pa.bool_(), nullable=False),
        pa.field("by_group", pa.bool_(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
    ]
    for variable in further:
        fields += [pa.field(variable.name, pa.string()), pa.field(f"{variable.name}_score", pa.float64())]
        fields += [pa.field(_probability(label, f"p_{variable.name}"), pa.float64()) for label in variable.labels]
    names = [field.name for field in fields]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"two columns of a table of readings would be called {twice!r}; rename a label or a variable")
    return pa.schema(fields, metadata={"detente.schema": SCHEMA_VERSION})


SCHEMA: Final = schema()


def row(
    reading: Reading, *, document: int = 0, date: str | None = None, source: str | None = None, shift: int = 0
) -> dict[str, Any]:
    """Return a reading as a row of `SCHEMA`.

    Args:
        reading: the reading.
        document: number of its record in the corpus.
        date: of the record.
        source: of the record.
        shift: characters of the text before the part that was read.
    """
    record = reading.to_dict()
    probabilities = record.pop("probabilities")
    if shift:
        for place in (record, *record["mentions"]):
            place.update(start=place["start"] + shift, end=place["end"] + shift)
        if reading.cue_start is not None and reading.cue_end is not None:
            record.update(cue_start=reading.cue_start + shift, cue_end=reading.cue_end + shift)
    named = {_probability(label): p for label, p in probabilities.items()}
    for name, answer in list(record.pop("variables", {}).items())[1:]:  # the first one is the tone
        named |= {name: answer["label"], f"{name}_score": answer["score"]}
        named |= {_probability(label, f"p_{name}"): p for label, p in answer["probabilities"].items()}
    return {**record, **named, "document": document, "date": date, "source": source}


class Writer(Protocol):
    """Writes batches of rows to a binary stream."""

    def write(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write batches of the schema."""

    def close(self) -> None:
        """Write what the format has at its end; the stream stays open."""

    def abandon(self) -> None:
        """Let go of the stream as it is."""


class ParquetWriter:
    """Writes Parquet, with row groups of many batches.

    Args:
        stream: takes the file.
        metadata: put into the file beside the schema's.
        schema: of the rows.
    """

    #: Bytes in memory of one row group.
    GROUP: Final = 32 << 20

    def __init__(self, stream: IO[bytes], metadata: Mapping[str, str], schema: pa.Schema = SCHEMA) -> None:
        named = schema.with_metadata({**(schema.metadata or {}), **metadata})
        self._writer = pq.ParquetWriter(stream, named, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write batches of the schema."""
        for batch in batches:
            self._waiting.append(batch)
            if sum(waiting.nbytes for waiting in self._waiting) >= self.GROUP:
                self._flush()

    def close(self) -> None:
        """Write the last row group and the footer."""
        self._flush()
        self._writer.close()

    def abandon(self) -> None:
        """Let go of the stream as it is."""
        self._writer.is_open = False  # or it would write the footer when it is collected

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting))
        self._waiting = []


class JsonLinesWriter:
    """Writes one JSON object a row."""

    def __init__(self, stream: IO[bytes], metadata: Mapping[str, str], schema: pa.Schema = SCHEMA) -> None:  # noqa: ARG002  (no place for them)
        self._stream = stream

    def write(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write batches of the schema."""
        for batch in batches:
            self._stream.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in batch.to_pylist())

    def close(self) -> None:
        """Do nothing: JSON lines have no end."""

    abandon = close


class CsvWriter:
    """Writes CSV as in RFC 4180, with a header."""

    def __init__(self, stream: IO[bytes], metadata: Mapping[str, str], schema: pa.Schema = SCHEMA) -> None:  # noqa: ARG002  (no place for it)
        self._stream = stream
        self._names = schema.names
        self._encode([dict(zip(schema.names, schema.names, strict=True))])

    def write(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write batches of the schema."""
        for batch in batches:
            self._encode(_plain(row) for row in batch.to_pylist())

    def close(self) -> None:
        """Do nothing: CSV has no end."""

    abandon = close

    def _encode(self, rows: Iterable[Mapping[str, Any]]) -> None:
        text = io.StringIO(newline="")
        csv.DictWriter(text, self._names).writerows(rows)
        self._stream.write(text.getvalue().encode())


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with what CSV has no type for as text."""
    truths = {name: str(row[name]).lower() for name in ("found", "by_group") if name in row}
    return {**row, **truths, "mentions": orjson.dumps(row["mentions"]).decode()}


#: By the ending of the files.
WRITERS: Final[Mapping[str, type[ParquetWriter | JsonLinesWriter | CsvWriter]]] = {
    "parquet": ParquetWriter,
    "jsonl": JsonLinesWriter,
    "csv": CsvWriter,
}


def opened(folder: Path, used: Iterable[str], needed: Iterable[str], scheme: Scheme = SHIPPED) -> "ds.Dataset":
    """Open the parts of a folder that `detente score` wrote.

    Args:
        folder: of the parts.
        used: columns that are read, where they are there; text formats are read as the schema types these.
        needed: columns that must be there.
        scheme: that the readings are of.

    Raises:
        FileNotFoundError: there are no parts.
        ValueError: a column is missing.
    """
    import pyarrow.dataset as ds  # noqa: PLC0415  (those who write parts need none of this)
    from pyarrow import csv as arrow  # noqa: PLC0415

    parts = sorted(folder.glob("part-*"))
    if not parts:
        raise FileNotFoundError(f"{folder}: no part-* there; write them with `detente score IN {folder}`")
    names = {*used}
    typed = pa.schema([field for field in schema(scheme) if field.name in names])
    match parts[0].suffix:
        case ".csv":
            lines = arrow.ParseOptions(newlines_in_values=True)  # a sentence may run over two
            if "mentions" in names:  # JSON
                typed = typed.set(typed.get_field_index("mentions"), pa.field("mentions", pa.string()))
            data = ds.dataset(parts, typed, ds.CsvFileFormat(lines))
        case ".jsonl":
            data = ds.dataset(parts, typed, ds.JsonFileFormat())
        case _:
            data = ds.dataset(parts)
    there = data.schema.names
    if missing := [name for name in needed if name not in there]:
        raise ValueError(f"{folder}: no column {', '.join(missing)}; there are {', '.join(there)}")
    return data
