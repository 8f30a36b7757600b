"""The configuration of a model folder: labels of the outputs, calibration and versions."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from detente.data.codebook.label_schema import SHIPPED, Scheme, Variable
from detente.data.codebook.labels import CODEBOOK_VERSION, DIRECTIONS, POLARITIES, QUADS, ROOTS, SENTIMENTS, TONES

#: Version of the folder layout, increased when older packages can't read newer folders.
FORMAT = 1

#: The heads of every detente model, with the labels of their outputs in order.
HEADS: dict[str, tuple[str, ...]] = {
    "tone": TONES,
    "direction": DIRECTIONS,
    "root": ROOTS,
    "quad": QUADS,
    "sentiment": SENTIMENTS,
    "polarity": POLARITIES,
}

#: Name of the exported network's output with the vector of each pair.
PAIR_VECTOR = "pair_vector"

#: Prefix of the output with a head's hidden layer, followed by the head's name.
HIDDEN = "hidden:"

#: Prefix of the head of a user-defined variable, followed by the variable's name, which may be that of a built-in head.
OWN = "own:"


def head_of(variable: Variable) -> str:
    """Return the name of the head that predicts a variable."""
    return "tone" if variable is SHIPPED.tone else OWN + variable.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """The contents of a model folder's `config.json`.

    Attributes:
        name: model name in readings.
        version: model version.
        base: path or hub id of the encoder before fine-tuning.
        hidden: width of a head's hidden layer.
        max_length: maximum number of tokens per sentence; longer sentences are truncated.
        rounded: whether training was quantization-aware, with the int8 weights and products of the exported model.
        markers: whether the two actors are marked in the text (one encoder pass per dyad) or pooled (one per sentence).
        heads: labels of each head's outputs, in order.
        temperature: softmax temperature of each head, fitted on dev data.
        codebook: codebook version of the tones.
        own: user-defined schema in place of the shipped one, with a head for each variable (see `head_of`); None for
            the shipped schema.
        format: version of the folder layout.
    """

    name: str = "detente"
    version: str = "0"
    base: str = ""
    hidden: int = 256
    max_length: int = 192
    markers: bool = False
    rounded: bool = False
    heads: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(HEADS))
    temperature: dict[str, float] = field(default_factory=dict)
    codebook: str = CODEBOOK_VERSION
    own: Scheme | None = None
    format: int = FORMAT

    @property
    def scheme(self) -> Scheme:
        """The label schema of a reading's tone, probabilities and warmth."""
        return self.own or SHIPPED

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        values = asdict(self)
        if self.own is None:
            del values["own"]  # unknown to older packages
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build a configuration from JSON values.

        Raises:
            ValueError: a key is unknown, or the folder was written by a newer detente.
        """
        if values.get("format", FORMAT) > FORMAT:
            raise ValueError(
                f"the model has format {values['format']}, this detente reads up to {FORMAT}: upgrade detente"
            )
        if unknown := set(values) - {f.name for f in fields(cls)}:
            raise ValueError(f"unknown keys in the model's config.json: {', '.join(sorted(unknown))}")
        heads = {name: tuple(labels) for name, labels in values.get("heads", HEADS).items()}
        own = None if values.get("own") is None else Scheme.from_dict(values["own"])
        for variable in own.variables if own else ():
            if heads.get(head_of(variable)) != variable.labels:
                raise ValueError(f"the model has no head for the variable {variable.name!r} of its scheme")
        return cls(**{**values, "heads": heads, "own": own})
