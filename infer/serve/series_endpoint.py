"""Dated readings, or articles with theirs, as the rows that `detente.series` counts."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from detente.data.codebook.label_schema import NONE, Variable, column
from detente.infer.corpus import dates
from detente.infer.readings.reading import Reading
from detente.infer.readings.table import row
from detente.infer.series.series import series
from detente.infer.serve.errors import Refusal
from detente.infer.serve.schemas import Article, DatedReading, Series, Text


def text(number: int, article: Article) -> Text:
    """Return what is to be labelled of an article.

    Raises:
        Refusal: its date is none.
    """
    try:
        return Text.model_validate(article.model_dump(exclude={"source"}) | {"date": dates.iso(article.date)})
    except ValueError as error:
        raise Refusal(422, f"articles.{number}.date: {error}") from error


def rows(number: int, article: Article, readings: Sequence[Reading]) -> list[dict[str, Any]]:
    """Return the rows of an article's readings."""
    date = dates.iso(article.date)
    return [row(reading, document=number, date=date, source=article.source) for reading in readings]


def summed(asked: Series, found: list[dict[str, Any]], tone: Variable) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Sum up readings per dyad and period.

    Args:
        asked: the options, and readings if there are any.
        found: rows of the articles' readings.
        tone: what the readings' tones are labels of.

    Returns:
        The rows of the series, as JSON values, and how it was made; both empty where there is no reading.

    Raises:
        Refusal: an option or a date is none, or no reading is left.
    """
    given = found or [_row(number, reading) for number, reading in enumerate(asked.readings)]
    if not given:
        return [], {}
    labels = {*tone.labels, NONE}
    for number, one in enumerate(given):
        if one["tone"] not in labels:
            raise Refusal(422, f"readings.{number}.tone: {one['tone'][:40]!r} is none of {', '.join(tone.labels)}")
    if asked.min_probability and not all(any(name.startswith("p_") for name in one) for one in given):
        raise Refusal(422, "min_probability needs the probabilities of every reading")
    options = asked.model_dump(
        include={"period", "sources", "since", "until", "min_probability", "groups", "source_cap", "smooth"}
    )
    try:
        table = pd.DataFrame(given)
        table.attrs["tone"] = tone
        frame = series(table, dyads=asked.dyads, **options)
    except ValueError as error:
        raise Refusal(422, str(error)) from error
    frame["period"] = frame["period"].dt.strftime("%Y-%m-%d")
    records = [
        {str(name): None if isinstance(value, float) and math.isnan(value) else value for name, value in one.items()}
        for one in frame.to_dict("records")
    ]
    return records, {str(name): value for name, value in frame.attrs.items()}


def _row(number: int, reading: DatedReading) -> dict[str, Any]:
    """Return a reading as a row; one without an id is a document of its own."""
    record = reading.model_dump(exclude={"probabilities"})
    named = {f"p_{column(label)}": p for label, p in (reading.probabilities or {}).items()}
    return {**record, **named, "document": reading.id or number}
