"""The settings of a training run: one validated dataclass, read from a short YAML file with overrides."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

_STRICT = ConfigDict(extra="forbid")

#: The corpus that has no labels but a teacher's.
SOFT = "transfer"


@dataclass(config=_STRICT, frozen=True)
class Corpus:
    """How one corpus takes part.

    Attributes:
        weight: factor of its rows' loss.
        repeat: how often an epoch goes through it.
        limit: rows that are taken at most (a fixed draw), for learning curves; None for all.
        dev: whether the rows set apart for development are trained on too (for a final fit).
        soft: for `transfer`, the folder of a teacher's soft labels, which `detente teach` wrote; `limit` counts
            sentences.
        temperature: for `transfer`, flattens (above 1) or sharpens the teacher's distributions.
    """

    weight: float = 1.0
    repeat: int = 1
    limit: int | None = None
    dev: bool = False
    soft: Path | None = None
    temperature: float = Field(default=1.0, gt=0)


@dataclass(config=_STRICT, frozen=True)
class TrainArgs:
    """Everything that decides a run; a key that is not here is an error.

    Attributes:
        name: the model's name.
        version: the model's version.
        output: folder for checkpoints and the trained model.
        base: encoder to start from: a path, a hub id, or a folder of a detente model.
        markers: mark the two actors in the text (a teacher); else they are pooled from one pass.
        rounded: train with the rounding of the export, whose products can then be of whole int8 rows: twice as fast.
        max_length: tokens of a sentence that are read.
        hidden: width of a head's hidden layer.
        dropout: share of the pair's vector that is dropped.
        encoder_dropout: dropout within the encoder; None for what its own configuration says. 0 trains a small encoder
            over a few epochs as well, and half as fast again on a CPU.
        freeze_embeddings: leave the token embeddings as they are.
        freeze_layers: leave this many of the lowest encoder layers as they are, and the embeddings with them; each
            saves two thirds of its time.
        corpora: which corpora are read, and how.
        heads: factor of each head's loss (`cue` included); a head that is missing has 1.
        confidence: weight of a label by the annotator's confidence (1 guess, 2 probable, 3 clear).
        agreement: share of the target that the label gets, by confidence, where a second-best tone is given; the second
            gets the rest. The defaults are how often careful readers of `newsroom` agree.
        sentence_weight: largest total weight of the pairs of one sentence; long lists of states weigh less per pair.
        masked: share of training rows in which the states' names are replaced by placeholders.
        swapped: share of training rows in which the states are exchanged for others.
        consistency: factor of the divergence between the tones of a row and of the same with other states, in the form
            of R-Drop (Liang et al., NeurIPS 2021); 0 for none.
        twins: share of the rows with states that are read twice for it.
        epochs: passes over the training rows.
        batch_size: sentences a step on a device.
        accumulate: batches that are added up before a step.
        learning_rate: peak rate of the encoder (AdamW, linear warm-up and decay).
        head_rate: factor on `learning_rate` for the heads, which start untrained.
        layer_decay: factor on the rate for each encoder layer further from the heads.
        weight_decay: of AdamW.
        warmup: share of the steps in which the rate rises.
        smoothing: label smoothing of hard labels.
        precision: `bf16` on a GPU that has it and else `fp32` with `auto`.
        metric: dev metric that chooses the checkpoint.
        patience: evaluations without a better metric before the run stops; None to go through all epochs.
        seed: of weights, order and draws.
        tracking: MLflow tracking URI; empty for none.
        experiment: MLflow experiment.
        register: alias under which the model is registered in MLflow, for instance `shipped`; empty to only log it.
        checkpoint_minutes: minutes between checkpoints within an epoch, from any of which a run can be resumed.
        resume: continue from the newest checkpoint in `output` if there is one.
    """

    output: Path
    name: str = "detente"
    version: str = "0.1.0"
    base: str = "sentence-transformers/all-MiniLM-L6-v2"
    markers: bool = False
    rounded: bool = False
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
    masked: float = 0.0
    swapped: float = 0.0
    consistency: float = Field(default=0.0, ge=0)
    twins: float = Field(default=1.0, gt=0, le=1)
    epochs: float = 4.0
    batch_size: int = 32
    accumulate: int = 1
    learning_rate: float = 1e-4
    head_rate: float = 5.0
    layer_decay: float = 1.0
    weight_decay: float = 0.01
    warmup: float = 0.06
    smoothing: float = 0.05
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
        file: YAML.
        overrides: `key=value` with dotted keys (`corpora.plv.repeat=4`); the values are YAML.

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
    for override in overrides:
        _set(values, override)
    try:
        return TypeAdapter(TrainArgs).validate_python(values)
    except ValidationError as error:
        faults = "; ".join(map(_fault, error.errors()))
        raise ValueError(f"{file}: {faults}") from error


def check_alias(alias: str) -> None:
    """Raise a `ValueError` unless MLflow's registry takes an alias."""
    if not re.fullmatch(r"[A-Za-z][\w-]*", alias) or re.fullmatch(r"latest|v\d+", alias):
        raise ValueError(f"{alias!r} is no alias; take a word such as shipped, not latest or v1")


def _fault(error: Mapping[str, Any]) -> str:
    place, reason = ".".join(map(str, error["loc"])), error["msg"]
    # A ValueError of our own names its place itself.
    return f"{place}: {reason.lower()}" if place else reason.removeprefix("Value error, ")


def _set(values: dict[str, Any], override: str) -> None:
    key, sign, value = override.partition("=")
    if not sign:
        raise ValueError(f"{override!r}: an override is key=value, for instance epochs=2")
    *path, last = key.split(".")
    for part in path:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise ValueError(f"{override!r}: {part} has no keys of its own")
    values[last] = yaml.safe_load(value) if value else ""
