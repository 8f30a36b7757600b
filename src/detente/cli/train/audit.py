"""`detente audit`: is a scored corpus right, and what would its shares be without the errors?"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detente.cli.options import Failure
from detente.cli.train.agreement import told
from detente.cli.train.annotate import Encoding, listed, read_codebook

if TYPE_CHECKING:
    from detente.infer.audit.audit import Audit


def audit(
    scored: Annotated[Path, typer.Argument(metavar="SCORED", help="Folder written by `detente score --all`.")],
    gold: Annotated[Path, typer.Option(metavar="CSV", help="Labels of a random sample: sentence, dyad, label.")],
    codebook: Annotated[
        Path | None, typer.Option(metavar="YAML", help="Codebook, if the labels aren't detente's tones.")
    ] = None,
    variable: Annotated[str, typer.Option(metavar="NAME", help="Variable to audit (default: the first).")] = "",
    scored_only: Annotated[
        bool, typer.Option("--scored-only", help="Leave out labelled rows that aren't in SCORED.")
    ] = False,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="JSON file for `detente series --audit`.")] = None,
    encoding: Encoding = "",
) -> None:
    """Measure a scored corpus on a random labelled sample, and correct its label shares.

    [bold]Examples[/bold]

      detente audit readings --gold labels.csv

      detente audit readings --gold labels.csv --codebook my.yaml --json audit.json

    Prints accuracy, precision and recall with 95 % intervals, and the share of each label in the corpus, corrected for
    misclassification. Rows of the part `train` are left out: they were chosen because they are hard. A sample of all
    sentences needs a corpus scored with --all, which includes the pairs without a relationship.
    """
    from detente._files import write_whole  # noqa: PLC0415
    from detente.data.annotation.label_table import read_labels  # noqa: PLC0415
    from detente.data.codebook.label_schema import Scheme, Variable  # noqa: PLC0415
    from detente.data.codebook.labels import TONES, WARMTH  # noqa: PLC0415
    from detente.infer.audit import audit as of  # noqa: PLC0415
    from detente.infer.audit.gold_lookup import look_up  # noqa: PLC0415

    tones = Scheme((Variable(name=variable or "tone", kind="nominal", labels=TONES),))
    scheme = read_codebook(codebook) if codebook else tones
    try:
        rows, names = read_labels(gold, scheme, variable=variable, encoding=encoding)
        asked = next(v for v in scheme.variables if v.name in names)
        sample, left_out = of.gold_rows(rows, asked.name)
        counted = look_up(scored, sample)
        absent = [row for row, said in zip(sample, counted.said, strict=True) if said is None]
        if absent and not scored_only:
            raise Failure(
                f"{len(absent):,} of {len(sample):,} rows of {gold} aren't in {scored}: {listed(absent)}; pairs "
                f"without a relationship are there only if it was scored with --all; --scored-only leaves them out"
            )
        kept = [(row, said) for row, said in zip(sample, counted.said, strict=True) if said is not None]
        if len(kept) < of.FEWEST:
            raise Failure(f"{len(kept)} rows of {gold} are in {scored}; an audit needs {of.FEWEST}")
        scores = dict(zip(asked.labels, asked.scores, strict=True)) if asked.scores else {}
        found = of.audit(
            [row.labels[asked.name] for row, _ in kept],
            of.Scored(counted.counts, counted.warmth, [said for _, said in kept], counted.model),
            labels=asked.labels,
            scores=scores or (WARMTH if set(asked.labels) == set(TONES) else {}),
            variable=asked.name,
        )
    except (ValueError, FileNotFoundError) as error:
        raise Failure(str(error)) from error
    if absent:
        left_out["that aren't among what was scored"] = len(absent)
    _show(found, left_out, Console())
    if not any(row.part for row in rows):
        typer.echo("no column `part`: that the rows were drawn at random is taken on trust", err=True)
    if json:
        import orjson  # noqa: PLC0415

        write_whole(json, orjson.dumps(found.to_dict(), option=orjson.OPT_INDENT_2))
        typer.echo(f"the audit is in {json}", err=True)


def _show(found: "Audit", left_out: dict[str, int], console: Console) -> None:
    for line in (
        f"{found.rows:,} labelled rows of {found.readings:,} readings; accuracy {told(found.accuracy)}",
        *(f"left out: {number:,} rows {reason}" for reason, number in left_out.items()),
    ):
        console.print(line, highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in (found.variable, "scored", "corrected", "precision", "recall", "rows"):
        table.add_column(Text(heading), justify="left" if heading == found.variable else "right")
    for label, of in found.classes.items():
        share = of.corrected
        table.add_row(
            Text(label),
            f"{of.scored:.1%}",
            f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})",
            _part(of.precision.value, of.precision.low, of.precision.high),
            _part(of.recall.value, of.recall.low, of.recall.high),
            str(of.labelled),
        )
    console.print(table)
    warmth = found.corrected_warmth
    if not math.isnan(warmth.value):
        console.print(
            f"mean warmth as scored {found.warmth:+.2f}, corrected {warmth.value:+.2f} "
            f"({warmth.low:+.2f} to {warmth.high:+.2f})",
            highlight=False,
        )
    unseen = [label for label, of in found.classes.items() if of.scored and math.isnan(of.precision.value)]
    if unseen:
        console.print(f"no labelled row was scored as {', '.join(unseen)}: taken at its word", highlight=False)


def _part(value: float, low: float, high: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f} ({low:.2f}–{high:.2f})"
