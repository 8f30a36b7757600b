"""A researcher's table of labels: sentences and dyads with what coders said of them, read and checked row by row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from detente.data.annotation.label_table import cell_text, label_in, unguarded
from detente.data.annotation.spreadsheets import LabelsError, key, read_rows
from detente.data.codebook.label_schema import Scheme
from detente.data.codebook.labels import dyad_id
from detente.data.corpora.examples import sentence_id
from detente.infer.linking.linker import Linker, linker
from detente.infer.linking.mentions import Mention, dyads
from detente.infer.readings.document import read_date, read_dyads
from detente.models.features import Item, Span

#: How many faults are told one by one; of contradictions, which someone has to settle, more.
MOST_TOLD: Final = 5
MOST_CLASHES: Final = 100

#: The column by which `detente import` tells the rows that are learnt from and those that are kept for an honest test.
PART: Final = "part"


@dataclass(frozen=True, slots=True)
class Names:
    """What the table's columns are called; case and blanks at the ends don't count.

    Attributes:
        sentence: must be there.
        dyad: `CHN-USA`; where it is missing or empty, the dyads are found.
        label: of a scheme with one variable, unless a column has the variable's name.
        document: which rows stand or fall together; without it, those of one sentence.
        date: of the document, ISO 8601.
        a: the words of the first actor as they stand in the sentence, several separated by `|`: in place of the dyad,
            for actors that are no states.
        b: those of the second.
    """

    sentence: str = "sentence"
    dyad: str = "dyad"
    label: str = "label"
    document: str = "document"
    date: str = "date"
    a: str = "a"
    b: str = "b"


@dataclass(frozen=True, slots=True)
class Coded:
    """One sentence and pair of actors with its labels.

    Attributes:
        item: what the network reads; one pair.
        pair: the dyad, or the actors' words.
        document: what the row stands or falls with.
        labels: index of the label by variable; what wasn't labelled is left out.
        where: file and line.
    """

    item: Item
    pair: str
    document: str
    labels: Mapping[str, int]
    where: str


@dataclass(slots=True)
class Table:
    """What could be read of a table, and what was left out.

    Attributes:
        rows: that can be learnt from.
        read: how many rows the table has.
        notes: what was left out and why, one line each.
    """

    rows: list[Coded] = field(default_factory=list)
    read: int = 0
    notes: list[str] = field(default_factory=list)


def read_table(
    file: Path,
    scheme: Scheme,
    *,
    names: Names | None = None,
    encoding: str = "",
    states: Linker | None = None,
    part: str = "train",
) -> Table:
    """Read a table of labels: CSV (commas, semicolons or tabs), JSON lines or Parquet.

    Args:
        file: the table.
        scheme: what the labels may be.
        names: of the columns.
        encoding: encoding of the text; empty to go by its first bytes, see `spreadsheets.read_rows`.
        states: finds the states; None for the package's tables.
        part: which rows are wanted, `train` or `test`; those whose column `part` says the other are left out.

    Raises:
        LabelsError: it can't be read, a column is missing, or a label isn't in the codebook; the message says where.
    """
    names = names or Names()
    table, finder = Table(), _Finder(states or linker(), names)
    wrong: list[str] = []
    broken: list[str] = []
    empty: list[str] = []
    absent: list[str] = []
    undated: list[str] = []
    lines = [
        (line, row if isinstance(row, ValueError) else {key(name): value for name, value in row.items()})
        for line, row in read_rows(file, encoding)
    ]
    header = dict.fromkeys(name for _, row in lines if not isinstance(row, ValueError) for name in row)
    if header and key(names.sentence) not in header:
        raise LabelsError(
            f"{file}: no column {names.sentence!r} for the sentence; there are {', '.join(header)}; "
            "name it with --sentence"
        )
    wanted = _variables(scheme, names, header, file) if header else {}
    table.read = len(lines)
    more = other = 0
    for line, row in lines:
        where = f"{file.name}:{line}"
        if isinstance(row, ValueError):
            broken.append(f"{where} {row}")
            continue
        if cell_text(row.get(key(PART))).casefold() in {"train", "test"} - {part}:
            other += 1
            continue
        labels, strange = _labels(scheme, wanted, row)
        if strange:
            wrong += [f"{where} {fault}" for fault in strange]
            continue
        if not labels:
            empty.append(where)
            continue
        sentence = unguarded(str(row.get(key(names.sentence)) or "").strip())
        try:
            pairs, no_date = finder.pairs(sentence, row)
        except ValueError as error:
            absent.append(f"{where} {error}")
            continue
        undated += [f"{where} {no_date}"] if no_date else []
        document = str(row.get(key(names.document)) or "") or sentence_id(sentence)
        table.rows += [Coded(item, pair, document, labels, where) for item, pair in pairs]
        more += len(pairs) - 1
    if wrong:
        raise LabelsError(f"not in the codebook: {_listed(wrong)}; correct the table or the codebook")
    if not table.read:
        raise LabelsError(f"{file} has no rows under its header")
    for faults, what in (
        (broken, "rows left out, they can't be read"),
        (empty, "rows left out, without a label"),
        (absent, "rows left out, their actors aren't in the sentence"),
        (undated, "dates not understood (write 2021-03-10), read without"),
    ):
        if faults:
            table.notes.append(f"{len(faults)} {what}: {_listed(faults)}")
    if other:
        table.notes.append(f"{other} rows left out, their part is not {part}")
    if more:
        table.notes.append(
            f"{more} rows more than the table has: a sentence without a dyad counts for each found in it"
        )
    _agree(table, scheme)
    return table


def _listed(faults: Sequence[str], most: int = MOST_TOLD) -> str:
    """Name faults, and count those beyond the first few."""
    return "; ".join([*faults[:most], *([f"and {len(faults) - most} more"] if len(faults) > most else [])])


def _agree(table: Table, scheme: Scheme) -> None:
    """Keep one of rows that say the same of the same, and none of those that contradict each other."""
    units: dict[tuple[str, str, str], list[Coded]] = {}
    for row in table.rows:
        units.setdefault((row.item.text, row.pair, str(row.item.actors)), []).append(row)
    clashes: list[str] = []
    kept: list[Coded] = []
    for rows in units.values():
        labels = dict(rows[0].labels)
        said = {v.name: {row.labels[v.name] for row in rows if v.name in row.labels} for v in scheme.variables}
        for variable in scheme.variables:
            if len(answers := said[variable.name]) > 1:
                both = " and ".join(repr(variable.labels[i]) for i in sorted(answers))
                clashes.append(f"{', '.join(row.where for row in rows)}: {variable.name} is {both}")
                labels.pop(variable.name, None)
            elif answers:
                labels[variable.name] = next(iter(answers))
        if labels:
            kept.append(Coded(rows[0].item, rows[0].pair, rows[0].document, labels, rows[0].where))
    same = len(table.rows) - len(kept)
    table.rows = kept
    if clashes:
        what = "labels left out, the same sentence and pair have others"
        table.notes.append(f"{len(clashes)} {what}: {_listed(clashes, MOST_CLASHES)}")
    elif same:
        table.notes.append(f"{same} rows left out, the same sentence, pair and labels stand there before")


class _Finder:
    """Finds the pairs of a row's sentence."""

    def __init__(self, states: Linker, names: Names) -> None:
        self.states = states
        self.names = names

    def pairs(self, sentence: str, row: Mapping[str, Any]) -> tuple[list[tuple[Item, str]], str]:
        """Return what the network is to read and the pair's name, for each pair of a row; and a date that is none.

        Raises:
            ValueError: there is no sentence, or no such pair in it.
        """
        if not sentence:
            raise ValueError("has no sentence")
        dyad, a, b = (str(row.get(key(name)) or "").strip() for name in (self.names.dyad, self.names.a, self.names.b))
        if not dyad and a and b:
            spans = [_words(sentence, words) for words in (a, b)]
            return [(Item(sentence, spans, [(0, 1)]), f"{a} - {b}")], ""
        given, wrong = row.get(key(self.names.date)), ""
        try:
            date = read_date(given if given is None or not isinstance(given, str) else given.strip())
        except (TypeError, ValueError):
            date, wrong = None, repr(given)
        codes = [code.strip().upper() for code in dyad.split("-")]
        asked = read_dyads(["-".join(codes) if len(codes) == 2 else dyad]) if dyad else ()
        wanted = {state for pair in asked for state in pair}
        mentions = self.states.link(sentence, date=date, sentences=[(0, len(sentence))], wanted=wanted)
        for state in sorted(wanted - {mention.state for mention in mentions}):
            raise ValueError(f"{state} of {dyad} isn't in the sentence")
        pairs = asked or dyads(mentions, self.states.outward)
        if not pairs:
            raise ValueError("no two states found in the sentence")
        return [(_item(sentence, mentions, pair), dyad_id(*pair)) for pair in pairs], wrong


def _item(sentence: str, mentions: Sequence[Mention], pair: Sequence[str]) -> Item:
    spans = [[(m.start, m.end) for m in mentions if m.state == state] for state in pair]
    return Item(sentence, spans, [(0, 1)])


def _words(sentence: str, words: str) -> list[Span]:
    """Return where an actor's words stand in a sentence."""
    spans = []
    for part in filter(None, map(str.strip, words.split("|"))):
        at = sentence.find(part)
        if at < 0:
            raise ValueError(f"{part!r} isn't in the sentence")
        while at >= 0:
            spans.append((at, at + len(part)))
            at = sentence.find(part, at + len(part))
    return spans


def _variables(scheme: Scheme, names: Names, there: Iterable[str], file: Path) -> dict[str, str]:
    """Return the column of each variable.

    Raises:
        LabelsError: there is none of one.
    """
    columns, missing = {}, []
    for variable in scheme.variables:
        choices = [variable.name, names.label] if len(scheme.variables) == 1 else [variable.name]
        column = next((key(name) for name in choices if key(name) in there), None)
        if column is None:
            missing.append(" or ".join(map(repr, choices)))
        else:
            columns[variable.name] = column
    if missing:
        hint = "; name it with --label" if len(scheme.variables) == 1 else ""
        raise LabelsError(f"{file}: no column {', '.join(missing)} for the labels; there are {', '.join(there)}{hint}")
    return columns


def _labels(scheme: Scheme, columns: Mapping[str, str], row: Mapping[str, Any]) -> tuple[dict[str, int], list[str]]:
    """Return the labels of a row, and what is said there that the codebook doesn't have."""
    labels, strange = {}, []
    for variable in scheme.variables:
        value = row.get(columns[variable.name])
        text = cell_text(value)
        if not text:
            continue
        label = label_in(variable, text)
        if label is None:
            strange.append(f"{text!r} ({variable.name} is {', '.join(variable.labels)})")
        else:
            labels[variable.name] = variable.labels.index(label)
    return labels, strange
