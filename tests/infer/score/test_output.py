"""Parts: the formats, the manifest, and what a run that went wrong leaves behind."""

import csv
import errno
import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detente._files import sha256
from detente.data.codebook.labels import TONES
from detente.infer.corpus.reader import Cursor, Reject
from detente.infer.linking.mentions import Mention
from detente.infer.readings import table as rows
from detente.infer.readings.reading import Reading
from detente.infer.readings.table import SCHEMA, SCHEMA_VERSION, row
from detente.infer.score.output import Output, OutputError

READING = Reading(
    id="a",
    sentence='"China, Élysée 🎌" met\nJapan.',
    start=3,
    end=31,
    dyad="CHN-JPN",
    tone="engaging",
    warmth=0.123456,
    probabilities=dict(zip(TONES, (0.1, 0.2, 0.3, 0.35, 0.05), strict=True)),
    direction="mutual",
    cue="met",
    cue_start=21,
    cue_end=24,
    root="CONSULT",
    quad="verbal cooperation",
    mentions=(Mention(4, 9, "CHN", "name"), Mention(25, 30, "JPN", "name")),
    model="tiny 1",
)
NOT_FOUND = replace(
    READING,
    tone="none",
    warmth=None,
    cue="",
    cue_start=None,
    cue_end=None,
    root=None,
    quad=None,
    mentions=(),
    found=False,
)
RUN = {"model": {"name": "tiny 1"}, "options": {"include_none": False}}
REJECT = Reject("a.jsonl", 7, "not JSON")


def batch(*readings: Reading, number: int = 0) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([row(reading, document=number) for reading in readings], SCHEMA)


def write(folder: Path, numbers: Sequence[int], form: str = "parquet", run: dict[str, Any] = RUN) -> Output:
    """Write a part for each number: a record with one reading, and a reject."""
    with Output(folder, form, run) as output:
        for number in numbers:
            output.add([batch(READING, number=number)], [(2 * number + 1, REJECT)], 2)
            output.commit(Cursor(0, 2 * number + 2, number))
        return output


def listing(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_row() -> None:
    record = row(READING, document=5, date="2021-03", source="Wire")
    assert set(record) == set(SCHEMA.names)
    assert (record["document"], record["date"], record["source"], record["warmth"]) == (5, "2021-03", "Wire", 0.1235)
    assert [record[f"p_{tone.replace('-', '_')}"] for tone in TONES] == [0.1, 0.2, 0.3, 0.35, 0.05]
    assert record["mentions"][0] == {
        "start": 4, "end": 9, "text": "China", "state": "CHN", "how": "name", "via": "",
    }  # fmt: skip


def test_rows_of_a_later_window_count_from_the_texts_begin() -> None:
    plain, shifted = row(READING), row(READING, shift=1000)
    for key in ("start", "end", "cue_start", "cue_end"):
        assert shifted[key] == plain[key] + 1000
    assert shifted["mentions"][1]["start"] == 1025
    assert row(NOT_FOUND, shift=1000)["cue_start"] is None


def test_columns_are_documented() -> None:
    assert rows.__doc__ is not None
    first_cells = [line.split("|")[1] for line in rows.__doc__.splitlines() if line.startswith("| `")]
    names = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    assert names == SCHEMA.names


def test_parquet(tmp_path: Path) -> None:
    with Output(tmp_path / "out", "parquet", RUN, {"detente.model": "tiny 1"}) as output:
        output.add([batch(READING), batch(NOT_FOUND, number=1)], [], 2)
        output.commit(Cursor(0, 2))
    table = pq.read_table(tmp_path / "out" / "part-00000.parquet")
    assert table.schema.equals(SCHEMA)
    assert table.to_pylist() == [row(READING), row(NOT_FOUND, document=1)]
    assert table.schema.metadata[b"detente.schema"] == SCHEMA_VERSION.encode()
    assert table.schema.metadata[b"detente.model"] == b"tiny 1"


def test_json_lines_and_csv_hold_the_same(tmp_path: Path) -> None:
    for form in ("jsonl", "csv"):
        with Output(tmp_path / form, form, RUN) as output:
            output.add([batch(READING, NOT_FOUND)], [], 2)
            output.commit(Cursor(0, 2))
    lines = (tmp_path / "jsonl" / "part-00000.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [row(READING), row(NOT_FOUND)]
    with (tmp_path / "csv" / "part-00000.csv").open(encoding="utf-8", newline="") as stream:
        first, second = csv.DictReader(stream)
    assert list(first) == SCHEMA.names
    assert first["sentence"] == READING.sentence
    assert json.loads(first["mentions"]) == row(READING)["mentions"]
    assert (first["found"], second["found"], second["warmth"], second["root"]) == ("true", "false", "", "")


def test_row_groups_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows.ParquetWriter, "GROUP", 2 * batch(READING).nbytes)
    with Output(tmp_path / "out", "parquet", RUN) as output:
        output.add([batch(READING)] * 5, [], 5)
        output.commit(Cursor(0, 5))
    assert pq.ParquetFile(tmp_path / "out" / "part-00000.parquet").metadata.num_row_groups == 3


@pytest.mark.parametrize("form", ["parquet", "jsonl", "csv"])
def test_run_goes_on_behind_its_last_part(tmp_path: Path, form: str) -> None:
    write(tmp_path / "whole", [0, 1, 2], form)
    write(tmp_path / "out", [0], form)
    output = write(tmp_path / "out", [1, 2], form)
    assert listing(tmp_path / "out") == listing(tmp_path / "whole")
    assert (output.totals.parts, output.totals.records, output.totals.rejected, output.totals.readings) == (3, 6, 3, 3)
    assert output.cursor == Cursor(0, 6, 2)
    assert output.totals.documents == 3
    assert output.first_reject() == "a.jsonl:7: not JSON"


def test_pandas_reads_the_folder_whatever_was_rejected(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    write(tmp_path, [0, 1])
    assert pd.read_parquet(tmp_path)["document"].tolist() == [0, 1]


def test_folder_whose_rejects_have_their_earlier_name_goes_on(tmp_path: Path) -> None:
    write(tmp_path / "whole", [0, 1])
    write(tmp_path / "out", [0])
    (tmp_path / "out" / "_rejects.jsonl").rename(tmp_path / "out" / "rejects.jsonl")
    assert write(tmp_path / "out", [1]).first_reject() == "a.jsonl:7: not JSON"
    assert listing(tmp_path / "out") == listing(tmp_path / "whole")


def test_what_was_not_committed_is_taken_away(tmp_path: Path) -> None:
    write(tmp_path / "out", [0, 1])
    whole = listing(tmp_path / "out")
    lines = whole["_manifest.jsonl"].splitlines(keepends=True)
    # Killed within the manifest's last line, a part and its rejects being there already.
    for torn in (b"", lines[2][:-1], lines[2][:5]):
        (tmp_path / "out" / "_manifest.jsonl").write_bytes(b"".join(lines[:2]) + torn)
        (tmp_path / "out" / "part-00001.parquet").write_bytes(b"anything")
        (tmp_path / "out" / "_unfinished.tmp").write_bytes(b"half")
        with Output(tmp_path / "out", "parquet", RUN) as output:
            assert output.cursor == Cursor(0, 2, 0)
            assert sorted(listing(tmp_path / "out")) == [
                "_lock", "_manifest.jsonl", "_rejects.jsonl", "part-00000.parquet",
            ]  # fmt: skip
        write(tmp_path / "out", [1])
        assert listing(tmp_path / "out") == whole


def test_folder_without_a_whole_manifest_line_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "_manifest.jsonl").write_bytes(b'{"run": {"sche')
    assert write(tmp_path, [0]).totals.parts == 1


def test_other_run_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "out", [0])
    before = listing(tmp_path / "out")
    other = {**RUN, "options": {"include_none": True}}
    with pytest.raises(OutputError, match="another run: its include_none was False, now it is True; give another"):
        write(tmp_path / "out", [1], run=other)
    with pytest.raises(OutputError, match="its format was 'parquet', now it is 'csv'"):
        write(tmp_path / "out", [1], "csv")
    assert listing(tmp_path / "out") == before


def test_run_that_read_nothing_is_no_hindrance(tmp_path: Path) -> None:
    with Output(tmp_path, "parquet", RUN) as output:
        output.add([], [(0, REJECT)], 1)
        output.commit(Cursor(0, 1))
    output = write(tmp_path, [0], "jsonl")
    assert output.totals.records == 2
    assert sorted(listing(tmp_path)) == ["_lock", "_manifest.jsonl", "_rejects.jsonl", "part-00000.jsonl"]
    assert len(listing(tmp_path)["_rejects.jsonl"].splitlines()) == 1


def test_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_bytes(b"x")
    with pytest.raises(OutputError, match="isn't empty and holds no run"):
        Output(tmp_path, "parquet", RUN)
    assert list(listing(tmp_path)) == ["thesis.docx"]


def test_part_that_is_gone(tmp_path: Path) -> None:
    write(tmp_path, [0, 1])
    (tmp_path / "part-00000.parquet").unlink()
    with pytest.raises(OutputError, match=r"part-00000.parquet is missing"):
        write(tmp_path, [2])


@pytest.mark.parametrize("form", ["parquet", "jsonl", "csv"])
def test_manifest_vouches_for_the_bytes_of_parts(tmp_path: Path, form: str) -> None:
    write(tmp_path, [0], form)
    part = tmp_path / f"part-00000.{form}"
    entry = json.loads((tmp_path / "_manifest.jsonl").read_bytes().splitlines()[1])
    assert (entry["bytes"], entry["sha256"]) == (part.stat().st_size, sha256(part))
    for changed in (part.read_bytes()[:-1], part.read_bytes()[:-1] + b"?"):
        part.write_bytes(changed)
        with pytest.raises(OutputError, match=rf"part-00000.{form} was changed or cut short since it was written"):
            write(tmp_path, [1], form)


def test_folder_of_parts_without_digests_goes_on(tmp_path: Path) -> None:
    write(tmp_path, [0])
    header, part = map(json.loads, (tmp_path / "_manifest.jsonl").read_bytes().splitlines())
    del part["bytes"], part["sha256"]
    (tmp_path / "_manifest.jsonl").write_text(f"{json.dumps(header)}\n{json.dumps(part)}\n")
    assert write(tmp_path, [1]).totals.parts == 2


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("finishing", [False, True])
def test_folder_that_is_replaced_while_it_is_written(tmp_path: Path, again: bool, finishing: bool) -> None:
    folder = tmp_path / "out"
    with Output(folder, "parquet", RUN) as output:
        output.add([batch(READING)], [], 1)
        if finishing:
            output.commit(Cursor(0, 1))
        folder.rename(tmp_path / "moved")
        if again:
            write(folder, [0])
        before = listing(folder) if again else {}
        with pytest.raises(OutputError, match="out was moved, deleted or made again while this run wrote to it; give"):
            output.finish() if finishing else output.commit(Cursor(0, 1))
    assert (listing(folder) if again else {}) == before


def test_manifest_that_was_changed(tmp_path: Path) -> None:
    (tmp_path / "_manifest.jsonl").write_bytes(b"nonsense\n")
    with pytest.raises(OutputError, match=r"_manifest.jsonl was changed"):
        Output(tmp_path, "parquet", RUN)


def test_two_runs_at_once(tmp_path: Path) -> None:
    with Output(tmp_path, "parquet", RUN), pytest.raises(OutputError, match="another run is writing to"):
        Output(tmp_path, "parquet", RUN)
    Output(tmp_path, "parquet", RUN).__exit__(None, None, None)


@pytest.mark.parametrize("form", ["parquet", "jsonl", "csv"])
@pytest.mark.parametrize("at", range(1, 7))
def test_full_disk_at_each_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, at: int) -> None:
    """The disk fills up at the n-th time that something must reach it; afterwards the run goes on."""
    write(tmp_path / "whole", [0, 1], form)
    steps = 0
    real = os.fsync

    def full(handle: int) -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="can't be written: No space left on device; put that right and run"):
        write(tmp_path / "out", [0, 1], form)
    assert "_unfinished.tmp" not in listing(tmp_path / "out")
    with Output(tmp_path / "out", form, RUN) as output:
        done = output.totals.parts
    write(tmp_path / "out", [0, 1][done:], form)
    assert listing(tmp_path / "out") == listing(tmp_path / "whole")


def test_no_permission(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="can't be written: "):
        Output(tmp_path / "file" / "out", "parquet", RUN)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    root = os.geteuid() == 0
    if root:  # to whom everything is open
        os.seteuid(65534)
    try:
        with pytest.raises(OutputError, match="can't be written: Permission denied"):
            Output(closed / "out", "parquet", RUN)
    finally:
        if root:
            os.seteuid(0)
