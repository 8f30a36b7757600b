"""The table of labels and the exports that it is made of, as coders and their programs write them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.data.annotation.label_studio_import import read_exports
from detente.data.annotation.label_table import conflicts, guarded, labelled, read_labels, unguarded, write_labels
from detente.data.annotation.spreadsheets import LabelsError
from detente.data.codebook.label_schema import Scheme, Variable
from detente.infer.linking.absent_states import absent

TONE = Variable(name="tone", kind="ordinal", labels=("frosty", "neutral", "engaging"))
SCHEME = Scheme((TONE,))
BOTH = Scheme((TONE, Variable(name="coercion", kind="binary", labels=("no", "yes"))))

WARNED = "China warned Japan, again."
ROWS = f'sentence,dyad,label\n"{WARNED}",CHN-JPN,frosty\nIndia met Nepal.,NPL-IND,engaging\n'


def _task(number: int, *annotations: dict[str, Any], **data: str) -> dict[str, Any]:
    parts = {"unit": f"u{number}", "document": "d", "sentence": WARNED, "dyad": "CHN-JPN", "date": "", "part": "test"}
    return {"id": number, "data": {**parts, **data}, "annotations": list(annotations)}


def _said(coder: Any, *, cancelled: bool = False, **labels: str) -> dict[str, Any]:
    result = [
        {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [label]}}
        for name, label in labels.items()
    ]
    return {"completed_by": coder, "was_cancelled": cancelled, "result": result}


def _export(folder: Path, *tasks: dict[str, Any]) -> Path:
    file = folder / "export.json"
    file.write_text(json.dumps(tasks), "utf-8")
    return file


@given(st.text(st.characters(codec="utf-8")))
def test_a_guarded_text_is_no_formula_and_comes_back(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize(
    "data",
    [
        ROWS.encode(),
        ROWS.encode("utf-8-sig"),
        ROWS.replace('",', '";').replace(".,N", ".;N").replace("e,d", "e;d").replace("d,l", "d;l").replace(
            "N,f", "N;f").replace("D,e", "D;e").encode("utf-8-sig"),
        ("sep=;\r\n" + "sentence;dyad;label\r\n" + f"{WARNED};CHN-JPN;frosty\r\nIndia met Nepal.;NPL-IND;engaging\r\n")
        .encode(),
        f"sentence\tdyad\tlabel\n{WARNED}\tCHN-JPN\tfrosty\nIndia met Nepal.\tNPL-IND\tengaging\n".encode("utf-16"),
        ROWS.replace("sentence,dyad,label", " Sentence,Dyad,TONE ").replace("frosty", "Frosty").encode(),
        ROWS.replace("CHN-JPN", "jpn - chn").encode(),
        f"{ROWS},,\n\n,,\n".encode(),
    ],
    ids=["plain", "BOM", "semicolons", "sep", "Excel's Unicode text", "capitals", "small letters", "blank rows"],
)  # fmt: skip
def test_tables_as_spreadsheets_write_them(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "my.csv").write_bytes(data)
    rows, names = read_labels(tmp_path / "my.csv", SCHEME)
    assert names == ["tone"]
    assert [(r.sentence, r.dyad, dict(r.labels)) for r in rows] == [
        (WARNED, "CHN-JPN", {"tone": "frosty"}),
        ("India met Nepal.", "IND-NPL", {"tone": "engaging"}),
    ]


def test_json_lines_and_parquet(tmp_path: Path) -> None:
    rows = [
        {"Sentence": WARNED, "dyad": "JPN-CHN", "tone": "Frosty"},
        {"Sentence": "B.", "dyad": "ind-npl", "tone": None},
    ]
    (tmp_path / "my.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "my.parquet")
    for name in ("my.jsonl", "my.parquet"):
        read, _ = read_labels(tmp_path / name, SCHEME)
        assert [(r.sentence, r.dyad, dict(r.labels)) for r in read] == [
            (WARNED, "CHN-JPN", {"tone": "frosty"}),
            ("B.", "IND-NPL", {}),
        ]


def test_compressed_tables(tmp_path: Path) -> None:
    data = gzip.compress(ROWS.encode())
    (tmp_path / "my.csv.gz").write_bytes(data)
    rows, _ = read_labels(tmp_path / "my.csv.gz", SCHEME)
    assert [row.dyad for row in rows] == ["CHN-JPN", "IND-NPL"]
    for broken in (data[:-12], data[:20] + b"xx" + data[22:], b"\x1f\x8bno gzip"):
        (tmp_path / "my.csv.gz").write_bytes(broken)
        with pytest.raises(LabelsError, match=r"my\.csv\.gz"):
            read_labels(tmp_path / "my.csv.gz", SCHEME)


def test_no_such_table(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"my\.csv: there is no such file$"):
        read_labels(tmp_path / "my.csv", SCHEME)


def test_without_a_codebook_capitals_make_no_other_label(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text("sentence,dyad,Mood\na,CHN-JPN,Cold\nb,CHN-JPN,cold\nc,CHN-JPN,warm\n", "utf-8")
    rows, names = read_labels(tmp_path / "my.csv")
    assert names == ["Mood"]
    assert [row.labels["Mood"] for row in rows] == ["Cold", "Cold", "warm"]


def test_the_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    row = labelled(
        {"id": "u", "document": "=d", "sentence": '-China, "Japan"\nmet', "dyad": "JPN-CHN", "date": "2021",
         "part": "test", "coder": "@anna"},
        {"tone": "neutral", "coercion": ""}, "x", BOTH,
    )  # fmt: skip
    write_labels([row], tmp_path / "labels.csv", BOTH)
    assert b"'=d" in (tmp_path / "labels.csv").read_bytes()
    (back,), names = read_labels(tmp_path / "labels.csv", BOTH)
    assert names == ["tone", "coercion"]
    assert [getattr(back, n) for n in ("id", "document", "sentence", "dyad", "part", "coder", "labels")] == [
        getattr(row, n) for n in ("id", "document", "sentence", "dyad", "part", "coder", "labels")
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("sentence,dyad,label\n", "a header and no rows"),
        ("text,dyad,label\na,CHN-JPN,frosty\n", "no column sentence; there are text, dyad, label"),
        ("sentence,dyad,mood\na,CHN-JPN,frosty\n", "no column tone for the codebook's variables"),
        ("sentence,dyad,label\na,CHN-JPN,frosty\nb,CHN-JPN,cold\n", "my.csv:3: 'cold' is no label of tone; those are"),
        ("sentence,dyad,label\na,CHN-XXX,frosty\n", "my.csv:2: 'CHN-XXX' is not a dyad"),
        ("sentence,dyad,label\n,CHN-JPN,frosty\n", "my.csv:2: no sentence"),
        ("sentence,dyad,label\na, b,CHN-JPN,frosty\n", "my.csv:2: 4 fields, the header has 3"),
        ('sentence,dyad,label\n"a,CHN-JPN,frosty\n', "not CSV"),
        ("sentence,dyad,label,label\na,CHN-JPN,frosty,x\n", "names label twice"),
        ("sentence,dyad,label\na\0,CHN-JPN,frosty\n", "NUL byte"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "my.csv").write_text(text, "utf-8")
    with pytest.raises(LabelsError) as caught:
        read_labels(tmp_path / "my.csv", SCHEME)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_encoding_is_named_or_asked_for(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_bytes("sentence,dyad,tone\nXi – Kishida,CHN-JPN,frosty\n".encode("cp1252"))
    ((row,), _) = read_labels(tmp_path / "my.csv", SCHEME)
    assert row.sentence == "Xi – Kishida", "what Excel's plain CSV has in Western Europe"
    for text, codec in (
        ("Китай предупредил Японию", "cp1251"),
        ("Chiny ostrzegły Japonię", "cp1250"),
        ("中国警告", "gbk"),
    ):
        (tmp_path / "my.csv").write_bytes(f"sentence,dyad,tone\n{text},CHN-JPN,frosty\n".encode(codec))
        with pytest.raises(LabelsError, match=r"not UTF-8 in line 2; .*--encoding"):
            read_labels(tmp_path / "my.csv", SCHEME)
        ((row,), _) = read_labels(tmp_path / "my.csv", SCHEME, encoding=codec)
        assert row.sentence == text
    with pytest.raises(LabelsError, match="'nonsense' is no encoding"):
        read_labels(tmp_path / "my.csv", SCHEME, encoding="nonsense")


def test_json_of_label_studio(tmp_path: Path) -> None:
    file = _export(
        tmp_path,
        _task(1, _said(1, tone="frosty", coercion="yes"), _said({"id": 2, "email": "b@c.org"}, tone="neutral")),
        _task(2, _said(1, cancelled=True)),
        _task(3),
    )
    found = read_exports([file], BOTH)
    assert [(r.id, r.coder, dict(r.labels)) for r in found.rows] == [
        ("u1", "1", {"tone": "frosty", "coercion": "yes"}),
        ("u1", "b@c.org", {"tone": "neutral"}),
    ]
    assert (found.skipped, found.unlabelled, found.partial) == (1, 1, 1)


def test_flat_exports_and_spreadsheets(tmp_path: Path) -> None:
    flat = {**_task(1)["data"], "id": 17, "tone": "frosty", "annotator": 3, "annotation_id": 5}
    (tmp_path / "min.json").write_text(json.dumps([flat]), "utf-8")
    header = "tone,annotation_id,annotator,dyad,html,id,part,sentence,unit"
    (tmp_path / "flat.csv").write_text(f'{header}\nneutral,6,4,CHN-JPN,x,17,test,"{WARNED}",u1\n', "utf-8")
    (tmp_path / "anna.csv").write_text(f'id,sentence,dyad,coder,tone\nu1,"{WARNED}",CHN-JPN,,engaging\n', "utf-8")
    found = read_exports([tmp_path / name for name in ("min.json", "flat.csv", "anna.csv")], SCHEME)
    assert [(r.id, r.coder, r.labels["tone"]) for r in found.rows] == [
        ("u1", "3", "frosty"),
        ("u1", "4", "neutral"),
        ("u1", "anna", "engaging"),
    ]


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ([{"id": 1, "data": {"image": "x.png"}, "annotations": []}], "another project's export: no sentence and no"),
        ([_task(1, _said(1, mood="bad"))], "it answers mood; the codebook asks for tone"),
        ([_task(1, _said(1, tone="cold"))], "task 1: 'cold' is no label of tone"),
        ([_task(1), _task(2, _said(1, cancelled=True))], "no labels; tasks or rows that nobody has labelled: 1"),
        ([_task(1, {"result": [{"from_name": "tone", "value": 3}]})], "not an export of Label Studio"),
        ([3], "not an export of Label Studio"),
        ([{"sentence": "a", "dyad": "CHN-JPN", "annotation_id": 1, "sentiment": "x"}], "it answers sentiment"),
    ],
)  # fmt: skip
def test_exports_that_cannot_be_read(tmp_path: Path, tasks: list[Any], said: str) -> None:
    with pytest.raises(LabelsError) as caught:
        read_exports([_export(tmp_path, *tasks)], SCHEME)
    assert said in str(caught.value)


def test_one_coders_two_minds_are_listed() -> None:
    rows = [
        labelled({"sentence": WARNED, "dyad": "CHN-JPN", "coder": coder}, {"tone": tone}, f"row {at}")
        for at, (coder, tone) in enumerate([("a", "frosty"), ("b", "neutral"), ("a", "neutral"), ("a", "frosty")])
    ]
    assert [(a.where, b.where, name) for a, b, name in conflicts(rows)] == [("row 0", "row 2", "tone")]


def test_a_dyad_that_is_not_in_the_sentence() -> None:
    rows = [
        labelled({"sentence": WARNED, "dyad": dyad, "date": "2021-02-30"}, {"tone": "frosty"}, dyad)
        for dyad in ("CHN-JPN", "CHN-USA")
    ]
    assert [row.dyad for row in absent(rows)] == ["CHN-USA"]
