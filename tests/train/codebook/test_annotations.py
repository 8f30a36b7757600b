"""Tables of labels as researchers have them: what is read, what is left out and said, what is refused."""

import json
from pathlib import Path

import pandas as pd
import pytest

from detente.data.annotation.label_table import Labelled, read_labels, write_labels
from detente.data.codebook.label_schema import Scheme, Variable
from detente.data.tables_io.columns import SourceError
from detente.train.codebook.annotations import Names, Table, read_table

COERCION = Variable(name="coercion", kind="binary", labels=("no", "yes"))
STEP = Variable(name="step", kind="ordinal", labels=("1", "2", "3"), scores=(0.0, 1.0, 2.0))
SCHEME = Scheme((COERCION,))

WARNED, MET = "China warned Japan over the islands.", "Japan and China met for talks."


def read(folder: Path, text: str | bytes, name: str = "my.csv", scheme: Scheme = SCHEME, **options: str) -> Table:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    encoding = options.pop("encoding", "")
    return read_table(file, scheme, names=Names(**options), encoding=encoding)


def labels(table: Table) -> list[tuple[str, str, int]]:
    return [(row.item.text, row.pair, row.labels["coercion"]) for row in table.rows]


PLAIN = f"sentence,dyad,label\n{WARNED},CHN-JPN,yes\n{MET},JPN-CHN,no\n"
READ = [(WARNED, "CHN-JPN", 1), (MET, "CHN-JPN", 0)]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.replace(",", ";").replace("\n", "\r\n").encode("utf-8-sig"),  # Excel where a comma is a decimal mark
        PLAIN.replace(",", "\t").replace("\n", "\r\n").encode("utf-16"),  # Excel's "Unicode text"
        PLAIN.replace("label", " Label ").replace("yes", "YES").encode(),
        PLAIN.replace("label", "coercion").encode(),
        PLAIN.replace("CHN-JPN", "jpn - chn").encode(),
    ],
    ids=["plain", "bom", "semicolons", "utf-16", "capitals", "the variable's name", "dyads in small letters"],
)
def test_csv_whoever_wrote_it(tmp_path: Path, data: bytes) -> None:
    table = read(tmp_path, data)
    assert labels(table) == READ
    assert table.notes == []
    assert [row.where for row in table.rows] == ["my.csv:2", "my.csv:3"]
    assert table.rows[0].item.actors == [[(0, 5)], [(13, 18)]]


def test_json_lines_and_parquet(tmp_path: Path) -> None:
    rows = [{"sentence": s, "dyad": d, "label": bool(y)} for s, d, y in READ]
    assert labels(read(tmp_path, "\n".join(map(json.dumps, rows)), "my.jsonl")) == READ
    pd.DataFrame(rows).to_parquet(tmp_path / "my.parquet")
    assert labels(read_table(tmp_path / "my.parquet", SCHEME)) == READ


def test_numbers_that_a_spreadsheet_made(tmp_path: Path) -> None:
    pd.DataFrame({"sentence": [WARNED, MET], "dyad": "CHN-JPN", "step": [3.0, None]}).to_parquet(tmp_path / "n.parquet")
    table = read_table(tmp_path / "n.parquet", Scheme((STEP,)))
    assert [row.labels for row in table.rows] == [{"step": 2}]
    assert table.notes == ["1 rows left out, without a label: n.parquet:2"]


def test_excels_plain_csv(tmp_path: Path) -> None:
    data = f"sep=;\r\nsentence;dyad;label\r\nFrançois Hollande: {WARNED};CHN-JPN;yes\r\n;;\r\n".encode("cp1252")
    (row,) = read(tmp_path, data).rows
    assert row.item.text.startswith("François")
    assert row.where == "my.csv:3"


def test_a_workbook_is_told_as_such(tmp_path: Path) -> None:
    for name in ("my.xlsx", "my.csv"):
        with pytest.raises(SourceError, match="workbook"):
            read(tmp_path, b"PK\x03\x04rest", name)


def test_several_variables_and_a_missing_label(tmp_path: Path) -> None:
    text = f"text,pair,coercion,step\n{WARNED},CHN-JPN,yes,\n{MET},CHN-JPN,,2\n{MET} Again.,CHN-JPN,,\n"
    table = read(tmp_path, text, scheme=Scheme((COERCION, STEP)), sentence="text", dyad="pair")
    assert [dict(row.labels) for row in table.rows] == [{"coercion": 1}, {"step": 1}]
    assert table.notes == ["1 rows left out, without a label: my.csv:4"]


def test_dyads_are_found_where_none_is_given(tmp_path: Path) -> None:
    text = f"sentence,label\n{WARNED},yes\nJapan thanked India and Kenya.,no\nNo state here.,no\n"
    table = read(tmp_path, text)
    assert [pair for _, pair, _ in labels(table)] == ["CHN-JPN", "IND-JPN", "IND-KEN", "JPN-KEN"]
    assert table.notes == [
        "1 rows left out, their actors aren't in the sentence: my.csv:4 no two states found in the sentence",
        "2 rows more than the table has: a sentence without a dyad counts for each found in it",
    ]


def test_actors_that_are_no_states(tmp_path: Path) -> None:
    table = read(tmp_path, "sentence,a,b,label\nRebels fired on police; police fled.,Rebels,police,yes\n")
    assert table.rows[0].item.actors == [[(0, 6)], [(16, 22), (24, 30)]]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"{WARNED},CHN-IND,yes", "my.csv:2 IND of CHN-IND isn't in the sentence"),
        (f"{WARNED},CHN-XXX,yes", "my.csv:2 'XXX' is not a known state"),
        (f"{WARNED},China,yes", "my.csv:2 'China' is not a dyad"),
        (",CHN-JPN,yes", "my.csv:2 has no sentence"),
    ],
)
def test_a_row_without_its_pair_is_left_out_and_named(tmp_path: Path, row: str, said: str) -> None:
    table = read(tmp_path, f"sentence,dyad,label\n{row}\n{MET},CHN-JPN,no\n")
    assert len(table.rows) == 1
    assert said in table.notes[0]


def test_a_broken_row_is_left_out_and_named(tmp_path: Path) -> None:
    table = read(tmp_path, PLAIN + f"{WARNED},CHN-JPN\n")
    assert table.notes == ["1 rows left out, they can't be read: my.csv:4 2 fields, the header has 3"]


def test_contradictions_are_listed_and_repeats_counted(tmp_path: Path) -> None:
    table = read(tmp_path, PLAIN + f"{WARNED},CHN-JPN,no\n")
    assert labels(table) == [(MET, "CHN-JPN", 0)]
    assert table.notes == [
        "1 labels left out, the same sentence and pair have others: my.csv:2, my.csv:4: coercion is 'no' and 'yes'"
    ]
    again = read(tmp_path, PLAIN + f"{WARNED},CHN-JPN,yes\n")
    assert labels(again) == READ
    assert again.notes == ["1 rows left out, the same sentence, pair and labels stand there before"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"sentence,dyad,label\n{WARNED},CHN-JPN,maybe\n", r"my.csv:2 'maybe' \(coercion is no, yes\)"),
        ("satz,dyad,label\nx,CHN-JPN,no\n", r"no column 'sentence' for the sentence; there are satz.*--sentence"),
        (f"sentence,dyad,code\n{WARNED},CHN-JPN,no\n", r"no column 'coercion' or 'label' .*--label"),
        ("sentence,dyad,label\n", "has no rows"),
        ("", "has no rows"),
        ("sentence,dyad,label,Label\nx,CHN-JPN,no,no\n", "names .* twice"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(tmp_path, text)


def test_no_file_or_no_table(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_table(tmp_path / "no.csv", SCHEME)
    with pytest.raises(SourceError, match="is a folder"):
        read_table(tmp_path, SCHEME)
    with pytest.raises(SourceError, match="no rows"):
        read(tmp_path, "No table but a text.", "my.txt")


def test_excels_unicode_text(tmp_path: Path) -> None:
    assert labels(read(tmp_path, PLAIN.replace(",", "\t").encode("utf-16"), "my.txt")) == READ


def test_a_date_that_is_none_is_said(tmp_path: Path) -> None:
    table = read(tmp_path, f"sentence,dyad,label,date\n{WARNED},CHN-JPN,yes,03/10/2021\n")
    assert len(table.rows) == 1
    assert table.notes == ["1 dates not understood (write 2021-03-10), read without: my.csv:2 '03/10/2021'"]


def test_a_table_of_detente_import(tmp_path: Path) -> None:
    """What is kept for a test isn't learnt from, and what a spreadsheet was kept from is undone."""
    said = "-China warned Japan over the islands."
    file = tmp_path / "labels.csv"
    row = Labelled(id="1", sentence=said, dyad="CHN-JPN", part="train", coder="anna", labels={"coercion": "yes"})
    kept = Labelled(id="2", sentence=MET, dyad="CHN-JPN", part="test", coder="anna", labels={"coercion": "no"})
    write_labels([row, kept], file, SCHEME)
    learnt, tested = read_table(file, SCHEME), read_table(file, SCHEME, part="test")
    assert labels(learnt) == [(said, "CHN-JPN", 1)]
    assert labels(tested) == [(MET, "CHN-JPN", 0)]
    assert learnt.notes == ["1 rows left out, their part is not train"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("my.csv", PLAIN.replace("yes", "Yes").encode()),
        ("my.csv", PLAIN.replace("sentence,dyad,label", "Sentence,Dyad,Coercion").encode()),
        ("my.csv", PLAIN.replace("JPN-CHN", "jpn-chn").encode()),
        ("my.csv", f"sep=;\n{PLAIN.replace(',', ';')}".encode()),
        ("my.tsv", PLAIN.replace(",", "\t").encode("utf-16")),
        ("my.jsonl", "\n".join(json.dumps({"sentence": s, "dyad": d, "label": bool(y)}) for s, d, y in READ).encode()),
    ],
    ids=["label", "header", "dyad", "sep", "utf-16", "JSON lines"],
)
def test_training_and_agreement_read_the_same(tmp_path: Path, name: str, data: bytes) -> None:
    learnt = read(tmp_path, data, name)
    rows, _ = read_labels(tmp_path / name, SCHEME)
    assert labels(learnt) == READ
    assert [(row.sentence, row.dyad, COERCION.labels.index(row.labels["coercion"])) for row in rows] == READ
