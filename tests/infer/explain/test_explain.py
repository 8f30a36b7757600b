"""Why: what words weigh, where they stand, labelled sentences that read alike, and the cache of what is read once."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.data.codebook.labels import TONES
from detente.data.corpora.examples import Corpus
from detente.data.corpora.load import read
from detente.infer.encoder.base import Encoder, EncoderWrapper, PairOutput
from detente.infer.encoder.cached import CachedEncoder
from detente.infer.encoder.onnx import OnnxEncoder
from detente.infer.explain.nearest_examples import Neighbours, vectors_of
from detente.infer.explain.occlusion import MOST_BESIDE, MOST_LIKE, _shortest, only, phrases, without
from detente.infer.label.labeler import Detente
from detente.infer.readings.explanation import Weight
from detente.infer.readings.reading import Reading
from detente.models.features import Item, Span
from tests.helpers.cli import run

TEXT = "Japan thanked India for its help in the talks. China warned Japan, and Japan met India."

SENTENCES = ["China warned Japan.", "Japan thanked China for its help.", "China and Japan met in Geneva."]


def probabilities(*tone: float) -> dict[str, np.ndarray]:
    """Heads of which only the tone differs."""
    return {"tone": np.array(tone, dtype=np.float32), "direction": np.array([0.2, 0.3, 0.5], dtype=np.float32)}


def answer(text: str, weights: list[float], tone: tuple[float, ...] = (0.1, 0.6, 0.1, 0.1, 0.1)) -> PairOutput:
    """What a model might say of a sentence whose tokens are its characters."""
    return PairOutput(probabilities(*tone), np.array(weights, dtype=np.float32), [(i, i + 1) for i in range(len(text))])


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's cache, an empty folder."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("detente.infer.explain.nearest_examples.pooch.os_cache", lambda name: folder / name)
        yield folder


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Encoder:
    return OnnxEncoder(tiny_model)


@pytest.fixture(scope="module")
def model(engine: Encoder, cache: Path) -> Detente:
    return Detente(engine)


@pytest.fixture(scope="module")
def readings(model: Detente) -> list[Reading]:
    return model.label(f"  {TEXT}", include_none=True, explain=True)


def test_nothing_else_changes(model: Detente, readings: list[Reading]) -> None:
    plain = model.label(f"  {TEXT}", include_none=True)
    assert [reading.why for reading in plain] == [None] * len(plain)
    assert all("why" not in reading.to_dict() for reading in plain)
    assert [replace(reading, why=None) for reading in readings] == plain


def test_spans_are_words_of_the_sentence_in_order(readings: list[Reading]) -> None:
    source = f"  {TEXT}"
    for reading in readings:
        assert reading.why is not None
        assert bool(reading.why.spans) == (reading.tone != "none")
        assert all(left.end <= right.start for left, right in pairwise(reading.why.spans))
        for start, end, weight in reading.why.spans:
            assert reading.start <= start < end <= reading.end
            assert source[start:end].strip() == source[start:end]
            assert -1 <= weight <= 1
        record = reading.to_dict()["why"]
        assert [span["text"] for span in record["spans"]] == [source[s:e] for s, e, _ in reading.why.spans]


def test_a_weight_is_what_the_tone_loses_without_the_words(model: Detente, readings: list[Reading]) -> None:
    checked = 0
    for reading in readings:
        assert reading.why is not None
        for start, end, weight in reading.why.spans:
            cut = slice(start - reading.start, end - reading.start)
            words = reading.sentence[cut]
            if any(m.start < end and start < m.end for m in reading.mentions) or not words.replace(" ", "").isalpha():
                continue
            rest = reading.sentence.replace(f" {words}", "", 1)
            (again,) = model.label(rest, dyads=[tuple(reading.dyad.split("-"))])
            assert reading.probability - weight == pytest.approx(again.probabilities[reading.tone], abs=1e-4)
            checked += 1
    assert checked


def test_a_dyad_that_was_not_found_has_no_reasons(model: Detente) -> None:
    asked = model.label("China warned Japan.", dyads=[("CHN", "USA"), ("CHN", "JPN")], explain=True)
    assert [reading.why is None for reading in asked] == [True, False]


def test_together_as_one_by_one(model: Detente, readings: list[Reading]) -> None:
    for reading in readings:
        alone = model.label(reading.sentence, dyads=[tuple(reading.dyad.split("-"))], explain=True)[0]
        assert alone.why is not None
        assert reading.why is not None
        assert [w.weight for w in alone.why.spans] == pytest.approx([w.weight for w in reading.why.spans], abs=1e-4)
        assert [like.sentence for like in alone.why.like] == [like.sentence for like in reading.why.like]


def test_a_cached_encoder_explains_as_its_own(engine: Encoder, cache: Path, readings: list[Reading]) -> None:
    cached = Detente(CachedEncoder(engine)).label(f"  {TEXT}", include_none=True, explain=True)
    for mine, theirs in zip(cached, readings, strict=True):
        assert (mine.dyad, mine.tone) == (theirs.dyad, theirs.tone)
        assert mine.why is not None
        assert theirs.why is not None
        assert [w.weight for w in mine.why.spans] == pytest.approx([w.weight for w in theirs.why.spans], abs=1e-4)
        assert [like.sentence for like in mine.why.like] == [like.sentence for like in theirs.why.like]
    assert len(list((cache / "detente" / "neighbours").iterdir())) == 1, "the vectors are those of the model itself"


class Unsaved(EncoderWrapper):
    """A model that is no folder, as while it is trained."""

    digest = None


def test_vectors_of_a_model_without_files_are_not_kept(
    engine: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Corpus(read("detente", "train").examples[:8], [])
    monkeypatch.setattr("detente.infer.explain.nearest_examples.read", lambda *_: few)
    monkeypatch.setattr("detente.infer.explain.nearest_examples.pooch.os_cache", lambda name: tmp_path / name)
    assert Neighbours.of(Unsaved(engine))._vectors.shape[0] == 8
    assert not list(tmp_path.iterdir())


def test_mentions_stay_in_the_sentence() -> None:
    item = Item("China strongly warned Japan, officials said.", [[(0, 5)], [(22, 27)]], [(0, 1)])
    left = without(item, [(0, 5), (6, 14), (22, 27), (29, 38)])
    assert left == Item("China warned Japan, said.", [[(0, 5)], [(13, 18)]], [(0, 1)])


def test_cues_from_the_shortest_and_what_weighs_beside_them() -> None:
    text = "US envoys met and praised allies as true friends in Iran"
    words = {"met": 0.8, "and": 0.6, "praised": 0.95, "true": 0.7, "friends": 0.8, "as": 0.3, "Iran": 0.8}
    weights = [words.get(word, 0.0) for word in text.split(" ") for _ in f"{word} "][: len(text)]
    cues, beside = phrases(Item(text, [[(0, 2)], [(52, 56)]], [(0, 1)]), answer(text, weights))
    assert [text[cue[0][0] : cue[-1][1]] for cue in cues] == ["praised", "met and praised"]
    assert [[text[slice(*word)] for word in phrase] for phrase in beside] == [["true", "friends"]]


@pytest.mark.parametrize(
    ("cues", "chosen"),
    [
        ([0.1, 0.5, 0.51], 1),
        ([0.5, 0.5, 0.5], 0),
        ([0.9, 0.2, 0.1], 0),
        ([0.0, 0.0], 0),
        ([-0.3, -0.1], 1),
        ([-0.105, -0.1], 0),
    ],
)
def test_the_shortest_that_weighs_nearly_as_much_as_any(cues: list[float], chosen: int) -> None:
    weights = [Weight(0, at + 1, weight) for at, weight in enumerate(cues)]
    assert _shortest(weights) == [weights[chosen]]


@st.composite
def sentences(draw: st.DrawFn) -> tuple[Item, list[float]]:
    """A sentence with two mentions that may lie anywhere, and weights of its characters."""
    text = draw(st.text(st.sampled_from("ab' -.,é中"), min_size=2, max_size=60))
    place = st.tuples(st.integers(0, len(text) - 1), st.integers(1, 12))
    actors = [[(s, min(s + n, len(text))) for s, n in draw(st.lists(place, min_size=1, max_size=2))] for _ in "ab"]
    weights = draw(st.lists(st.floats(0, 1, width=32), min_size=len(text), max_size=len(text)))
    return Item(text, actors, [(0, 1)]), weights


@given(sentences())
def test_phrases_are_disjoint_runs_of_words(sentence: tuple[Item, list[float]]) -> None:
    item, weights = sentence
    cues, beside = phrases(item, answer(item.text, weights))
    for found in ([cue, *beside] for cue in cues):
        words = sorted(word for phrase in found for word in phrase)
        assert all(left[1] <= right[0] for left, right in pairwise(words))
        assert all(0 <= start < end <= len(item.text) for start, end in words)
        assert all(phrase == sorted(phrase) and phrase for phrase in found)
    assert len(beside) <= MOST_BESIDE
    assert cues or not beside


@given(sentences(), st.data())
def test_what_is_left_keeps_its_order_and_every_mention(
    sentence: tuple[Item, list[float]], data: st.DataObject
) -> None:
    item, _ = sentence
    place = st.tuples(st.integers(0, len(item.text) - 1), st.integers(1, 9))
    words: list[Span] = [(s, min(s + n, len(item.text))) for s, n in data.draw(st.lists(place, max_size=4))]
    for left in (without(item, words), only(item, np.zeros(len(item.text), dtype=bool))):
        kept = iter(item.text)
        assert all(letter in kept for letter in left.text), "the letters left are those of the sentence, in its order"
        for before, after in zip(item.actors, left.actors, strict=True):
            assert [item.text[s:e] for s, e in before] == [left.text[s:e] for s, e in after]


def test_neighbours_are_like_it_and_never_itself(model: Detente, engine: Encoder, cache: Path) -> None:
    example = next(e for e in read("detente", "train").examples if e.tone == "frosty")
    a, b = example.dyad.split("-")
    item = Item(example.text, [example.a, example.b], [(0, 1)])
    ((pair,),) = engine.predict([item])
    neighbours = Neighbours.of(engine)
    like = neighbours.nearest(example.text.upper().replace(",", " ,"), [*example.a, *example.b], pair, 20)
    assert len({one.sentence for one in like}) == len(like) == 20
    assert example.text not in {one.sentence for one in like}
    assert [one.similarity for one in like] == sorted((one.similarity for one in like), reverse=True)
    assert all(0 <= one.similarity <= 1 and one.tone in TONES and one.cue in one.sentence for one in like)
    changed = neighbours.nearest(f"Once more {example.text}", [], pair, 1)
    assert changed[0].sentence == example.text, "the same answers and almost the same words"
    assert changed[0].similarity > 0.9
    assert f"{a}-{b}" == changed[0].dyad


def test_vectors_have_length_one_and_who_leads_is_not_a_matter_of_the_alphabet() -> None:
    text = "ab"
    left = answer(text, [0, 0])
    right = replace(left, heads={**left.heads, "direction": left.heads["direction"][[1, 0, 2]]})
    one, other = vectors_of([left, right])
    assert one @ one == pytest.approx(1.0, abs=1e-5)
    assert one @ other == pytest.approx(1.0, abs=1e-5)


@pytest.mark.usefixtures("cache")
def test_read_once_for_a_model(tiny_model: Path, tiny_int8: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Neighbours.of(OnnxEncoder(tiny_model))
    files = set((cache / "detente" / "neighbours").iterdir())
    assert len(files) == 1, "nothing but the vectors is left behind"
    monkeypatch.setattr(OnnxEncoder, "predict", None)
    assert np.array_equal(Neighbours.of(OnnxEncoder(tiny_model))._vectors, first._vectors.astype(np.float16))
    with pytest.raises(TypeError):
        Neighbours.of(OnnxEncoder(tiny_int8))  # another model, another file


@pytest.mark.parametrize("fault", ["cut", "flipped", "empty", "other rows", "not finite", "pickle"])
def test_a_spoilt_cache_is_made_anew(
    fault: str, engine: Encoder, model: Detente, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert model._explainer.neighbours
    (good,) = (cache / "detente" / "neighbours").iterdir()
    monkeypatch.setattr("detente.infer.explain.nearest_examples.pooch.os_cache", lambda name: tmp_path / name)
    file = tmp_path / "detente" / "neighbours" / good.name
    file.parent.mkdir(parents=True)
    data = good.read_bytes()
    right = np.load(good)["vectors"]
    if fault in {"other rows", "not finite", "pickle"}:
        spoilt = {"other rows": right[1:], "not finite": right * np.float16(np.nan), "pickle": np.array([print])}
        np.savez(file, vectors=spoilt[fault])
    else:
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        file.write_bytes({"cut": data[:middle], "flipped": flipped, "empty": b""}[fault])
    monkeypatch.setattr("detente.infer.explain.nearest_examples._predict", lambda *_: right.astype(np.float32))
    assert np.array_equal(Neighbours.of(engine)._vectors, right)
    assert np.array_equal(np.load(file)["vectors"], right)


def test_a_cache_that_cannot_be_written(
    engine: Encoder, model: Detente, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = model._explainer.neighbours._vectors
    (tmp_path / "file").touch()
    monkeypatch.setattr("detente.infer.explain.nearest_examples.pooch.os_cache", lambda _: tmp_path / "file")
    monkeypatch.setattr("detente.infer.explain.nearest_examples._predict", lambda *_: vectors)
    assert len(Neighbours.of(engine)._examples) == len(vectors)


def test_command_line(cache: Path, model: Detente, tiny_model: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert model._explainer.neighbours
    (home / "detente").symlink_to(cache / "detente")
    (tmp_path / "a.txt").write_text(TEXT)
    options = ("--all", "--explain", "--model", tiny_model)
    shown = run("label", tmp_path / "a.txt", *options, XDG_CACHE_HOME=str(home))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "without" in shown.stdout
    assert shown.stdout.count("like ") >= MOST_LIKE
    line = json.dumps({"id": "1", "text": TEXT})
    asked = {
        "json": run("label", tmp_path / "a.txt", "--json", *options, XDG_CACHE_HOME=str(home)),
        "jsonl": run("label", "--jsonl", *options, given=line, XDG_CACHE_HOME=str(home)),
    }
    whys = {name: [json.loads(row)["why"] for row in done.stdout.splitlines()] for name, done in asked.items()}
    assert whys["json"] == whys["jsonl"]
    assert all(len(why["like"]) == MOST_LIKE for why in whys["json"])
