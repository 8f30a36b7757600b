"""A training run on made-up corpora with a tiny base: settings, run, resume, export, report, command line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModel, TrainerCallback

from detente._statistics import ece, softmax
from detente.data.codebook.labels import TONES
from detente.data.corpora.load import read
from detente.infer.encoder.onnx import OnnxEncoder
from detente.infer.label.labeler import load
from detente.models.features import Featurizer
from detente.models.model_dir import read_config, verify
from detente.train.evaluate.evaluate import evaluate, markdown, save
from detente.train.evaluate.metrics import macro_f1, relation_f1, span_f1, warmth_r
from detente.train.examples import rows_of
from detente.train.export.onnx import export
from detente.train.fit.trainer import fit, layer_of
from detente.train.run import train, training_rows
from detente.train.run_checks import check_export, check_metric, check_same_run
from detente.train.settings import Corpus, read_args
from detente.train.temperature import fit_temperatures, nll, temperature
from detente.train.torch_encoder import TorchEncoder
from tests.helpers.tiny import CORPORA, MAX_LENGTH, tiny_encoder


@pytest.fixture
def config(base: Path, tmp_path: Path) -> Path:
    file = tmp_path / "tiny.yaml"
    values = {
        "output": str(tmp_path / "run"),
        "base": str(base),
        "max_length": MAX_LENGTH,
        "hidden": 16,
        "corpora": {
            "annotations": {"repeat": 2},
            "plv": {},
            "dse": {"weight": 0.5},
            "newsmtsc": {"limit": 2},
            "detente": {"limit": 6},
        },
        "epochs": 2,
        "batch_size": 4,
        "learning_rate": 0.01,
        "mask_fraction": 0.2,
        "swap_fraction": 0.3,
        "tracking": f"sqlite:///{tmp_path}/mlruns.db",
    }
    file.write_text(yaml.safe_dump(values), "utf-8")
    return file


def test_settings_come_from_yaml_with_overrides(config: Path) -> None:
    settings = read_args(config, ["epochs=1", "corpora.plv.repeat=3", "heads.tone=2.0"])
    assert settings.epochs == 1
    assert settings.corpora["plv"] == Corpus(repeat=3)
    assert settings.heads == {"tone": 2.0}
    assert settings.flat()["corpora.plv.repeat"] == "3"
    assert json.loads(json.dumps(settings.to_dict()))["output"] == str(settings.output)


def test_earlier_names_of_settings_work_with_a_notice(config: Path, caplog: pytest.LogCaptureFixture) -> None:
    config.write_text(config.read_text("utf-8").replace("mask_fraction", "masked"), "utf-8")
    settings = read_args(config, ["twins=0.5", "swapped=0"])
    assert (settings.mask_fraction, settings.swap_fraction, settings.consistency_fraction) == (0.2, 0, 0.5)
    assert "masked is called mask_fraction now" in caplog.text


def test_a_run_that_was_recorded_under_earlier_names_is_the_same(config: Path) -> None:
    settings = read_args(config)
    settings.output.mkdir()
    rows = rows_of(read("detente", "train").examples[:3], "detente")
    check_same_run(settings, rows)
    file = settings.output / "run.json"
    record = file.read_text("utf-8")
    file.write_text(record.replace('"mask_fraction"', '"masked"'), "utf-8")
    check_same_run(settings, rows)
    assert file.read_text("utf-8") == record


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("epoch=1", "epoch"),
        ("corpora.plv.repeats=3", "repeats"),
        ("epochs=many", "epochs"),
        ("epochs", "key=value"),
        ("epochs.x=1", "epochs"),
        ("precision=fp8", "precision"),
    ],
)
def test_a_wrong_setting_is_named(config: Path, override: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_args(config, [override])


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file"):
        read_args(tmp_path / "no.yaml")
    (tmp_path / "x.yaml").write_text("a: [", "utf-8")
    with pytest.raises(ValueError, match="not YAML"):
        read_args(tmp_path / "x.yaml")
    (tmp_path / "y.yaml").write_text("- a", "utf-8")
    with pytest.raises(ValueError, match="key: value"):
        read_args(tmp_path / "y.yaml")


@pytest.mark.slow
@pytest.mark.usefixtures("corpora")
@pytest.mark.filterwarnings("ignore")  # of the libraries that a run goes through
def test_a_run_from_settings_to_report(config: Path, tmp_path: Path) -> None:
    import mlflow

    settings = read_args(config)
    folder = train(settings)

    verify(folder)
    assert read_config(folder).base == settings.base
    trained = {r["benchmark"]: r["metrics"] for r in json.loads((settings.output / "dev.json").read_text("utf-8"))}
    assert set(trained) == {"annotations dev", "PLV dev", "DSE dev, unseen", "NewsMTSC dev"}

    mlflow.set_tracking_uri(settings.tracking)
    (run,) = mlflow.search_runs(experiment_names=["detente"], output_format="list")
    assert run.data.params["corpora.dse.weight"] == "0.5"
    assert len(run.data.tags["data.annotations"]) == 64
    assert {"train_loss", "eval_dev_mean", "final_annotations_dev_tone_f1"} <= set(run.data.metrics)
    artifacts = {file.path for file in mlflow.artifacts.list_artifacts(run_id=run.info.run_id)}
    assert {"settings.yaml", "confusion"} <= artifacts
    served = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    assert served.metadata.signature.inputs.input_names() == ["id", "text", "date", "title"]
    text = "China warned Japan over the islands. Japan met China for talks."
    said = served.predict(pd.DataFrame({"id": ["a"], "text": [text]}))
    ours = load(folder).label(text, id="a")
    assert said[["sentence", "dyad", "tone"]].values.tolist() == [[r.sentence, r.dyad, r.tone] for r in ours]

    results = evaluate(folder, resamples=20)
    save(results, tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    plv = next(r for r in report if r["benchmark"] == "PLV test")
    assert plv["published"]["quad_f1"]["ConfliBERT"] == 0.963
    assert set(plv["baselines"]) == {"majority", "TF-IDF"}
    low, high = plv["intervals"]["root_f1"]
    assert low <= plv["metrics"]["root_f1"] <= high
    assert len(markdown(results).splitlines()) == 2 + sum(len(r.metrics) for r in results)
    dev = next(r for r in report if r["benchmark"] == "annotations dev")
    assert np.array(dev["confusion"]["tone"]).shape == (len(TONES), len(TONES))
    assert dev["metrics"] == pytest.approx(trained["annotations dev"]), "the report repeats the run's figures"


class Killed(BaseException):
    """What a kill is in a test: nothing catches it."""


class KillAt(TrainerCallback):  # type: ignore[misc]
    """Ends a run at the beginning of a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            raise Killed


@pytest.mark.slow
@pytest.mark.usefixtures("corpora")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("step", [2, 4])
def test_a_run_killed_within_an_epoch_gives_the_weights_of_an_undisturbed_one(
    config: Path, tmp_path: Path, step: int
) -> None:
    extra = [
        "checkpoint_minutes=0",
        "consistency=1.0",
        "consistency_fraction=0.5",
        "corpora={annotations: {repeat: 4}, newsroom: {}}",
    ]
    develop = lambda model, featurizer: {"dev_mean": 0.5}  # noqa: E731
    settings = read_args(config, [*extra, f"output={tmp_path}/whole"])
    rows = training_rows(settings)
    whole, _ = fit(settings, rows, develop)

    settings = read_args(config, [*extra, f"output={tmp_path}/killed"])
    with pytest.raises(Killed):
        fit(settings, rows, develop, [KillAt(step)])
    newest = max((tmp_path / "killed" / "checkpoints").iterdir(), key=lambda path: int(path.name.split("-")[1]))
    assert newest.name == f"checkpoint-{step}"
    (newest / "trainer_state.json").write_text('{"epoch": 0.', "utf-8")  # as a kill may leave it
    resumed, _ = fit(settings, rows, develop)
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name


@pytest.mark.slow
@pytest.mark.usefixtures("corpora")
@pytest.mark.filterwarnings("ignore")
def test_a_run_with_other_settings_or_data_is_refused(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = ["tracking=", "epochs=1", "corpora={annotations: {}}"]
    train(read_args(config, quick))
    with pytest.raises(ValueError, match=r"epochs was 1\.0, is 2\.0.*another output"):
        train(read_args(config, [*quick, "epochs=2"]))
    with pytest.raises(ValueError, match="name was"):
        train(read_args(config, [*quick, "name=other"]))
    rows = training_rows(read_args(config, quick))
    with pytest.raises(ValueError, match="rows of its corpora have changed"):
        check_same_run(read_args(config, quick), rows[1:])
    again = train(read_args(config, [*quick, "epochs=2", "resume=false"]))
    verify(again)
    state = json.loads(max((again.parent / "checkpoints").glob("*/trainer_state.json")).read_text("utf-8"))
    assert state["num_train_epochs"] == 2


@pytest.mark.usefixtures("corpora")
def test_checkpoints_without_a_record_are_not_resumed(config: Path) -> None:
    settings = read_args(config)
    (settings.output / "checkpoints" / "checkpoint-3").mkdir(parents=True)
    with pytest.raises(ValueError, match="older detente"):
        check_same_run(settings, [])


@pytest.mark.slow
@pytest.mark.usefixtures("corpora")
@pytest.mark.filterwarnings("ignore")
def test_a_loss_that_is_not_finite_ends_the_run(config: Path) -> None:
    settings = read_args(config, ["learning_rate=1e30", "tracking=", "corpora={annotations: {repeat: 8}}"])
    with pytest.raises(FloatingPointError, match=r"the loss is .* lower learning_rate"):
        train(settings)
    assert not (settings.output / "model").exists()


@pytest.mark.usefixtures("corpora")
@pytest.mark.parametrize(
    ("override", "reason"),
    [
        (["corpora={detente: {}}"], "none of them"),
        (["metric=newsroom_tone_f1"], "not measured"),
        (["metric=loss"], "not measured"),
    ],
)
def test_a_dev_metric_that_cannot_be_measured_is_refused_before_training(
    config: Path, override: list[str], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        check_metric(read_args(config, override))


def test_a_dev_part_that_is_not_on_disk_is_named_before_training(
    config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DETENTE_CORPORA", str(tmp_path))
    with pytest.raises(ValueError, match="needs a dev part that is not on disk"):
        check_metric(read_args(config))


def test_an_export_that_answers_otherwise_is_refused(tmp_path: Path) -> None:
    model, tokenizer = tiny_encoder()
    folder = export(model, tokenizer, tmp_path / "model", int8=False)
    rows = rows_of(read("detente", "train").examples[:40], "detente")
    trained = TorchEncoder(model, Featurizer(tokenizer, MAX_LENGTH))
    check_export(folder, trained, rows)
    with torch.no_grad():
        for parameter in model.heads["tone"].parameters():
            parameter.copy_(torch.randn_like(parameter) * 3)
    with pytest.raises(ValueError, match="otherwise than the trained one"):
        check_export(folder, trained, rows)


@pytest.mark.slow
@pytest.mark.usefixtures("corpora")
@pytest.mark.filterwarnings("ignore")
def test_a_stopped_run_is_resumed_from_its_newest_checkpoint(config: Path) -> None:
    settings = read_args(config, ["tracking=", "corpora={annotations: {repeat: 2}}"])
    folder = train(settings)
    weights = {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".json"}
    *_, newest = sorted((settings.output / "checkpoints").iterdir(), key=lambda p: int(p.name.split("-")[1]))
    shutil.rmtree(newest)
    shutil.rmtree(folder)
    again = train(settings)
    assert json.loads((newest / "trainer_state.json").read_text("utf-8"))["epoch"] == 2
    assert {file.name: file.read_bytes() for file in again.iterdir() if file.suffix != ".json"} == weights


@pytest.mark.slow
def test_the_command_line_trains_and_measures(config: Path, tmp_path: Path) -> None:
    def detente(*words: str) -> subprocess.CompletedProcess[str]:
        import os

        env = os.environ | {"DETENTE_CORPORA": str(CORPORA), "PYTHONWARNINGS": "ignore"}
        return subprocess.run(
            [sys.executable, "-m", "detente", *words], capture_output=True, text=True, env=env, check=False
        )

    ran = detente("train", str(config), "epochs=1", "tracking=")
    assert ran.returncode == 0, ran.stderr
    model = str(tmp_path / "run" / "model")
    ran = detente("evaluate", model, "--corpora", "plv", "--split", "dev", "--json", str(tmp_path / "r.json"))
    assert ran.returncode == 0, ran.stderr
    assert "PLV dev" in ran.stdout
    assert "annotations" not in ran.stdout
    assert (tmp_path / "r.json").is_file()

    ran = detente("export", str(tmp_path / "run" / "torch"), str(tmp_path / "rows"), "--rounded")
    assert ran.returncode == 0, ran.stderr
    assert read_config(tmp_path / "rows").rounded
    assert not read_config(tmp_path / "run" / "model").rounded

    for words, code, says in (
        (["export", "a", "b", "--fp32", "--rounded"], 2, "give one"),
        (["train", "no.yaml"], 1, "no such file"),
        (["train", str(config), "epoch=2"], 1, "epoch"),
        (["evaluate", model, "--corpora", "nothing"], 2, "no benchmark for nothing"),
        (["evaluate", "./nowhere"], 1, "no model folder"),
        (["export", "./nowhere", str(tmp_path / "x")], 1, "config.json"),
    ):
        ran = detente(*words)
        assert ran.returncode == code, ran.stderr
        assert says in ran.stderr
        assert "Traceback" not in ran.stderr


def test_metrics_by_hand() -> None:
    gold = ["none", "frosty", "engaging", "frosty"]
    assert macro_f1(gold, gold, ("none", "frosty", "engaging")) == 1.0
    assert macro_f1(gold, ["none"] * 4, ("none", "frosty")) == pytest.approx((2 * 0.25 / 1.25) / 2)
    assert relation_f1(gold, ["none", "engaging", "frosty", "none"]) == pytest.approx(2 * 1 * (2 / 3) / (1 + 2 / 3))
    assert warmth_r(gold, [0.9, -0.9, 0.4, -0.8]) == pytest.approx(1.0, abs=0.01)
    assert warmth_r(gold, [0.0] * 4) == 0.0
    assert span_f1("China warned Japan", (0, 12), (6, 18)) == pytest.approx(0.5)
    assert span_f1("China", None, None) == 1.0


def test_ece_of_a_model_that_knows_what_it_knows() -> None:
    right = np.array([True] * 800 + [False] * 200)
    assert ece(np.full(1000, 0.8), right) == pytest.approx(0.0, abs=1e-9)
    assert ece(np.full(1000, 1.0), right) == pytest.approx(0.2)


@given(st.floats(0.5, 2.5), st.integers(0, 1000))
def test_the_temperature_that_was_put_in_comes_out(wrong: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    logits = draw.normal(scale=2.0, size=(4000, 3))
    gold = np.array([draw.choice(3, p=row) for row in softmax(logits)])
    found = temperature(softmax(logits * wrong), gold)
    assert found == pytest.approx(wrong, rel=0.15)
    assert nll(softmax(np.log(softmax(logits * wrong)) / found), gold) <= nll(softmax(logits * wrong), gold) + 1e-9


def test_a_head_with_few_rows_keeps_its_temperature() -> None:
    rows = [np.array([0.9, 0.1])] * 10
    assert fit_temperatures({"tone": (rows, [0] * 10)}) == {}


@pytest.mark.slow
@pytest.mark.usefixtures("corpora")
@pytest.mark.filterwarnings("ignore")
def test_two_half_batches_weigh_as_much_as_a_whole_one(config: Path) -> None:
    """Accumulated gradients are divided once: by the Trainer, not by the loss too."""
    losses: list[float] = []

    class Keeper(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
        def on_log(self, args: object, state: object, control: object, logs: dict[str, float], **_: object) -> None:
            losses.extend(value for name, value in logs.items() if name == "train_loss")

    for batch, accumulate in ((4, 1), (2, 2)):
        overrides = [
            *(f"batch_size={batch}", f"accumulate={accumulate}", f"output={config.parent / str(batch)}"),
            *(
                "epochs=1",
                "learning_rate=1.0e-9",
                "dropout=0",
                "encoder_dropout=0",
                "mask_fraction=0",
                "swap_fraction=0",
            ),
        ]
        settings = read_args(config, overrides)
        rows = training_rows(settings)[:8]
        fit(settings, rows, lambda _model, _featurizer: {"dev_mean": 0.0}, [Keeper()])
    whole, halves = losses
    assert halves == pytest.approx(whole, rel=0.2)


@pytest.mark.slow
@pytest.mark.usefixtures("corpora")
@pytest.mark.filterwarnings("ignore")
def test_frozen_layers_stay_and_what_stands_on_them_learns(config: Path, base: Path) -> None:
    """In bfloat16, which a CPU has too."""
    settings = read_args(config, ["epochs=1", "freeze_layers=1", "precision=bf16"])
    trained, featurizer = fit(settings, training_rows(settings)[:8], lambda _model, _featurizer: {"dev_mean": 0.0})
    before = AutoModel.from_pretrained(base, add_pooling_layer=False).state_dict()
    moved = {name for name, value in trained.encoder.state_dict().items() if not torch.equal(value, before[name])}
    layers = len({name.split(".layer.")[1].split(".")[0] for name in before if ".layer." in name})
    assert layers > 1
    assert moved
    assert all(layer_of(name) >= 1 for name in moved)
    OnnxEncoder(export(trained, featurizer.tokenizer, config.parent / "model"))  # in fp32, as onnxruntime reads it
