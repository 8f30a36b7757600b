"""The cached encoder: the same outputs, each sentence predicted once, and batches of bounded size."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from detente.infer.encoder.base import PairOutput
from detente.infer.encoder.cached import CachedEncoder
from detente.infer.encoder.onnx import OnnxEncoder
from detente.models.features import Item


def test_repeated_sentences_are_predicted_once(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = OnnxEncoder(tiny_model)
    items = [Item(text, [[(0, 5)], [(10, 15)]], [(0, 1)]) for text in ("China met Japan.", "China saw Japan.") * 3]
    seen: list[str] = []
    plain = engine.predict(items)
    real = engine.predict

    def noted(new: Sequence[Item], *, symmetric: bool = True) -> list[list[PairOutput]]:
        seen.extend(item.text for item in new)
        return real(new, symmetric=symmetric)

    monkeypatch.setattr(engine, "predict", noted)
    cached = CachedEncoder(engine)
    answers = [*cached.predict(items[:1]), *cached.predict(items[1:])]
    assert seen == ["China met Japan.", "China saw Japan."]
    for (mine,), (theirs,) in zip(answers, plain, strict=True):
        assert mine.heads["tone"] == pytest.approx(theirs.heads["tone"], abs=1e-5)
    assert cached.name == engine.name
    seen.clear()
    monkeypatch.setattr("detente.infer.encoder.cached.MAX_CACHED", 1)
    few = CachedEncoder(engine)
    for item in (items[0], items[1], items[0], items[1]):
        few.predict([item])
    assert seen == ["China met Japan.", "China saw Japan.", "China saw Japan."]


def test_the_batch_size_is_bounded(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = OnnxEncoder(tiny_model)
    items = [Item(f"China met Japan {n}.", [[(0, 5)], [(10, 15)]], [(0, 1)] * 3) for n in range(5)]
    sizes: list[int] = []
    real = engine.predict

    def noted(new: Sequence[Item], *, symmetric: bool = True) -> list[list[PairOutput]]:
        sizes.append(len(new))
        return real(new, symmetric=symmetric)

    monkeypatch.setattr(engine, "predict", noted)
    monkeypatch.setattr("detente.infer.encoder.cached.BATCH_PAIRS", 7)
    assert [len(answer) for answer in CachedEncoder(engine).predict(items)] == [3] * 5
    assert sizes == [2, 2, 1]


def test_both_kinds_of_order_are_cached_apart(tiny_model: Path) -> None:
    engine = OnnxEncoder(tiny_model)
    cached = CachedEncoder(engine)
    items = [Item("Japan and China met.", [[(0, 5)], [(10, 15)]], [(1, 0)])]
    for symmetric in (True, False, True):
        ((mine,),), ((theirs,),) = (encoder.predict(items, symmetric=symmetric) for encoder in (cached, engine))
        assert mine.heads["root"] == pytest.approx(theirs.heads["root"], abs=1e-5)
    assert cached.digest == engine.digest
    assert cached.predict_logits(items)["tone"] == pytest.approx(engine.predict_logits(items)["tone"], abs=1e-5)
