"""The record that everything is told in: one sentence, one dyad, and how the one presents the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from detente.data.codebook.label_schema import NONE, SHIPPED, Scheme, Variable
from detente.data.codebook.labels import DIRECTIONS, NO_DIRECTION, QUADS, ROOTS
from detente.infer.linking.mentions import Mention, by_group
from detente.infer.readings import explanation as reasons
from detente.infer.readings.explanation import object_of as _object


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model with a scheme of its own says of one variable.

    Attributes:
        label: the most probable one.
        score: expected score, given that the label isn't `none`; None where the variable has no scores.
        probabilities: of each label.
    """

    label: str
    score: float | None
    probabilities: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON record."""
        return {
            "label": self.label,
            "score": None if self.score is None else round(self.score, 4),
            "probabilities": {label: round(p, 4) for label, p in self.probabilities.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one sentence presents the relationship of one dyad.

    Every offset counts characters of the source text, its end is exclusive. Of a model that was trained on a scheme of
    one's own, tone, warmth and probabilities are those of the scheme's first variable.

    Attributes:
        id: the document's id as it was given.
        sentence: the sentence as it stands in the source text.
        start: offset of its first character.
        end: offset after its last character.
        dyad: ISO 3166-1 alpha-3 codes in alphabetical order (`CHN-USA`).
        tone: one of `TONES`, or a label of one's own; `none` where the dyad wasn't found.
        warmth: expected warmth given that there is a relationship, -1..1, or on the scale of one's own scores; None
            where the dyad wasn't found or the labels have no scores.
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
        variables: by name, what is said of each variable of a scheme of one's own; empty for the shipped scheme and
            where the dyad wasn't found.
        why: the words that weigh, and labelled sentences like it; None unless it was asked for (`explain=True`).
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
    variables: Mapping[str, Answer] = field(default_factory=dict)
    why: reasons.Why | None = None

    @property
    def probability(self) -> float:
        """Of the tone that was chosen."""
        return self.probabilities.get(self.tone, 1.0)  # `none` for want of the states is sure in every scheme

    @property
    def by_group(self) -> bool:
        """Whether either state is known by a group's name alone ("the Quad")."""
        return by_group((mention.state, mention.how) for mention in self.mentions)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON record; `schema` describes it."""
        own = {"variables": {name: a.to_dict() for name, a in self.variables.items()}} if self.variables else {}
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
            "by_group": self.by_group,
            "model": self.model,
            **own,
            **({} if self.why is None else {"why": self.why.to_dict(self.sentence, self.start)}),
        }


def schema(scheme: Scheme = SHIPPED) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of `Reading.to_dict`, of a model with this scheme."""
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
    tone = scheme.tone
    reading = {
        "id": text,
        "sentence": text,
        "start": offset,
        "end": offset,
        "dyad": {"type": "string", "pattern": "^[A-Z]{3}-[A-Z]{3}$"},
        "tone": {"enum": list(dict.fromkeys((*tone.labels, NONE)))},
        "warmth": _score(tone),
        "probabilities": _probabilities(tone),
        "direction": {"enum": [*DIRECTIONS, NO_DIRECTION]},
        "cue": text,
        "cue_start": {"type": ["integer", "null"], "minimum": 0},
        "cue_end": {"type": ["integer", "null"], "minimum": 0},
        "root": {"enum": [*ROOTS, None]},
        "quad": {"enum": [*QUADS, None]},
        "mentions": {"type": "array", "items": _object(mention)},
        "found": {"type": "boolean"},
        "by_group": {"type": "boolean"},
        "model": text,
    }
    described = _object(reading)
    if scheme is not SHIPPED:
        answers = {
            variable.name: _object(
                {
                    "label": {"enum": list(variable.labels)},
                    "score": _score(variable),
                    "probabilities": _probabilities(variable),
                }
            )
            for variable in scheme.variables
        }
        described["properties"]["variables"] = _object(answers)
    described["properties"]["why"] = reasons.schema()  # not required: only where it was asked for
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}


def _score(variable: Variable) -> dict[str, Any]:
    if not (scores := variable.counted.values()):
        return {"type": "null"}
    return {"type": ["number", "null"], "minimum": min(scores), "maximum": max(scores)}


def _probabilities(variable: Variable) -> dict[str, Any]:
    return _object({label: {"type": "number", "minimum": 0, "maximum": 1} for label in variable.labels})
