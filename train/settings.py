"""The settings of a training run: a validated dataclass, read from a YAML file with overrides."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

log = logging.getLogger(__name__)

_STRICT = ConfigDict(extra="forbid")

#: The corpus whose only labels are a teacher's.
SOFT = "transfer"

#: Current names of settings by their earlier names, which still work with a notice for one version.
RENAMED: Final = {
    "markers": "entity_markers",
    "rounded": "quantization_aware",
    "masked": "mask_fraction",
    "swapped": "swap_fraction",
    "twins": "consistency_fraction",
    "smoothing": "label_smoothing",
}


@dataclass(config=_STRICT, frozen=True)
class Corpus:
    """How one corpus is used in training.

    Attributes:
        weight: factor of its rows' loss.
        repeat: number of passes through it per epoch.
        limit: maximum number of rows (a fixed random sample), for learning curves; None for all.
        dev: whether to train on the dev split too (for a final fit).
        soft: folder of a teacher's soft labels, written by `detente teach`; for `transfer` only, where `limit` counts
            sentences.
        temperature: temperature of the teacher's distributions, for `transfer`: above 1 flattens, below 1 sharpens.
    """

    weight: float = 1.0
    repeat: int = 1
    limit: int | None = None
    dev: bool = False
    soft: Path | None = None
    temperature: float = Field(default=1.0, gt=0)


@dataclass(config=_STRICT, frozen=True)
class TrainArgs:
    """All settings of a training run; an unknown key is an error.

    Attributes:
        name: the model's name.
        version: the model's version.
        output: folder for checkpoints and the trained model.
        base: pretrained encoder: a path, a hub id, or a folder of a detente model.
        entity_markers: whether to mark the two actors in the text (a teacher) instead of pooling all actors' vectors
            from one pass.
        quantization_aware: whether to train with the export's int8 rounding (quantization-aware training); the exported
            model can then use int8 matrix products, which are twice as fast.
        max_length: maximum number of tokens per sentence; the rest is truncated.
        hidden: width of a head's hidden layer.
        dropout: dropout rate of the pair vector.
        encoder_dropout: dropout rate of the encoder; None for that of its own configuration. With few epochs, 0 trains
            a small encoder as well and 1.5 times as fast on a CPU.
        freeze_embeddings: whether to freeze the token embeddings.
        freeze_layers: number of lowest encoder layers to freeze, along with the embeddings; each saves two thirds of
            its time.
        corpora: corpora to train on and how to use each.
        heads: factor of each head's loss (`cue` included); the default is 1.
        confidence: weight of a label by the annotator's confidence (1 guess, 2 probable, 3 clear).
        agreement: target probability of the label, by confidence, if a second-best tone is annotated; the second gets
            the rest. The defaults are the rates at which careful readers of `newsroom` agree.
        sentence_weight: maximum total weight of one sentence's pairs; in long lists of states each pair weighs less.
        mask_fraction: fraction of training rows whose states are replaced by the mask token.
        swap_fraction: fraction of training rows whose states are swapped for random others.
        consistency: factor of the consistency loss, the divergence between the tones of a row and of its copy with
            swapped states, as in R-Drop (Liang et al., NeurIPS 2021); 0 turns it off.
        consistency_fraction: fraction of the rows with states that get a copy for the consistency loss.
        epochs: number of passes over the training rows.
        batch_size: sentences per step and device.
        accumulate: number of batches whose gradients are accumulated per step.
        learning_rate: peak learning rate of the encoder (AdamW, linear warm-up and decay).
        head_rate: factor on `learning_rate` for the heads, which start untrained.
        layer_decay: factor on the learning rate per encoder layer, going down from the heads.
        weight_decay: AdamW's weight decay.
        warmup: fraction of the steps spent on warm-up.
        label_smoothing: smoothing of one-hot labels.
        precision: `fp32`, `bf16`, or `auto` for `bf16` on a GPU that supports it and `fp32` otherwise.
        metric: dev metric that selects the checkpoint.
        patience: number of evaluations without improvement before training stops; None to train all epochs.
        seed: random seed.
        tracking: MLflow tracking URI; empty to disable tracking.
        experiment: name of the MLflow experiment.
        register: alias under which to register the model in MLflow, for instance `shipped`; empty to only log it.
        checkpoint_minutes: minutes between checkpoints within an epoch; a run can be resumed from any of them.
        resume: whether to continue from the newest checkpoint in `output`, if there is one.
    """

    output: Path
    name: str = "detente"
    version: str = "0.1.0"
    base: str = "sentence-transformers/all-MiniLM-L6-v2"
    entity_markers: bool = False
    quantization_aware: bool = False
    max_length: int = 192
    hidden: int = 256
    dropout: float = 0.1
    encoder_dropout: float | None = None
    freeze_embeddings: bool = False
    freeze_layers: int = Field(default=0, ge=0)
    corpora: dict[str, Corpus] = field(default_factory=lambda: {"annotations": Corpus()})
    heads: dict[str, float] = field(default_factory=dict)
    confidence: dict[int, float] = field(default_factory=lambda: {1: 0.5, 2: 0.9, 3: 1.0})
    agreement: dict[int, float] = field(default_factory=lambda: {1: 0.65, 2: 0.88, 3: 0.99})
    sentence_weight: float = Field(default=6.0, gt=0)
    mask_fraction: float = 0.0
    swap_fraction: float = 0.0
    consistency: float = Field(default=0.0, ge=0)
    consistency_fraction: float = Field(default=1.0, gt=0, le=1)
    epochs: float = 4.0
    batch_size: int = 32
    accumulate: int = 1
    learning_rate: float = 1e-4
    head_rate: float = 5.0
    layer_decay: float = 1.0
    weight_decay: float = 0.01
    warmup: float = 0.06
    label_smoothing: float = 0.05
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    metric: str = "dev_mean"
    patience: int | None = None
    seed: int = 1
    tracking: str = "sqlite:///mlruns.db"
    experiment: str = "detente"
    register: str = ""
    checkpoint_minutes: float = Field(default=20.0, ge=0)
    resume: bool = True

    def __post_init__(self) -> None:
        for name, corpus in self.corpora.items():
            if (name == SOFT) != (corpus.soft is not None):
                remedy = "make them with `detente teach`" if name == SOFT else f"soft labels belong to {SOFT}"
                raise ValueError(f"corpora.{name}.soft: {'missing' if name == SOFT else 'not known'}; {remedy}")
            if name == SOFT and corpus.dev:
                raise ValueError(f"corpora.{name}.dev: {SOFT} has no rows set apart")
        if self.register:
            try:
                check_alias(self.register)
            except ValueError as error:
                raise ValueError(f"register: {error}") from error
            if not self.tracking:
                raise ValueError("register: the registry is MLflow's; set tracking too")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, paths as strings."""
        values: dict[str, Any] = TypeAdapter(TrainArgs).dump_python(self, mode="json")
        return values

    def flat(self) -> dict[str, str]:
        """Return the settings with dotted keys, as MLflow logs them."""
        return dict(_flatten("", asdict(self)))


def _flatten(prefix: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            pair for key, inner in value.items() for pair in _flatten(f"{prefix}.{key}" if prefix else str(key), inner)
        ]
    return [(prefix, str(value))]


def read_args(file: Path, overrides: Sequence[str] = ()) -> TrainArgs:
    """Read the settings of a run.

    Args:
        file: YAML file.
        overrides: `key=value` strings with dotted keys (`corpora.plv.repeat=4`) and values in YAML.

    Raises:
        ValueError: a key is unknown or a value has the wrong type; the message names each.
    """
    try:
        values = yaml.safe_load(file.read_text("utf-8")) or {}
    except FileNotFoundError as error:
        raise ValueError(f"no such file: {file}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: not YAML: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{file}: a run's settings are `key: value` lines")
    values = {_current(key): value for key, value in values.items()}
    for override in overrides:
        _set(values, override)
    try:
        return TypeAdapter(TrainArgs).validate_python(values)
    except ValidationError as error:
        faults = "; ".join(map(_fault, error.errors()))
        raise ValueError(f"{file}: {faults}") from error


def check_alias(alias: str) -> None:
    """Raise a `ValueError` unless MLflow's registry accepts an alias."""
    if not re.fullmatch(r"[A-Za-z][\w-]*", alias) or re.fullmatch(r"latest|v\d+", alias):
        raise ValueError(f"{alias!r} is no alias; take a word such as shipped, not latest or v1")


def _current(key: Any) -> Any:
    """Return the current name of a setting, with a notice if the given one is an earlier name."""
    if key in RENAMED:
        log.warning("the setting %s is called %s now; the old name will go with the next version", key, RENAMED[key])
    return RENAMED.get(key, key)


def _fault(error: Mapping[str, Any]) -> str:
    place, reason = ".".join(map(str, error["loc"])), error["msg"]
    # The messages of our own checks name the setting themselves.
    return f"{place}: {reason.lower()}" if place else reason.removeprefix("Value error, ")


def _set(values: dict[str, Any], override: str) -> None:
    key, sign, value = override.partition("=")
    if not sign:
        raise ValueError(f"{override!r}: an override is key=value, for instance epochs=2")
    first, *rest = key.split(".")
    *path, last = _current(first), *rest
    for part in path:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise ValueError(f"{override!r}: {part} has no keys of its own")
    values[last] = yaml.safe_load(value) if value else ""
