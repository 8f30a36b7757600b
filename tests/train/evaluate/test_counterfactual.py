"""The swap test: a tone from the words stays, a tone from the countries does not."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from detente._statistics import Estimate
from detente.data.codebook.labels import TONES
from detente.data.corpora.examples import Example
from detente.infer.encoder.base import PairOutput
from detente.models.config import ModelConfig
from detente.models.features import Item
from detente.train.evaluate.counterfactual import ALL, Exchange, swap_test


class Stub:
    """An encoder whose tone is a function of the sentence."""

    name, digest = "stub", None

    def __init__(self, tone: Callable[[str], str]) -> None:
        self.config = ModelConfig()
        self.tone = tone

    def predict(self, items: Sequence[Item], *, symmetric: bool = True) -> list[list[PairOutput]]:
        def heads(item: Item) -> dict[str, Any]:
            return {"tone": np.array([float(self.tone(item.text) == of) for of in TONES])}

        return [[PairOutput(heads(item), np.zeros(0), []) for _ in item.pairs] for item in items]

    def predict_logits(self, items: Sequence[Item]) -> dict[str, Any]:
        raise NotImplementedError


def marked(text: str, date: str = "2021-03-10", **mentions: list[str]) -> Example:
    """A sentence with its two states as keywords, each with the words that name it."""
    (first, a), (second, b) = ((state, [(text.index(w), text.index(w) + len(w)) for w in words])
                               for state, words in sorted(mentions.items()))  # fmt: skip
    return Example(
        id=text,
        text=text,
        a=tuple(a),
        b=tuple(b),
        split="dev",
        origin="annotations/x",
        dyad=f"{first}-{second}",
        date=date,
    )


SWAPPED = [
    marked("China warned American officials.", CHN=["China"], USA=["American"]),
    marked("The Chinese met Joe Biden in Geneva.", CHN=["Chinese"], USA=["Joe Biden"]),
    marked("Japan thanked the United States.", JPN=["Japan"], USA=["United States"]),
]
ODD = [
    marked("Both sides met China.", USA=["Both sides"], CHN=["China"]),
    marked("China warned the United States, and Beijing meant it.", CHN=["China"], USA=["United States"]),
]


def by_name(found: Sequence[Exchange]) -> dict[str, Exchange]:
    return {one.name: one for one in found}


def test_a_tone_from_the_words_does_not_change() -> None:
    words = Stub(lambda text: "frosty" if "warned" in text else "engaging")
    found = by_name(swap_test(words, [*SWAPPED, *ODD], draws=3, resamples=50))
    assert (found[ALL].rows, found[ALL].left_out, found[ALL].sentences, found[ALL].readings) == (3, 2, 3, 9)
    assert found[ALL].changed == Estimate(0.0, 0.0, 0.0)
    assert found["CHN-USA to JPN-USA"].rows == 3
    assert found["CHN-USA to JPN-USA"].left_out == 1, "Beijing would still be there"
    assert found["JPN-USA to CHN-USA"].rows == 1
    assert found["RUS-USA to GBR-USA"].changed is None


def test_a_tone_from_the_countries_changes() -> None:
    countries = Stub(lambda text: "frosty" if "Chin" in text else "engaging")
    found = by_name(swap_test(countries, SWAPPED, draws=3, resamples=50))
    assert found["CHN-USA to JPN-USA"].changed == Estimate(1.0, 1.0, 1.0)
    assert found["JPN-USA to CHN-USA"].changed == Estimate(1.0, 1.0, 1.0)
    share = found[ALL].changed
    assert share is not None
    assert share.value == pytest.approx(2 / 3), "two of three sentences had China in them"
    assert share.low < share.value < share.high


def test_the_swap_test_repeats_itself() -> None:
    by_length = Stub(lambda text: TONES[len(text) % 5])
    assert swap_test(by_length, SWAPPED, resamples=20) == swap_test(by_length, SWAPPED, resamples=20)


def test_a_sentence_that_names_the_new_state_is_left_out() -> None:
    row = marked("China warned the United States in Tokyo.", CHN=["China"], USA=["United States"])
    found = by_name(swap_test(Stub(lambda _: "none"), [row], draws=1, resamples=20))
    assert (found["CHN-USA to JPN-USA"].rows, found["CHN-USA to JPN-USA"].left_out) == (0, 1)
    assert found[ALL].rows == 1
