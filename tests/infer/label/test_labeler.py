"""Labelling: which sentences and dyads are read, where they stand, and what is left out."""

import datetime
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.data.codebook.labels import NO_DIRECTION, TONES
from detente.data.gazetteer.gazetteer import Group, SurfaceForm, Tables, Term
from detente.infer.encoder.onnx import OnnxEncoder
from detente.infer.label import labeler
from detente.infer.label.labeler import LONGEST, MOST_STATES, Detente, pieces
from detente.infer.linking.linker import Linker
from detente.infer.linking.mentions import Mention
from detente.infer.readings.document import Document, read_date, read_dyads
from detente.infer.readings.reading import Reading

OPEN = Term(None, None)
NAMES = {"China": "CHN", "Japan": "JPN", "India": "IND", "France": "FRA", "Egypt": "EGY"}
MEMBERS = tuple((state, OPEN) for state in ("FRA", "JPN"))
TABLES = Tables(
    states={state: name for name, state in NAMES.items()},
    forms=tuple(SurfaceForm(name, state, "name", frozenset(), OPEN) for name, state in NAMES.items()),
    people=(),
    groups=(Group("Seven", ("Seven",), "none", MEMBERS), Group("Pact", ("Pact",), "all", MEMBERS)),
    not_states={},
    phrases=(),
    territories=frozenset(),
)
ARTICLE = "China warned Japan.  Nothing of note.\n\nIndia met France and thanked China for it. Egypt is far."


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Detente:
    return Detente(OnnxEncoder(tiny_model, threads=1), Linker(TABLES))


def keys(readings: list[Reading]) -> list[tuple[str, str]]:
    return [(reading.sentence.split()[0], reading.dyad) for reading in readings]


def assert_consistent(text: str, readings: list[Reading]) -> None:
    """What holds of every reading of a text."""
    for r in readings:
        assert text[r.start : r.end] == r.sentence
        assert list(r.probabilities) == list(TONES)
        assert sum(r.probabilities.values()) == pytest.approx(1, abs=1e-4)
        assert r.probability == max(r.probabilities.values())
        assert {m.state for m in r.mentions} <= set(r.dyad.split("-"))
        assert all(r.start <= m.start < m.end <= r.end for m in r.mentions)
        if r.tone == "none":
            assert (r.direction, r.cue, r.cue_start, r.cue_end, r.root, r.quad) == (
                NO_DIRECTION,
                "",
                None,
                None,
                None,
                None,
            )
        else:
            assert r.direction in {"a>b", "b>a", "mutual"}
            assert r.cue
            assert text[r.cue_start : r.cue_end] == r.cue
            assert r.cue in r.sentence
            assert r.root is not None
            assert r.quad is not None


def test_whose_statement_it_is(model: Detente) -> None:
    text = "We thank Japan."
    assert model.label(text, include_none=True) == []
    (reading,) = model.label(text, include_none=True, speaker="CHN")
    assert (reading.dyad, reading.by_group) == ("CHN-JPN", False)
    record = Document.from_record({"text": text, "speaker": "CHN"})
    assert [*model.label_many([record], include_none=True)] == [[reading]]
    with pytest.raises(ValueError, match="speaker 'China' is not a known state; `detente states` lists the codes"):
        model.label(text, speaker="China")
    with pytest.raises(TypeError, match="speaker must be a string, not int"):
        Document.from_record({"text": text, "speaker": 7})


def test_groups(model: Detente) -> None:
    text = "China met the Pact and India. China met the Seven."
    plain, without, every = (
        [(r.dyad, r.by_group) for r in model.label(text, include_none=True, groups=groups)]
        for groups in (True, False, "all")
    )
    first = [("CHN-FRA", True), ("CHN-IND", False), ("CHN-JPN", True), ("FRA-IND", True), ("FRA-JPN", True),
             ("IND-JPN", True)]  # fmt: skip
    assert plain == first
    assert without == [("CHN-IND", False)]
    assert every == [*first, ("CHN-FRA", True), ("CHN-JPN", True)]


def test_without_groups_the_other_readings_stay_the_same(model: Detente) -> None:
    text = "China met the Pact and India."
    every = model.label(text, include_none=True)
    assert model.label(text, include_none=True, groups=False) == [r for r in every if not r.by_group]


def test_groups_are_told_in_three_ways(model: Detente) -> None:
    with pytest.raises(ValueError, match="groups must be True, False or 'all', not 'none'"):
        model.label("China met Japan.", groups="none")  # type: ignore[arg-type]


def test_every_pair_found_in_a_sentence(model: Detente) -> None:
    readings = model.label(ARTICLE, include_none=True)
    assert keys(readings) == [("China", "CHN-JPN"), ("India", "CHN-FRA"), ("India", "CHN-IND"), ("India", "FRA-IND")]
    assert_consistent(ARTICLE, readings)
    assert readings[0].mentions == (Mention(0, 5, "CHN", "name"), Mention(13, 18, "JPN", "name"))
    assert all(r.found and r.warmth is not None and -1 <= r.warmth <= 1 and r.model == "tiny 1" for r in readings)


def test_none_is_left_out_unless_asked_for(model: Detente) -> None:
    everything = model.label(ARTICLE, include_none=True)
    assert model.label(ARTICLE) == [r for r in everything if r.tone != "none"]
    assert {r.tone == "none" for r in everything} == {True, False}, "the tiny model must give both for this test"


def test_dyads_asked_for(model: Detente) -> None:
    readings = model.label(ARTICLE, dyads=[("JPN", "CHN"), ("CHN", "IND")])
    assert keys(readings) == [
        (word, dyad) for word in ("China", "Nothing", "India", "Egypt") for dyad in ("CHN-JPN", "CHN-IND")
    ]
    assert [r.found for r in readings] == [True, False, False, False, False, True, False, False]
    assert_consistent(ARTICLE, readings)
    missing = readings[1]
    assert (missing.tone, missing.warmth, missing.probabilities["none"]) == ("none", None, 1.0)
    assert [m.state for m in missing.mentions] == ["CHN"]


def test_dyads_asked_for_are_read_as_when_found(model: Detente) -> None:
    (found,) = (r for r in model.label(ARTICLE, include_none=True) if r.dyad == "FRA-IND")
    assert found in model.label(ARTICLE, dyads=["IND-FRA"])


def test_no_dyads_asked_for(model: Detente) -> None:
    assert model.label(ARTICLE, dyads=[]) == []


def test_a_loose_group_gives_only_the_members_that_are_asked_for(model: Detente) -> None:
    text = "The Seven met China."
    assert model.label(text, include_none=True) == []
    (reading,) = model.label(text, dyads=["CHN-FRA"])
    assert (reading.dyad, reading.found) == ("CHN-FRA", True)
    assert reading.mentions[0].via == "Seven"


def test_abstain(model: Detente) -> None:
    everything = model.label(ARTICLE, include_none=True)
    bar = sorted(r.probability for r in everything)[1]
    sure = model.label(ARTICLE, include_none=True, min_probability=bar)
    assert sure == [r for r in everything if r.probability >= bar]
    assert len(sure) == len(everything) - 1


def test_id_is_carried(model: Detente) -> None:
    assert {r.id for r in model.label(ARTICLE, include_none=True, id="x7")} == {"x7"}


def test_many_equal_one_by_one(model: Detente, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labeler, "AT_ONCE", 5)
    asked = ["CHN-JPN"]
    documents = [
        Document.of(text, id=str(i), dyads=dyads)
        for i, (text, dyads) in enumerate(
            [
                (ARTICLE, None),
                ("", None),
                (ARTICLE * 4, None),
                ("Nothing.", None),
                (ARTICLE, asked),
                ("", asked),
            ]
        )
    ]
    together = list(model.label_many(documents, include_none=True))
    assert [len(readings) for readings in together] == [4, 0, 16, 0, 4, 0]
    for document, readings in zip(documents, together, strict=True):
        alone = model.label(document.text, dyads=document.dyads, id=document.id, include_none=True)
        assert keys(readings) == keys(alone)
        for one, other in zip(readings, alone, strict=True):
            assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)
            assert (one.start, one.end, one.id, one.found) == (other.start, other.end, other.id, other.found)


def test_many_reads_only_a_little_ahead(model: Detente, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labeler, "AT_ONCE", 4)
    taken = 0

    def endless() -> Iterator[Document]:
        nonlocal taken
        while True:
            taken += 1
            yield Document(ARTICLE)

    next(model.label_many(endless()))
    assert taken == 2


def test_roll_call_is_bounded(tiny_model: Path) -> None:
    codes = [f"A{a}{b}" for a in "ABCDEFGH" for b in "ABCDEFGH"]
    names = {code: f"X{code.lower()}" for code in codes}
    tables = Tables(
        states=names,
        forms=tuple(SurfaceForm(name, code, "name", frozenset(), OPEN) for code, name in names.items()),
        people=(),
        groups=(),
        not_states={},
        phrases=(),
        territories=frozenset(),
    )
    often = names[codes[-1]]
    readings = Detente(OnnxEncoder(tiny_model), Linker(tables)).label(
        f"{often} met {', '.join(names.values())}", include_none=True
    )
    assert len(readings) == MOST_STATES * (MOST_STATES - 1) // 2
    assert any(codes[-1] in r.dyad for r in readings), "the most mentioned state must be kept"


@settings(deadline=None)
@given(st.text(alphabet="ab ,;.\n\t\0é🤝", max_size=6000), st.integers(0, 5), st.integers(0, 5))
def test_pieces_cover_the_sentence(text: str, before: int, after: int) -> None:
    bare = text.strip() or "x"
    source = " " * before + bare + " " * after
    spans = list(pieces(source, before, before + len(bare)))
    at = before
    for start, end in spans:
        assert start < end <= start + LONGEST
        assert not source[at:start].strip()
        assert source[start:end] == source[start:end].strip()
        at = end
    assert at == before + len(bare)


def test_pieces_end_at_clause_marks() -> None:
    clause = "x" * 400 + ", "
    text = (clause * 10).strip()
    assert [text[end - 1] for _, end in pieces(text, 0, len(text))] == [","] * len(list(pieces(text, 0, len(text))))


def test_sentence_as_long_as_allowed_stays_whole() -> None:
    assert list(pieces("y" * LONGEST, 0, LONGEST)) == [(0, LONGEST)]


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("2021-03-10", (2021, 3, 10)),
        ("2021-03", (2021, 3, 15)),
        ("2021", (2021, 7, 1)),
        (" 2021-03-10T23:30:00Z ", (2021, 3, 10)),
        (datetime.date(2021, 3, 10), (2021, 3, 10)),
        (datetime.datetime(2021, 3, 10, 12), (2021, 3, 10)),
    ],
)
def test_dates(given_: str | datetime.date, expected: tuple[int, int, int]) -> None:
    read = read_date(given_)
    assert read == datetime.date(*expected)
    assert type(read) is datetime.date


@pytest.mark.parametrize("empty", [None, "", " "])
def test_no_date(empty: str | None) -> None:
    assert read_date(empty) is None


@pytest.mark.parametrize("wrong", ["10 March 2021", "2021-13", "2021-02-30", "0000", "yesterday", "2021-03-10T25"])
def test_not_a_date(wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{wrong!r} is not a date; write it as 2021-03-10")):
        read_date(wrong)


def test_dyads_in_any_form() -> None:
    assert read_dyads([("USA", "CHN"), ["CHN", "JPN"], "KOR-JPN"]) == (("CHN", "USA"), ("CHN", "JPN"), ("JPN", "KOR"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([("USA", "XYZ")], "'XYZ' is not a known state; `detente states` lists the codes"),
        ([("USA", "USA")], "the dyad USA-USA names the same state twice"),
        (["USA", "CHN"], "'USA' is not a dyad"),
        ([("USA", "CHN", "JPN")], "is not a dyad"),
        ([("USA", 1)], "is not a dyad"),
        ([7], "7 is not a dyad"),
    ],
)
def test_wrong_dyads(wrong: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_dyads(wrong)


@pytest.mark.parametrize("wrong", ["CHN-USA", 7, {"CHN": "USA"}])
def test_dyads_of_the_wrong_type(wrong: object) -> None:
    with pytest.raises(TypeError, match="dyads must be a list of pairs"):
        read_dyads(wrong)  # type: ignore[arg-type]
