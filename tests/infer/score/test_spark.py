"""Spark, a real one on two cores: the rows of one machine, from frames, from the command line and through MLflow."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from detente.data.codebook.label_schema import Scheme, Variable
from detente.data.tables_io.columns import SourceError
from detente.infer.readings.table import SCHEMA
from detente.infer.score.score import score
from detente.train.codebook.annotations import read_table
from detente.train.codebook.train import train

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytest.importorskip("pyspark", reason="pyspark isn't installed; pip install 'detente[spark]'")
if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
    pytest.skip("Spark needs Java 17 or later, and there is no java on the PATH", allow_module_level=True)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of pyspark, py4j and MLflow

TEXTS = [
    "Japan thanked India for its help. China warned Japan.",
    "Nothing of note.",
    "China met the United States. The two countries agreed.",
    "Prime Minister Suga met the president of France, and Germany protested.",
]
RECORDS: list[dict[str, Any]] = [
    {
        "id": f"n{n}",
        "date": ["2021-03-10", "2021-03", None][n % 3],
        "title": "Trip",
        "outlet": "Wire",
        "text": f"{TEXTS[n % 4]} {n}.",
    }
    for n in range(40)
]


@pytest.fixture(scope="module")
def spark() -> Iterator["SparkSession"]:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    file = tmp_path / "news.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in RECORDS), "utf-8")
    return file


def frame(spark: "SparkSession", records: list[dict[str, Any]]) -> "DataFrame":
    names = list(dict.fromkeys(name for record in records for name in record))
    types = {"document": "long", "dyads": "array<array<string>>"}
    rows = [tuple(record.get(name) for name in names) for record in records]
    return spark.createDataFrame(rows, ", ".join(f"{name} {types.get(name, 'string')}" for name in names))


def alone(corpus: Path, model: Path, **options: Any) -> list[dict[str, Any]]:
    """The rows of one machine."""
    score(corpus, corpus.parent / "alone", model=model, **options)
    rows: list[dict[str, Any]] = pq.read_table(sorted((corpus.parent / "alone").glob("part-*"))).to_pylist()
    return rows


def assert_same(one: list[dict[str, Any]], other: list[dict[str, Any]], *, leave: tuple[str, ...] = ()) -> None:
    def ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(rows, key=lambda row: (row["id"], row["start"], row["dyad"]))

    assert len(one) == len(other)
    for ours, theirs in zip(ordered(one), ordered(other), strict=True):
        assert ours.keys() - set(leave) == theirs.keys() - set(leave)
        for name in ours.keys() - set(leave):
            value = ours[name]
            expected = pytest.approx(value, abs=2e-4) if isinstance(value, float) else value
            assert theirs[name] == expected, (name, ours["id"])


def rows_of(readings: "DataFrame") -> list[dict[str, Any]]:
    return [row.asDict(recursive=True) for row in readings.collect()]


def test_frame_gives_the_rows_of_one_machine(spark: "SparkSession", corpus: Path, tiny_model: Path) -> None:
    from detente.infer.score import spark as cluster

    numbered = [{"document": n, **record} for n, record in enumerate(RECORDS)]
    given = frame(spark, numbered).repartition(3)
    readings = cluster.score(given, model=str(tiny_model), include_none=True)
    assert readings.columns == SCHEMA.names
    ours = rows_of(readings)
    assert len(ours) > 60
    assert_same(alone(corpus, tiny_model, include_none=True), ours)


def test_a_codebook_of_ones_own(spark: "SparkSession", corpus: Path, tiny_model: Path) -> None:
    from detente.infer.score import spark as cluster

    force = Variable(name="force", kind="binary", labels=("no", "yes"))
    table = corpus.parent / "labels.csv"
    pairs = [(a, b) for a in ("China", "Japan", "India") for b in ("France", "Kenya", "Brazil")]
    lines = [f"{a} {word} {b}.,{label}" for word, label in (("warned", "yes"), ("met", "no")) for a, b in pairs]
    table.write_text("\n".join(["sentence,force", *lines]), "utf-8")
    scheme = Scheme((force,))
    own = corpus.parent / "own"
    train(read_table(table, scheme), scheme, own, base=tiny_model, curves=False)
    numbered = [{"document": n, **record} for n, record in enumerate(RECORDS)]
    ours = rows_of(cluster.score(frame(spark, numbered), model=str(own), include_none=True))
    assert {row["tone"] for row in ours} <= {"no", "yes"}
    assert "p_yes" in ours[0]
    assert_same(alone(corpus, own, include_none=True), ours)


def test_options_reach_the_workers(spark: "SparkSession", tiny_model: Path, corpus: Path) -> None:
    from detente.infer.score import spark as cluster

    given = frame(spark, RECORDS)
    everything = rows_of(cluster.score(given, model=str(tiny_model), include_none=True))
    kept = rows_of(cluster.score(given, model=str(tiny_model), min_probability=0.4))
    tones = ("p_none", "p_frosty", "p_neutral", "p_engaging", "p_alliance_building")
    sure = [row for row in everything if row["tone"] != "none" and max(row[tone] for tone in tones) >= 0.4]
    assert 0 < len(kept) < len(everything)
    assert_same(sure, kept)


def test_dyads_asked_for(spark: "SparkSession", tiny_model: Path) -> None:
    from detente.infer.score import spark as cluster

    given = frame(spark, [{"id": "a", "text": "China warned Japan.", "dyads": [["JPN", "CHN"], ["USA", "CHN"]]}])
    found = {row["dyad"]: row["found"] for row in rows_of(cluster.score(given, model=str(tiny_model)))}
    assert found == {"CHN-JPN": True, "CHN-USA": False}


def test_records_that_cannot_be_read_are_named(spark: "SparkSession", tiny_model: Path) -> None:
    from detente.infer.score import spark as cluster

    bad: list[dict[str, Any]] = [
        {"id": "empty", "text": " "},
        {"id": "none", "text": None},
        {"id": "when", "text": "x", "date": "3/4/21"},
    ]
    given = frame(spark, [*RECORDS[:2], *bad])
    assert {row["id"] for row in rows_of(cluster.score(given, model=str(tiny_model), include_none=True))} == {"n0"}
    reasons = {row["id"]: row["reason"] for row in rows_of(cluster.rejects(given))}
    assert reasons.keys() == {"empty", "none", "when"}
    assert "'3/4/21' is not a date" in reasons["when"]


def test_missing_column(spark: "SparkSession") -> None:
    from detente.infer.score import spark as cluster

    with pytest.raises(SourceError, match="no column 'story' for the text; there are id, words"):
        cluster.score(frame(spark, [{"id": "a", "words": "x"}]), columns={"text": "story"})


def test_command(corpus: Path, tiny_model: Path) -> None:
    with corpus.open("a") as file:
        file.write("not json\n")
    out = corpus.parent / "spark"
    command = ["score", corpus, out, "--engine", "spark", "--model", tiny_model, "--all", "--source", "outlet"]
    done = subprocess.run(
        [sys.executable, "-m", "detente", *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYSPARK_SUBMIT_ARGS": "--master local[2] pyspark-shell"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"readings in {out}; 1 records rejected, see {out}/_rejects\n"
    rows: list[dict[str, Any]] = pq.read_table(sorted(out.glob("part-*.parquet"))).to_pylist()
    assert_same(alone(corpus, tiny_model, include_none=True, columns={"source": "outlet"}), rows, leave=("document",))
    assert len({row["document"] for row in rows}) == len({row["id"] for row in rows})
    again = subprocess.run(
        [sys.executable, "-m", "detente", *map(str, command)], capture_output=True, text=True, check=False, timeout=300
    )
    assert again.returncode == 1
    assert "already exists" in again.stderr
    assert "Traceback" not in again.stderr


def test_registered_model_through_mlflow(
    spark: "SparkSession", tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow
    from pyspark.sql import functions as sql

    from detente.infer.label.labeler import load
    from detente.train.tracking import pyfunc

    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/ml.db")
    mlflow.set_experiment("detente")
    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="model",
            python_model=pyfunc.__file__,
            artifacts={"model": str(tiny_model)},
            signature=pyfunc.SIGNATURE,
            pip_requirements=["pandas"],
            registered_model_name="tiny",
        )
    label = mlflow.pyfunc.spark_udf(
        spark, "models:/tiny/1", result_type=pyfunc.SPARK_TYPE, params={"by_document": True}, env_manager="local"
    )
    given = frame(spark, [{key: record[key] or "" for key in ("id", "text", "date", "title")} for record in RECORDS])
    answers = given.select(sql.explode(label(sql.struct("id", "text", "date", "title"))["readings"]).alias("r"))
    theirs = sorted((r["id"], r["sentence"], r["dyad"], r["tone"]) for r in rows_of(answers.select("r.*")))
    model = load(tiny_model)
    ours = sorted(
        (reading.id, reading.sentence, reading.dyad, reading.tone)
        for record in RECORDS
        for reading in model.label(record["text"], date=record["date"], title=record["title"], id=record["id"])
    )
    assert theirs == ours
    assert len(ours) > 20
