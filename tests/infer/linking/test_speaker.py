"""Whose statement it is: "we" and "our" are the state that the caller names."""

import pytest

from detente.infer.linking.linker import linker


def pronouns(text: str, speaker: str = "CHN") -> list[str]:
    return [text[m.start : m.end] for m in linker().link(text, speaker=speaker) if m.via == "speaker"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We urge Japan to respect our concerns, and we're ready: trust us, the choice is ours.",
         ["We", "our", "we", "us", "ours"]),
        ("OUR POSITION ON JAPAN IS CLEAR. WE ASK THE US TO TALK.", ["OUR", "WE"]),
        ("The US and Japan talked.", []),
        ("Ask press@us.example or /about-us/we.", []),
        ("Power, hour, west, usual.", []),
    ],
)  # fmt: skip
def test_pronouns_of_the_speaker(text: str, found: list[str]) -> None:
    assert pronouns(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('Japan said: "We will not talk, and our ships stay." We regret it.', ["We"]),
        ("Japan said: “We will not talk.” Our answer is plain.", ["Our"]),
        ("Japan said: 'We will keep our allies' ships.' We regret it, and so do Japan's friends; our hand is out.",
         ["We", "our"]),
        ('Japan said: "We will not talk.\n\nWe regret it.', ["We"]),
        ('Japan\'s "so-called plan" hurts us.', ["us"]),
    ],
)  # fmt: skip
def test_nobody_is_read_inside_quotation_marks(text: str, found: list[str]) -> None:
    assert pronouns(text) == found


def test_a_speakers_mention() -> None:
    (first, second) = linker().link("We thank Japan.", speaker="CHN")
    assert (first.start, first.end, first.state, first.how, first.via) == (0, 2, "CHN", "context", "speaker")
    assert second.state == "JPN"
    assert [m.state for m in linker().link("We thank Japan.")] == ["JPN"]
