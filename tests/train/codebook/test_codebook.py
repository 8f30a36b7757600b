"""A scheme of one's own: learnt on frozen vectors, grafted onto the exported model, and read by everything else."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.cli.terminal import bar, colour
from detente.data.annotation.spreadsheets import LabelsError
from detente.data.codebook.label_schema import SHIPPED, Scheme, Variable
from detente.infer.chart.common import note
from detente.infer.chart.static import plot
from detente.infer.encoder.onnx import OnnxEncoder
from detente.infer.label.labeler import load
from detente.infer.readings.document import Document
from detente.infer.readings.reading import schema
from detente.infer.readings.table import SCHEMA, WRITERS
from detente.infer.readings.table import schema as columns
from detente.infer.score.score import score
from detente.infer.series.series import series
from detente.models.config import HEADS, ModelConfig
from detente.models.features import Item
from detente.models.model_dir import ONNX, ModelError, read_config, verify
from detente.train.codebook import finetune, learning_curve, linear_probe, onnx_heads
from detente.train.codebook.annotations import Coded, Table, read_table
from detente.train.codebook.splits import groups_of
from detente.train.codebook.train import measure, train
from detente.train.export.onnx import export
from tests.helpers.tiny import tiny_encoder, trained_a_little

STATES = ["China", "Japan", "India", "France", "Kenya", "Brazil"]
SAID = {"warned": "hostile", "met": "even", "thanked": "warm"}
SCALE = Variable(name="scale", kind="ordinal", labels=("hostile", "even", "warm"), scores=(-2.0, 0.0, 3.0))
FORCE = Variable(name="force", kind="binary", labels=("no", "yes"))
SCHEME = Scheme((SCALE, FORCE))

ITEMS = [
    Item("China warned the United States.", [[(0, 5)], [(17, 30)]], [(0, 1), (1, 0)]),
    Item("Japan and China met.", [[(0, 5)], [(10, 15)]], [(0, 1)]),
]


def sentences() -> list[tuple[str, str]]:
    return [(f"{a} {verb} {b}.", label) for verb, label in SAID.items() for a in STATES for b in STATES if a < b]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    file = tmp_path_factory.mktemp("labels") / "my.csv"
    rows = [f"{text},{label},{'yes' if label == 'hostile' else 'no'}" for text, label in sentences()]
    file.write_text("\n".join(["sentence,scale,force", *rows]), "utf-8")
    return read_table(file, SCHEME)


@pytest.fixture(scope="module")
def own(table: Table, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "mine"
    train(table, SCHEME, folder, base=tiny_model)
    return folder


def int8(folder: Path, *, rounded: bool) -> Path:
    model, tokenizer = tiny_encoder()
    model.spec = replace(model.spec, rounded=rounded)
    return export(trained_a_little(model), tokenizer, folder / "tiny")


@pytest.mark.parametrize("kind", ["fp32", "blocks", "rows"])
def test_the_pair_vector_is_found_however_products_are_quantized(kind: str, tmp_path: Path, tiny_model: Path) -> None:
    folder = tiny_model if kind == "fp32" else int8(tmp_path, rounded=kind == "rows")
    vectors = linear_probe.Vectors(folder)
    assert len(vectors.names) == 1 + len(HEADS)
    of = vectors.of([Item(item.text, item.actors, [(0, 1)]) for item in ITEMS])
    assert of.shape == (2, 2, 5 * 32 + len(HEADS) * 16)
    halves = of[:, :, 32:64], of[:, :, 64:96]
    assert np.allclose(halves[0][:, 0], halves[1][:, 1], atol=1e-5), "exchanged actors change places"
    assert np.allclose(of[:, :, 96:128], halves[0] * halves[1], atol=1e-4), "their product"
    fewer = linear_probe.Vectors(folder, without=("root", "quad"))
    assert fewer.names == [name for name in vectors.names if "root" not in name and "quad" not in name]


def test_a_grafted_head_says_what_was_fitted_and_the_others_stay(tiny_model: Path, own: Path) -> None:
    before, after = OnnxEncoder(tiny_model), OnnxEncoder(own)
    for head in HEADS:
        assert np.array_equal(before.predict_logits(ITEMS)[head], after.predict_logits(ITEMS)[head])
    model = onnx.load(tiny_model / ONNX)
    names = onnx_heads.vectors(model, HEADS)
    for _ in range(2):  # the second takes the place of the first
        onnx_heads.grafted(model, names, {"own:x": (np.zeros((160 + 6 * 16, 3)), np.zeros(3))})
    assert [output.name for output in model.graph.output].count("own:x") == 1
    assert [node.output[0] for node in model.graph.node].count("own:vector") == 1


def test_the_model_answers_as_it_was_fitted(own: Path, table: Table, tiny_model: Path) -> None:
    engine = OnnxEncoder(own)
    verify(own)
    said = [pair.heads["own:scale"] for (pair,) in engine.predict([row.item for row in table.rows])]
    vectors = linear_probe.Vectors(tiny_model).of([row.item for row in table.rows])
    gold = np.array([row.labels["scale"] for row in table.rows])
    head = linear_probe.fit(vectors, gold, 3)
    again = linear_probe.answers(head.predict_logits(vectors), engine.config.temperature["own:scale"])
    assert np.allclose(np.stack(said), again, atol=1e-4)
    assert (again.argmax(-1) == gold).mean() > 0.5, "three words to tell apart, with a network of random weights"


def test_a_reading_has_the_schemes_labels(own: Path) -> None:
    model = load(own)
    assert model.scheme == SCHEME
    (reading,) = model.label("China warned Japan.", id="a")
    assert list(reading.probabilities) == list(SCALE.labels)
    assert reading.tone == "hostile"
    assert reading.warmth == pytest.approx(-2 * reading.probabilities["hostile"] + 3 * reading.probabilities["warm"])
    assert reading.variables["scale"].label == reading.tone
    assert reading.variables["force"].label == "yes"
    assert reading.variables["force"].score == pytest.approx(reading.variables["force"].probabilities["yes"])
    record = reading.to_dict()
    described = schema(SCHEME)
    assert [*record, "why"] == list(described["properties"])
    assert record["tone"] in described["properties"]["tone"]["enum"]
    assert list(record["variables"]) == list(described["properties"]["variables"]["properties"])
    (absent,) = model.label("China warned Japan.", dyads=[("FRA", "DEU")])
    assert (absent.tone, absent.warmth, absent.found, absent.probability) == ("none", None, False, 1.0)
    assert sum(absent.probabilities.values()) == 0
    assert absent.variables == {}


def test_a_model_that_answers_its_own_scheme_can_be_a_base(own: Path, table: Table, tmp_path: Path) -> None:
    train(table, Scheme((FORCE,)), tmp_path / "second", base=own, curves=False)
    config = read_config(tmp_path / "second")
    assert set(config.heads) == {*HEADS, "own:force"}
    assert OnnxEncoder(tmp_path / "second").predict(ITEMS)[1][0].heads["own:force"].shape == (2,)


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_a_corpus_is_scored_and_summed_up(own: Path, tmp_path: Path, form: str) -> None:
    records = [{"id": str(n), "text": text, "date": f"2021-0{1 + n % 2}-01"} for n, (text, _) in enumerate(sentences())]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, records)), "utf-8")
    score(tmp_path / "in.jsonl", tmp_path / "out", model=own, output_format=form, workers=1)
    if form == "parquet":
        rows = pq.read_table(tmp_path / "out" / "part-00000.parquet")
        assert rows.schema.names == columns(SCHEME).names
        first = rows.to_pylist()[0]
        assert {"p_hostile", "force", "force_score", "p_force_yes"} <= set(first)
        assert first["p_force_yes"] == first["force_score"]
    frame = series(tmp_path / "out", dyads=["CHN-JPN"], draws=20)
    assert [name for name in frame if str(name).startswith("share_")] == ["share_hostile", "share_even", "share_warm"]
    assert frame.attrs["scores"] == {"hostile": -2, "even": 0, "warm": 3}
    assert "from −2 (hostile) to +3 (warm)" in note(frame)
    plot(frame, tmp_path / "chart.svg")
    drawn = (tmp_path / "chart.svg").read_text("utf-8")
    assert "mean score" in drawn
    assert "frosty" not in drawn
    share = series(tmp_path / "out", dyads=["CHN-JPN"], label="warm", draws=20)
    assert share["warmth"].tolist() == frame["share_warm"].tolist()
    with pytest.raises(ValueError, match="'cold' is no label; those are hostile, even, warm"):
        series(tmp_path / "out", label="cold")


def test_labels_without_scores_have_shares_and_no_warmth(tmp_path: Path) -> None:
    rows = [(n, "CHN-JPN", ["aid", "trade", "none"][n % 3], None, "2021-03-01") for n in range(9)]
    frame = pd.DataFrame(rows, columns=["document", "dyad", "tone", "warmth", "date"])
    summed = series(frame, draws=20)
    assert summed[["share_aid", "share_trade"]].values.tolist() == [[0.5, 0.5]]
    assert summed["warmth"].isna().all()
    with pytest.raises(ValueError, match="have no scores, so there is no warmth to draw"):
        plot(summed, tmp_path / "x.png")
    plot(series(frame, label="aid", draws=20), tmp_path / "x.svg")
    assert "share of aid" in (tmp_path / "x.svg").read_text("utf-8")


def test_readings_that_are_no_folder_know_their_labels(own: Path) -> None:
    documents = [Document.of(text, date="2021-03-01") for text, _ in sentences()]
    frame = series(zip(documents, load(own).label_many(documents), strict=True), draws=20)
    assert "share_warm" in frame


def test_the_report(own: Path) -> None:
    report = json.loads((own / "report" / "report.json").read_text("utf-8"))
    scale, force = report["variables"]
    assert scale["how"] == "5-fold cross-validation"
    assert scale["counts"] == {"hostile": 15, "even": 15, "warm": 15}
    assert set(scale["baselines"]) == {"majority", "TF-IDF"}
    low, high = scale["intervals"]["macro_f1"]
    assert low <= scale["metrics"]["macro_f1"] <= high
    assert {"kappa", "ece", "score_r", "f1_warm"} <= set(scale["metrics"])
    assert [point["rows"] for point in force["curve"]] == sorted(point["rows"] for point in force["curve"])
    assert (own / "report" / "learning_curve_scale.png").read_bytes().startswith(b"\x89PNG")
    assert "| scale | 45 | macro_f1 |" in (own / "README.md").read_text("utf-8")


def test_a_model_is_measured_on_labels_that_it_has_not_seen(own: Path, table: Table, tiny_model: Path) -> None:
    scale, force = measure(own, table)
    assert (scale.rows, scale.how, force.variable) == (45, "a table of its own", "force")
    with pytest.raises(LabelsError, match="has no scheme of its own"):
        measure(tiny_model, table)


def rows(labels: Sequence[str], same: str = "") -> Table:
    found = [
        Coded(Item(f"China met Japan {n}.", [[(0, 5)], [(10, 15)]], [(0, 1)]), "CHN-JPN", same or str(n), {"v": i}, "")
        for n, i in enumerate(["ab".index(label) for label in labels])
    ]
    return Table(found, len(found))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (rows("a" * 20), "v: all 20 rows are 'a'; it takes two labels"),
        (rows("ab"), r"v: 2 rows with a label \(1 a, 1 b\); it takes 10 at least"),
        (rows(""), r"v: 0 rows with a label \(none\)"),
        (rows("a" * 19 + "b"), "v: 19 a, 1 b in 20 documents; too few to split"),
        (rows("ab" * 10, same="one"), "in 1 documents; too few to split"),
    ],
)
def test_too_little_to_learn_from(given: Table, said: str, tiny_model: Path, tmp_path: Path) -> None:
    scheme = Scheme((Variable(name="v", kind="nominal", labels=("a", "b")),))
    with pytest.raises(LabelsError, match=said):
        train(given, scheme, tmp_path / "out", base=tiny_model)
    assert list(tmp_path.iterdir()) == []


def test_names_that_would_be_two_columns(tiny_model: Path, tmp_path: Path) -> None:
    scheme = Scheme((SCALE, Variable(name="date", kind="nominal", labels=("a", "b"))))
    with pytest.raises(LabelsError, match=r"two columns .* would be called 'date'"):
        train(Table(), scheme, tmp_path / "out", base=tiny_model)


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 2)), min_size=6, max_size=40))
def test_no_document_or_sentence_is_on_both_sides(drawn: list[tuple[int, int, int]]) -> None:
    coded = [
        Coded(Item(f"Sentence {sentence}.", [], []), "", str(document), {"v": label}, "")
        for sentence, document, label in drawn
    ]
    groups, gold = groups_of(coded), np.array([label for *_, label in drawn])
    if len(set(groups.tolist())) < 3 or np.bincount(gold).max() < 2:
        return
    for learnt, held in linear_probe.folds(gold, groups, 0):
        assert not {coded[i].item.text for i in learnt} & {coded[i].item.text for i in held}
        assert not {coded[i].document for i in learnt} & {coded[i].document for i in held}


def test_many_rows_are_held_out_once() -> None:
    gold = np.arange(linear_probe.PLENTY) % 2
    assert len(linear_probe.folds(gold, np.arange(len(gold)), 0)) == 1
    assert len(linear_probe.folds(gold[:100], np.arange(100), 0)) == linear_probe.FOLDS


def test_a_share_of_the_rows_has_every_label() -> None:
    gold = np.array([0] * 50 + [1])
    some = linear_probe.smaller(np.arange(51), np.arange(51), gold, 0.1, seed=0)
    assert set(gold[some]) == {0, 1}
    assert len(some) <= 6


def test_the_verdict() -> None:
    flat = [learning_curve.Point(n, 0.5, 0.4, 0.6) for n in (100, 200)]
    assert learning_curve.verdict(flat).endswith("more labels alike would help little")
    assert "more labels would help" in learning_curve.verdict([flat[0], flat[1]._replace(macro_f1=0.55)])


def test_a_configuration_and_its_scheme() -> None:
    assert "own" not in ModelConfig().to_dict(), "as older packages know it"
    assert ModelConfig().scheme is SHIPPED
    own = ModelConfig(own=SCHEME, heads={**HEADS, "own:scale": SCALE.labels, "own:force": FORCE.labels})
    assert ModelConfig.from_dict(json.loads(json.dumps(own.to_dict()))) == own
    with pytest.raises(ValueError, match="no head for the variable 'scale'"):
        ModelConfig.from_dict({**own.to_dict(), "heads": HEADS})
    with pytest.raises(ValueError, match="scheme is malformed"):
        ModelConfig.from_dict({"own": {"variables": [{"name": "x"}]}})


def test_the_shipped_rows_are_what_they_were() -> None:
    assert columns(SHIPPED).equals(SCHEMA)
    assert [n for n in SCHEMA.names if n.startswith("p_")] == [
        "p_none", "p_frosty", "p_neutral", "p_engaging", "p_alliance_building",
    ]  # fmt: skip


def test_the_looks_of_other_labels() -> None:
    assert colour("frosty", SHIPPED.tone) == "bold blue"
    assert len({colour(label, SCALE) for label in SCALE.labels}) == 3
    assert colour("none", SCALE) == "dim"
    assert bar(-3.0, 3.0).plain.startswith("████│")


def command(*arguments: str | Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "detente", *map(str, arguments)],
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_the_commands(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("name: scale\nkind: ordinal\nlabels: {hostile: -2, even: 0, warm: 3}\n", "utf-8")
    lines = [f"{text};{label}" for text, label in sentences()]
    (tmp_path / "my.csv").write_text("\n".join(["sentence;label", *lines, "China met Japan today.;odd"]), "utf-8-sig")
    given: list[Any] = ["train", "--labels", tmp_path / "my.csv", "--codebook", tmp_path / "my.yaml"]
    given += ["--base", tiny_model, "--out", tmp_path / "mine"]
    code, _, complaint = command(*given)
    assert (code, complaint.count("\n")) == (1, 1)
    assert "my.csv:47 'odd' (scale is hostile, even, warm)" in complaint
    (tmp_path / "my.csv").write_text("\n".join(["sentence;label", *lines, "China met Japan today.;"]), "utf-8-sig")
    code, said, notes = command(*given)
    assert code == 0, notes
    assert "1 rows left out, without a label: my.csv:47" in notes
    assert "macro_f1" in said
    code, said, _ = command("evaluate", tmp_path / "mine", "--labels", tmp_path / "my.csv")
    assert code == 0
    assert "a table of its own" in said
    code, _, complaint = command("evaluate", tmp_path / "mine")
    assert (code, "--labels TABLE" in complaint) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["train"], 2, "give a file of settings, or --labels TABLE --codebook YAML --out FOLDER"),
        (["train", "x.yaml", "--labels", "my.csv"], 2, "not both"),
        (["train", "--labels", "my.csv", "--out", "x"], 2, "need --codebook too"),
        (["train", "--labels", "n.csv", "--codebook", "n.yaml", "--out", "x"], 1, "no such file: n.yaml"),
        (["train", "--labels", "n.csv", "--codebook", "n.yaml", "--out", "tests"], 1, "tests is there already"),
        (["train", "--labels", "a", "--codebook", "b", "--out", "c", "--without", "x"], 2, "--without: 'x' is none of"),
    ],
)
def test_bad_usage(arguments: list[str], code: int, said: str) -> None:
    returned, _, complaint = command(*arguments)
    assert (returned, complaint.count("\n")) == (code, 1)
    assert said in complaint


def test_a_folder_whose_scheme_was_broken(own: Path, tmp_path: Path) -> None:
    values = json.loads((own / "config.json").read_text("utf-8"))
    values["own"]["variables"][0].pop("labels")
    (tmp_path / "config.json").write_text(json.dumps(values), "utf-8")
    with pytest.raises(ModelError, match="scheme is malformed"):
        read_config(tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that a run goes through
def test_the_network_is_finetuned(table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = int8(tmp_path, rounded=True)
    monkeypatch.setattr(finetune, "STEPS", 12)
    monkeypatch.setattr(finetune, "EPOCHS", (1.0, 4.0))
    told: list[str] = []
    scale, force = train(table, SCHEME, tmp_path / "mine", base=base, finetune=True, curves=False, progress=told.append)
    assert set(scale.baselines) == {"majority", "TF-IDF", "linear heads"}
    assert scale.rows == force.rows == len(table.rows)
    assert any("fold 5 of 5" in line for line in told)
    verify(tmp_path / "mine")
    config = read_config(tmp_path / "mine")
    assert config.own == SCHEME
    assert list(config.heads) == [*HEADS, "own:scale", "own:force"]
    assert "fine-tuned" in (tmp_path / "mine" / "README.md").read_text("utf-8")
    (reading,) = load(tmp_path / "mine").label("China warned Japan.")
    assert reading.tone in SCALE.labels
    assert sorted((tmp_path / "mine" / "report").iterdir()) == [tmp_path / "mine" / "report" / "report.json"]
    again = finetune.Tuner(tmp_path / "mine", SCHEME, table.rows, tmp_path / "run")
    model, _ = again.tuned(range(12))
    assert list(model.spec.heads) == list(config.heads), "the heads of an earlier scheme are replaced"


def test_only_a_rounded_model_is_finetuned(table: Table, tiny_int8: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="rounded: true"):
        train(table, SCHEME, tmp_path / "mine", base=tiny_int8, finetune=True, curves=False)
    assert not (tmp_path / "mine").exists()
