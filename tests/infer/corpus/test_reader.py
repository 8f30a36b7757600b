"""Corpora in every form, whole and broken."""

import csv
import datetime
import gzip
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.data.tables_io import formats
from detente.data.tables_io.columns import Columns, SourceError
from detente.infer.corpus import dates
from detente.infer.corpus.reader import Corpus, Cursor, Record, Reject
from detente.infer.readings.document import read_date
from detente.infer.text.chunks import LONGEST_TEXT, windows

ROWS: list[dict[str, Any]] = [
    {"id": "a", "date": "2021-03-10", "title": "One", "text": "China met Japan.", "source": "Wire"},
    {"id": "b", "date": "2021", "title": "", "text": 'Line one,\n"line" two: Élysée 🎌', "source": ""},
    {"id": "a", "date": "", "title": "Three", "text": "x", "source": "Daily"},
]


def entries(source: str | Path, **options: Any) -> list[Record | Reject]:
    return [entry for _, entry in Corpus(source, **options).read()]


def records(source: str | Path, **options: Any) -> list[Record]:
    found = entries(source, **options)
    assert all(isinstance(entry, Record) for entry in found), found
    return [entry for entry in found if isinstance(entry, Record)]


def jsonl(*rows: Mapping[str, Any] | bytes) -> bytes:
    return b"".join(row + b"\n" if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows)


def delimited(rows: list[dict[str, Any]], delimiter: str) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def zstd(data: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


@pytest.mark.parametrize("pack", ["", ".gz", ".zst"])
@pytest.mark.parametrize("form", ["jsonl", "csv", "tsv", "parquet"])
def test_every_format_gives_the_same_records(tmp_path: Path, form: str, pack: str) -> None:
    if form == "parquet" and pack:
        pytest.skip("Parquet is compressed inside")
    file = tmp_path / f"news.{form}{pack}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), file)
    else:
        data = jsonl(*ROWS) if form == "jsonl" else delimited(ROWS, "\t" if form == "tsv" else ",")
        file.write_bytes(gzip.compress(data) if pack == ".gz" else zstd(data) if pack == ".zst" else data)
    found = records(file)
    assert [(r.document.id, r.date, r.document.title, r.document.text, r.source) for r in found] == [
        (row["id"], row["date"] or None, row["title"], row["text"], row["source"] or None) for row in ROWS
    ]
    assert found[0].document.date == datetime.date(2021, 3, 10)
    assert {r.file for r in found} == {file.name}


def test_compression_is_told_by_the_bytes_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(gzip.compress(jsonl(ROWS[0])) + gzip.compress(jsonl(ROWS[2])))
    assert [r.document.text for r in records(tmp_path / "a.jsonl")] == ["China met Japan.", "x"]


def test_lines_say_where_a_record_begins(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(delimited(ROWS, ","))
    assert [r.line for r in records(tmp_path / "a.csv")] == [2, 3, 5]
    (tmp_path / "a.jsonl").write_bytes(b"\n" + jsonl(ROWS[0], b"  ", ROWS[1]))
    assert [r.line for r in records(tmp_path / "a.jsonl")] == [2, 4]


def test_folder_of_everything_in_a_fixed_order(tmp_path: Path) -> None:
    (tmp_path / "b" / "wire").mkdir(parents=True)
    (tmp_path / "b" / "wire" / "2021-03-10 talks.txt").write_text("China met Japan.")
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS[0]))
    (tmp_path / "c.csv").write_bytes(delimited(ROWS[2:], ","))
    (tmp_path / "picture.png").write_bytes(b"x")
    for hidden in (".hidden.jsonl", "_manifest.jsonl"):
        (tmp_path / hidden).write_bytes(b"nonsense")
    corpus = Corpus(tmp_path)
    assert [file.name for file in corpus.found.files] == ["a.jsonl", "c.csv", "b/wire/2021-03-10 talks.txt"]
    assert corpus.found.passed_over == 1
    text = records(tmp_path)[-1]
    assert (text.document.id, text.date, text.source) == ("b/wire/2021-03-10 talks.txt", "2021-03-10", "b/wire")
    assert corpus.position == 0
    list(corpus.read())
    assert corpus.position == corpus.found.size > 0


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode there")
def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS[0]))
    for name in (b"caf\xe9.txt", b"bad\xe9.csv", "café.txt".encode()):
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_text("id,words\nChina met Japan.")
    _, bad, good, stray = entries(tmp_path)
    assert isinstance(bad, Reject)
    assert bad.file == "bad\\xe9.csv"
    assert isinstance(stray, Record)
    assert isinstance(good, Record)
    assert (stray.document.id, good.document.id) == ("caf\\xe9.txt", "café.txt")
    orjson.dumps([bad.file, stray.file, str(bad)])


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names there")
def test_links_that_lead_nowhere_and_pipes_in_a_folder_are_rejects(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS[0]))
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "c.jsonl")
    (tmp_path / "d.jsonl").symlink_to(tmp_path / "a.jsonl")
    first, link, pipe, linked = entries(tmp_path)
    assert str(link) == "b.jsonl:1: a link that leads nowhere"
    assert str(pipe) == "c.jsonl:1: no regular file, but a pipe, a socket or a device"
    assert isinstance(first, Record)
    assert isinstance(linked, Record)
    Corpus(tmp_path).check_unchanged()


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names there")
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd])
def test_pipe_that_is_named(tmp_path: Path, pack: Any) -> None:
    os.mkfifo(tmp_path / "63")
    writer = threading.Thread(target=(tmp_path / "63").write_bytes, args=(pack(jsonl(*ROWS)),))
    writer.start()
    corpus = Corpus(tmp_path / "63")
    assert len(list(corpus.read())) == 3
    writer.join()
    corpus.check_unchanged()
    with pytest.raises(SourceError, match="Parquet can't be read from a pipe; give the file"):
        Corpus(tmp_path / "63", form="parquet")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read every folder")
def test_folder_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS[0]))
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(PermissionError):
        Corpus(tmp_path)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (jsonl(*ROWS), gzip.compress(jsonl(*ROWS))):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))
        assert len(entries("-")) == 3
    with pytest.raises(SourceError, match="Parquet can't be read from standard input"):
        Corpus("-", form="parquet")


def test_columns_by_name(tmp_path: Path) -> None:
    row = {"Doc-ID": 7, "Publish Date": "2021-03-10", "Headline": "T", "Body": "China met Japan.", "Outlet": "W"}
    (tmp_path / "a.jsonl").write_bytes(jsonl(row))
    (found,) = records(tmp_path / "a.jsonl")
    assert (found.document.id, found.date, found.document.title, found.source) == ("7", "2021-03-10", "T", "W")
    (tmp_path / "b.csv").write_bytes(delimited([{"x": "China met Japan.", "y": "2021-03-10"}], ","))
    (found,) = records(tmp_path / "b.csv", columns=Columns(text="x", date="y"))
    assert (found.document.text, found.date, found.document.id) == ("China met Japan.", "2021-03-10", "b.csv:2")


def test_a_column_of_speakers_is_named(tmp_path: Path) -> None:
    rows = [{"text": "We met Japan.", "speaker": code} for code in ("CHN", "", "President Doe")]
    (tmp_path / "a.csv").write_bytes(delimited(rows, ","))
    assert [record.document.speaker for record in records(tmp_path / "a.csv")] == ["", "", ""]
    first, second, reject = entries(tmp_path / "a.csv", columns=Columns(speaker="speaker"))
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.document.speaker, second.document.speaker) == ("CHN", "")
    assert str(reject).startswith("a.csv:4: speaker 'President Doe' is not a known state")


def test_missing_column_says_which_exist(tmp_path: Path) -> None:
    rows = [{"id": "1", "words": "China met Japan."}]
    (tmp_path / "a.csv").write_bytes(delimited(rows, ","))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        with pytest.raises(SourceError, match=rf"{name}: no column that could be the text; there are id, words"):
            entries(tmp_path / name)
        with pytest.raises(SourceError, match="no column 'body' for the text; there are id, words"):
            entries(tmp_path / name, columns=Columns(text="body"))
        with pytest.raises(SourceError, match="no column 'day' for the date"):
            entries(tmp_path / name, columns=Columns(text="words", date="day"))
    (tmp_path / "a.jsonl").write_bytes(jsonl(*rows))
    (reject,) = entries(tmp_path / "a.jsonl")
    assert str(reject).startswith("a.jsonl:1: no column that could be the text; there are id, words")


def test_missing_column_in_a_later_file_is_a_reject(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(delimited(ROWS[:1], ","))
    (tmp_path / "b.csv").write_bytes(b"id,words\n1,x\n")
    (tmp_path / "c.csv").write_bytes(delimited(ROWS[2:], ","))
    first, reject, last = entries(tmp_path)
    assert isinstance(first, Record)
    assert isinstance(reject, Reject)
    assert (reject.file, reject.line) == ("b.csv", 1)
    assert isinstance(last, Record)


def test_two_columns_that_could_be_the_text(tmp_path: Path) -> None:
    rows = [{"content": "China met Japan.", "text": "y"}]
    (tmp_path / "a.csv").write_bytes(delimited(rows, ","))
    with pytest.raises(SourceError, match=r"the columns text and content could each be the text; .* --text"):
        entries(tmp_path / "a.csv")
    (found,) = records(tmp_path / "a.csv", columns=Columns(text="content"))
    assert found.document.text == "China met Japan."
    (tmp_path / "b.csv").write_bytes(b"text,text\nx,y\n")
    with pytest.raises(SourceError, match="the header names text twice"):
        entries(tmp_path / "b.csv")


def test_nested_columns(tmp_path: Path) -> None:
    rows = [{"id": "1", "tags": ["a"], "article": {"body": "China met Japan.", "words": [1]}, "meta": {"day": "2021"}}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_bytes(jsonl(*rows))
    with pytest.raises(SourceError, match=r"nested column \(tags, article, meta\) name a field"):
        entries(tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="the column article is nested"):
        entries(tmp_path / "a.parquet", columns=Columns(text="article"))
    for name in ("a.parquet", "a.jsonl"):
        (found,) = records(tmp_path / name, columns=Columns(text="article.body", date="meta.day"))
        assert (found.document.text, found.date) == ("China met Japan.", "2021")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{not json", "not JSON"),
        (b"[1]", "must be a JSON object, not list"),
        (b'{"text": "\xff"}', "not JSON in UTF-8"),
        (b'{"id": 1}', "no column that could be the text; there is id"),
        (b'{"text": null}', "no text in 'text'"),
        (b'{"text": "  "}', "the text is empty"),
        (b'{"text": 7}', "text must be a string"),
        (b'{"text": "x", "date": "03/10/2021"}', "'03/10/2021' is not a date that can be read in one way only"),
        (b'{"text": "x", "dyads": [["CHN", "XYZ"]]}', "'XYZ' is not a known state"),
        (b'{"text": "x", "body": "y"}', "could each be the text"),
    ],
)
def test_bad_lines_are_rejects_and_the_rest_goes_on(tmp_path: Path, line: bytes, reason: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(line, ROWS[0], line, ROWS[2]))
    found = entries(tmp_path / "a.jsonl")
    assert [type(entry) for entry in found] == [Reject, Record, Reject, Record]
    assert str(found[2]).startswith("a.jsonl:3: ")
    assert reason in str(found[2])


def test_rejects_do_not_echo_values_at_length(tmp_path: Path) -> None:
    long = "x" * 100_000
    (tmp_path / "a.jsonl").write_bytes(
        jsonl({"text": "x", "date": long}, {long: 1}, {f"n{n}": 1 for n in range(10_000)}, {"text": "x", "dyads": long})
    )
    assert all(isinstance(entry, Reject) and len(str(entry)) < 500 for entry in entries(tmp_path / "a.jsonl"))


def test_quotation_mark_that_nothing_closes(tmp_path: Path) -> None:
    rows = "".join(f"{n},Wire,China met Japan on day {n}.\n" for n in range(1000))
    (tmp_path / "a.csv").write_text(f'id,source,text\na,Wire,"China met\n{rows}b,Wire,"Line one,\nline two."\n')
    torn, *good = entries(tmp_path / "a.csv")
    assert str(torn).startswith("a.csv:2: not CSV")
    assert [(r.document.id, r.line) for r in good[:2] if isinstance(r, Record)] == [("0", 3), ("1", 4)]
    assert len(good) == 1001
    assert isinstance(good[-1], Record)
    assert good[-1].document.text == "Line one,\nline two."
    (tmp_path / "a.csv").write_text(f'id,source,text\na,Wire,"China met\n{rows}')
    assert len(entries(tmp_path / "a.csv")) == 1001


def test_article_that_is_cut_short_is_one_reject(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,source,text\na,Wire,"China met Japan.\nIndia, too.\nAnd so on, and so\n')
    (torn,) = entries(tmp_path / "a.csv")
    assert str(torn) == "a.csv:2: not CSV: unexpected end of data, up to line 4"


def test_bad_rows_of_csv(tmp_path: Path) -> None:
    rows = b'id,text\n1,"China\nmet"\n2\n3,a "b\n4,"a" b\n5,caf\xe9\n6,good\n'
    (tmp_path / "a.csv").write_bytes(rows)
    one, short, quote, torn, stray, good = entries(tmp_path / "a.csv")
    assert isinstance(one, Record)
    assert str(short) == "a.csv:4: 1 fields, the header has 2"
    assert isinstance(quote, Record), "a quotation mark inside a field is one"
    assert "a.csv:6: not CSV" in str(torn)
    assert "a.csv:7: not UTF-8; give its encoding" in str(stray)
    assert isinstance(good, Record)


def test_encodings(tmp_path: Path) -> None:
    for name, data in {
        "a.csv": "id,text\n1,café\n",
        "b.jsonl": '{"text": "café"}\n',
        "c.txt": "café",
    }.items():
        (tmp_path / name).write_bytes(data.encode("cp1252"))
        (tmp_path / f"good {name}").write_bytes(b"\xef\xbb\xbf" + data.encode())
        (reject,) = entries(tmp_path / name)
        assert "UTF-8" in str(reject)
        for found in (records(tmp_path / name, encoding="cp1252"), records(tmp_path / f"good {name}")):
            assert found[0].document.text == "café"
    with pytest.raises(SourceError, match="can't be read line by line; convert it: iconv"):
        Corpus(tmp_path, encoding="utf-16")
    for name in ("utf-9", "idna", "rot13"):
        with pytest.raises(SourceError, match=f"'{name}' is no encoding"):
            Corpus(tmp_path, encoding=name)


def test_text_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("China".encode("utf-16-le"))
    assert "NUL byte" in str(entries(tmp_path / "a.txt")[0])


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_what_stands_before_a_break_is_read(tmp_path: Path, pack: Any) -> None:
    lines = [{"text": f"{number} {os.urandom(40).hex()}"} for number in range(20000)]
    data = pack(jsonl(*lines))
    (tmp_path / "a.jsonl.gz").write_bytes(data[: len(data) // 2])
    (tmp_path / "b.jsonl").write_bytes(jsonl(ROWS[0]))
    *whole, broken, after = entries(tmp_path)
    assert 8000 < len(whole) < 12000
    assert [entry.document.text for entry in whole if isinstance(entry, Record)] == [
        line["text"] for line in lines[: len(whole)]
    ]
    assert "from here on the file can't be read" in str(broken)
    assert isinstance(after, Record)
    assert after.file == "b.jsonl"


def test_broken_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS[0]))
    (tmp_path / "b.parquet").write_bytes(b"PAR1 nonsense")
    strings = pa.array([b"good", b"caf\xe9", b"also"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": strings}), tmp_path / "c.parquet")
    _, broken, good, stray, also = entries(tmp_path)
    assert str(broken).startswith("b.parquet:1: from here on the file can't be read")
    assert isinstance(good, Record)
    assert str(stray).startswith("c.parquet:2: not UTF-8")
    assert isinstance(also, Record)


@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured as POSIX does")
@pytest.mark.parametrize("nested", [False, True])
def test_small_parquet_that_says_one_long_text_many_times(tmp_path: Path, nested: bool) -> None:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 4000, pa.int32()), [f"China met Japan. {'x' * 300_000}"])
    column = pa.StructArray.from_arrays([text.cast(pa.string())], ["body"]) if nested else text
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet", compression="zstd")
    del text, column
    assert (tmp_path / "a.parquet").stat().st_size < 10_000
    script = """
import resource, sys
from detente.data.tables_io.columns import Columns
from detente.infer.corpus.reader import Corpus
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
lengths = [len(record.document.text) for _, record in Corpus(sys.argv[1], columns=Columns(text=sys.argv[2])).read()]
assert lengths == [300_017] * 4000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    command = [sys.executable, "-c", script, str(tmp_path / "a.parquet"), "text.body" if nested else "text"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert int(done.stdout) < 150 * 1024, "kilobytes"


def test_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LONGEST_RECORD", 100)
    rows = [{"text": "x" * 50}, {"text": "x" * 1000}, {"text": "y"}]
    (tmp_path / "a.jsonl").write_bytes(jsonl(*rows))
    (tmp_path / "b.csv").write_bytes(delimited(rows, ","))
    (tmp_path / "c.txt").write_text("x" * 101)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "d.parquet")
    found = entries(tmp_path)
    assert [isinstance(entry, Record) for entry in found] == [
        True,
        False,
        True,
        True,
        False,
        True,
        False,
        True,
        False,
        True,
    ]
    assert all("longer than" in str(entry) for entry in found if isinstance(entry, Reject))


def test_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file or folder"):
        Corpus(tmp_path / "no.jsonl")
    with pytest.raises(SourceError, match=r"holds no file whose name ends in .jsonl"):
        Corpus(tmp_path)
    (tmp_path / "a.xyz").write_bytes(jsonl(ROWS[0]))
    with pytest.raises(SourceError, match=r"has a name that ends in .*say what it is with --from"):
        Corpus(tmp_path / "a.xyz")
    assert len(records(tmp_path / "a.xyz", form="jsonl")) == 1
    with pytest.raises(SourceError, match="'xml' is not a format"):
        Corpus(tmp_path / "a.xyz", form="xml")
    (tmp_path / "a.json").write_text('[\n{"text": "x"}\n]\n')
    with pytest.raises(SourceError, match="a JSON array"):
        entries(tmp_path / "a.json")


@given(st.integers(0, 8), st.integers(0, 8))
def test_reading_goes_on_from_any_cursor(tmp_path_factory: pytest.TempPathFactory, first: int, second: int) -> None:
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "a.jsonl").write_bytes(jsonl(*ROWS, b"bad"))
    (folder / "b.csv").write_bytes(delimited(ROWS, ","))
    (folder / "c.txt").write_text("x")
    whole = list(Corpus(folder).read())
    assert len(whole) == 8
    for number in (first, second):
        cursor = whole[number - 1][0] if number else Cursor()
        assert list(Corpus(folder).read(cursor)) == whole[number:]


def test_changed_record_before_the_cursor(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(*ROWS))
    (_, _), (cursor, _), _ = Corpus(tmp_path).read()
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS[1], ROWS[0], ROWS[2]))
    with pytest.raises(SourceError, match="isn't what it was"):
        list(Corpus(tmp_path).read(cursor))
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS[0]))
    with pytest.raises(SourceError, match="fewer records"):
        list(Corpus(tmp_path).read(cursor))


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("2021-03-10", "2021-03-10"),
        ("2021-03-10T23:30:00-05:00", "2021-03-10"),
        ("2021-03-10 08:00:00", "2021-03-10"),
        ("2021-03-10T08:00:00Z", "2021-03-10"),
        ("2021-03", "2021-03"),
        ("2021", "2021"),
        ("20210310", "2021-03-10"),
        (20210310, "2021-03-10"),
        ("10 March 2021", "2021-03-10"),
        ("March 10, 2021", "2021-03-10"),
        ("Mar. 10, 2021 9:15 AM", "2021-03-10"),
        ("26-FEB-1987 15:01:01.79", "1987-02-26"),
        ("Wed, 10 Mar 2021 08:00:00 GMT", "2021-03-10"),
        (datetime.date(2021, 3, 10), "2021-03-10"),
        (datetime.datetime(2021, 3, 10, 8), "2021-03-10"),
        ("202111", "2021-11"),
        (202112, "2021-12"),
        ("2021-W10-3", "2021-03-10"),
        (1615363200, "2021-03-10"),
        ("1615363200", "2021-03-10"),
        (1615363200000, "2021-03-10"),
        ("1615363200000", "2021-03-10"),
        ("1615363200.5", "2021-03-10"),
        ("1065010100800", "2003-10-01"),
        (202111.0, "2021-11"),
        (float("nan"), None),
        ("26/08/2021", "2021-08-26"),
        ("08/26/2021", "2021-08-26"),
        ("31.12.2021", "2021-12-31"),
        ("31-12-2021 08:00", "2021-12-31"),
        ("10.10.2021", "2021-10-10"),
        (None, None),
        (" ", None),
    ],
)
def test_dates(given_: object, expected: str | None) -> None:
    assert dates.iso(given_) == expected


@pytest.mark.parametrize(
    "text",
    [
        "03/10/2021", "03.10.2021", "yesterday", "2021-13-01", "10 Marsh 2021", "0", "20211", "202113", "200512",
        "2021-W10", "2021W10", "2021031008", "9999999999999", -852033600000, 123456789,
    ],
)  # fmt: skip
def test_no_dates(text: object) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        dates.iso(text)


def test_a_date_of_two_readings_names_the_option() -> None:
    for text, option in (("03/10/2021", "%d/%m/%Y"), ("3.10.2021", "%d.%m.%Y"), ("200512", "%Y%m")):
        with pytest.raises(ValueError, match=f"say how: --date-format {option}$"):
            dates.iso(text)


def test_a_week_is_no_day() -> None:
    for text in ("2021-W10", "2021W10"):
        with pytest.raises(ValueError, match="is not a date: it names a week; write a day, a month or a year"):
            read_date(text)
    assert read_date("2021-W10-3") == datetime.date(2021, 3, 10)
    with pytest.raises(ValueError, match="is not a date"):
        read_date("1615010100800")


def test_dates_of_a_form() -> None:
    assert dates.iso("03/10/2021", "%d/%m/%Y") == "2021-10-03"
    with pytest.raises(ValueError, match="'2021-03-10' is not a date of the form"):
        dates.iso("2021-03-10", "%d/%m/%Y")


@pytest.mark.parametrize("unit", ["China met Japan. ", "x", "word ", " \n", "Yes. " + "word " * 60000])
def test_windows_are_the_text_cut_between_sentences(unit: str) -> None:
    text = (unit * (3 * LONGEST_TEXT // len(unit) + 1))[: 3 * LONGEST_TEXT]
    parts = list(windows(text))
    assert "".join(part for _, part in parts) == text
    assert all(text[start : start + len(part)] == part and len(part) <= LONGEST_TEXT for start, part in parts)
    assert len(parts) <= 7
    if unit.startswith("China"):
        assert all(part.startswith("China") for _, part in parts)
