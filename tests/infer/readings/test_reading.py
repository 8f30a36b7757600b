"""The record and its schema."""

import dataclasses
import json

import pytest

from detente.data.codebook.labels import TONES
from detente.infer.linking.mentions import Mention
from detente.infer.readings.explanation import Like, Weight, Why
from detente.infer.readings.reading import Reading, schema

READING = Reading(
    id="a1",
    sentence="China thanked Japan.",
    start=10,
    end=30,
    dyad="CHN-JPN",
    tone="engaging",
    warmth=0.512345,
    probabilities=dict(zip(TONES, (0.1, 0.05, 0.05, 0.700049, 0.099951), strict=True)),
    direction="a>b",
    cue="thanked",
    cue_start=16,
    cue_end=23,
    root="CONSULT",
    quad="verbal cooperation",
    mentions=(Mention(10, 15, "CHN", "name"), Mention(24, 29, "JPN", "name")),
    model="tiny 1",
)


def test_record() -> None:
    assert json.dumps(READING.to_dict()) == json.dumps(
        {
            "id": "a1",
            "sentence": "China thanked Japan.",
            "start": 10,
            "end": 30,
            "dyad": "CHN-JPN",
            "tone": "engaging",
            "warmth": 0.5123,
            "probabilities": {
                "none": 0.1,
                "frosty": 0.05,
                "neutral": 0.05,
                "engaging": 0.7,
                "alliance-building": 0.1,
            },
            "direction": "a>b",
            "cue": "thanked",
            "cue_start": 16,
            "cue_end": 23,
            "root": "CONSULT",
            "quad": "verbal cooperation",
            "mentions": [
                {"start": 10, "end": 15, "text": "China", "state": "CHN", "how": "name", "via": ""},
                {"start": 24, "end": 29, "text": "Japan", "state": "JPN", "how": "name", "via": ""},
            ],
            "found": True,
            "by_group": False,
            "model": "tiny 1",
        }
    )


def test_schema_names_what_the_record_has() -> None:
    record, described = READING.to_dict(), schema()
    assert list(described["properties"]) == [*record, "why"]
    assert described["required"] == list(record)
    names = {field.name for field in dataclasses.fields(Reading)}
    assert {*described["properties"]} == names - {"variables"} | {"by_group"}
    assert list(described["properties"]["probabilities"]["properties"]) == list(TONES)
    assert list(described["properties"]["mentions"]["items"]["properties"]) == list(record["mentions"][0])
    json.dumps(described)


def test_reasons_stand_where_they_were_asked_for() -> None:
    why = Why((Weight(16, 23, 0.51234567),), (Like("Iran thanked Iraq.", "IRN-IRQ", "engaging", "thanked", 0.91),))
    record, described = dataclasses.replace(READING, why=why).to_dict()["why"], schema()["properties"]["why"]
    assert record == {
        "spans": [{"start": 16, "end": 23, "text": "thanked", "weight": 0.5123}],
        "like": [
            {
                "sentence": "Iran thanked Iraq.",
                "dyad": "IRN-IRQ",
                "tone": "engaging",
                "cue": "thanked",
                "similarity": 0.91,
            }
        ],
    }
    assert list(described["properties"]) == list(record)
    for name, (entry, *_) in record.items():
        assert list(described["properties"][name]["items"]["properties"]) == list(entry)


def test_probability_is_the_chosen_tones() -> None:
    assert READING.probability == pytest.approx(0.700049)


@pytest.mark.parametrize(
    ("ways", "rests"),
    [
        (["CHN name", "JPN name"], False),
        (["CHN name", "JPN group"], True),
        (["CHN group", "JPN group"], True),
        (["CHN name", "JPN group", "JPN leader"], False),
        (["CHN context", "JPN context"], False),
    ],
)
def test_a_reading_says_whether_it_rests_on_a_group(ways: list[str], rests: bool) -> None:
    mentions = tuple(Mention(10 + 6 * at, 15 + 6 * at, *way.split()) for at, way in enumerate(ways))
    assert dataclasses.replace(READING, mentions=mentions).by_group is rests


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        READING.tone = "none"  # type: ignore[misc]
