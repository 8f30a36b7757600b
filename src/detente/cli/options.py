"""Options, text input and errors shared by the commands."""

import datetime
import sys
from pathlib import Path
from typing import Annotated

import typer

_COLUMN = "Column with the {} (default: guessed from the column names)."

# How a corpus is to be read: options of every command that takes one.
Text = Annotated[str, typer.Option("--text", metavar="COLUMN", help=_COLUMN.format("text"))]
Id = Annotated[str, typer.Option("--id", metavar="COLUMN", help=_COLUMN.format("id"))]
Date = Annotated[str, typer.Option("--date", metavar="COLUMN", help=_COLUMN.format("date"))]
Title = Annotated[str, typer.Option("--title", metavar="COLUMN", help=_COLUMN.format("title"))]
Outlet = Annotated[str, typer.Option("--source", metavar="COLUMN", help=_COLUMN.format("outlet"))]
DateFormat = Annotated[
    str, typer.Option("--date-format", metavar="FORMAT", help="Format of dates such as 03/10/2021: %d/%m/%Y.")
]
Encoding = Annotated[str, typer.Option("--encoding", help="Text encoding of the input.")]
InputFormat = Annotated[
    str,
    typer.Option(
        "--from", metavar="FORMAT", help="Input format: jsonl, csv, tsv, parquet or text (default: by file name)."
    ),
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


def day(text: str) -> datetime.date | None:
    """Read the date of an option.

    Raises:
        BadUsage: it isn't one.
    """
    from detente.infer.readings.document import read_date  # noqa: PLC0415

    try:
        return read_date(text)
    except ValueError as error:
        raise BadUsage(f"--date: {error}") from error
