"""What the commands share in reading what they are given."""

import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from detente.infer.label.labeler import Groups

_COLUMN = "Column that holds the {}, if not guessed."

# How a corpus is to be read: options of every command that takes one.
Text = Annotated[str, typer.Option("--text", metavar="COLUMN", help=_COLUMN.format("text"))]
Id = Annotated[str, typer.Option("--id", metavar="COLUMN", help=_COLUMN.format("id"))]
Date = Annotated[str, typer.Option("--date", metavar="COLUMN", help=_COLUMN.format("date"))]
Title = Annotated[str, typer.Option("--title", metavar="COLUMN", help=_COLUMN.format("title"))]
Outlet = Annotated[str, typer.Option("--source", metavar="COLUMN", help=_COLUMN.format("outlet"))]
Speaker = Annotated[
    str, typer.Option("--speaker", metavar="COLUMN", help="Column with the code of the state whose statement it is.")
]
DateFormat = Annotated[
    str, typer.Option("--date-format", metavar="FORMAT", help="Of dates such as 03/10/2021: %d/%m/%Y.")
]
Encoding = Annotated[str, typer.Option("--encoding", help="Of the text.")]
InputFormat = Annotated[
    str, typer.Option("--from", metavar="FORMAT", help="jsonl, csv, tsv, parquet or text, if names don't tell.")
]

# Pairs of which either state is known by a group's name alone.
NoGroups = Annotated[bool, typer.Option("--no-groups", help="Leave out pairs that rest on a group's name (the Quad).")]
AllGroups = Annotated[
    bool, typer.Option("--all-groups", help="Read the members of looser groups too, such as the G7 and BRICS.")
]


class Failure(Exception):  # noqa: N818  (a command's failure, as in its exit code)
    """Something that a command cannot do; the message says what, where and what to do."""


class BadUsage(Failure):
    """Arguments that don't go together or can't be read."""


def read_text(file: str) -> str:
    """Read a text in UTF-8 from a file, or from standard input (`-`).

    Raises:
        Failure: it can't be read, isn't UTF-8 text, or is empty.
    """
    name = "standard input" if file == "-" else file
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except FileNotFoundError as error:
        raise Failure(f"{name}: there is no such file; give the path of a text, or - for standard input") from error
    except IsADirectoryError as error:
        raise Failure(f"{name} is a folder; give one text file at a time") from error
    try:
        text = data.decode("utf-8-sig")  # a byte order mark is no part of the text
    except UnicodeDecodeError as error:
        byte = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        raise Failure(f"{name} is not UTF-8 ({byte}); convert it: iconv -f ISO-8859-1 -t UTF-8") from error
    if "\0" in text:
        raise Failure(f"{name} has a NUL byte at offset {data.index(0)}: not a text, or UTF-16; convert it to UTF-8")
    if not text.strip():
        raise Failure(f"{name} is empty; give a text of at least one sentence")
    return text


def which_groups(*, none: bool, every: bool) -> "Groups":
    """Read `--no-groups` and `--all-groups`.

    Raises:
        BadUsage: both are given.
    """
    if none and every:
        raise BadUsage("--no-groups and --all-groups exclude each other; give one of them")
    return "all" if every else not none


def day(text: str) -> datetime.date | None:
    """Read the date of an option, in any form that can be read in one way only.

    Raises:
        BadUsage: it isn't one.
    """
    from detente.infer.corpus.dates import iso  # noqa: PLC0415
    from detente.infer.readings.document import read_date  # noqa: PLC0415

    try:
        return read_date(iso(text))
    except ValueError as error:
        raise BadUsage(f"--date: {text!r} is not a date; write it as 2021-03-10, 2021-03 or 2021") from error
