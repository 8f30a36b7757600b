"""The command line as users meet it: real processes, real pipes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detente.cli import app
from tests.helpers.cli import run

TEXT = "Japan thanked India for its help. China warned Japan.\n"
COMMANDS = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
TONES = ("none", "frosty", "neutral", "engaging", "alliance-building")


@pytest.fixture
def article(tmp_path: Path) -> Path:
    file = tmp_path / "article.txt"
    file.write_text(TEXT, "utf-8")
    return file


def test_table(article: Path, tiny_model: Path) -> None:
    done = run("label", article, "--all", "--model", tiny_model)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout, "no colour where the output is piped"
    for words in ("Japan thanked India for its help.", "IND-JPN", "CHN-JPN", "2 sentences, 2 dyads, 2 readings"):
        assert words in done.stdout
    assert any(tone in done.stdout for tone in TONES)


def test_long_words_are_never_cut_short(tmp_path: Path, tiny_model: Path) -> None:
    word = "x" * 300
    (tmp_path / "long.txt").write_text(f"China met {word} Japan.")
    done = run("label", tmp_path / "long.txt", "--all", "--model", tiny_model)
    assert done.stdout.count("x") >= 300
    assert "…" not in done.stdout


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path, tiny_model: Path) -> None:
    (tmp_path / "odd.txt").write_text("China \x1b[31m warned\x07 Japan.")
    assert "\x1b" not in run("label", tmp_path / "odd.txt", "--all", "--model", tiny_model, FORCE_COLOR="").stdout


def test_json_and_dyads(article: Path, tiny_model: Path) -> None:
    done = run("label", article, "--dyads", "USA-CHN, JPN-IND", "--json", "--model", tiny_model)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["id"], r["dyad"], r["found"]) for r in records] == [
        ("article", "CHN-USA", False),
        ("article", "IND-JPN", True),
        ("article", "CHN-USA", False),
        ("article", "IND-JPN", False),
    ]


def test_text_from_standard_input(tiny_model: Path) -> None:
    done = run("label", "-", "--json", "--all", "--model", tiny_model, given=TEXT)
    assert [json.loads(line)["dyad"] for line in done.stdout.splitlines()] == ["IND-JPN", "CHN-JPN"]


def test_jsonl(tiny_model: Path) -> None:
    lines = [
        {"id": "a", "text": TEXT, "date": "2021-03-10", "title": "Trip", "source": "kept out"},
        {"id": "b", "text": "China warned Japan.", "dyads": [["USA", "CHN"], ["JPN", "CHN"]]},
        {"id": "c", "text": "Nothing of note."},
    ]
    done = run("label", "--jsonl", "--all", "--model", tiny_model, given="\n".join(map(json.dumps, lines)))
    assert (done.returncode, done.stderr) == (0, "")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["id"], r["dyad"], r["found"]) for r in records] == [
        ("a", "IND-JPN", True),
        ("a", "CHN-JPN", True),
        ("b", "CHN-USA", False),
        ("b", "CHN-JPN", True),
    ]


def test_jsonl_answers_before_the_input_ends(tiny_model: Path) -> None:
    command = [sys.executable, "-m", "detente", "label", "--jsonl", "--all", "--model", str(tiny_model)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name in ("a", "b"):
            process.stdin.write(json.dumps({"id": name, "text": "China warned Japan."}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == name
        process.stdin.close()
        assert process.stdout.read() == b""


def test_reader_that_stops_early(tiny_model: Path) -> None:
    lines = (json.dumps({"text": "China warned Japan."}) + "\n") * 3000
    command = [sys.executable, "-m", "detente", "label", "--jsonl", "--all", "--model", str(tiny_model)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        try:
            process.stdin.write(lines.encode())
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.skipif(sys.platform == "win32", reason="closed as a POSIX shell does")
@pytest.mark.parametrize(
    ("command", "code", "complaint"),
    [
        (
            "states >&-",
            1,
            "detente: standard output is closed; send it to a file, or to /dev/null where nobody wants it",
        ),
        ("link - <&-", 1, "detente: standard input is empty; give a text of at least one sentence"),
        ("score - out <&-", 1, "detente: - holds no records"),
        ("states 2>&-", 0, ""),
        ("link nowhere.txt 2>&-", 1, ""),
        ("link - <&- >&- 2>&-", 1, ""),
        ("states > /dev/full", 1, "detente: No space left on device"),
        ("label --jsonl --model runs/", 1, "detente: no model folder at runs/; give a folder, a hub id"),
        ("label --jsonl --model 'runs/a b'", 1, "detente: no folder runs/a b here, and the hub did not give it"),
        ("link caf\udce9.txt", 1, "detente: caf\\udce9.txt: there is no such file; give the path of a text, or - for"),
    ],
)
def test_closed_streams_and_odd_names(tmp_path: Path, command: str, code: int, complaint: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m detente {command}",
        shell=True, cwd=tmp_path, capture_output=True, check=False, timeout=300,
        env={**os.environ, "LANG": "C", "LC_ALL": "C", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr.count(b"\n")) == (code, bool(complaint)), done.stderr.decode()
    assert done.stderr.decode().startswith(complaint)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode there")
def test_file_name_that_is_not_utf_8(tmp_path: Path, tiny_model: Path) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.txt")
    file.write_text(TEXT, "utf-8")
    done = run("label", file, "--all", "--json", "--model", tiny_model)
    assert done.returncode == 0, done.stderr
    assert {json.loads(line)["id"] for line in done.stdout.splitlines()} == {"caf\\xe9"}
    assert run("link", file).returncode == 0
    done = run("score", file, tmp_path / os.fsdecode(b"out\xe9"), "--all", "--model", tiny_model)
    assert done.returncode == 0, done.stderr


def test_link(article: Path) -> None:
    done = run("link", article, "--json")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["text"], r["state"]) for r in records] == [
        ("Japan", "JPN"),
        ("India", "IND"),
        ("China", "CHN"),
        ("Japan", "JPN"),
    ]
    assert "IND" in run("link", article).stdout


def test_link_check(tmp_path: Path) -> None:
    row = {"id": "1", "date": None, "kind": "plain", "marked": "[CHN:name|China] warned [JPN:name|Japan]."}
    (tmp_path / "marked.jsonl").write_text(json.dumps(row))
    done = run("link", "--check", tmp_path / "marked.jsonl")
    assert done.returncode == 0
    assert "P 1.000  R 1.000" in done.stdout


def test_states() -> None:
    lines = run("states").stdout.splitlines()
    assert len(lines) > 193
    assert any(line.startswith("EUU") for line in lines)


def test_corpora() -> None:
    done = run("corpora")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("plv", "dse", "newsmtsc", "annotations"))


def test_version() -> None:
    import detente

    assert run("--version").stdout == f"detente {detente.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert "Example" in done.stdout
    assert f"detente {command}" in done.stdout.split("Example")[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_extras(command: str) -> None:
    """rich takes `[train]` for markup and swallows it."""
    said = CliRunner().invoke(app, [command, "--help"]).stdout
    assert "``" not in said
    assert len(re.findall(r"extra\W+`\[\w+\]`", said)) == said.count("extra")
