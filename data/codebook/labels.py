"""The labels of the codebook (`codebook.md`, version 1.1), defined once for all other modules."""

from collections.abc import Mapping
from typing import Final

CODEBOOK_VERSION: Final = "1.1"

#: The tones in the order of the model's output; `none` means that the sentence presents no relationship.
TONES: Final = ("none", "frosty", "neutral", "engaging", "alliance-building")

#: Warmth of each tone; `none` has no warmth.
WARMTH: Final = {"frosty": -1.0, "neutral": 0.0, "engaging": 0.5, "alliance-building": 1.0}

#: Who takes the initiative in a dyad A-B, with A before B in alphabetical order.
DIRECTIONS: Final = ("a>b", "b>a", "mutual")
NO_DIRECTION: Final = "n/a"

#: PLOVER root codes as in PLV (Hu et al., ACL 2024), by quad class.
QUADS: Final = ("verbal cooperation", "material cooperation", "verbal conflict", "material conflict")
ROOTS: Final = (
    "AGREE", "CONSULT", "SUPPORT",
    "COOPERATE", "AID", "YIELD",
    "REQUEST", "ACCUSE", "REJECT", "THREATEN",
    "PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT",
)  # fmt: skip

#: The quad class of each root code, in the order of `ROOTS`.
QUAD_OF_ROOT: Final = (*[QUADS[0]] * 3, *[QUADS[1]] * 3, *[QUADS[2]] * 4, *[QUADS[3]] * 5)

#: DSE (Park et al., ACL Findings 2021): directed sentiment between an ordered pair p, q.
SENTIMENTS: Final = ("neutral", "positive p>q", "positive q>p", "negative p>q", "negative q>p")

#: NewsMTSC (Hamborg and Donnay, EACL 2021): the sentence's sentiment towards one target.
POLARITIES: Final = ("negative", "neutral", "positive")


def flip(direction: str) -> str:
    """Return the direction after exchanging A and B."""
    return {"a>b": "b>a", "b>a": "a>b"}.get(direction, direction)


def dyad_id(first: str, second: str) -> str:
    """Return the dyad of two state codes: in alphabetical order, joined by a hyphen (`CHN-USA`)."""
    return "-".join(sorted((first, second)))


def expected_warmth(probabilities: Mapping[str, float], scores: Mapping[str, float] = WARMTH) -> float:
    """Return the expected score, conditional on the label having a score (for the tones: in -1..1).

    Args:
        probabilities: probability of each label, of `TONES` or of another variable.
        scores: score of each label except `none`.
    """
    related = sum(probabilities[label] for label in scores)
    if related <= 0.0:
        return 0.0
    return sum(probabilities[label] * score for label, score in scores.items()) / related
