"""Sentence splitting on news: the cases, the offsets, hard input."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.data.sentences import split

CASES = [
    json.loads(line) for line in (Path(__file__).parent / "sentences" / "cases.jsonl").read_text("utf-8").splitlines()
]
#: What the splitter gets wrong, and why it stays.
FAULTS = {"abbrev-end-01": "a firm's 'Co.' before another firm's name: only the names tell"}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case, id=case["id"], marks=[pytest.mark.xfail(reason=FAULTS[case["id"]])] if case["id"] in FAULTS else []
        )
        for case in CASES
    ],
)
def test_cases(case: dict[str, Any]) -> None:
    assert [case["text"][start:end] for start, end in split(case["text"])] == case["sentences"]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Oman called. The U.S. It did not answer.", ["Oman called.", "The U.S.", "It did not answer."]),
        ("LIMA, May 2 (Reuters) - Peru left. Chile stayed.", ["Peru left.", "Chile stayed."]),
        ("Talks at 5 p.m. EDT on Friday. Then dinner.", ["Talks at 5 p.m. EDT on Friday.", "Then dinner."]),
        ("“We signed. It is done,” Ghana said.", ["“We signed.", "It is done,” Ghana said."]),
        ("1. Fiji joins.\n2. Tonga leaves.", ["Fiji joins.", "Tonga leaves."]),
        ("Chad and Niger\nmet in Doha\nlast week", ["Chad and Niger\nmet in Doha\nlast week"]),
        ("Nepal, China sign\n\n\nThey signed", ["Nepal, China sign", "They signed"]),
        ("Mali left\x00. Togo stayed.", ["Mali left\x00.", "Togo stayed."]),
    ],
)
def test_news(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in split(text)] == sentences


@given(st.text(alphabet=st.sampled_from("aB .!?\"”“'\n\r\t-•1U.S—\x00é🙂ש")))
def test_spans_hold_text_in_order(text: str) -> None:
    last = 0
    for start, end in split(text):
        assert last <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        last = end


@given(st.text())
def test_nothing_but_white_space_is_lost(text: str) -> None:
    kept = "".join(text[start:end] for start, end in split(text))
    if not set(text) & set("-–—―_:•*·▪‣●.)"):  # no dateline, no bullet
        assert "".join(kept.split()) == "".join(text.split())


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\x00", "\u00a0"])
def test_hardly_any_text(text: str) -> None:
    assert [text[a:b] for a, b in split(text)] in ([], ["\x00"])


@pytest.mark.parametrize("unit", ["word ", "China and Japan met. ", "\n", "A. "])
@pytest.mark.timeout(120)  # a quadratic repair would take hours
def test_long_lines_are_split(unit: str) -> None:
    split(unit * (2_000_000 // len(unit)))


def test_ten_megabytes_in_one_line() -> None:
    text = "word " * 2_000_000
    assert split(text) == [(0, len(text) - 1)]
