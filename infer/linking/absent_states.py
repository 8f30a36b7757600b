"""Find labels of a dyad whose states the linker doesn't find in the sentence."""

import datetime
import re
from collections.abc import Iterable
from typing import Final

from detente.data.annotation.label_table import Labelled

_DAY: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])")  # days up to 28 exist in every month


def absent(rows: Iterable[Labelled]) -> list[Labelled]:
    """Return the rows whose dyad has a state that isn't found in the sentence.

    Rows with an `id` are skipped, since their article may explain anaphora such as "the two countries".
    """
    from detente.infer.linking.linker import linker  # noqa: PLC0415  (builds its automaton)

    absent_rows = []
    for row in rows:
        if row.id:
            continue
        day = datetime.date.fromisoformat(row.date) if _DAY.fullmatch(row.date) else None
        states = {*row.dyad.split("-")}
        mentions = linker().link(row.sentence, date=day, sentences=[(0, len(row.sentence))], wanted=states)
        if not states <= {mention.state for mention in mentions}:
            absent_rows.append(row)
    return absent_rows
