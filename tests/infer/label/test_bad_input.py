"""Bad input gets one clear line or a defined answer: never a stack trace, never silence."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

import detente
from detente.data.tables_io import formats
from detente.infer.label.jsonl import label_lines
from detente.infer.label.labeler import LONGEST, Detente, load
from detente.models.model_dir import ModelError


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Detente:
    return load(tiny_model)


def run(*arguments: str | Path, given: bytes = b"") -> tuple[int, str]:
    """Run the command line; return its exit code and the one line that it complains with."""
    done = subprocess.run(
        [sys.executable, "-m", "detente", *map(str, arguments)],
        input=given,
        capture_output=True,
        check=False,
        timeout=300,
        env=dict(os.environ),
    )
    complaint = done.stderr.decode()
    assert "Traceback" not in complaint
    assert done.stdout == b""
    assert complaint.count("\n") == 1, complaint
    return done.returncode, complaint


def answer(model: Detente, *lines: bytes | dict[str, Any]) -> list[dict[str, Any]]:
    """What JSON lines are answered with."""
    sink = BytesIO()
    data = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    label_lines(model, BytesIO(data), sink, include_none=True)
    return [json.loads(line) for line in sink.getvalue().splitlines()]


class Trickle(BytesIO):
    """A stream that gives a few bytes at a time, and counts what is copied out of it."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(min(size or 0, 100))


def test_line_without_an_end_is_bounded(model: Detente, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LONGEST_RECORD", 1000)
    sink = BytesIO()
    source = Trickle(
        b'{"text": "' + b"x" * 5000 + b'"}\n\n' + b'{"id": 3, "text": "China warned Japan."}\n' + b"y" * 2000
    )
    assert label_lines(model, source, sink, include_none=True) == (3, 2)
    first, reading, last = map(json.loads, sink.getvalue().splitlines())
    assert first == {"id": None, "line": 1, "error": "longer than 64 MB"}
    assert reading["id"] == "3"
    assert last["line"] == 4


def test_pieces_of_a_line_are_not_copied_again_for_each_new_one() -> None:
    """A hundred times as many pieces may take a hundred times as long, not ten thousand times."""
    from detente.infer.label import jsonl

    pieces = 20_000
    ((number, line),) = next(iter(jsonl._lines(Trickle(b"x" * (100 * pieces) + b"\n"))))
    assert line is not None
    assert (number, len(line)) == (1, 100 * pieces)


def test_values_are_not_echoed_at_length(model: Detente) -> None:
    long = "x" * 100_000
    for record in (
        {"text": "China.", "date": long},
        {"text": "China.", "dyads": long},
        {"text": "China.", "dyads": [long]},
        {"text": "China.", "dyads": [[long, "USA"]]},
        {"id": [long], "text": 5},
        {"id": long},
    ):
        (found,) = answer(model, record)
        assert len(json.dumps(found)) < 500, record


@pytest.mark.parametrize("part", ["text", "title", "id"])
def test_half_a_character_is_no_text(model: Detente, part: str) -> None:
    parts: dict[str, Any] = {"text": "China warned Japan.", part: "ab\ud800"}
    with pytest.raises(ValueError, match=rf"{part} has half a character at offset 2"):
        model.label(**parts)


@pytest.mark.parametrize("text", ["", " \n\t ", "No state here.", "China alone, and China again."])
def test_text_without_a_dyad_gives_no_readings(model: Detente, text: str) -> None:
    assert model.label(text, include_none=True) == []


def test_text_without_a_dyad_says_so(tmp_path: Path, tiny_model: Path) -> None:
    (tmp_path / "a.txt").write_text("China alone.")
    command = [sys.executable, "-m", "detente", "label", str(tmp_path / "a.txt"), "--model", str(tiny_model)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert "no relationship between two states found" in done.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        ("Élysée".encode("latin-1"), "is not UTF-8 (byte 0xc9 at offset 0)"),
        (b"China\0Japan", "has a NUL byte at offset 5"),
        ("China".encode("utf-16-le"), "has a NUL byte at offset 1"),
    ],
)
def test_file_that_is_no_text(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    code, complaint = run("label", file)
    assert code == 1
    assert message in complaint
    assert str(file) in complaint


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for command in ("label", "link"):
        assert run(command, tmp_path / "no.txt") == (
            1,
            f"detente: {tmp_path / 'no.txt'}: there is no such file; "
            "give the path of a text, or - for standard input\n",
        )
        assert run(command, tmp_path) == (1, f"detente: {tmp_path} is a folder; give one text file at a time\n")
    assert run("label", "--jsonl", tmp_path / "no.jsonl", "--model", tmp_path)[0] == 1
    assert run("link", "--check", tmp_path / "no.jsonl")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give a FILE"),
        (("FILE", "--date", "yesterday"), "--date: 'yesterday' is not a date"),
        (("FILE", "--dyads", "CHN-XYZ"), "--dyads: 'XYZ' is not a known state; `detente states` lists the codes"),
        (("FILE", "--dyads", "CHN"), "--dyads: 'CHN' is not a dyad"),
        (("FILE", "--dyads", "CHN-CHN"), "names the same state twice"),
        (("--jsonl", "--date", "2021"), "with --jsonl"),
    ],
)
def test_bad_usage(tmp_path: Path, arguments: Sequence[str], message: str) -> None:
    (tmp_path / "a.txt").write_text("China warned Japan.")
    code, complaint = run("label", *(str(tmp_path / "a.txt") if a == "FILE" else a for a in arguments))
    assert code == 2
    assert message in complaint


def test_bad_lines_are_answered_and_the_rest_goes_on(model: Detente) -> None:
    good = {"id": "g", "text": "China warned Japan."}
    bad: list[tuple[bytes | dict[str, Any], str | None, str]] = [
        (b"{not json", None, "not JSON"),
        (b"[1, 2]", None, "must be a JSON object, not list"),
        (b'"China"', None, "must be a JSON object, not str"),
        (b'{"id": "u", "text": "\xff"}', None, "not JSON in UTF-8"),
        (b'{"id": "s", "text": "\\ud800"}', None, "not JSON in UTF-8"),
        ({"id": "t"}, "t", "no text"),
        ({"id": "e", "text": " "}, "e", "the text is empty"),
        ({"id": "n", "text": 7}, "n", "text must be a string, not int"),
        ({"id": "h", "text": "x", "title": ["x"]}, "h", "title must be a string, not list"),
        ({"id": "d", "text": "x", "date": "foo"}, "d", "'foo' is not a date"),
        ({"id": "i", "text": "x", "date": 2021}, "i", "date must be a string"),
        ({"id": "y", "text": "x", "dyads": [["CHN", "XYZ"]]}, "y", "'XYZ' is not a known state"),
        ({"id": "z", "text": "x", "dyads": "CHN-USA"}, "z", "dyads must be a list of pairs"),
    ]
    records = answer(model, *(line for row, _, _ in bad for line in (good, row)), b"", b"  ", good)
    assert len(records) == 2 * len(bad) + 1
    assert all(r["id"] == "g" and r["dyad"] == "CHN-JPN" for r in records[::2])
    for number, (record, (_, name, message)) in enumerate(zip(records[1::2], bad, strict=True), 1):
        assert list(record) == ["id", "line", "error"]
        assert (record["id"], record["line"]) == (name, 2 * number)
        assert message in record["error"]


def test_bad_lines_are_counted(tiny_model: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "detente", "label", "--jsonl", "--model", str(tiny_model)],
        input=b'nope\n{"text": "Nothing."}\n',
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["line"] == 1
    assert done.stderr == b"detente: 1 of 2 lines could not be read; see their error records\n"


def test_byte_order_mark(model: Detente) -> None:
    assert len(answer(model, b'\xef\xbb\xbf{"text": "China warned Japan."}')) == 1


@pytest.mark.parametrize(
    "text",
    [
        "🎌🇯🇵 Japan thanked 🤝 China 🇨🇳!!",
        "قال: China warned Japan (اليابان) מחר",
        "\u202eChina\u202c met\u200b Japan",
        "China\0warned\0 Japan",
        "\ufeffChina warned Japan",
        "China\r\nwarned\r\nJapan",
        "e\u0301lan: China met Japan n\u0303",
    ],
)
def test_offsets_in_odd_text(model: Detente, text: str) -> None:
    readings = model.label(text, dyads=[("CHN", "JPN")])
    (reading,) = (r for r in readings if r.found)
    assert text[reading.start : reading.end] == reading.sentence
    assert {text[m.start : m.end] for m in reading.mentions} == {"China", "Japan"}
    if reading.cue:
        assert text[reading.cue_start : reading.cue_end] == reading.cue


def test_ten_megabytes_in_one_line(model: Detente) -> None:
    filler = "lorem ipsum dolor sit amet " * 4000
    text = (f"{filler} China warned Japan {filler}" * 50)[:10_000_000]
    assert len(text) == 10_000_000
    readings = model.label(text, include_none=True)
    assert len(readings) == text.count("China warned Japan")
    assert all(r.end - r.start <= LONGEST and text[r.start : r.end] == r.sentence for r in readings)


def test_ten_megabytes_without_a_space(model: Detente) -> None:
    assert model.label("x" * 10_000_000) == []


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "config.json", "manifest.json"])
def test_model_folder_with_a_missing_file(tiny_model: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        detente.load(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "config.json"])
def test_model_folder_with_a_changed_file(tiny_model: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ModelError, match=f"{name} was changed"):
        detente.load(folder)


def test_no_model(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("China warned Japan.")
    code, complaint = run("label", tmp_path / "a.txt", "--model", tmp_path / "nowhere")
    assert code == 1
    assert "no model folder at" in complaint
    code, complaint = run("label", tmp_path / "a.txt", "--model", tmp_path)
    assert code == 1
    assert "is no exported model" in complaint
