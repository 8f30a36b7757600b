"""The report on a model: figures by slice, calibration, the swap test, pages, and what MLflow keeps of it."""

import json
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente._statistics import Estimate
from detente.cli import main
from detente.data.codebook.labels import TONES
from detente.data.corpora.examples import Example
from detente.infer.label.labeler import load
from detente.train.evaluate import slices
from detente.train.evaluate.benchmarks import Scores
from detente.train.evaluate.calibration import calibration
from detente.train.evaluate.counterfactual import ALL
from detente.train.evaluate.metrics import class_f1, confusion, micro_f1, relation_f1
from detente.train.evaluate.render import markdown, write
from detente.train.evaluate.report import Report, build

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process: its exit code, standard output and error."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["detente", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out, err

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where MLflow keeps what the tests log; its tables take many seconds to make."""
    return tmp_path_factory.mktemp("mlflow")


# Slices


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(TONES), st.sampled_from(TONES)), min_size=1, max_size=30))
def test_figures_from_counts_are_those_from_labels(pairs: list[tuple[str, str]]) -> None:
    gold, said = map(list, zip(*pairs, strict=True))
    counts = confusion(gold, said)
    assert slices.f1(counts).tolist() == pytest.approx(list(class_f1(gold, said, TONES).values()))
    assert slices.accuracy(counts)[0] == pytest.approx(micro_f1(gold, said))
    assert slices.relation_f1(counts)[0] == pytest.approx(relation_f1(gold, said))
    both = slices.precision(np.stack([counts, counts]))
    assert both.shape == (2, len(TONES)), "many matrices at once, for the bootstrap"


def test_classes_by_hand() -> None:
    found = slices.classes(np.array([[30, 10, 0], [0, 20, 0], [0, 0, 0]]), ("no", "yes", "never"), resamples=50)
    assert [(one.label, one.rows) for one in found] == [("no", 40), ("yes", 20)]
    assert (found[0].precision.value, found[0].recall.value) == (1.0, 0.75)
    assert found[1].f1.value == pytest.approx(0.8)
    assert found[1].f1.low < 0.8 < found[1].f1.high
    assert found[0].precision == Estimate(1.0, 1.0, 1.0)


def example(dyad: str, date: str, tone: str, text: str = "", source: str = "wire") -> Example:
    first, second = (text.find(word) for word in ("China", "Japan"))
    return Example(
        id=dyad, text=text, a=((first, first + 5),), b=((second, second + 5),), split="dev", dyad=dyad, date=date,
        origin=f"annotations/{source}", tone=tone,
    )  # fmt: skip


def scored(*tones: str) -> list[Scores]:
    return [Scores({"tone": np.array([float(tone == of) for of in TONES])}) for tone in tones]


def test_slices_pool_what_is_rare() -> None:
    often = [example("CHN-JPN", "1987-02-03", "frosty")] * slices.MIN_ROWS
    rare = [example("FRA-USA", "2021", "none"), example("FRA-GBR", "", "engaging", source="speech")]
    found = slices.slices([*often, *rare], scored(*["frosty"] * slices.MIN_ROWS, "neutral", "engaging"), resamples=20)
    rows = {(one.kind, one.name): one.rows for one in found}
    assert rows == {
        ("dyad", "CHN-JPN"): 5, ("dyad", "2 other dyads"): 2,
        ("decade", "1980s"): 5, ("decade", "2020s"): 1, ("decade", "undated"): 1,
        ("source", "wire"): 6, ("source", "speech"): 1,
    }  # fmt: skip
    other = next(one for one in found if one.name == "2 other dyads")
    assert other.accuracy.value == 0.5
    assert other.tone_f1.value == 0.5, "over the two tones that the slice has"
    assert other.relation_f1.value == pytest.approx(2 / 3)
    assert (other.accuracy.low, other.accuracy.high) == (0.0, 1.0)


# Calibration


def test_calibration_of_a_head_that_knows_what_it_knows() -> None:
    sure = np.repeat([[0.9, 0.1], [0.6, 0.4]], 100, axis=0)
    labels = [0] * 90 + [1] * 10 + [0] * 60 + [1] * 40
    found = calibration("tone", sure, labels, resamples=50)
    assert found.ece.value == pytest.approx(0.0, abs=1e-9)
    assert [(one.rows, round(one.accuracy, 2)) for one in found.bins] == [(100, 0.6), (100, 0.9)]
    left = {one.min_probability: one for one in found.abstaining}
    assert (left[0.0].rows, left[0.7].rows, left[0.95].rows) == (200, 100, 0)
    assert left[0.7].accuracy is not None
    assert (left[0.7].coverage, left[0.7].accuracy.value) == (0.5, 0.9)
    assert left[0.95].accuracy is None
    few = calibration("tone", sure[::20], labels[::20], resamples=200)
    assert few.ece_of_a_perfect_model.value > 2 * found.ece_of_a_perfect_model.value > 0, "few rows, much noise"
    assert found.curve[-1] == (1.0, 0.75)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_an_overconfident_head_is_seen_as_such(seed: int) -> None:
    draw = np.random.default_rng(seed)
    labels = draw.integers(2, size=400)
    wrong = draw.random(400) < 0.3
    said = np.where(wrong, 1 - labels, labels)
    probabilities = np.where(np.arange(2) == said[:, None], 0.99, 0.01)
    found = calibration("tone", probabilities, labels.tolist(), resamples=20)
    assert found.ece.value == pytest.approx(0.99 - (1 - wrong.mean()))
    assert found.ece.low <= found.ece.value <= found.ece.high
    assert found.ece_of_a_perfect_model.high < found.ece.value


# Pages


@pytest.fixture
def report(tiny_model: Path, corpora: None) -> Report:
    return build(tiny_model, split="dev", baselines=False, resamples=20)


def test_the_report_has_everything(report: Report, tmp_path: Path) -> None:
    write(report, tmp_path / "report")
    values = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert values["model"] == "tiny 1"
    assert {"root", "quad"} == set(values["classes"]["PLV dev"])
    assert {one["kind"] for one in values["slices"]} == {"dyad", "decade", "source"}
    assert values["calibration"][0]["temperature"] == 2.0
    assert values["swap"][0]["name"] == ALL
    assert values["speed"]["sentences_per_s"] > 0
    assert values["articles"]["articles"] == 3
    assert "errors" not in values["articles"], "which hold the articles' sentences"
    text = (tmp_path / "report" / "report.md").read_text("utf-8")
    assert text.index("## Whole articles") < text.index("## Benchmarks"), "the report leads with what users get"
    for heading in ("Benchmarks", "By class", "By dyad, decade and source", "Swap test", "Calibration: tone", "Speed"):
        assert f"## {heading}" in text
    pictures = {file.name for file in (tmp_path / "report").glob("*.png")}
    assert {
        "confusion-articles.png",
        "confusion-annotations_dev_tone.png",
        "reliability-tone.png",
        "coverage-tone.png",
        "slices.png",
    } <= pictures
    assert all(f"({name})" in text for name in pictures)
    for file in (tmp_path / "report").glob("*.png"):
        assert file.read_bytes().startswith(b"\x89PNG")
    assert not [file.name for file in (tmp_path / "report").iterdir() if file.name.startswith(".")]
    assert all(len(line.split("|")) == len(above.split("|")) for above, line in tables_of(text))


def tables_of(text: str) -> list[tuple[str, str]]:
    lines = text.splitlines()
    return [(above, line) for above, line in pairwise(lines) if above[:1] == line[:1] == "|"]


@pytest.mark.usefixtures("corpora")
def test_a_report_without_the_annotations_has_the_rest(tiny_model: Path) -> None:
    found = build(tiny_model, split="dev", corpora=["plv"], baselines=False, resamples=20)
    assert [result.benchmark for result in found.results] == ["PLV dev"]
    assert found.articles is None
    assert not found.slices
    assert not found.calibration
    assert not found.swap
    assert "Swap test" not in markdown(found)


@pytest.mark.usefixtures("corpora")
@pytest.mark.filterwarnings("ignore")  # of MLflow
def test_the_command_writes_and_logs(
    command: Command, tiny_model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.chdir(folder)
    store = f"sqlite:///{folder}/mlruns.db"
    words = ["evaluate", tiny_model, "--split", "dev", "--no-baselines", "--corpora", "annotations"]
    code, out, err = command(*words, "--report", "report", "--tracking", store, "--json", "tables.json", "--articles")
    assert code == 0, err
    assert out.index("3 articles of dev.jsonl") < out.index("annotations dev")
    assert "swap test" in out
    assert "the report is in report/report.md" in out
    assert json.loads(Path("tables.json").read_text("utf-8"))[0]["benchmark"] == "annotations dev"
    mlflow.set_tracking_uri(store)
    (run,) = mlflow.search_runs(experiment_names=["detente"], output_format="list")
    assert run.info.run_name == "tiny 1, report on dev"
    assert "detente evaluate" in run.data.tags["mlflow.note.content"]
    assert run.data.tags["split"] == "dev"
    assert {"articles_tone_f1", "annotations_dev_tone_f1", "ece_tone", "sentences_per_s"} <= set(run.data.metrics)
    logged = {file.path for file in mlflow.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path="report")}
    assert {"report/report.md", "report/report.json", "report/slices.png"} <= logged

    assert command(*words, "--swap", "test")[0] == 2
    code, out, err = command(*words, "--tracking", "nowhere://x")
    assert code == 1
    assert err.splitlines()[-1].startswith("detente: MLflow: ")
    assert "Traceback" not in err


# The registry


@pytest.mark.filterwarnings("ignore")  # of MLflow
def test_the_shipped_model_comes_back_from_the_registry(
    command: Command, tiny_model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.chdir(folder)
    store = f"sqlite:///{folder}/mlruns.db"
    for number in (1, 2):
        code, out, err = command("register", tiny_model, "--tracking", store)
        assert code == 0, err
        assert f"is version {number} of detente: models:/detente@shipped" in out
    mlflow.set_tracking_uri(store)
    client = mlflow.MlflowClient()
    version = client.get_model_version_by_alias("detente", "shipped")
    assert str(version.version) == "2"
    assert version.tags["model"] == "tiny 1"
    assert version.description
    assert "tiny 1" in version.description
    assert "each sentence" in client.get_registered_model("detente").description

    served = mlflow.pyfunc.load_model("models:/detente@shipped")
    assert served.metadata.signature.inputs.input_names() == ["id", "text", "date", "title"]
    text = "China warned Japan over the islands. Japan met China for talks."
    said = served.predict(pd.DataFrame({"id": ["a"], "text": [text]}))
    ours = load(tiny_model).label(text, id="a")
    assert len(ours) > 0
    assert said[["sentence", "dyad", "tone"]].values.tolist() == [[r.sentence, r.dyad, r.tone] for r in ours]

    for alias in ("latest", "v1", "a b", ""):
        code, _, err = command("register", tiny_model, "--alias", alias, "--tracking", store)
        assert code == 2
        assert "is no alias" in err
    assert command("register", folder, "--tracking", store)[0] == 1
