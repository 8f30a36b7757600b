"""`detente teach`: a trained model's soft labels on unlabelled sentences, for a smaller one to learn from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import progress as rich
from rich.console import Console

from detente.cli.train.train import needs_extra

if TYPE_CHECKING:
    from detente.train.distill.teacher import Counts


def teach(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of trained models; several are averaged.")
    ],
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="Output folder; a stopped run is resumed.")],
    sentences: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Parquet with id, sentence, date, title, states, corpus, if not `transfer`."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Maximum number of sentences, a fixed sample.")
    ] = None,
) -> None:
    """Predict soft labels for the unlabelled sentences of the corpus `transfer`, for distillation.

    [bold]Examples[/bold]

      detente teach runs/teacher/torch --output runs/soft

      detente teach runs/teacher/torch runs/teacher-2/torch --output runs/soft --limit 30000

    The folder holds one distribution per head, dyad and sentence; a run's settings name it as `corpora.transfer.soft`.
    The same command resumes a run that was stopped. Sentences of any dev or test split are left out.
    """
    needs_extra()
    from detente.train.distill.teacher import teach as run  # noqa: PLC0415  (imports torch)

    console = Console(stderr=True)
    with rich.Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def show(total: int, counts: "Counts") -> None:
            bar.update(task, total=total, completed=counts.read)
            if bar.disable:
                typer.echo(f"{counts.read:,} of {total:,} sentences, {counts.dyads:,} dyads", err=True)

        counts = run(models, output, source=sentences, limit=limit, progress=show)
    labelled = counts.read - counts.held_out - counts.without
    typer.echo(f"{counts.dyads:,} dyads of {labelled:,} sentences in {output}")
    typer.echo(f"left out: {counts.held_out:,} of dev and test splits, {counts.without:,} without a dyad")
