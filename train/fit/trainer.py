"""Fine-tune the network with transformers' `Trainer`, keeping the best checkpoint by the dev metric."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.utils.data import Sampler
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_pt_utils import get_length_grouped_indices

from detente.models.config import ModelConfig
from detente.models.encoder import EncoderOutput, PairEncoder
from detente.models.features import Featurizer
from detente.train.base_models import locate
from detente.train.examples import Row
from detente.train.fit.collator import Collator
from detente.train.fit.losses import inconsistency, loss
from detente.train.settings import TrainArgs

log = logging.getLogger(__name__)

_NUMBER = re.compile(r"\Acheckpoint-(\d+)\Z")

#: Evaluates a model on the dev splits and returns metrics by name.
Develop = Callable[[PairEncoder, Featurizer], dict[str, float]]


class PairTrainer(Trainer):  # type: ignore[misc]  # transformers is untyped here
    """A `Trainer` for rows, with the loss of all heads and a dev evaluation by the benchmarks' metrics."""

    control: TrainerControl
    optimizer: torch.optim.Optimizer | None

    def __init__(self, settings: TrainArgs, develop: Any, **kwargs: Any) -> None:
        self.settings = settings
        self.develop = develop
        super().__init__(**kwargs)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,  # noqa: ARG002  (the loss is a mean over pairs)
    ) -> Tensor | tuple[Tensor, EncoderOutput]:
        """Return the loss of a batch."""
        targets = inputs.pop("targets")
        readings = model(**inputs)
        value = loss(readings, targets, self.settings.heads)
        if self.settings.consistency:
            value = value + self.settings.consistency * inconsistency(readings, targets)
        if not torch.isfinite(value):
            raise FloatingPointError(
                f"the loss is {value.item()} at step {self.state.global_step}; lower learning_rate "
                f"({self.settings.learning_rate:g}) and begin in another output folder"
            )
        return (value, readings) if return_outputs else value

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Evaluate the model on the dev splits and return the metrics."""
        self.model.eval()
        metrics = {f"{metric_key_prefix}_{k}": v for k, v in self.develop(self.model).items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _get_train_sampler(self, train_dataset: Any = None) -> "LengthGrouped":
        """Return the sampler of the training rows."""
        rows = self.train_dataset if train_dataset is None else train_dataset
        size = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return LengthGrouped([len(row.text) for row in rows], size, self.settings.seed, self.data_collator)

    def create_optimizer(self, *_: Any, **__: Any) -> torch.optim.Optimizer:
        """Return AdamW with a higher rate for the heads and, if set, lower rates for the lower encoder layers."""
        if self.optimizer is None:
            self.optimizer = torch.optim.AdamW(
                parameter_groups(self.model, self.settings), lr=self.settings.learning_rate, fused=True
            )
        return self.optimizer


class LengthGrouped(Sampler[int]):
    """Samples batches of sentences of similar length, which halves padding and training time on a CPU.

    The order depends on seed and epoch alone, so that a resumed run sees the rows in the same order.

    Args:
        lengths: length of each row, in any unit.
        size: number of rows per step.
        seed: random seed.
        collator: collator whose epoch is set too.
    """

    def __init__(self, lengths: Sequence[int], size: int, seed: int, collator: Any) -> None:
        self.lengths = list(lengths)
        self.size = size
        self.seed = seed
        self.collator = collator
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the number of the next epoch; called by the training loop."""
        self.epoch = self.collator.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        yield from get_length_grouped_indices(self.lengths, self.size, generator=generator)


class CheckpointEvery(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Saves a checkpoint at a fixed interval in minutes."""

    def __init__(self, minutes: float) -> None:
        self.seconds = 60 * minutes
        self.saved = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ARG002
        """Request a checkpoint if one is due."""
        control.should_save = control.should_save or time.monotonic() - self.saved >= self.seconds

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ARG002
        """Restart the interval."""
        self.saved = time.monotonic()


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint; None if there is none.

    The trainer writes its state last, so a checkpoint that was interrupted has no state file or a truncated one.
    """
    numbered = {int(number[1]): path for path in folder.glob("checkpoint-*") if (number := _NUMBER.search(path.name))}
    for _, path in sorted(numbered.items(), reverse=True):
        try:
            json.loads((path / TRAINER_STATE_NAME).read_bytes())
        except (OSError, ValueError):
            log.warning("%s is incomplete; an older checkpoint is used", path)
            continue
        return path
    return None


def parameter_groups(model: nn.Module, settings: TrainArgs) -> list[dict[str, Any]]:
    """Return AdamW's parameter groups, one per learning rate and weight decay."""
    depth = int(model.encoder.config.num_hidden_layers)  # type: ignore[union-attr, arg-type]
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = settings.learning_rate
        if not name.startswith("encoder."):
            rate *= settings.head_rate
        else:
            rate *= settings.layer_decay ** (depth - 1 - layer_of(name))
        decay = 0.0 if parameter.ndim < 2 else settings.weight_decay  # none for biases and norms
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": p, "lr": rate, "weight_decay": decay} for (rate, decay), p in groups.items()]


def layer_of(parameter: str) -> int:
    """Return the number of a parameter's encoder layer; -1 if it belongs to none."""
    return next((int(part) for part in parameter.split(".") if part.isdigit()), -1)


def freeze(model: PairEncoder, *, embeddings: bool, layers: int) -> None:
    """Exclude the embeddings, or the lowest encoder layers and everything below them, from training."""
    if embeddings:
        model.encoder.embeddings.requires_grad_(False)
    for name, parameter in model.encoder.named_parameters():
        # Parameters without a number lie below: embeddings and MPNet's position bias, whose gradient passes all layers.
        if layers and layer_of(name) < layers:
            parameter.requires_grad_(False)


def begin(settings: TrainArgs) -> tuple[PairEncoder, Tokenizer]:
    """Return the initial model for a run's settings and its tokenizer."""
    config = ModelConfig(
        name=settings.name,
        version=settings.version,
        base=settings.base,
        hidden=settings.hidden,
        max_length=settings.max_length,
        markers=settings.entity_markers,
        rounded=settings.quantization_aware,
    )
    return PairEncoder.from_base(config, locate(settings.base), settings.dropout, settings.encoder_dropout)


def _develop(develop: Develop, featurizer: Featurizer, model: PairEncoder) -> dict[str, float]:
    return develop(model, featurizer)


def fit(
    settings: TrainArgs,
    rows: Sequence[Row],
    develop: Develop | None,
    callbacks: Sequence[TrainerCallback] = (),
    started: tuple[PairEncoder, Tokenizer] | None = None,
) -> tuple[PairEncoder, Featurizer]:
    """Train a model on rows.

    Args:
        settings: the run's settings.
        rows: training rows, already sampled and repeated.
        develop: function that evaluates a model on the dev splits; None to train all epochs without evaluation and
            checkpoints.
        callbacks: callbacks of the Trainer (MLflow).
        started: model to train further and its tokenizer; None to start from the settings' base.

    Returns:
        The best model by `settings.metric`, or the last one without evaluation, and its featurizer.
    """
    torch.manual_seed(settings.seed)
    model, tokenizer = started or begin(settings)
    freeze(model, embeddings=settings.freeze_embeddings, layers=settings.freeze_layers)
    featurizer = Featurizer(tokenizer, settings.max_length)
    cuda = torch.cuda.is_available()
    bf16 = settings.precision == "bf16" or (settings.precision == "auto" and cuda and torch.cuda.is_bf16_supported())
    arguments = TrainingArguments(
        output_dir=str(settings.output / "checkpoints"),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulate,
        learning_rate=settings.learning_rate,
        warmup_steps=settings.warmup,
        lr_scheduler_type="linear",
        use_cpu=not cuda,
        bf16=bf16,
        tf32=True if cuda else None,
        eval_strategy="epoch" if develop else "no",
        save_strategy="epoch" if develop else "no",
        save_total_limit=2,
        load_best_model_at_end=develop is not None,
        metric_for_best_model=settings.metric,
        greater_is_better=True,
        logging_steps=50,
        seed=settings.seed,
        data_seed=settings.seed,
        dataloader_num_workers=4 if cuda else 0,
        remove_unused_columns=False,
        report_to="none",
        label_names=["targets"],
        disable_tqdm=develop is None,
    )
    early = [] if settings.patience is None else [EarlyStoppingCallback(settings.patience)]
    trainer = PairTrainer(
        settings,
        partial(_develop, develop, featurizer) if develop else None,
        model=model,
        args=arguments,
        train_dataset=list(rows),
        eval_dataset=[],  # `evaluate` loads the dev splits itself
        data_collator=Collator(
            featurizer,
            settings.entity_markers,
            model.spec.heads,
            label_smoothing=settings.label_smoothing,
            mask_fraction=settings.mask_fraction,
            swap_fraction=settings.swap_fraction,
            consistency_fraction=settings.consistency_fraction if settings.consistency else 0.0,
            seed=settings.seed,
        ),
        callbacks=[*([CheckpointEvery(settings.checkpoint_minutes)] if develop else []), *early, *callbacks],
    )
    if develop is None:
        trainer.remove_callback(PrinterCallback)
    last = newest_checkpoint(Path(arguments.output_dir)) if settings.resume else None
    if last:
        log.info("resuming from %s", last)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    # Remove the wrapper that casts to bfloat16; an export would trace it.
    model = trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    return model.eval(), featurizer
