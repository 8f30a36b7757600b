"""Scoring a corpus: the readings that labelling its texts gives, each once; where something is wrong, a clear word."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import detente
from detente.data.tables_io.columns import SourceError
from detente.infer.readings.table import row
from detente.infer.score.output import OutputError
from detente.infer.score.score import HOPELESS, Progress, score
from detente.infer.text.chunks import LONGEST_TEXT

TEXTS = [
    "Japan thanked India for its help. China warned Japan.",
    "Nothing of note.",
    "China met the United States. China warned Japan.",
]


def corpus(file: Path, *records: Mapping[str, Any] | str | bytes) -> Path:
    rows = [{"text": record} if isinstance(record, str) else record for record in records]
    file.write_bytes(b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in rows))
    return file


def readings(folder: Path) -> list[dict[str, Any]]:
    tables = [pq.read_table(file) for file in sorted(folder.glob("part-*.parquet"))]
    rows: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist()
    return rows


def rejects(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "_rejects.jsonl").read_text("utf-8").splitlines()]


def run(*arguments: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "detente", "score", *map(str, arguments)],
        input=given, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_same_readings_as_labelling_each_text(tmp_path: Path, tiny_model: Path) -> None:
    records = [
        {"id": f"n{n % 4}", "date": "2021-03-10", "title": "Trip", "source": "Wire", "text": TEXTS[n % 3] + f" {n}."}
        for n in range(30)
    ]
    source = corpus(tmp_path / "a.jsonl", *records)
    summary = score(source, tmp_path / "out", model=tiny_model, include_none=True, batch_size=1)
    model = detente.load(tiny_model)
    expected = [
        row(reading, document=number, date="2021-03-10", source="Wire")
        for number, record in enumerate(records)
        for reading in model.label(record["text"], date="2021-03-10", title="Trip", id=record["id"], include_none=True)
    ]
    found = readings(tmp_path / "out")
    assert len(found) == len(expected) == summary.totals.readings == 40
    for mine, theirs in zip(found, expected, strict=True):
        for key in mine:
            assert mine[key] == (pytest.approx(theirs[key], abs=2e-4) if key[:2] in ("p_", "wa") else theirs[key]), key
    assert (summary.totals.records, summary.totals.rejected, summary.totals.parts) == (30, 0, 2)


@pytest.mark.parametrize("workers", [1, 3])
def test_rows_do_not_depend_on_the_workers(tmp_path: Path, tiny_model: Path, workers: int) -> None:
    source = corpus(tmp_path / "a.jsonl", *TEXTS * 20)
    for name, number in (("one", 1), ("other", workers)):
        score(source, tmp_path / name, model=tiny_model, workers=number, batch_size=4, include_none=True)
    one, other = (sorted((tmp_path / name).glob("part-*")) for name in ("one", "other"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in other]


def test_rejects_are_told_with_their_place(tmp_path: Path, tiny_model: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", TEXTS[0], b"{bad", {"id": 1}, TEXTS[2])
    summary = score(source, tmp_path / "out", model=tiny_model, include_none=True)
    assert (summary.totals.documents, summary.totals.rejected) == (2, 2)
    assert [(r["document"], r["file"], r["line"]) for r in rejects(tmp_path / "out")] == [
        (1, "a.jsonl", 2),
        (2, "a.jsonl", 3),
    ]
    assert {r["document"] for r in readings(tmp_path / "out")} == {0, 3}


def test_strict_stops_at_the_first(tmp_path: Path, tiny_model: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", TEXTS[0], b"{bad", TEXTS[2])
    with pytest.raises(SourceError, match=r"a.jsonl:2: not JSON"):
        score(source, tmp_path / "out", model=tiny_model, strict=True)
    assert score(source, tmp_path / "out", model=tiny_model).totals.rejected == 1


def test_finished_run_is_left_as_it_is(tmp_path: Path, tiny_model: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", *TEXTS)
    score(source, tmp_path / "out", model=tiny_model)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").iterdir()}
    summary = score(source, tmp_path / "out", model=tiny_model)
    assert (summary.kept, summary.totals.records) == (3, 3)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "out").iterdir()} == before


def test_other_input_model_or_options_are_refused(tmp_path: Path, tiny_model: Path, tiny_int8: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", *TEXTS)
    score(source, tmp_path / "out", model=tiny_model)
    for options, reason in (
        ({"model": tiny_int8}, "its sha256 was"),
        ({"include_none": True}, "its include_none was False, now it is True"),
        ({"min_probability": 0.5}, "its min_probability was 0.0"),
        ({"columns": {"text": "text"}}, "its text was None"),
    ):
        with pytest.raises(OutputError, match=f"holds another run: {reason}"):
            score(source, tmp_path / "out", **{"model": tiny_model, **options})  # type: ignore[arg-type]
    corpus(source, *TEXTS, TEXTS[0])
    with pytest.raises(OutputError, match="its bytes was"):
        score(source, tmp_path / "out", model=tiny_model)


def append(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(b'{"text": "China warned Japan."}\n')


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def overwrite(file: Path) -> None:
    status = file.stat()
    file.write_bytes(bytes(reversed(file.read_bytes())))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


def replace(file: Path) -> None:
    status = file.stat()
    shutil.copy(file, file.with_suffix(".new"))
    os.utime(file.with_suffix(".new"), ns=(status.st_atime_ns, status.st_mtime_ns))
    file.with_suffix(".new").replace(file)


def add(file: Path) -> None:
    shutil.copy(file, file.with_name("new.jsonl"))


@pytest.mark.parametrize("change", [append, cut, overwrite, replace, add, Path.unlink])
def test_input_that_changes_while_it_is_read(
    tmp_path: Path, tiny_model: Path, change: Callable[[Path], object]
) -> None:
    (tmp_path / "in").mkdir()
    source = corpus(tmp_path / "in" / "a.jsonl", *TEXTS * 10)
    changed = False

    def interfere(_: Progress) -> None:
        nonlocal changed
        if not changed:
            change(source)
            changed = True

    with pytest.raises(SourceError, match=r"in/?\S* (was|has) .* while it was read"):
        score(source.parent, tmp_path / "out", model=tiny_model, batch_size=2, workers=1, progress=interfere)
    assert b'"done"' not in (tmp_path / "out" / "_manifest.jsonl").read_bytes()


def test_output_inside_the_input(tmp_path: Path, tiny_model: Path) -> None:
    corpus(tmp_path / "a.jsonl", *TEXTS)
    for out in (tmp_path, tmp_path / "out", tmp_path / "x" / ".." / "out"):
        with pytest.raises(OutputError, match="is the input or lies in it"):
            score(tmp_path, out, model=tiny_model)
    with pytest.raises(OutputError, match="is the input or lies in it"):
        score(tmp_path / "a.jsonl", tmp_path / "a.jsonl", model=tiny_model)
    assert [file.name for file in tmp_path.iterdir()] == ["a.jsonl"]


def test_empty_corpus(tmp_path: Path, tiny_model: Path) -> None:
    for name, data in (("a.jsonl", b"\n\n"), ("b.csv", b""), ("c.csv", b"id,text\n")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match=f"{name} holds no records"):
            score(tmp_path / name, tmp_path / "out", model=tiny_model)
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "d.parquet")
    with pytest.raises(SourceError, match="holds no records"):
        score(tmp_path / "d.parquet", tmp_path / "out", model=tiny_model)


def test_nothing_that_can_be_read(tmp_path: Path, tiny_model: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", *[{"words": "x"}] * 3)
    for _ in range(2):
        with pytest.raises(SourceError, match=r"none of the records can be read; the first, a.jsonl:1: no column"):
            score(source, tmp_path / "out", model=tiny_model)
        assert len(rejects(tmp_path / "out")) == 3
    corpus(source, *[{"words": "x"}] * 2 * HOPELESS)
    with pytest.raises(SourceError, match=f"none of the first {HOPELESS} records can be read"):
        score(source, tmp_path / "out", model=tiny_model)
    assert score(source, tmp_path / "out", model=tiny_model, columns={"text": "words"}).totals.rejected == 0


def test_records_without_a_dyad_give_an_empty_part(tmp_path: Path, tiny_model: Path) -> None:
    assert score(corpus(tmp_path / "a.jsonl", TEXTS[1]), tmp_path / "out", model=tiny_model).totals.readings == 0
    assert readings(tmp_path / "out") == []


def test_ids_may_be_the_same(tmp_path: Path, tiny_model: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", {"id": "x", "text": TEXTS[0]}, {"id": "x", "text": TEXTS[2]}, TEXTS[0])
    score(source, tmp_path / "out", model=tiny_model, include_none=True)
    assert [(r["document"], r["id"]) for r in readings(tmp_path / "out")] == [
        (0, "x"), (0, "x"), (1, "x"), (1, "x"), (2, "a.jsonl:3"), (2, "a.jsonl:3"),
    ]  # fmt: skip


def test_dates_in_three_forms_and_none(tmp_path: Path, tiny_model: Path) -> None:
    given = ["2021-03-10", "March 10, 2021", "Wed, 10 Mar 2021 08:00:00 GMT", None]
    source = corpus(tmp_path / "a.jsonl", *({"text": "China warned Japan.", "date": date} for date in given))
    score(source, tmp_path / "out", model=tiny_model, include_none=True)
    assert [r["date"] for r in readings(tmp_path / "out")] == [*["2021-03-10"] * 3, None]


def test_long_article_in_windows(tmp_path: Path, tiny_model: Path) -> None:
    filler = "Nothing of note happened here on that day. " * 4000
    text = "".join(f"{filler}China warned Japan on day {number}. " for number in range(9))
    assert len(text) > 5 * LONGEST_TEXT
    source = corpus(tmp_path / "a.jsonl", text, TEXTS[0])
    summary = score(source, tmp_path / "out", model=tiny_model, include_none=True)
    *long, _, _ = readings(tmp_path / "out")
    assert summary.totals.records == 2
    assert [r["sentence"] for r in long] == [f"China warned Japan on day {number}." for number in range(9)]
    for reading in long:
        assert text[reading["start"] : reading["end"]] == reading["sentence"]
        assert text[reading["cue_start"] or 0 : reading["cue_end"] or 0] == reading["cue"]
        assert [text[m["start"] : m["end"]] for m in reading["mentions"]] == ["China", "Japan"]


def test_ten_thousand_articles_of_a_line(tmp_path: Path, tiny_model: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", *(f"China warned Japan in {n % 50}." for n in range(10_000)))
    summary = score(source, tmp_path / "out", model=tiny_model, include_none=True)
    assert summary.totals.readings == 10_000
    assert [r["document"] for r in readings(tmp_path / "out")] == list(range(10_000))


def test_requested_dyads_of_a_record(tmp_path: Path, tiny_model: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", {"text": TEXTS[2], "dyads": [["USA", "CHN"]]})
    score(source, tmp_path / "out", model=tiny_model)
    assert [(r["dyad"], r["found"], r["warmth"] is None) for r in readings(tmp_path / "out")] == [
        ("CHN-USA", True, False),
        ("CHN-USA", False, True),
    ]


def test_progress(tmp_path: Path, tiny_model: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", *TEXTS * 10)
    steps: list[Progress] = []
    score(source, tmp_path / "out", model=tiny_model, batch_size=5, progress=steps.append)
    assert [step.totals.records for step in steps] == [5, 10, 15, 20, 25, 30]
    assert [step.position for step in steps] == sorted(step.position for step in steps)
    assert steps[-1].position == steps[-1].size == source.stat().st_size


def test_no_threads_are_left(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    source = corpus(tmp_path / "a.jsonl", *TEXTS * 10)

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(source, tmp_path / "out", model=tiny_model, batch_size=2, progress=fail)
    assert threading.active_count() == before
    assert score(source, tmp_path / "out", model=tiny_model, batch_size=2).totals.records == 30


def test_bad_arguments(tmp_path: Path, tiny_model: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", *TEXTS)
    with pytest.raises(ValueError, match="'xml' is not a format that can be written; those are parquet, jsonl, csv"):
        score(source, tmp_path / "out", output_format="xml")
    with pytest.raises(ValueError, match="at least one worker"):
        score(source, tmp_path / "out", workers=0)
    with pytest.raises(SourceError, match="'words' is not what a column can hold"):
        score(source, tmp_path / "out", columns={"words": "x"})
    assert not (tmp_path / "out").exists()


def test_command_line(tmp_path: Path, tiny_model: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", *({"words": text} for text in TEXTS), b"{bad")
    done = run(source, tmp_path / "out", "--text", "words", "--all", "--model", tiny_model, "--workers", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"4 readings in 1 part in {tmp_path / 'out'}\n4 records read in ")
    assert f"1 of 4 records rejected; see {tmp_path / 'out' / '_rejects.jsonl'}\n" in done.stdout
    again = run(source, tmp_path / "out", "--text", "words", "--all", "--model", tiny_model)
    assert "4 were there already" in again.stdout
    other = run(source, tmp_path / "out", "--text", "words", "--model", tiny_model)
    assert other.returncode == 1
    assert other.stderr.startswith(f"detente: {tmp_path / 'out'} holds another run: its include_none was True")
    assert other.stderr.count("\n") == 1


def test_command_line_reads_standard_input(tmp_path: Path, tiny_model: Path) -> None:
    data = b"\n".join(json.dumps({"id": str(n), "text": text}).encode() for n, text in enumerate(TEXTS))
    for _ in range(2):
        done = run("-", tmp_path / "out", "--all", "--format", "csv", "--model", tiny_model, given=data)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "part-00000.csv").read_text().count("\n") == 5


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nowhere.jsonl", "OUT"), 1, "nowhere.jsonl: there is no such file or folder"),
        (("IN", "OUT", "--from", "xml"), 2, "--from: 'xml' is none of jsonl, csv"),
        (("IN", "OUT", "--format", "xml"), 2, "--format: 'xml' is none of parquet, jsonl, csv"),
        (("IN", "OUT", "--encoding", "utf-16"), 1, "can't be read line by line"),
        (("IN", "OUT", "--model", "nowhere"), 1, "no model folder at nowhere"),
        (("IN", "/proc/out"), 1, "/proc/out can't be written"),
    ],
)
def test_command_line_complains_in_one_line(
    tmp_path: Path, tiny_model: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    places = {"IN": str(corpus(tmp_path / "a.jsonl", *TEXTS)), "OUT": str(tmp_path / "out")}
    model = () if "--model" in arguments else ("--model", str(tiny_model))
    done = run(*(places.get(argument, argument) for argument in arguments), *model)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_has_an_example() -> None:
    assert "detente score news.parquet" in run("--help").stdout.split("Example")[1]
