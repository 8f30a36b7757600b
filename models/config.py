"""The configuration of a model folder: what its outputs mean, how sure they are, and which versions made it."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from detente.data.codebook.label_schema import SHIPPED, Scheme, Variable
from detente.data.codebook.labels import CODEBOOK_VERSION, DIRECTIONS, POLARITIES, QUADS, ROOTS, SENTIMENTS, TONES

#: The layout of a model folder; raised when an older package could no longer read a newer folder.
FORMAT = 1

#: The heads that every detente model has, with the labels of their outputs in order.
HEADS: dict[str, tuple[str, ...]] = {
    "tone": TONES,
    "direction": DIRECTIONS,
    "root": ROOTS,
    "quad": QUADS,
    "sentiment": SENTIMENTS,
    "polarity": POLARITIES,
}

#: The exported network's output that holds the vector of each pair.
PAIR_VECTOR = "pair_vector"

#: What the output that holds a head's hidden layer is called: this and the head's name.
HIDDEN = "hidden:"

#: What the head of a variable of one's own is called: this and the variable's name, which may be that of another head.
OWN = "own:"


def head_of(variable: Variable) -> str:
    """Return the name of the head that answers a variable."""
    return "tone" if variable is SHIPPED.tone else OWN + variable.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """What `config.json` of a model folder says.

    Attributes:
        name: the model's name, as readings carry it.
        version: the model's version.
        base: path or hub id of the encoder that it was fine-tuned from.
        hidden: width of a head's hidden layer.
        max_length: tokens of a sentence that are read; what stands behind is cut.
        rounded: whether it was trained with weights and products rounded to int8, as the exported model computes them.
        markers: whether the two actors are marked in the text (one encoder pass per dyad) or pooled (one per sentence).
        heads: labels of each head's outputs, in order.
        temperature: softmax temperature of each head, fitted on dev data.
        codebook: version of the codebook that the tones follow.
        own: the scheme that the model was given in place of the shipped one; None for the shipped one. Each of its
            variables has a head, see `head_of`.
        format: layout of the folder.
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
        """What a reading's tone, probabilities and warmth are of."""
        return self.own or SHIPPED

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        values = asdict(self)
        if self.own is None:
            del values["own"]  # as older packages know it
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read a configuration.

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
