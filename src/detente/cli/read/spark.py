"""`detente score --engine spark`: the same readings, on whatever Spark runs."""

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

import typer

from detente.cli.options import Failure

if TYPE_CHECKING:
    from detente.infer.label.labeler import Groups


def score(
    source: str,
    output: str,
    *,
    model: str,
    columns: Mapping[str, str],
    input_format: str,
    output_format: str,
    date_format: str,
    include_none: bool,
    min_probability: float,
    groups: "Groups",
) -> None:
    """Write a folder of readings with Spark, and beside the parts a folder `_rejects`; arguments as of the command."""
    if find_spec("pyspark") is None:
        raise Failure("pyspark isn't installed; pip install 'detente[spark]'")
    from pyspark.errors import PySparkException  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    from detente.data.tables_io.columns import SourceError  # noqa: PLC0415
    from detente.infer.score import spark as cluster  # noqa: PLC0415  (the linker)

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        session = SparkSession.builder.appName("detente score").getOrCreate()
    except (PySparkException, OSError) as error:
        raise Failure("Spark doesn't start; it needs Java 17 or later (JAVA_HOME or java on the PATH)") from error
    session.sparkContext.setLogLevel("ERROR")
    try:
        frame = cluster.read(session, source, input_format)
        readings = cluster.score(
            frame,
            model=model or None,
            columns=columns,
            date_format=date_format,
            include_none=include_none,
            min_probability=min_probability,
            groups=groups,
        )
        if output_format == "parquet":
            readings.write.parquet(output)
        else:
            readings.write.json(output)
        rejected = cluster.rejects(frame, columns=columns, date_format=date_format).cache()
        if count := rejected.count():
            rejected.write.json(f"{output.rstrip('/')}/_rejects")
        typer.echo(f"readings in {output}" + (f"; {count:,} records rejected, see {output}/_rejects" if count else ""))
    except SourceError as error:
        raise Failure(str(error)) from error
    except PySparkException as error:
        raise Failure(f"Spark: {str(error).splitlines()[0]}") from error
    finally:
        session.stop()
