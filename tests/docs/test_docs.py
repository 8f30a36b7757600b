"""Every command and snippet of the README and the docs is run, or held to the program where it can't be.

A page's blocks run in their order, in one folder. An HTML comment right before a block says more of it: `<!-- not run:
why -->`, or `<!-- file: codebook.yaml -->` for a block that is written to a file which later blocks read.
"""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from detente.infer.label.labeler import load
from detente.models.model_dir import resolve
from tests.helpers.serving import served
from tests.helpers.snippets import ROOT, RUN, SHOWN, Block, blocks, check, commands, links, options, spans

PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "models/detente-mini/README.md", "seeds/README.md")),
        *(ROOT / "data").rglob("*.md"),
        ROOT / "infer" / "linking" / "linking.md",
        *(ROOT / "docs").glob("*.md"),
    ]
)
BLOCKS = [block for page in PAGES for block in blocks(page)]
WITH_BLOCKS = sorted({block.page for block in BLOCKS if block.kind in RUN})

#: First words of what sets up a machine: checked, not run.
SETUP = {"git", "cd", "make", "pip", ".venv/bin/pip", ".venv/bin/pre-commit"}

#: What makes a training run of hours one of seconds.
SMALL = "max_length=48 hidden=16 epochs=1 quantization_aware=false corpora.detente.limit=6 tracking="


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the pages take for granted: a checkout's small files, an article, corpora to score."""
    for folder in ("seeds", "train/configs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "seeds" / "asia-trip.txt", tmp_path / "article.txt")
    items = [json.loads(line) for line in (ROOT / "seeds" / "dispatches.jsonl").open(encoding="utf-8")]
    rows = [{"id": i["id"], "date": i["date"], "source": i["source"], "body": i["text"]} for i in items]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "news.parquet")
    (tmp_path / "archive").mkdir()
    with (tmp_path / "archive" / "items.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            print(json.dumps({"body": row["body"], "published": row["date"], "outlet": row["source"]}), file=file)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DETENTE_CORPORA", str(ROOT / "tests" / "corpora"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of the libraries that a page asks for are no fault of the page
@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name)
def test_a_page_runs(page: Path, desk: Path, base: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    with asked(page) as place:
        for block in (replace(block, text=block.text.replace("localhost:8000", place)) for block in blocks(page)):
            if block.mark == "file":
                (desk / block.says).write_text(block.text, "utf-8")
            elif block.mark == "not run" or block.kind not in RUN:
                continue
            elif block.kind == "python":
                # As many empty lines before it as in the page: a failure then names its line.
                exec(compile("\n" * block.line + block.text, name(page), "exec"), names)
            else:
                run(block, base)


@contextmanager
def asked(page: Path) -> Iterator[str]:
    """Run the server that a page speaks to; give its host and port."""
    if "localhost:8000" not in page.read_text("utf-8"):
        yield ""
        return
    with served(load(threads=1), resolve(None)) as address:
        yield address.partition("//")[2]


def run(block: Block, base: Path) -> None:
    """Run a block of shell, without what sets up a machine."""
    lines = block.text.replace("\\\n", " ").splitlines()
    script = [line for line in lines if line.partition(" ")[0] not in SETUP]
    for number, line in enumerate(script):
        if re.match(r"detente train \S+\.yaml", line):
            script[number] = f"{line.partition(' #')[0]} {SMALL} base={base}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, f"{block.place}: {done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_a_block_is_one_that_is_run(block: Block) -> None:
    assert block.kind in RUN | SHOWN, f"{block.place}: a block of {block.kind!r} is neither run nor just shown"
    if block.mark == "not run":
        assert block.kind in RUN
        assert len(block.says.split()) >= 3, f"{block.place}: say why it isn't run"
    if block.kind == "python":
        compile(block.text, block.place, "exec")
    if block.kind == "bash":
        for command in commands(block.text):
            check(command)


def test_most_is_run() -> None:
    kinds = [block for block in BLOCKS if block.kind in RUN]
    unrun = [block.place for block in kinds if block.mark == "not run"]
    assert len(unrun) <= len(kinds) / 4, unrun


def test_set_up_names_what_there_is() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    targets = set()
    for command in chain.from_iterable(commands(block.text) for block in BLOCKS if block.kind == "bash"):
        for wanted in re.findall(r"\[([\w,]+)\]", " ".join(command)) if "install" in command else ():
            assert set(wanted.split(",")) <= extras.keys(), command
        if command[:1] == ["make"]:
            targets.update(command[1:])
    assert "demo" in targets
    dry = subprocess.run(["make", "-n", *sorted(targets)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert dry.returncode == 0, dry.stderr


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_in_running_text_and_links(page: Path) -> None:
    known = options()
    for span in spans(page):
        if span.startswith("detente "):
            for command in commands(span):
                check(command)
        elif span.startswith("--"):
            for word in span.split():
                assert not word.startswith("--") or word.partition("=")[0] in known, span
    for link in links(page):
        if ":" not in link and not link.startswith("#"):
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_examples_of_help() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "commands.py"))
    for command, about, _ in made["commands"]():
        examples = made["examples"](about)
        assert any(f"detente {command}" in example for example in examples) or command == "score", command
        for example in examples:
            for words in commands(example):
                check(words)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["detente", "lable", "x.txt"], "no command"),
        (["detente", "label", "x.txt", "--dyad", "CHN-USA"], "dyad"),
        (["detente", "label", "x.txt", "--min-probability", "2"], "2"),
        (["cat", "seeds/nothing.jsonl"], "no such file"),
    ],
)
def test_a_wrong_command_is_found(command: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check(command)


def test_marks_are_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- not run: needs a cluster -->\n```bash\ndetente states | wc # a\n```\n\n```python\n1\n```\n")
    first, second = blocks(page)
    assert (first.mark, first.says, second.mark) == ("not run", "needs a cluster", "")
    assert [*commands(first.text)] == [["detente", "states"], ["wc"]]


def test_citation() -> None:
    """By the schema of CFF 1.2.0 as far as the file uses it, and in step with the package."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    texts = {"cff-version", "message", "type", "title", "version", "license", "repository-code"}
    assert citation.keys() == texts | {"authors", "keywords"}
    assert all(isinstance(citation[key], str) and citation[key] for key in texts)
    assert (citation["cff-version"], citation["type"]) == ("1.2.0", "software")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert citation["authors"] == project["authors"]
    assert len(set(citation["keywords"])) == len(citation["keywords"])
