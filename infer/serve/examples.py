"""Examples of the API's description; a test asks them all."""

from collections.abc import Mapping
from typing import Any, Final

_ARTICLE: Final = "Japan thanked Australia for its help. China warned the United States over Taiwan."

#: Requests, by path and then by what they show.
REQUESTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "/v1/label": {
        "an article": {"id": "1", "text": _ARTICLE, "date": "2021-03-10"},
        "exactly these dyads": {"text": _ARTICLE, "dyads": [["CHN", "USA"]]},
        "only what is sure, and pairs without a relationship too": {
            "text": _ARTICLE,
            "include_none": True,
            "min_probability": 0.6,
        },
    },
    "/v1/batch": {
        "two texts": {
            "items": [
                {"id": "1", "text": _ARTICLE, "date": "2021-03-10"},
                {"id": "2", "text": "India and Nepal signed a treaty.", "date": "2021-04-02"},
            ]
        }
    },
    "/v1/series": {
        "dated articles": {
            "articles": [
                {"date": "2021-03-10", "text": _ARTICLE, "source": "wire"},
                {"date": "2021-04-02", "text": "China invited the United States to talks.", "source": "daily"},
            ],
            "period": "month",
        },
        "readings with their articles' dates": {
            "readings": [
                {
                    "id": "1",
                    "date": "2021-03-10",
                    "dyad": "CHN-USA",
                    "tone": "frosty",
                    "warmth": -0.82,
                    "direction": "a>b",
                }
            ],
            "period": "quarter",
        },
    },
}

#: What `/v1/label` answers the first of its examples, its first reading only.
LABELLED: Final = {
    "model": "detente-mini 0.1.0",
    "readings": [
        {
            "id": "1",
            "sentence": "Japan thanked Australia for its help.",
            "start": 0,
            "end": 37,
            "dyad": "AUS-JPN",
            "tone": "alliance-building",
            "warmth": 0.9625,
            "probabilities": {
                "none": 0.0076,
                "frosty": 0.0093,
                "neutral": 0.0082,
                "engaging": 0.0207,
                "alliance-building": 0.9542,
            },
            "direction": "b>a",
            "cue": "thanked Australia for its help",
            "cue_start": 6,
            "cue_end": 36,
            "root": "AID",
            "quad": "verbal cooperation",
            "mentions": [
                {"start": 0, "end": 5, "text": "Japan", "state": "JPN", "how": "name", "via": ""},
                {"start": 14, "end": 23, "text": "Australia", "state": "AUS", "how": "name", "via": ""},
            ],
            "found": True,
            "by_group": False,
            "model": "detente-mini 0.1.0",
        }
    ],
    "sentences": [[0, 37], [38, 81]],
}
