"""Why a reading says what it says: the words that weigh in it, and labelled sentences that read like it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from detente.data.codebook.labels import TONES


class Weight(NamedTuple):
    """What some words weigh in a reading.

    Attributes:
        start: offset of their first character in the source text.
        end: offset after their last character.
        weight: by how much the probability of the reading's tone falls when these words alone are taken out of the
            sentence, -1..1; below 0 where they speak against the tone.
    """

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Like:
    """A labelled sentence that the model reads much as it read this one.

    Attributes:
        sentence: the sentence.
        dyad: whose relationship was labelled (`CHN-USA`).
        tone: the label that it was given; it need not be the reading's.
        cue: the words that were marked as showing it; empty where the tone is `none`.
        similarity: 0..1; 1 where the model can't tell the two apart.
    """

    sentence: str
    dyad: str
    tone: str
    cue: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Why:
    """The reasons of a reading.

    Attributes:
        spans: the words that show the tone, in the order of the text, with what each run of them weighs; none where the
            tone is `none`.
        like: the nearest labelled sentences, the most similar first.
    """

    spans: tuple[Weight, ...]
    like: tuple[Like, ...]

    def to_dict(self, text: str, start: int) -> dict[str, Any]:
        """Return the JSON record; `schema` describes it.

        Args:
            text: the reading's sentence.
            start: its offset in the source text.
        """
        return {
            "spans": [
                {
                    "start": span.start,
                    "end": span.end,
                    "text": text[span.start - start : span.end - start],
                    "weight": round(span.weight, 4),
                }
                for span in self.spans
            ],
            "like": [
                {
                    "sentence": like.sentence,
                    "dyad": like.dyad,
                    "tone": like.tone,
                    "cue": like.cue,
                    "similarity": round(like.similarity, 4),
                }
                for like in self.like
            ],
        }


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of `Why.to_dict`."""
    text, offset = {"type": "string"}, {"type": "integer", "minimum": 0}
    span = {"start": offset, "end": offset, "text": text, "weight": {"type": "number", "minimum": -1, "maximum": 1}}
    like = {
        "sentence": text,
        "dyad": text,
        "tone": {"enum": list(TONES)},
        "cue": text,
        "similarity": {"type": "number", "minimum": 0, "maximum": 1},
    }
    return object_of({"spans": _list(span), "like": _list(like)})


def _list(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": object_of(properties)}


def object_of(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of an object that has all of some properties, and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
