"""The record that everything is told in: one sentence, one dyad, and how the one presents the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detente.data.labels import DIRECTIONS, NO_DIRECTION, QUADS, ROOTS, TONES
from detente.data.mentions import Mention


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one sentence presents the relationship of one dyad.

    Every offset counts characters of the source text, its end is exclusive.

    Attributes:
        id: the document's id as it was given.
        sentence: the sentence as it stands in the source text.
        start: offset of its first character.
        end: offset after its last character.
        dyad: ISO 3166-1 alpha-3 codes in alphabetical order (`CHN-USA`).
        tone: one of `TONES`.
        warmth: expected warmth given that there is a relationship, -1..1; None where the dyad wasn't found.
        probabilities: of each tone.
        direction: `a>b`, `b>a` or `mutual`, a being the dyad's first code; `n/a` where the tone is `none`.
        cue: the words that show the tone; empty where the tone is `none`.
        cue_start: offset of the cue, or None.
        cue_end: offset after the cue, or None.
        root: PLOVER root code, or None where the tone is `none`.
        quad: PLOVER quad class, or None where the tone is `none`.
        mentions: of the dyad's two states in the sentence.
        found: whether both states are mentioned; False only for a dyad that was asked for.
        model: name and version of the model.
    """

    id: str
    sentence: str
    start: int
    end: int
    dyad: str
    tone: str
    warmth: float | None
    probabilities: Mapping[str, float]
    direction: str = NO_DIRECTION
    cue: str = ""
    cue_start: int | None = None
    cue_end: int | None = None
    root: str | None = None
    quad: str | None = None
    mentions: tuple[Mention, ...] = ()
    found: bool = True
    model: str

    @property
    def probability(self) -> float:
        """Of the tone that was chosen."""
        return self.probabilities[self.tone]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON record; `schema` describes it."""
        return {
            "id": self.id,
            "sentence": self.sentence,
            "start": self.start,
            "end": self.end,
            "dyad": self.dyad,
            "tone": self.tone,
            "warmth": None if self.warmth is None else round(self.warmth, 4),
            "probabilities": {tone: round(p, 4) for tone, p in self.probabilities.items()},
            "direction": self.direction,
            "cue": self.cue,
            "cue_start": self.cue_start,
            "cue_end": self.cue_end,
            "root": self.root,
            "quad": self.quad,
            "mentions": [
                {
                    "start": m.start,
                    "end": m.end,
                    "text": self.sentence[m.start - self.start : m.end - self.start],
                    "state": m.state,
                    "how": m.how,
                    "via": m.via,
                }
                for m in self.mentions
            ],
            "found": self.found,
            "model": self.model,
        }


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of `Reading.to_dict`."""
    text, offset = {"type": "string"}, {"type": "integer", "minimum": 0}
    code = {"type": "string", "pattern": "^[A-Z]{3}$"}
    mention = {
        "start": offset,
        "end": offset,
        "text": text,
        "state": code,
        "how": text,
        "via": text,
    }
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    reading = {
        "id": text,
        "sentence": text,
        "start": offset,
        "end": offset,
        "dyad": {"type": "string", "pattern": "^[A-Z]{3}-[A-Z]{3}$"},
        "tone": {"enum": list(TONES)},
        "warmth": {"type": ["number", "null"], "minimum": -1, "maximum": 1},
        "probabilities": _object(dict.fromkeys(TONES, probability)),
        "direction": {"enum": [*DIRECTIONS, NO_DIRECTION]},
        "cue": text,
        "cue_start": {"type": ["integer", "null"], "minimum": 0},
        "cue_end": {"type": ["integer", "null"], "minimum": 0},
        "root": {"enum": [*ROOTS, None]},
        "quad": {"enum": [*QUADS, None]},
        "mentions": {"type": "array", "items": _object(mention)},
        "found": {"type": "boolean"},
        "model": text,
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_object(reading)}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
