"""Sentence splitting on news: the cases, the offsets, hard input."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detente.infer.text.sentences import split

CASES = [json.loads(line) for line in (Path(__file__).with_name("cases.jsonl")).read_text("utf-8").splitlines()]
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
        ("MINSK, May 2. /TASS/. Peru left. Chile stayed.", ["Peru left.", "Chile stayed."]),
        (
            "“Why go? The envoy knew it. Some did not.” Chad left.",
            ["“Why go?", "The envoy knew it.", "Some did not.”", "Chad left."],
        ),
        ("The pact is void.” [Emphasis added] Niger left.", ["The pact is void.” [Emphasis added] Niger left."]),
        (
            "“We wait for her. ... Now she is here,” Fiji said.",
            ["“We wait for her. ...", "Now she is here,” Fiji said."],
        ),
    ],
)
def test_news(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in split(text)] == sentences


@pytest.mark.parametrize(
    "sentence",
    [
        "Envoys called the China-U.S. relations cool this week.",
        "Crowds burned flags at an anti-U.S. rally in the old town.",
        "The India-U.S. pact on jets was signed in the spring.",
        "A new U.S.-U.K. accord on cables is near, aides said.",
        "Scholars of Sino-U.S. trade met on the island.",
        "The joint U.K.-U.S. fleet sailed past the cape.",
        "The aim is a stable Japan-U.S.-ROK group.",
        "The U.S. Has more than 12 pct of the shares in the fund.",
        "Neither the U.S. Nor Fiji has answered the note.",
        "The ship of the U.S. Seventh Fleet left port.",
        "Fiji, like the U.S. Which holds a tenth, may sell.",
        "The truce began at 8 a.m. Israeli time on Sunday.",
        "The call ended at 9 p.m. Addis Ababa time, aides said.",
        "They will stand with Ms. Quispe and her friends.",
        "He asked, “Mr. President, will you go to Lima?”",
        "They will sign the pact — right? — with Chad in May.",
    ],
)
def test_one_sentence(sentence: str) -> None:
    assert split(sentence) == [(0, len(sentence))]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            "  - Chad will lift its curbs on grain\n    and on oil.\n  - Mali will follow.",
            ["Chad will lift its curbs on grain\n    and on oil.", "Mali will follow."],
        ),
        (
            "-   Envoys of the\n    United Kingdom met.\n-   Fiji stayed away.",
            ["Envoys of the\n    United Kingdom met.", "Fiji stayed away."],
        ),
        (
            "1.  Ghana joins the\n    Paris Club.\n2.  Togo stays out.",
            ["Ghana joins the\n    Paris Club.", "Togo stays out."],
        ),
        ("    Chad left\n    Mali stayed", ["Chad left", "Mali stayed"]),
    ],
)
def test_bullets_go_on_in_the_next_line(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in split(text)] == sentences


@pytest.mark.parametrize("blank", ["\n\n", "\n\n\n\n", "\n \t\n", "\r\n\r\n"])
def test_long_texts_do_not_drift(blank: str) -> None:
    paragraph = "Chad and Niger met in Doha. They signed nothing."
    text = blank.join([paragraph] * 2000)
    assert {text[start:end] for start, end in split(text)} == {"Chad and Niger met in Doha.", "They signed nothing."}
    assert len(split(text)) == 4000


def test_a_long_paragraph_is_cut_as_its_sentences_are() -> None:
    text = " ".join(f"Envoy {n} of Chad met “the others” in Doha, and nobody went home." for n in range(3000))
    assert all(text[start:end].endswith("home.") for start, end in split(text))
    assert len(split(text)) == 3000


PARAGRAPHS = st.lists(
    st.text(alphabet=st.sampled_from("aB .!?\"”“'\n\t-•1U.S—é"), min_size=1).filter(str.strip), min_size=1, max_size=4
)


@settings(deadline=None)
@given(PARAGRAPHS)
@example(["?' a\n", "1"])
def test_paragraphs_do_not_depend_on_each_other(paragraphs: list[str]) -> None:
    lead = "Rain fell.\n\n"
    text = lead + "\n\n".join(paragraphs)
    alone: list[str] = []
    for paragraph in paragraphs:
        own = lead + paragraph
        alone += [own[start:end] for start, end in split(own)][1:]
    assert [text[start:end] for start, end in split(text)] == ["Rain fell.", *alone]


def real(name: str, column: str) -> list[str]:
    """Return the texts of a corpus beside the repository."""
    file = Path(__file__).resolve().parents[4] / "shared" / "corpora" / name
    if not file.is_file():
        pytest.skip(f"{name} is not on disk")
    return [str(text) for text in pq.read_table(file, columns=[column]).column(column).to_pylist()]


@pytest.mark.timeout(300)
def test_real_articles() -> None:
    before, after = "Rain fell on Monday.\n\n", "\n\nSnow fell on Tuesday."
    for text in real("newsroom/articles.parquet", "text"):
        spans = split(text)
        assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
        assert not any(start and text[start - 1 : start + 1].isalnum() for start, _ in spans)
        amid = [(start - len(before), end - len(before)) for start, end in split(before + text + after)]
        first = re.match(r"\s*(?:\S.*\n)*.*", text)  # its paragraph may begin with a headline
        rest = first.end() if first else 0
        assert [span for span in amid[1:-1] if span[0] >= rest] == [span for span in spans if span[0] >= rest]


def test_real_sentences_are_not_cut() -> None:
    """At most four in a thousand; rows of several bullets, or of sentences run together, are no single sentences."""
    several = re.compile(r"[.!?:;][”\"']*\s+[-•*–—]+\s?\S|[a-z][.!?][”\"']*[A-Z“\"]|\?\s")
    rows = [text for text in real("transfer/sentences.parquet", "sentence")[::7][:20_000] if not several.search(text)]
    cut = [text for text in rows if len(split(text)) > 1]
    assert len(cut) <= 0.004 * len(rows), f"{len(cut)} of {len(rows)}"


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
