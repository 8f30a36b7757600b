"""Explanations measured: the figures by hand, and what is compared with what."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detente.data.codebook.labels import TONES
from detente.data.corpora.examples import Corpus, Example
from detente.data.corpora.load import read
from detente.infer.encoder.base import Encoder
from detente.infer.encoder.onnx import OnnxEncoder
from detente.infer.explain.occlusion import without
from detente.train.evaluate import faithfulness as faithful
from detente.train.evaluate.faithfulness import Faithfulness, faithfulness, markdown
from detente.train.examples import item_of

RESULT = Faithfulness(
    rows=1213,
    explained=1100,
    figures={"cue_f1": 0.513, "comprehensiveness": 0.46, "sufficiency": 0.05},
    intervals={"cue_f1": (0.45, 0.57), "comprehensiveness": (0.4, 0.5), "sufficiency": (0.01, 0.09)},
    random={"cue_f1": 0.21, "comprehensiveness": 0.118, "sufficiency": 0.384},
    seconds=(0.004, 0.018),
)


def example(text: str, cue: str) -> Example:
    start = text.index(cue)
    return Example(id="1", text=text, a=((0, 5),), b=((13, 18),), split="dev", origin="", cue=(start, start + len(cue)))


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Encoder:
    return OnnxEncoder(tiny_model)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[Example]:
    """Some rows of the project's own corpus in place of the annotations."""
    some = read("detente", "train").examples[:24]
    monkeypatch.setattr(faithful, "read", lambda *_: Corpus(some, []))
    monkeypatch.setattr(faithful, "seconds", lambda *_: (1.0, 2.0))
    return [row for row in some if row.tone != "none" and row.cue]


def test_report() -> None:
    lines = markdown(RESULT)
    assert lines[2].startswith("| cue against the annotated one, word F1 | 1,213 | 51.3 | 45.0–57.0 | 21.0 |")
    assert "| 1,100 | 46.0 |" in lines[3]
    assert lines[-1] == "A sentence takes 4.0 ms, with its explanation 18.0 ms: 4.5 times as long."


def test_f1_by_hand() -> None:
    row = example("China warned Japan over the islands.", "warned Japan over")
    assert faithful._f1(row, [(6, 12), (13, 18), (19, 23)]) == 1
    assert faithful._f1(row, [(6, 12)]) == pytest.approx(2 / 4)
    assert faithful._f1(row, [(6, 12), (28, 35)]) == pytest.approx(2 * 1 / (2 + 3))
    assert faithful._f1(row, []) == 0


def test_words_left_alone_are_parted_and_beside_the_states() -> None:
    item = item_of(example("China warned Japan over the islands.", "warned"))
    left = faithful._keep_words(item, [(6, 12), (28, 35)])
    assert left.text == "China warned Japan islands."
    assert [[left.text[s:e] for s, e in spans] for spans in left.actors] == [["China"], ["Japan"]]


def test_fall_by_hand(engine: Encoder) -> None:
    items = [item_of(example(text, "warned")) for text in ("China warned Japan.", "China warned Japan on trade.")]
    answers = [pair for (pair,) in engine.predict(items)]
    draws = [[[(6, 12)], [(19, 21)]], [[(6, 12)], [(22, 27)]]]
    fall = faithful._fall(engine, items, answers, draws, without)
    label = int(answers[1].heads["tone"].argmax())
    texts = ("China warned Japan trade.", "China warned Japan on.")
    after = [pair.heads["tone"][label] for (pair,) in engine.predict([replace(items[1], text=text) for text in texts])]
    assert fall.shape == (2,)
    assert fall[1] == pytest.approx(answers[1].heads["tone"][label] - np.mean(after), abs=1e-4)


def test_every_related_row_counts(engine: Encoder, rows: list[Example]) -> None:
    result = faithfulness(engine, draws=2, resamples=50)
    said = [TONES[int(pair.heads["tone"].argmax())] for (pair,) in engine.predict([item_of(row) for row in rows])]
    assert result.rows == len(rows)
    assert 0 < result.explained == sum(tone != "none" for tone in said)
    for name, value in result.figures.items():
        low, high = result.intervals[name]
        assert low <= value <= high
        assert -1 <= result.random[name] <= 1
    assert result.times == 2.0
    assert faithfulness(engine, draws=2, resamples=50) == result, "the draws are the same every time"


def test_a_model_that_sees_no_relationship(
    engine: Encoder, rows: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = engine.predict
    tone = np.eye(len(TONES), dtype=np.float32)[0]
    monkeypatch.setattr(
        OnnxEncoder,
        "predict",
        lambda _, items: [[replace(p, heads={**p.heads, "tone": tone}) for p in pairs] for pairs in plain(items)],
    )
    with pytest.raises(ValueError, match=r"none of the .* related rows"):
        faithfulness(engine)
