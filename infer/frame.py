"""Readings from wherever they are, as one data frame that `series` can count."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from detente.data.labels import DIRECTIONS, NO_DIRECTION, TONES
from detente.infer.document import Document
from detente.infer.extras import MissingExtra
from detente.infer.reading import Reading

try:
    import pandas as pd
except ModuleNotFoundError as error:
    raise MissingExtra(error, "plot") from error

#: A folder that `detente score` wrote; a frame with such columns; or documents with their readings, as
#: `zip(documents, model.label_many(documents))` gives them.
Readings = str | os.PathLike[str] | pd.DataFrame | Iterable[tuple[Document, Sequence[Reading]]]

#: Columns without which nothing can be said.
NEEDED: Final = ("dyad", "tone", "warmth", "date")

_PROBABILITIES: Final = [f"p_{tone.replace('-', '_')}" for tone in TONES]

#: Columns that are used where they are there.
OPTIONAL: Final = ("document", "id", "direction", "source", "model", *_PROBABILITIES)


def gather(readings: Readings, dyads: Sequence[str] = ()) -> pd.DataFrame:
    """Return the readings that present a relationship, one row each, with the columns

    - `document`: int64, which readings share a document;
    - `dyad`, `tone`, `direction`, `source`, `model`: categories, with nulls where unknown;
    - `warmth`: float64, -1..1;
    - `probability`: float64 of the tone, 1 where the readings carry none;
    - `day`: datetime64, null where there is no date; `exact`: characters of the ISO date that were given (4 for a
      year, 7 for a month, 10 for a day).

    Args:
        readings: see `Readings`.
        dyads: only these; all if empty.

    Raises:
        ValueError: a column is missing, or a value in it is none.
        FileNotFoundError: the folder isn't there or holds no part.
    """  # noqa: D415  (the list belongs to the first sentence)
    if isinstance(readings, pd.DataFrame):
        table = readings
    elif isinstance(readings, str | os.PathLike):
        table = _folder(Path(readings), dyads)
    else:
        table = _pairs(readings)
    if missing := [column for column in NEEDED if column not in table]:
        raise ValueError(f"no column {', '.join(missing)}; there are {', '.join(map(str, table)) or 'none'}")
    keep = (table["tone"] != "none") & table["warmth"].notna()
    if dyads:
        keep &= table["dyad"].isin(dyads)
    table = table[keep]
    day, exact = _days(table["date"])
    return pd.DataFrame(
        {
            "document": pd.factorize(table["document" if "document" in table else "id"])[0]
            if {"document", "id"} & {*table}
            else range(len(table)),
            "dyad": table["dyad"].astype("category"),
            "tone": _categories(table["tone"], TONES),
            "direction": _categories(_column(table, "direction"), (*DIRECTIONS, NO_DIRECTION)),
            "source": _column(table, "source").astype("category"),
            "model": _column(table, "model").astype("category"),
            "warmth": table["warmth"].astype("float64"),
            "probability": table[_PROBABILITIES].max(axis=1) if {*_PROBABILITIES} <= {*table} else 1.0,
            "day": day,
            "exact": exact,
        },
        index=table.index,
    ).reset_index(drop=True)


def _folder(folder: Path, dyads: Sequence[str]) -> pd.DataFrame:
    """Read the parts' columns that count, and of the rows no more than is asked for."""
    import pyarrow as pa  # noqa: PLC0415  (those who bring a frame need none of this)
    import pyarrow.dataset as ds  # noqa: PLC0415
    from pyarrow import csv  # noqa: PLC0415

    from detente.infer.rows import SCHEMA  # noqa: PLC0415

    parts = sorted(folder.glob("part-*"))
    if not parts:
        raise FileNotFoundError(f"{folder}: no part-* there; write them with `detente score IN {folder}`")
    counted = pa.schema([field for field in SCHEMA if field.name in (*NEEDED, *OPTIONAL)])
    match parts[0].suffix:
        case ".csv":
            lines = csv.ParseOptions(newlines_in_values=True)  # a sentence may run over two
            data = ds.dataset(parts, counted, ds.CsvFileFormat(lines))
        case ".jsonl":
            data = ds.dataset(parts, counted, ds.JsonFileFormat())
        case _:
            data = ds.dataset(parts)
    names = data.schema.names
    if missing := [column for column in NEEDED if column not in names]:
        raise ValueError(f"{folder}: no column {', '.join(missing)}; there are {', '.join(names)}")
    wanted = [column for column in (*NEEDED, *OPTIONAL) if column in names]
    if {"document", "id"} <= {*wanted}:
        wanted.remove("id")  # may be the same for two documents
    rows = (ds.field("tone") != "none") & ds.field("warmth").is_valid()
    if dyads:
        rows &= ds.field("dyad").isin(list(dyads))
    try:
        table: pd.DataFrame = data.to_table(columns=wanted, filter=rows).to_pandas(strings_to_categorical=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"{folder}: the parts aren't what `detente score` writes: {error}") from error
    return table


def _pairs(pairs: Iterable[tuple[Document, Sequence[Reading]]]) -> pd.DataFrame:
    rows = [
        (number, r.dyad, r.tone, r.warmth, r.direction, document.date, r.model, *r.probabilities.values())
        for number, (document, readings) in enumerate(pairs)
        for r in readings
    ]
    names = ["document", "dyad", "tone", "warmth", "direction", "date", "model", *_PROBABILITIES]
    return pd.DataFrame(rows, columns=names)


def _column(table: pd.DataFrame, name: str) -> "pd.Series[str]":
    if name not in table:
        return pd.Series(pd.NA, index=table.index, dtype="str")
    return table[name].where(table[name] != "")  # CSV's way to write null


def _categories(values: "pd.Series[str]", known: Sequence[str]) -> "pd.Series[pd.CategoricalDtype[str]]":
    if strange := {*values.dropna().unique()} - {*known}:
        raise ValueError(f"column {values.name}: {strange.pop()!r} is none of {', '.join(known)}")
    return values.astype(pd.CategoricalDtype(list(known)))


def _days(dates: "pd.Series[str]") -> tuple["pd.Series[pd.Timestamp]", "pd.Series[int]"]:
    """Parse each different date once, and say how exact it was given."""
    codes, found = pd.factorize(dates)
    text = pd.Series(pd.Index(found).astype("str")).str.strip().str[:10]
    day = pd.to_datetime(text.where(text != ""), format="ISO8601", errors="coerce")
    if (bad := text[day.isna() & (text != "")]).size:
        raise ValueError(f"column date: {bad.iloc[0]!r} is not a date; write it as 2021-03-10, 2021-03 or 2021")
    return (
        pd.Series(day.reindex(codes).to_numpy(), index=dates.index),
        pd.Series(text.str.len().reindex(codes, fill_value=0).to_numpy(), index=dates.index).astype("int64"),
    )
