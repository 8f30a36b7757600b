"""Generate the command-line reference from the program's own help."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer
import typer.main

from detente.cli import app


def commands() -> Iterator[tuple[str, Any, typer.Context]]:
    """Yield each command's name, the command, and a context to read it in."""
    face: Any = typer.main.get_command(app)
    above = typer.Context(face, info_name="detente")
    for name, command in face.commands.items():
        yield name, command, typer.Context(command, info_name=name, parent=above)


def examples(command: Any) -> list[str]:
    """Return the examples of a command's help: its indented lines."""
    return [line.strip() for line in inspect.cleandoc(command.help).splitlines() if line.startswith("  ")]


def reference() -> str:
    """Return all commands and their options in Markdown."""
    return "\n".join(line for name, command, context in commands() for line in _section(name, command, context))


def _section(name: str, command: Any, context: typer.Context) -> Iterator[str]:
    about = re.sub(r"\\?\[/?bold\]", "", inspect.cleandoc(command.help).replace(r"\[", "["))
    yield f"\n## detente {name}\n"
    for paragraph in re.split(r"\n(?=\n)", about):
        if paragraph.strip("\n").startswith("  "):
            yield f"```bash\n{inspect.cleandoc(paragraph)}\n```"
        else:
            yield paragraph
    yield f"\n```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    records = [record for parameter in command.get_params(context) if (record := parameter.get_help_record(context))]
    yield "| | |\n|---|---|"
    for form, says in records:
        yield f"| `{form}` | {_cell(says)} |"


def _cell(text: str) -> str:
    return re.sub(r"([|*<_])", r"\\\1", text.replace(r"\[", "["))
