"""Readers of the labelled corpora: each parses one file into examples and problems.

A malformed row doesn't stop a reader: it is reported as a `Problem` with its file and line.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from operator import index
from pathlib import Path
from typing import Any, TypeVar

import orjson

from detente.data.codebook.labels import DIRECTIONS, NO_DIRECTION, POLARITIES, QUADS, ROOTS, SENTIMENTS, TONES, dyad_id
from detente.data.corpora.examples import Corpus, CorpusError, Example, Problem, Span

#: A function that parses the file of a split; the examples carry the split's name.
Reader = Callable[[Path, str], Corpus]

#: A function that parses a line, given with its number, into examples and the reasons for those it leaves out.
_Parse = Callable[[int, bytes], Iterator[Example | str]] | Callable[[int, bytes], Iterator[Example]]
_Label = TypeVar("_Label", str, int)

_STATES = re.compile(r"\[([A-Z]{3}(?:\+[A-Z]{3})*)\|([^\[\]|]+)\]")
_MARK = re.compile(r"<(/?)([st])>")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def plv(path: Path, split: str) -> Corpus:
    """Read a file of PLV. Only its gold labels are used, since the others are a system's predictions.

    Raises:
        CorpusError: the header lacks a required column.
    """
    (_, first), *rows = lines_of(path)
    header = first.decode(errors="replace").split("\t")
    for column in ("marked_sentence", "gold_penta", "gold_root"):
        if column not in header:
            raise CorpusError(f"{path}: no column {column} in the first line; is this a tab-separated file of PLV?")

    def parse(line: int, row: bytes) -> Iterator[Example]:
        # A record is one line, so an unbalanced quotation mark costs one row.
        columns = next(csv.reader([row.decode()], delimiter="\t", strict=True))
        if len(columns) != len(header):
            raise ValueError(f"{len(columns)} columns, not {len(header)} as in the header")
        values = dict(zip(header, columns, strict=True))
        text, spans = unmark(values["marked_sentence"])
        yield Example(
            id=f"{path.stem}:{line}",
            text=_sentence(text),
            a=spans["s"],
            b=spans["t"],
            split=split,
            origin="plv",
            root=one_of(ROOTS, values["gold_root"], "gold_root"),
            quad=QUADS[int(one_of(("1", "2", "3", "4"), values["gold_penta"], "gold_penta")) - 1],
        )

    return parsed(path, rows, parse)


def dse(path: Path, split: str) -> Corpus:
    """Read a file of DSE. Quotation marks are kept as in the file, as in the published results."""

    def parse(line: int, row: bytes) -> Iterator[Example]:
        columns = row.decode().split("\t")
        if len(columns) != 4:
            raise ValueError(f"{len(columns)} columns, not 4 (sentence, p, q, label)")
        marked, p, q, label = columns
        text, a, b = unbracket(marked, p, q)
        yield Example(
            id=f"{path.stem}:{line}",
            text=_sentence(text),
            a=(a,),
            b=(b,),
            split=split,
            origin="dse",
            sentiment=SENTIMENTS[int(one_of(("0", "1", "2", "3", "4"), label, "label"))],
        )

    return parsed(path, lines_of(path), parse)


def newsmtsc(path: Path, split: str) -> Corpus:
    """Read a file of NewsMTSC, one example per target, without coreferent mentions that overlap the target."""
    polarities = dict(zip((2.0, 4.0, 6.0), POLARITIES, strict=True))

    def parse(_: int, row: bytes) -> Iterator[Example | str]:
        record = orjson.loads(row)
        text = _sentence(record["sentence_normalized"])
        for target in record["targets"]:
            if target["polarity"] not in polarities:
                yield f"target {target['mention']!r}: polarity is {target['polarity']!r}, not 2, 4 or 6"
                continue
            main = span_of(text, target["from"], target["to"])
            further = (span_of(text, m["from"], m["to"]) for m in target.get("further_mentions", ()))
            yield Example(
                id=target["Input.gid"],
                text=text,
                a=(main, *sorted(s for s in further if s[1] <= main[0] or main[1] <= s[0])),
                b=(),
                split=split,
                origin="newsmtsc",
                polarity=polarities[target["polarity"]],
            )

    return parsed(path, lines_of(path), parse)


def annotations(path: Path, split: str) -> Corpus:
    """Read a file of codebook annotations, or of rows without labels (no `tone`)."""

    def parse(_: int, row: bytes) -> Iterator[Example | str]:
        record = orjson.loads(row)
        text, dyad = _sentence(record["sentence"]), record["dyad"]
        codes = dyad.split("-")
        if len(codes) != 2 or codes[0] >= codes[1]:
            raise ValueError(f"dyad is {dyad!r}, not two codes in alphabetical order")
        spans: dict[str, list[Span]] = {code: [] for code in codes}
        for m in record["mentions"]:
            spans.get(m["state"], []).append(span_of(text, m["start"], m["end"]))
        for code, mentions in spans.items():
            if not mentions:
                raise ValueError(f"no mention of {code}")
        a, b = (tuple(sorted(spans[code])) for code in codes)
        labels: dict[str, Any] = {}
        if "tone" in record:
            labels = by_codebook(text, record)
            if record["cue"] and not labels["cue"]:
                yield f"cue {record['cue']!r} isn't in the sentence; kept without a cue"
        yield Example(
            id=record["id"],
            text=text,
            a=a,
            b=b,
            split=split,
            origin=f"annotations/{record['corpus']}",
            dyad=dyad,
            date=record["date"] or "",
            **labels,
        )

    return parsed(path, lines_of(path), parse)


def detente(path: Path, split: str) -> Corpus:
    """Read the corpus `detente`: each line is a sentence with states in brackets and a label for each dyad."""

    def parse(_: int, row: bytes) -> Iterator[Example | str]:
        record = orjson.loads(row)
        text, spans = unlist(record["marked"])
        for label in record["labels"]:
            a, b = label["dyad"].split("-")
            labels = by_codebook(text, label)
            if label["cue"] and not labels["cue"]:
                yield f"{label['dyad']}: cue {label['cue']!r} isn't in the sentence; kept without a cue"
            yield Example(
                id=f"{record['id']}:{label['dyad']}",
                text=_sentence(text),
                a=spans[a],
                b=spans[b],
                split=split,
                origin=f"detente/{record['kind']}",
                dyad=dyad_id(a, b),
                date=record["date"],
                **labels,
            )

    return parsed(path, lines_of(path), parse)


def by_codebook(text: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return the validated codebook labels of a record; the cue is None if it is empty or isn't in the text."""
    tone = one_of(TONES, record["tone"], "tone")
    allowed = (NO_DIRECTION,) if tone == "none" else DIRECTIONS
    start = text.find(record["cue"]) if record["cue"] else -1
    return {
        "tone": tone,
        "direction": one_of(allowed, record["direction"], f"direction of {tone!r}"),
        "confidence": one_of((1, 2, 3), record["confidence"], "confidence"),
        "cue": None if start < 0 else (start, start + len(record["cue"])),
    }


def unlist(marked: str) -> tuple[str, dict[str, tuple[Span, ...]]]:
    """Remove the state brackets of the corpus `detente`: `[USA|Washington]`, `[CHN+USA|both sides]`.

    Returns:
        The plain sentence, and the spans of each state's mentions.

    Raises:
        ValueError: a bracket is malformed.
    """
    text, end = "", 0
    spans: dict[str, tuple[Span, ...]] = {}
    for mark in _STATES.finditer(marked):
        text += marked[end : mark.start()]
        for code in mark[1].split("+"):
            spans[code] = (*spans.get(code, ()), (len(text), len(text) + len(mark[2])))
        text += mark[2]
        end = mark.end()
    text += marked[end:]
    if stray := set(text) & set("[]|"):
        raise ValueError(f"a stray {stray.pop()}: a mention is written [USA|Washington]")
    return text, spans


def unmark(marked: str) -> tuple[str, dict[str, tuple[Span, ...]]]:
    """Remove PLV's entity marks from a sentence.

    Args:
        marked: sentence with any number of `<s>…</s>` and `<t>…</t>`, possibly nested in each other.

    Returns:
        The plain sentence, and the spans of `s` and `t`, stripped of white space.

    Raises:
        ValueError: a mark is unbalanced or empty, or there is none.
    """
    pieces: list[str] = []
    spans: dict[str, list[Span]] = {"s": [], "t": []}
    opened: dict[str, int] = {}
    length = end = 0
    for mark in _MARK.finditer(marked):
        pieces.append(marked[end : mark.start()])
        length, end = length + mark.start() - end, mark.end()
        closing, kind = mark.groups()
        if (kind in opened) != bool(closing):
            raise ValueError(f"{mark[0]} where none is open" if closing else f"{mark[0]} inside {mark[0]}")
        if closing:
            spans[kind].append((opened.pop(kind), length))
        else:
            opened[kind] = length
    if opened:
        raise ValueError(f"<{min(opened)}> isn't closed")
    text = "".join(pieces) + marked[end:]
    if not any(spans.values()):
        raise ValueError("neither source nor target is marked")
    return text, {kind: tuple(_trim(text, *span) for span in marks) for kind, marks in spans.items()}


def unbracket(marked: str, p: str, q: str) -> tuple[str, Span, Span]:
    """Remove DSE's entity brackets from a sentence; other brackets are kept.

    Args:
        marked: sentence with `[p]` followed by `[q]`.
        p: words in the first pair of brackets, possibly quoted as in CSV.
        q: words in the second pair of brackets.

    Returns:
        The plain sentence and the spans of p and q, stripped of white space.

    Raises:
        ValueError: there are no such brackets.
    """
    brackets = _BRACKETS.finditer(marked)
    matches = []
    for name, words in (("p", p), ("q", q)):
        # A CSV writer may have quoted the words; in the sentence, only the outer field is quoted.
        forms = {words.strip(), words.removeprefix('"').removesuffix('"').strip()}
        match = next((m for m in brackets if m[1].strip() in forms), None)
        if match is None:
            raise ValueError(f"{name} is {words!r}, and the sentence has no such words in brackets in their order")
        matches.append(match)
    first, second = matches
    between, after = marked[first.end() : second.start()], marked[second.end() :]
    text = marked[: first.start()] + first[1] + between + second[1] + after
    a, b = first.start(), second.start() - 2
    return text, _trim(text, a, a + len(first[1])), _trim(text, b, b + len(second[1]))


def parsed(path: Path, rows: Iterable[tuple[int, bytes]], parse: _Parse) -> Corpus:
    """Parse rows into a corpus: strings become problems, and an exception is a problem with its entire row."""
    corpus = Corpus([], [])
    for line, row in rows:
        try:
            items = list(parse(line, row))
        except UnicodeError:
            items = ["not UTF-8"]
        except orjson.JSONDecodeError as error:
            items = [f"not JSON: {error}"]
        except KeyError as error:
            items = [f"no {error}"]
        except (ValueError, csv.Error) as error:
            items = [str(error)]
        except (TypeError, AttributeError) as error:
            items = [f"not of the expected form: {error}"]
        for item in items:
            if isinstance(item, str):
                corpus.problems.append(Problem(path, line, item))
            else:
                corpus.examples.append(item)
    return corpus


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines of a file, split at line feeds only, since sentences contain other separators."""
    for line, row in enumerate(path.read_bytes().removesuffix(b"\n").split(b"\n"), start=1):
        yield line, row.removesuffix(b"\r")


def _sentence(text: str) -> str:
    if not text.strip():
        raise ValueError("the sentence is empty")
    return text


def one_of(allowed: tuple[_Label, ...], value: _Label, name: str) -> _Label:
    """Return the label if it is allowed, or raise a `ValueError`."""
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}, not one of {', '.join(map(str, allowed))}")
    return allowed[allowed.index(value)]


def span_of(text: str, start: int, end: int) -> Span:
    """Return the span if it is inside the text, or raise a `ValueError`."""
    if not 0 <= start < end <= len(text):
        raise ValueError(f"span {start}-{end} is not inside the sentence of {len(text)} characters")
    return index(start), index(end)


def _trim(text: str, start: int, end: int) -> Span:
    words = text[start:end].strip()
    if not words:
        raise ValueError(f"the mark at {start} holds no words")
    start = text.index(words, start)
    return start, start + len(words)
