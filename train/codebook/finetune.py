"""The whole network fine-tuned on labels of one's own: new heads learn them, the others keep what they know.

What the network said of the same sentences before is the target of its other heads, so that a reading's direction and
cue stay (learning without forgetting; Li and Hoiem, ECCV 2016).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import TrainerCallback

from detente._statistics import softmax
from detente.data.codebook.label_schema import Scheme
from detente.infer.encoder.base import Floats
from detente.infer.encoder.pair_orders import both_orders
from detente.models.config import ModelConfig, head_of
from detente.models.encoder import PairEncoder
from detente.models.features import Featurizer
from detente.train.codebook.annotations import Coded
from detente.train.codebook.linear_probe import Splits, folds
from detente.train.codebook.splits import Rows, groups_of
from detente.train.examples import Label, Row
from detente.train.export.onnx import export
from detente.train.fit.trainer import fit
from detente.train.settings import TrainArgs
from detente.train.torch_encoder import TorchEncoder

#: Steps of a run, where that is between `EPOCHS` passes over the rows: few rows are gone through more often.
STEPS: Final = 400
EPOCHS: Final = (3.0, 12.0)


@dataclass(frozen=True)  # without slots, which would leave the cached answers no place
class Tuner:
    """Fine-tunes one model on parts of one table.

    Attributes:
        base: folder of an exported model whose products are of whole int8 rows.
        scheme: whose variables get heads.
        rows: of the table.
        scratch: folder for what a run leaves behind.
        seed: of weights, order and draws.
    """

    base: Path
    scheme: Scheme
    rows: Sequence[Coded]
    scratch: Path
    seed: int = 1

    def tuned(
        self, some: Sequence[int], progress: Callable[[str], None] = lambda _: None, what: str = ""
    ) -> tuple[PairEncoder, Tokenizer]:
        """Fine-tune on some of the rows, by their numbers; return the network and its tokenizer, on the CPU.

        `progress` is told after each step how far it is with `what`.

        Raises:
            ModelError: the base can't be trained on.
        """
        targets = [self._target(number) for number in some]  # before the seed: the first call opens the base
        torch.manual_seed(self.seed)
        model, tokenizer = PairEncoder.from_pretrained(self.base)
        model.add_heads({head_of(v): v.labels for v in self.scheme.variables})
        low, high = EPOCHS
        settings = TrainArgs(
            output=self.scratch,
            base=str(self.base),
            entity_markers=model.spec.markers,
            max_length=model.spec.max_length,
            freeze_embeddings=True,
            epochs=min(high, max(low, STEPS * 16 / len(some))),
            batch_size=16,
            learning_rate=5e-5,
            head_rate=20.0,
            seed=self.seed,
            tracking="",
        )
        fit(settings, targets, None, [_Told(progress, what)], started=(model, tokenizer))
        return model.to("cpu").eval(), tokenizer

    def held_out(self, parts: Mapping[str, Rows], progress: Callable[[str], None]) -> dict[str, tuple[Splits, Floats]]:
        """Fine-tune on each fold of a table; return each variable's folds and the logits of its rows measured on.

        All variables are learnt together: the folds are those of the table, with the first variable's labels in each. A
        variable that has too few rows for any fold has none.
        """
        first = parts[self.scheme.tone.name]
        gold = np.full(len(self.rows), first.gold.max() + 1)
        gold[first.at] = first.gold
        whole = folds(gold, groups_of(self.rows), self.seed)
        splits: dict[str, Splits] = {name: [] for name in parts}
        logits: dict[str, list[Floats]] = {name: [] for name in parts}
        for number, (train, test) in enumerate(whole, 1):
            model, tokenizer = self.tuned(train.tolist(), progress, f"fold {number} of {len(whole)}")
            said = logits_of(model, tokenizer, [self.rows[i] for i in test])
            for variable in self.scheme.variables:
                rows = parts[variable.name]
                learnt, measured_on = (np.flatnonzero(np.isin(rows.at, side)) for side in (train, test))
                if len(np.unique(rows.gold[learnt])) > 1 and len(measured_on):
                    splits[variable.name].append((learnt, measured_on))
                    order = np.searchsorted(test, rows.at[measured_on])
                    logits[variable.name].append(said[head_of(variable)][order])
        return {name: (splits[name], np.concatenate(of) if of else np.empty(0)) for name, of in logits.items()}

    def export(self, config: ModelConfig, folder: Path, progress: Callable[[str], None]) -> None:
        """Fine-tune on all rows and write the model with its configuration."""
        model, tokenizer = self.tuned(range(len(self.rows)), progress, "the model")
        model.spec = config
        export(model, tokenizer, folder)

    @cached_property
    def _before(self) -> dict[str, Floats]:
        """What the base says of the rows: the probabilities of each head that stays, [rows, 2, labels]."""
        model, tokenizer = PairEncoder.from_pretrained(self.base)
        learnt = {head_of(v) for v in self.scheme.variables}  # a base may have been fine-tuned before
        said = logits_of(model, tokenizer, self.rows)
        return {head: softmax(logits) for head, logits in said.items() if head not in learnt}

    def _target(self, number: int) -> Row:
        """Return a training row: the new heads' labels, and for the others what the base says."""
        row = self.rows[number]
        return Row(
            row.item.text,
            ["", ""],  # never exchanged for others: whether a label stays true is not known
            [list(spans) for spans in row.item.actors],
            [(0, 1)],
            [
                Label(
                    {head: said[number, 0].tolist() for head, said in self._before.items()} | self._gold(row),
                    reversed_heads={head: said[number, 1].tolist() for head, said in self._before.items()},
                )
            ],
            "own",
            ordered=False,
        )

    def _gold(self, row: Coded) -> dict[str, list[float]]:
        return {
            head_of(v): np.eye(len(v.labels))[row.labels[v.name]].tolist()
            for v in self.scheme.variables
            if v.name in row.labels
        }


def logits_of(model: PairEncoder, tokenizer: Tokenizer, rows: Sequence[Coded]) -> dict[str, Floats]:
    """Return each head's logits for the rows' pairs in both orders, [rows, 2, labels]."""
    encoder = TorchEncoder(model, Featurizer(tokenizer, model.spec.max_length))
    heads = encoder.predict_logits([both_orders(row.item) for row in rows])
    return {head: logits.reshape(len(rows), 2, -1) for head, logits in heads.items()}


class _Told(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Tells how far a run is."""

    def __init__(self, progress: Callable[[str], None], what: str) -> None:
        self.progress = progress
        self.what = what

    def on_step_end(self, args: object, state: Any, control: object, **_: object) -> None:  # noqa: ARG002
        self.progress(f"{self.what}: step {state.global_step} of {state.max_steps}")
