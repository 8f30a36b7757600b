"""Readings from wherever they are, as one data frame that `series` can count."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from detente._optional import MissingExtra
from detente.data.codebook.label_schema import NONE, SHIPPED, Scheme, Variable, column
from detente.data.codebook.labels import DIRECTIONS, NO_DIRECTION, TONES
from detente.infer.linking.mentions import by_group
from detente.infer.readings.document import Document
from detente.infer.readings.reading import Reading

try:
    import pandas as pd
except ModuleNotFoundError as error:
    raise MissingExtra(error, "plot") from error

#: A folder that `detente score` wrote; a frame with such columns; or documents with their readings, as
#: `zip(documents, model.label_many(documents))` gives them.
Readings = str | os.PathLike[str] | pd.DataFrame | Iterable[tuple[Document, Sequence[Reading]]]

#: Columns without which nothing can be said.
NEEDED: Final = ("dyad", "tone", "warmth", "date")

#: Columns that are used where they are there, beside the probabilities.
OPTIONAL: Final = ("document", "id", "direction", "source", "model", "by_group")


def gather(readings: Readings, dyads: Sequence[str] = (), label: str = "") -> pd.DataFrame:
    """Return the readings that present a relationship, one row each, with the columns

    - `document`: int64, which readings share a document;
    - `dyad`, `tone`, `direction`, `source`, `model`: categories, with nulls where unknown;
    - `warmth`: float64, -1..1; NaN in all rows where the labels have no scores;
    - `probability`: float64 of the tone, 1 where the readings carry none;
    - `by_group`: bool, whether either state is known by a group's name alone; null where the readings don't tell;
    - `day`: datetime64, null where there is no date; `exact`: characters of the ISO date that were given (4 for a
      year, 7 for a month, 10 for a day).

    Args:
        readings: see `Readings`.
        dyads: only these; all if empty.
        label: measure its share in place of warmth: `warmth` is 1 where the tone is this, else 0.

    `attrs["tone"]` is the `Variable` that the tones are labels of: the shipped one, that of the model's own scheme (a
    data frame may bring it in its own `attrs`), or where that isn't known, one of the labels that there are.

    Raises:
        ValueError: a column is missing, a value in it is none, or there is no such label.
        FileNotFoundError: the folder isn't there or holds no part.
    """  # noqa: D415  (the list belongs to the first sentence)
    known: Scheme | None = None
    if isinstance(readings, pd.DataFrame):
        table = readings
    elif isinstance(readings, str | os.PathLike):
        known = _scheme(Path(readings))
        table = _folder(Path(readings), dyads, known or SHIPPED)
    else:
        table = _pairs(readings)
    if missing := [name for name in NEEDED if name not in table]:
        raise ValueError(f"no column {', '.join(missing)}; there are {', '.join(map(str, table)) or 'none'}")
    tone = known.tone if known else table.attrs.get("tone") or _variable(table["tone"])
    if label and label not in tone.labels:
        raise ValueError(f"{label!r} is no label; those are {', '.join(tone.labels)}")
    if label:
        table = table.assign(warmth=(table["tone"] == label).astype("float64"))
    scored = bool(label or tone.counted or table["warmth"].notna().any())
    keep = (table["tone"] != NONE) & (table["warmth"].notna() if scored else True)
    if dyads:
        keep &= table["dyad"].isin(dyads)
    table = table[keep]
    day, exact = _days(table["date"])
    probabilities = _probabilities(tone)
    gathered = pd.DataFrame(
        {
            "document": pd.factorize(table["document" if "document" in table else "id"])[0]
            if {"document", "id"} & {*table}
            else range(len(table)),
            "dyad": table["dyad"].astype("category"),
            "tone": _categories(table["tone"], tone.labels),
            "direction": _categories(_column(table, "direction"), (*DIRECTIONS, NO_DIRECTION)),
            "source": _column(table, "source").astype("category"),
            "model": _column(table, "model").astype("category"),
            "warmth": table["warmth"].astype("float64"),
            "probability": table[probabilities].max(axis=1) if {*probabilities} <= {*table} else 1.0,
            "by_group": _by_group(table),
            "day": day,
            "exact": exact,
        },
        index=table.index,
    ).reset_index(drop=True)
    gathered.attrs = {"tone": tone}
    return gathered


def _probabilities(tone: Variable) -> list[str]:
    return [f"p_{column(label)}" for label in tone.labels]


def _variable(tones: "pd.Series[str]") -> Variable:
    """Return what the tones are labels of: the shipped variable, unless none of them is one of its."""
    found = sorted({*tones.dropna().unique()} - {NONE})
    if len(found) < 2 or {*found} & {*TONES}:
        return SHIPPED.tone
    return Variable(name="tone", kind="nominal", labels=tuple(found))


def _scheme(folder: Path) -> Scheme | None:
    """Return the scheme that the readings of a folder are of, None for the shipped one or where it isn't told."""
    import orjson  # noqa: PLC0415

    from detente.infer.score.output import MANIFEST  # noqa: PLC0415  (writes Parquet)

    try:
        with (folder / MANIFEST).open("rb") as manifest:
            scheme = orjson.loads(manifest.readline())["run"].get("scheme")
        return scheme and Scheme.from_dict(scheme)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / MANIFEST} isn't what `detente score` writes: {error}") from error


def _folder(folder: Path, dyads: Sequence[str], scheme: Scheme) -> pd.DataFrame:
    """Read the parts' columns that count, and of the rows no more than is asked for."""
    import pyarrow as pa  # noqa: PLC0415  (those who bring a frame need none of this)
    import pyarrow.dataset as ds  # noqa: PLC0415

    from detente.infer.readings.table import opened  # noqa: PLC0415

    used = (*NEEDED, *OPTIONAL, *_probabilities(scheme.tone))
    data = opened(folder, used, NEEDED, scheme)
    names = data.schema.names
    wanted = [name for name in used if name in names]
    if {"document", "id"} <= {*wanted}:
        wanted.remove("id")  # may be the same for two documents
    rows = ds.field("tone") != NONE
    if dyads:
        rows &= ds.field("dyad").isin(list(dyads))
    try:
        table: pd.DataFrame = data.to_table(columns=wanted, filter=rows).to_pandas(strings_to_categorical=True)
        if "by_group" not in table or table["by_group"].isna().any():  # of schema version 1
            data = opened(folder, (*used, "mentions"), NEEDED, scheme)
            if "mentions" in data.schema.names:
                table["mentions"] = data.to_table(columns=["mentions"], filter=rows)["mentions"].to_pylist()
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"{folder}: the parts aren't what `detente score` writes: {error}") from error
    return table


def _pairs(pairs: Iterable[tuple[Document, Sequence[Reading]]]) -> pd.DataFrame:
    names = ["document", "dyad", "tone", "warmth", "direction", "date", "model", "by_group"]
    rows = [
        dict(
            zip(names, (number, r.dyad, r.tone, r.warmth, r.direction, document.date, r.model, r.by_group), strict=True)
        )
        | {f"p_{column(label)}": p for label, p in r.probabilities.items()}
        for number, (document, readings) in enumerate(pairs)
        for r in readings
    ]
    return pd.DataFrame(rows, columns=None if rows else names)


def _by_group(table: pd.DataFrame) -> "pd.Series[bool]":
    """Return which readings rest on a group's name; where no column says so, by their mentions."""
    said = table["by_group"].astype("boolean") if "by_group" in table else pd.Series(pd.NA, table.index, "boolean")
    if "mentions" in table and said.isna().any():
        said = said.fillna(table["mentions"].map(_rest_on_group).astype("boolean"))
    return said


def _rest_on_group(mentions: str | Sequence[Mapping[str, Any]] | None) -> bool | None:
    """Return whether mentions, as `Reading.to_dict` or CSV has them, rest on a group's name; None without any."""
    if isinstance(mentions, str):
        import orjson  # noqa: PLC0415

        listed: Sequence[Mapping[str, Any]] | None = orjson.loads(mentions)
    else:
        listed = mentions
    return None if listed is None or not len(listed) else by_group((m["state"], m["how"]) for m in listed)


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
