"""Teachers: what they say of unlabelled sentences, on disk and as rows to learn from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from detente.data.corpora.examples import CorpusError
from detente.data.corpora.unlabeled import Sentence
from detente.infer.label.labeler import load
from detente.models.features import Featurizer
from detente.train.distill import soft_labels, teacher
from detente.train.examples import Label, Row, reverse_pair
from detente.train.fit.collator import Collator
from tests.helpers.tiny import HELD_OUT, LONE, MAX_LENGTH, SENTENCES, tiny_encoder, tiny_tokenizer


def labels_of(folder: Path) -> list[dict[str, Any]]:
    return [record for file in sorted(folder.glob("part-*")) for record in pq.read_table(file).to_pylist()]


@pytest.mark.usefixtures("corpora")
def test_soft_labels_are_what_the_teacher_says(sentences: Path, tiny_model: Path, tmp_path: Path) -> None:
    counts = teacher.teach([str(tiny_model)], tmp_path / "soft", source=sentences)
    assert (counts.read, counts.held_out, counts.without) == (len(SENTENCES) + 2, 1, 1)
    records = labels_of(tmp_path / "soft")
    assert counts.dyads == len(records) == len(SENTENCES)
    assert {record["text"] for record in records}.isdisjoint({HELD_OUT, LONE})
    model = load(tiny_model)
    for record in records[::7]:
        (reading,) = model.label(record["text"], date=record["date"], include_none=True)
        assert record["dyad"] == reading.dyad
        assert record["tone"] == pytest.approx(list(reading.probabilities.values()), abs=1e-6)
        assert [record["text"][slice(*span)] for span in record["a"] + record["b"]] == [
            record["text"][m.start : m.end]
            for state in reading.dyad.split("-")
            for m in reading.mentions
            if m.state == state
        ]
        if reading.tone != "none":
            assert record["text"][slice(*record["cue"])] == reading.cue
        else:
            assert record["cue"] is None


@pytest.mark.usefixtures("corpora")
def test_several_teachers_are_averaged(sentences: Path, tiny_model: Path, trained: Path, tmp_path: Path) -> None:
    other, tokenizer = tiny_encoder()
    torch.nn.init.normal_(other.query.weight, std=1.0)
    other.save_pretrained(tmp_path / "other", tokenizer)
    one, two, both = (tmp_path / name for name in ("one", "two", "both"))
    teacher.teach([str(trained)], one, source=sentences)
    teacher.teach([str(tmp_path / "other")], two, source=sentences)
    teacher.teach([str(trained), str(tmp_path / "other")], both, source=sentences)
    for head in ("tone", "direction", "root", "root_back"):
        first, second, mean = (np.array([r[head] for r in labels_of(f)]) for f in (one, two, both))
        assert not np.allclose(first, second)
        assert np.allclose(mean, (first + second) / 2, atol=1e-6)
    # The exported teacher says what the trained one does.
    teacher.teach([str(tiny_model)], tmp_path / "exported", source=sentences)
    ours, theirs = (np.array([r["tone"] for r in labels_of(f)]) for f in (one, tmp_path / "exported"))
    assert np.allclose(ours, theirs, atol=1e-4)


@pytest.mark.usefixtures("corpora")
def test_a_stopped_run_goes_on(
    sentences: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teacher, "PART_SIZE", 10)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    counts = teacher.teach([str(tiny_model)], whole, source=sentences)

    def stop(_: int, so_far: teacher.Counts) -> None:
        if so_far.read == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teacher.teach([str(tiny_model)], broken, source=sentences, progress=stop)
    with pytest.raises(CorpusError, match="isn't finished; give the same command again"):
        soft_labels.read(broken)
    with pytest.raises(CorpusError, match="other teachers, sentences or limit"):
        teacher.teach([str(tiny_model)], broken, source=sentences, limit=5)
    kept = {file.name: file.stat().st_mtime_ns for file in broken.glob("part-*")}
    assert len(kept) == 3
    (broken / "part-00003.parquet").write_bytes(b"half of one")
    assert teacher.teach([str(tiny_model)], broken, source=sentences) == counts
    assert {name: (broken / name).stat().st_mtime_ns for name in kept} == kept
    assert labels_of(broken) == labels_of(whole)
    assert teacher.teach([str(tiny_model)], broken, source=sentences) == counts, "nothing is left to do"


@pytest.mark.usefixtures("corpora")
def test_a_draw_is_always_the_same(sentences: Path, tiny_model: Path, tmp_path: Path) -> None:
    for name in "ab":
        assert teacher.teach([str(tiny_model)], tmp_path / name, source=sentences, limit=9).read == 9
    assert labels_of(tmp_path / "a") == labels_of(tmp_path / "b")


def test_what_is_no_model_or_not_on_disk_is_said(
    sentences: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETENTE_CORPORA", str(tmp_path / "nowhere"))
    with pytest.raises(CorpusError, match="transfer: no corpora/transfer"):
        teacher.teach([str(tiny_model)], tmp_path / "soft")
    with pytest.raises(CorpusError, match="plv: no corpora/plv"):  # what must be left out isn't known
        teacher.teach([str(tiny_model)], tmp_path / "soft", source=sentences)
    with pytest.raises(ValueError, match=r"is no model: it has neither model\.safetensors"):
        teacher.teach([str(tmp_path)], tmp_path / "soft", source=sentences)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"config\.json"):
        teacher.teach([str(tmp_path)], tmp_path / "soft", source=sentences)


def test_long_and_crowded_sentences_are_not_asked() -> None:
    def linked(text: str) -> teacher.LinkedSentence | None:
        return teacher.link(Sentence("1", text, "", "", (), "x"))

    found = linked("China met Japan and India.")
    assert found is not None
    assert found.dyads == [("CHN", "IND"), ("CHN", "JPN"), ("IND", "JPN")]
    assert linked("China, Japan, India, France, Russia, Turkey and Egypt met.") is None
    assert linked("China met Japan. " * 200) is None


# Rows


def test_soft_labels_as_rows(labelled: Path) -> None:
    rows = soft_labels.read(labelled, weight=0.5)
    records = labels_of(labelled)
    assert len(rows) == len(SENTENCES)
    assert not any(row.ordered for row in rows)
    assert [row.states for row in rows] == [record["dyad"].split("-") for record in records]
    (label,) = rows[0].labels
    assert label.weight == 0.5
    assert label.heads["tone"] == pytest.approx(records[0]["tone"], abs=1e-6)
    assert label.reversed_heads["root"] == pytest.approx(records[0]["root_back"], abs=1e-6)
    assert len(soft_labels.read(labelled, limit=5, seed=1)) == 5
    assert soft_labels.read(labelled, limit=5, seed=1) == soft_labels.read(labelled, limit=5, seed=1)
    with pytest.raises(CorpusError, match="holds no soft labels"):
        soft_labels.read(labelled / "nowhere")
    (labelled / "part-00000.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(CorpusError, match="can't be read"):
        soft_labels.read(labelled)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=5), st.floats(1.1, 4))
def test_a_temperature_flattens_and_keeps_the_order(weights: list[float], temperature: float) -> None:
    shares = np.array(weights) / sum(weights)
    flat = soft_labels.softened(shares, temperature)
    assert sum(flat) == pytest.approx(1)
    assert max(flat) <= shares.max() + 1e-9
    assert np.argmax(flat) == np.argmax(shares)
    assert soft_labels.softened(flat, 1 / temperature) == pytest.approx(shares.tolist())


def test_a_flipped_soft_label_is_that_of_the_other_order() -> None:
    label = Label({"tone": [0.2] * 5, "root": [1.0, 0.0]}, reversed_heads={"root": [0.0, 1.0]})
    turned = reverse_pair(label)
    assert turned.heads == {"tone": [0.2] * 5, "root": [0.0, 1.0]}
    assert reverse_pair(turned) == label


def test_soft_labels_are_not_smoothed() -> None:
    row = Row("China met Japan.", ["CHN", "JPN"], [[(0, 5)], [(10, 15)]], [(0, 1)], [], "transfer")
    tones = [[0.9, 0.1, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]]
    rows = [replace(row, labels=[Label({"tone": tone})]) for tone in tones]
    targets = Collator(Featurizer(tiny_tokenizer(), MAX_LENGTH), label_smoothing=0.1)(rows)["targets"]
    assert isinstance(targets, dict)
    assert targets["tone"][0].tolist() == pytest.approx(tones[0])
    assert targets["tone"][1].tolist() == pytest.approx([0.92, 0.02, 0.02, 0.02, 0.02])
