"""The commands and snippets of a Markdown page, and what can be said of a command without running it."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer.main
from markdown_it import MarkdownIt

from detente.cli import app

ROOT = Path(__file__).resolve().parents[2]

#: Kinds of fence that are run, and those that only show something.
RUN = {"python", "bash"}
SHOWN = {"", "csv", "html", "json", "text", "xml", "yaml"}

_MARK = re.compile(r"<!--\s*(not run|file):\s*(.*?)\s*-->", re.DOTALL)
_OPERATORS = {"|", "||", "&&", "&", ";", ">", ">>", "<", "(", ")"}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: the file that it stands in.
        line: of its fence, from 1.
        kind: the word behind the fence.
        text: what stands in it.
        mark: `not run` or `file`, from the HTML comment right before it; else empty.
        says: the reason why it isn't run, or the name of the file that it shows.
    """

    page: Path
    line: int
    kind: str
    text: str
    mark: str
    says: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Read the fenced blocks of a page, without the directives of the site (`{include}`)."""
    found, before = [], ""
    for token in MarkdownIt().parse(page.read_text("utf-8")):
        if token.type == "fence" and not token.info.startswith("{"):
            kind = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
            mark = _MARK.search(before)
            line = token.map[0] + 1 if token.map else 0
            found.append(Block(page, line, kind, token.content, *(mark.groups() if mark else ("", ""))))
        before = token.content if token.type == "html_block" else ""
    return found


def spans(page: Path) -> Iterator[str]:
    """Yield what stands in backticks in the page's running text."""
    for token in MarkdownIt().enable("table").parse(page.read_text("utf-8")):
        yield from (child.content for child in token.children or () if child.type == "code_inline")


def links(page: Path) -> Iterator[str]:
    """Yield the destinations of the page's links and pictures."""
    for token in MarkdownIt().enable("table").parse(page.read_text("utf-8")):
        for child in token.children or ():
            if child.type in {"link_open", "image"}:
                yield str(child.attrGet("href") or child.attrGet("src"))


def commands(script: str) -> Iterator[list[str]]:
    """Yield the simple commands of a script as words, comments and redirections apart."""
    for line in script.replace("\\\n", " ").replace("$(which detente)", "detente").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        command: list[str] = []
        for word in lexer:
            if word in _OPERATORS:
                yield command
                command = []
            else:
                command.append(word)
        yield command


def check(command: list[str]) -> None:
    """Hold a command to the program: the command, its options and their values, and the files of the repository.

    Raises:
        ValueError: it isn't one that the program takes.
    """
    for word in command:
        path = word.partition("=")[2] or word
        top, slash, _ = path.partition("/")
        if slash and top in {"data", "docs", "models", "notebooks", "seeds", "tests", "train"} and not _exists(path):
            raise ValueError(f"{path}: no such file in the repository")
    if "detente" not in command or command[0] in {"cd", "git", "pip"}:
        return
    name, *arguments = [*command[command.index("detente") + 1 :], ""]
    if name.startswith("--") or not name:
        return
    face: Any = typer.main.get_command(app)
    if name not in face.commands:
        raise ValueError(f"detente has no command {name!r}")
    if arguments[:-1]:  # a bare name speaks of the command
        try:
            face.commands[name].make_context(name, arguments[:-1])
        except Exception as error:
            raise ValueError(f"{shlex.join(command)}: {error}") from error


def options() -> set[str]:
    """Return the options of all commands."""
    face: Any = typer.main.get_command(app)
    parameters = [p for command in (face, *face.commands.values()) for p in command.params]
    return {"--help", *(form for p in parameters for form in (*p.opts, *p.secondary_opts) if form.startswith("-"))}


def _exists(path: str) -> bool:
    return (ROOT / path).exists() or any(ROOT.glob(path))
