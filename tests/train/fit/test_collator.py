"""Rows, batches and the loss: what training sees."""

import random
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from detente.data.corpora.examples import Example
from detente.models.config import HEADS
from detente.models.encoder import EncoderOutput
from detente.models.features import Featurizer
from detente.train import entity_swap
from detente.train.examples import Label, Row, Trust, item_of, one_hot, reverse_pair, rows_of
from detente.train.fit.collator import Collator
from detente.train.fit.losses import loss
from tests.helpers.tiny import tiny_tokenizer

TEXT = "China warned Japan and met India."
CHINA, JAPAN, INDIA = (0, 5), (13, 18), (27, 32)

#: The vectors of a network's output, which no loss reads.
REST: tuple[Tensor, dict[str, Tensor]] = (torch.empty(0), {})


def example(dyad: str, a: tuple[int, int], b: tuple[int, int], **labels: Any) -> Example:
    known: dict[str, Any] = {"tone": "frosty", "direction": "a>b", "cue": (6, 12), "confidence": 3}
    return Example(
        id=dyad, text=TEXT, a=(a,), b=(b,), split="train", origin="annotations", dyad=dyad, **(known | labels)
    )


FROSTY = example("CHN-JPN", CHINA, JAPAN)
MET = example("CHN-IND", CHINA, INDIA, tone="engaging", direction="mutual", cue=(23, 26), confidence=1)
NONE = example("IND-JPN", INDIA, JAPAN, tone="none", direction="n/a", cue=None)


def test_a_second_best_tone_makes_a_distribution() -> None:
    trust = Trust({1: 0.5}, {1: 0.65, 2: 0.88})
    unsure = replace(FROSTY, confidence=1, second="neutral")
    (row,) = rows_of([unsure], "newsroom", trust)
    assert row.labels[0].heads["tone"] == pytest.approx([0, 0.65, 0.35, 0, 0])
    assert row.labels[0].weight == 1.0
    (row,) = rows_of([replace(unsure, second=None)], "newsroom", trust)
    assert row.labels[0].heads["tone"] == [0, 1, 0, 0, 0]
    assert row.labels[0].weight == 0.5


def test_a_long_list_of_states_weighs_as_a_sentence() -> None:
    (row,) = rows_of([FROSTY, MET, NONE], "newsroom", Trust(sentence=1.5))
    assert [label.weight for label in row.labels] == [0.5, 0.5, 0.5]


def test_the_dyads_of_a_sentence_share_a_row() -> None:
    (row,) = rows_of([FROSTY, MET, NONE], "annotations", Trust({1: 0.5, 3: 1.0}))
    assert row.states == ["CHN", "JPN", "IND"]
    assert row.pairs == [(0, 1), (0, 2), (2, 1)]
    assert [label.weight for label in row.labels] == [1.0, 0.5, 1.0]
    assert row.labels[0].heads == {"tone": one_hot("tone", "frosty"), "direction": one_hot("direction", "a>b")}
    assert row.labels[2].heads == {"tone": one_hot("tone", "none")}, "no relationship has no direction"
    assert [label.cue for label in row.labels] == [[(6, 12)], [(23, 26)], []]


def test_a_corpus_without_tones_has_no_cue_to_learn() -> None:
    plv = Example(
        id="1", text=TEXT, a=(CHINA,), b=(JAPAN,), split="train", origin="plv", root="THREATEN", quad="verbal conflict"
    )
    (row,) = rows_of([plv], "plv")
    assert row.ordered
    assert row.labels[0].cue is None
    assert set(row.labels[0].heads) == {"root", "quad"}


def test_one_target_is_a_pair_with_itself() -> None:
    target = Example(id="1", text=TEXT, a=(CHINA,), b=(), split="train", origin="newsmtsc", polarity="negative")
    assert item_of(target).actors == [(CHINA,), (CHINA,)]
    (row,) = rows_of([target], "newsmtsc")
    assert row.pairs == [(0, 0)]


@given(st.sampled_from(["direction", "sentiment"]), st.data())
def test_flipping_twice_is_nothing(head: str, data: st.DataObject) -> None:
    label = Label({head: one_hot(head, data.draw(st.sampled_from(HEADS[head])))})
    assert reverse_pair(reverse_pair(label)).heads == label.heads


def test_flipping_turns_what_has_an_order() -> None:
    label = Label(
        {h: one_hot(h, x) for h, x in {"direction": "a>b", "sentiment": "negative p>q", "tone": "frosty"}.items()}
    )
    turned = reverse_pair(label).heads
    assert turned["direction"] == one_hot("direction", "b>a")
    assert turned["sentiment"] == one_hot("sentiment", "negative q>p")
    assert turned["tone"] == one_hot("tone", "frosty")


def collate(rows: list[Row], **settings: float) -> dict[str, Tensor]:
    targets = Collator(Featurizer(tiny_tokenizer(), 48), **settings)(rows)["targets"]  # type: ignore[arg-type]
    assert isinstance(targets, dict)
    return targets


def test_targets_are_distributions_or_nothing() -> None:
    row = replace(rows_of([FROSTY, MET, NONE], "annotations")[0], ordered=True)
    targets = collate([row], label_smoothing=0.1)
    assert targets["tone"].sum(-1).tolist() == pytest.approx([1, 1, 1])
    assert targets["tone"][0].tolist() == pytest.approx([0.02, 0.92, 0.02, 0.02, 0.02])
    assert targets["direction"].sum(-1).tolist() == pytest.approx([1, 1, 0])
    assert targets["root"].sum() == 0
    assert (targets["cue"][0] > 0).sum() == 1, "one word, one token"
    assert targets["cue"][2].max() == 0
    assert targets["cue"][2].min() == 0


def test_the_order_of_a_pair_is_drawn_with_its_direction() -> None:
    rows = rows_of([FROSTY], "annotations") * 40
    targets = collate(rows)
    seen = {tuple(t.tolist()) for t in targets["direction"]}
    assert seen == {tuple(one_hot("direction", d)) for d in ("a>b", "b>a")}


def test_markers_move_the_cue_along() -> None:
    collator = Collator(Featurizer(tiny_tokenizer(), 48), entity_markers=True)
    batch = collator(rows_of([FROSTY, MET], "annotations"))
    targets = batch["targets"]
    assert isinstance(targets, dict)
    tokenizer = collator.featurizer.tokenizer
    ids = batch["input_ids"]
    assert isinstance(ids, Tensor)
    words = [tokenizer.decode(ids[row][targets["cue"][row] > 0].tolist()) for row in range(2)]
    assert words == ["warned", "met"]


def test_a_perfect_answer_costs_less_and_a_row_without_label_nothing() -> None:
    rows = rows_of([FROSTY], "annotations")
    targets = collate([replace(rows[0], ordered=True)])
    tokens = targets["cue"].shape[1]
    good = EncoderOutput(
        {h: torch.where(targets[h] > 0, 20.0, -20.0) for h in HEADS},
        torch.where(targets["cue"] > 0, 20.0, -20.0),
        *REST,
    )
    bad = EncoderOutput({h: -logits for h, logits in good.heads.items()}, -good.cue, *REST)
    assert loss(good, targets, {}) < 1e-3 < loss(bad, targets, {})
    assert loss(bad, targets, dict.fromkeys([*HEADS, "cue"], 0.0)) == 0
    unlabelled = replace(rows[0], labels=[Label({})])
    assert loss(EncoderOutput(bad.heads, torch.zeros(1, tokens), *REST), collate([unlabelled]), {}) == 0


def test_swapping_keeps_grammar_and_moves_every_span() -> None:
    text = "The U.S. said American officials met Xi Jinping in Beijing, and China thanked the United States."
    spans = {
        word: (text.index(word), text.index(word) + len(word))
        for word in ("U.S.", "American", "Xi Jinping", "Beijing", "China", "United States")
    }
    cue = (text.index("thanked"), len(text) - 1)
    row = Row(
        text,
        ["CHN", "USA"],
        [
            [spans["Xi Jinping"], spans["Beijing"], spans["China"]],
            [spans["U.S."], spans["American"], spans["United States"]],
        ],
        [(0, 1)],
        [Label({}, cue=[cue])],
        "annotations",
        date="2021-03-10",
    )
    moved = entity_swap.swapper().swap(row, {"CHN": "GBR", "USA": "FRA"})
    assert moved is not None
    assert (
        moved.text == "France said French officials met Boris Johnson in London, and the United Kingdom thanked France."
    )
    assert moved.states == ["GBR", "FRA"]
    said = [[moved.text[s:e] for s, e in spans] for spans in moved.actors]
    assert said == [["Boris Johnson", "London", "the United Kingdom"], ["France", "French", "France"]]
    assert moved.labels[0].cue is not None
    ((start, end),) = moved.labels[0].cue
    assert moved.text[start:end] == "thanked France"


def test_a_row_with_a_mention_that_has_no_like_stays() -> None:
    row = Row("Both sides met.", ["CHN"], [[(0, 10)]], [], [], "annotations")
    assert entity_swap.swapper().swap(row, {"CHN": "FRA"}) is None


@given(st.integers(0, 10_000))
def test_drawn_states_are_new(seed: int) -> None:
    (row,) = rows_of([FROSTY, MET], "annotations")
    moved = entity_swap.swapper().swap_randomly(row, random.Random(seed))
    assert moved is not None
    assert not set(moved.states) & set(row.states)
    assert len(set(moved.states)) == 3
    assert [moved.text[s:e] for s, e in (moved.labels[0].cue or [])] == ["warned"]


def test_masking_hides_every_mention() -> None:
    (row,) = rows_of([FROSTY, MET], "annotations")
    hidden = entity_swap.mask_actors(row)
    assert hidden is not None
    assert hidden.text == "[MASK] warned [MASK] and met [MASK]."


@given(st.text("abc ", min_size=1, max_size=20), st.data())
def test_edits_move_untouched_spans_with_their_words(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=4, max_size=4)))
    edit = (cuts[0], cuts[1], data.draw(st.text("XY", max_size=5)))
    span = (cuts[2], cuts[3])
    row = Row(text, ["A"], [[span]], [], [], "x")
    moved = entity_swap.apply_edits(row, [edit])
    assert moved is not None
    ((start, end),) = moved.actors[0]
    assert moved.text[start:end] == text[span[0] : span[1]]
    assert moved.text == text[: cuts[0]] + edit[2] + text[cuts[1] :]
