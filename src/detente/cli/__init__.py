"""The command line: commands that read texts are in `cli.read`, those that make and measure models in `cli.train`."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from detente.cli.options import BadUsage, Failure
from detente.cli.read import bench, label, link, score, series, serve
from detente.cli.train import agreement, annotate, audit, corpora, distill, evaluate
from detente.cli.train import train as training
from detente.data.corpora.examples import CorpusError
from detente.models.model_dir import ModelError

app = typer.Typer(
    name="detente",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        import detente  # noqa: PLC0415  (the version is looked up on disk: only when it is asked for)

        typer.echo(f"detente {detente.__version__}")
        raise typer.Exit


@app.callback()
def face(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Label how each sentence of a news text presents the relationship of each pair of states in it."""


app.command()(label.label)
app.command()(label.states)
app.command()(link.link)
app.command()(score.score)
app.command()(bench.bench)
app.command()(series.series)
app.command()(serve.serve)
app.command()(annotate.sample)
app.command("import")(annotate.import_)
app.command()(agreement.agreement)
app.command()(audit.audit)
app.command()(corpora.corpora)
app.command()(training.train)
app.command()(distill.teach)
app.command()(training.export)
app.command(cls=evaluate.EvaluateCommand)(evaluate.evaluate)
app.command()(evaluate.register)


def main() -> NoReturn:
    """Run the command line; failures give one line and exit code 1, bad usage exit code 2."""
    is_heard = sys.stdout is not None
    _stand_in()
    if not is_heard:
        _fail("standard output is closed; send it to a file, or to /dev/null where nobody wants it")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal that lacks a letter
    try:
        app()
    except BrokenPipeError:
        # Whoever read the output has had enough (`| head`); Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error))
    except (CorpusError, Failure, ModelError) as error:
        _fail(str(error), code=2 if isinstance(error, BadUsage) else 1)
    sys.exit(0)


def _stand_in() -> None:
    """Open nothing in place of streams that are closed, or the next file that is opened would be taken for them."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  (until the end)


def _fail(message: str, code: int = 1) -> NoReturn:
    print(f"detente: {message}", file=sys.stderr)
    sys.exit(code)
