"""The readers: made-up files in each corpus's format, rows that are broken, and the real files where they are."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.data.corpora import readers, standoff
from detente.data.corpora.examples import CorpusError, Example, Span, sentence_id

FILES = Path(__file__).resolve().parents[2] / "corpora"


def words(example: Example, spans: tuple[Span, ...]) -> list[str]:
    return [example.text[start:end] for start, end in spans]


def test_plv_marks_become_spans() -> None:
    corpus = readers.plv(FILES / "corpora/plv/PLV_train.tsv", "train")
    assert corpus.problems == []
    ban, ice, fleet = corpus.examples[1], corpus.examples[2], corpus.examples[4]
    assert ban.text == 'The minister said "no" when Oman asked Malta to lift the ban on Omani fish.'
    assert (words(ban, ban.a), words(ban, ban.b)) == (["Malta"], ["Oman", "Oman"])
    assert (ban.quad, ban.root, ban.binary) == ("verbal conflict", "REJECT", "conflict")
    assert (words(ice, ice.a), words(ice, ice.b)) == (["Icelandic fishermen"], ["Iceland"])  # one inside the other
    assert (words(fleet, fleet.a), fleet.b) == (["The Baltic Fleet (BF)"], ())  # the blank at the edge is no part
    assert (ban.id, ban.origin, ban.split, ban.tone, ban.seen) == ("PLV_train:3", "plv", "train", None, False)


def test_plv_reads_na_as_text() -> None:
    first = readers.plv(FILES / "corpora/plv/PLV_test.tsv", "test").examples[0]
    assert first.text.startswith("NA officials")
    assert (first.quad, first.binary) == ("verbal cooperation", "cooperation")


def test_dse_brackets_become_spans() -> None:
    corpus = readers.dse(FILES / "corpora/dse/train.txt", "train")
    assert corpus.problems == []
    praise, clown, jury = corpus.examples
    assert praise.text == "The senator praised Ruritanian farmers for their patience."
    assert (words(praise, praise.a), words(praise, praise.b)) == (["The senator"], ["Ruritania"])
    assert praise.sentiment == "positive p>q"
    assert words(clown, clown.b) == ['Hill.""She']  # the name was quoted by a CSV writer, the sentence as a whole
    assert clown.text.startswith('"He said the mayor was ""a clown""')
    assert (words(jury, jury.a), words(jury, jury.b)) == (["Juror"], ["Doe"])
    assert jury.text == "  Jurors heard Doe [sic] in silence. "


def test_newsmtsc_gives_an_example_for_each_target() -> None:
    corpus = readers.newsmtsc(FILES / "corpora/newsmtsc/train.jsonl", "train")
    assert corpus.problems == []
    moreau, keller, *_ = corpus.examples
    assert moreau.text == keller.text
    # Its coreferent mentions but the one that overlaps the labelled mention.
    assert words(moreau, moreau.a) == ["Moreau", "said of", "he would"]
    assert (moreau.b, moreau.polarity, keller.polarity) == ((), "neutral", "negative")
    assert words(keller, keller.a) == ["Keller", "She"]


def test_codings_take_their_text_from_the_unlabelled_sentences(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sentence = {"id": "ab12", "corpus": "made_up", "date": "2019-05-14", "title": "", "states": "JPN USA"}
    text = "Japan thanked Washington."
    pq.write_table(pa.Table.from_pylist([{**sentence, "sentence": text}]), tmp_path / "sentences.parquet")
    coding = {
        "id": "ab12:JPN-USA",
        "a": [[0, 5]],
        "b": [[14, 24]],
        "tone": "engaging",
        "direction": "a>b",
        "cue": [6, 13],
    }
    lines = [
        coding | {"confidence": 2},
        coding | {"confidence": 3, "id": "cd34:JPN-USA"},
        coding | {"confidence": 3, "cue": [6, 30]},
        coding | {"confidence": 3, "tone": "warm"},
        coding | {"confidence": 3, "tone": "none", "direction": "n/a", "cue": None},
    ]
    monkeypatch.setattr(standoff, "CODINGS", tmp_path / "codings.jsonl")
    standoff.CODINGS.write_text("\n".join([*map(json.dumps, lines), "{"]), encoding="utf-8")
    corpus = standoff.codings(tmp_path / "sentences.parquet", "train")
    thanks, none = corpus.examples
    assert (thanks.text, thanks.date, thanks.dyad, thanks.origin) == (text, "2019-05-14", "JPN-USA", "codings/made_up")
    assert (thanks.a, thanks.b, thanks.cue) == (((0, 5),), ((14, 24),), (6, 13))
    assert (thanks.tone, thanks.direction, thanks.confidence) == ("engaging", "a>b", 2)
    assert (none.tone, none.cue) == ("none", None)
    *labels, broken = corpus.problems
    assert [(p.line, p.reason.rpartition(" ")[2]) for p in labels] == [
        (2, "cd34"),
        (3, "characters"),
        (4, "alliance-building"),
    ]
    assert broken.line == 6
    assert broken.reason.startswith("not JSON")


def test_annotations_give_an_example_for_each_dyad() -> None:
    corpus = readers.annotations(FILES / "annotations/train.jsonl", "train")
    assert corpus.problems == []
    drill, protest, prices = corpus.examples
    assert drill.sentence_id == protest.sentence_id == sentence_id(drill.text)
    assert (words(drill, drill.a), words(drill, drill.b)) == (["Tokyo"], ["Washington"])
    assert (words(protest, protest.a), words(protest, protest.b)) == (["Beijing"], ["Tokyo"])
    assert drill.cue is not None
    assert words(drill, (drill.cue,)) == ["joint drills"]
    assert (protest.tone, protest.direction, protest.confidence) == ("frosty", "a>b", 2)
    assert (prices.tone, prices.direction, prices.cue, prices.date) == ("none", "n/a", None, "")
    assert (drill.date, drill.origin, drill.dyad) == ("2021-03-10", "annotations/made_up", "JPN-USA")


def test_rows_without_labels_have_none() -> None:
    (row,) = readers.annotations(FILES / "annotations/test_unlabelled.jsonl", "test").examples
    assert (row.tone, row.direction, row.cue, row.confidence) == (None, None, None, None)


def _annotation(**changes: object) -> bytes:
    record: dict[str, object] = {
        "id": "0:AUT-CHE", "sentence": "Bern thanked Vienna.", "dyad": "AUT-CHE", "tone": "engaging",
        "direction": "b>a", "cue": "thanked", "confidence": 3, "date": None, "corpus": "made_up",
        "mentions": [{"start": 0, "end": 4, "state": "CHE"}, {"start": 13, "end": 19, "state": "AUT"}],
    }  # fmt: skip
    return json.dumps({k: v for k, v in (record | changes).items() if v != "absent"}).encode()


def _target(**changes: object) -> bytes:
    target = {"Input.gid": "g", "from": 0, "to": 4, "mention": "Kohl", "polarity": 4.0} | changes
    return json.dumps({"primary_gid": "g", "sentence_normalized": "Kohl spoke.", "targets": [target]}).encode()


PLV_HEADER = b"marked_sentence\tgold_penta\tgold_root\n"
BROKEN: list[tuple[Callable[[Path, str], object], bytes, str]] = [
    (readers.plv, PLV_HEADER + b"<s>Mali</s> met <t>Togo</t>.\t1", "2 columns, not 3"),
    (readers.plv, PLV_HEADER + b'"<s>Mali</s> met <t>Togo</t>.\t1\tCONSULT', "unexpected end of data"),
    (readers.plv, PLV_HEADER + b"<s>Mali</s> met <t>Togo</t>.\t0\tCONSULT", "gold_penta is '0'"),
    (readers.plv, PLV_HEADER + b"<s>Mali</s> met <t>Togo</t>.\t1\tMEET", "gold_root is 'MEET'"),
    (readers.plv, PLV_HEADER + b"Mali met Togo.\t1\tCONSULT", "neither source nor target"),
    (readers.plv, PLV_HEADER + b"<s>Mali met <t>Togo</t>.\t1\tCONSULT", "<s> isn't closed"),
    (readers.plv, PLV_HEADER + b"Mali</s> met <t>Togo</t>.\t1\tCONSULT", "</s> where none is open"),
    (readers.plv, PLV_HEADER + b"<s>Mali <s>met</s> <t>Togo</t>.\t1\tCONSULT", "<s> inside <s>"),
    (readers.plv, PLV_HEADER + b"<s> </s>Mali met <t>Togo</t>.\t1\tCONSULT", "holds no words"),
    (readers.plv, PLV_HEADER + b"<s>Mal\xed</s> met <t>Togo</t>.\t1\tCONSULT", "not UTF-8"),
    (readers.plv, PLV_HEADER, "0 columns"),
    (readers.dse, b"[Ann] met [Bob].\tAnn\tBob", "3 columns, not 4"),
    (readers.dse, b"[Ann] met [Bob].\tAnn\tBob\t5", "label is '5'"),
    (readers.dse, b"[Ann] met Bob.\tAnn\tBob\t0", "q is 'Bob'"),
    (readers.dse, b"[Bob] met [Ann].\tAnn\tBob\t0", "in their order"),
    (readers.dse, b"[] met [Bob].\t\tBob\t0", "holds no words"),
    (readers.dse, b"", "1 columns"),
    (readers.newsmtsc, b"{", "not JSON"),
    (readers.newsmtsc, b"[]", "not of the expected form"),
    (readers.newsmtsc, b'{"targets": []}', "no 'sentence_normalized'"),
    (readers.newsmtsc, _target(polarity=3.0), "polarity is 3.0"),
    (readers.newsmtsc, _target(to=40), "span 0-40"),
    (readers.newsmtsc, _target(to=3.5), "not of the expected form"),
    (readers.annotations, _annotation(sentence=" "), "the sentence is empty"),
    (readers.annotations, _annotation(sentence=None), "not of the expected form"),
    (readers.annotations, _annotation(dyad="CHE-AUT"), "alphabetical"),
    (readers.annotations, _annotation(dyad="AUT"), "not two codes"),
    (readers.annotations, _annotation(dyad="AUT-FRA"), "no mention of FRA"),
    (readers.annotations, _annotation(tone="warm"), "tone is 'warm'"),
    (readers.annotations, _annotation(tone="none"), "direction of 'none' is 'b>a'"),
    (readers.annotations, _annotation(direction="n/a"), "direction of 'engaging' is 'n/a'"),
    (readers.annotations, _annotation(confidence=4), "confidence is 4"),
    (readers.annotations, _annotation(corpus="absent"), "no 'corpus'"),
]


@pytest.mark.parametrize(("reader", "row", "reason"), BROKEN)
def test_a_broken_row_is_a_problem_with_file_and_line(
    reader: readers.Reader, row: bytes, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(row + b"\n")
    corpus = reader(path, "train")
    (problem,) = corpus.problems
    assert corpus.examples == []
    assert reason in problem.reason
    assert str(problem).startswith(f"{path}:{2 if reader is readers.plv else 1}: ")
    assert "\n" not in str(problem)


def test_the_rows_around_a_broken_one_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\r\n".join((_annotation(), b"{", _annotation())) + b"\r\n")
    corpus = readers.annotations(path, "train")
    assert len(corpus.examples) == 2
    assert [p.line for p in corpus.problems] == [2]


def test_a_row_whose_cue_is_not_in_the_sentence_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(_annotation(cue="praised"))
    corpus = readers.annotations(path, "train")
    assert [e.cue for e in corpus.examples] == [None]
    assert [p.reason for p in corpus.problems] == ["cue 'praised' isn't in the sentence; kept without a cue"]


def test_a_file_that_is_not_plv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.tsv"
    path.write_text("a\tb\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"other\.tsv: no column marked_sentence"):
        readers.plv(path, "train")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="<>[]"), max_size=12)
NAME = TEXT.filter(lambda name: bool(name.strip()))


@given(st.lists(st.tuples(TEXT, st.sampled_from("st"), NAME), min_size=1, max_size=5), TEXT)
def test_unmark_undoes_marks(pieces: list[tuple[str, str, str]], rest: str) -> None:
    marked = "".join(f"{before}<{kind}>{name}</{kind}>" for before, kind, name in pieces) + rest
    text, spans = readers.unmark(marked)
    assert text == "".join(before + name for before, _, name in pieces) + rest
    for kind, found in spans.items():
        assert [text[a:b] for a, b in found] == [name.strip() for _, k, name in pieces if k == kind]


@given(TEXT, NAME, TEXT, NAME, TEXT)
def test_unbracket_undoes_brackets(before: str, p: str, between: str, q: str, after: str) -> None:
    text, a, b = readers.unbracket(f"{before}[{p}]{between}[{q}]{after}", p, q)
    assert text == before + p + between + q + after
    assert (text[slice(*a)], text[slice(*b)]) == (p.strip(), q.strip())


@given(st.binary(max_size=200))
def test_no_bytes_break_a_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes"
    for reader in (readers.plv, readers.dse, readers.newsmtsc, readers.annotations):
        path.write_bytes(PLV_HEADER + content if reader is readers.plv else content)
        corpus = reader(path, "train")
        rows = path.read_bytes().removesuffix(b"\n").count(b"\n") + (reader is not readers.plv)
        assert len({p.line for p in corpus.problems}) + len(corpus.examples) >= rows


@given(st.lists(st.tuples(NAME, NAME), max_size=4))
def test_plv_reads_what_a_csv_writer_writes(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    pairs = [(s, t) for s, t in pairs if not set("\r\n") & set(s + t)]
    path = tmp_path_factory.getbasetemp() / "written.tsv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["marked_sentence", "gold_penta", "gold_root"])
        writer.writerows([f"<s>{s}</s> met <t>{t}</t>", "1", "CONSULT"] for s, t in pairs)
    corpus = readers.plv(path, "train")
    assert corpus.problems == []
    assert [e.text for e in corpus.examples] == [f"{s} met {t}" for s, t in pairs]
