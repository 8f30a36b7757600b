"""The shipped model: what it weighs, what it says of articles, and what must not change its mind."""

import json
from pathlib import Path

import numpy as np
import pytest

from detente.data.corpora import load as corpora
from detente.infer.label.labeler import Detente, load
from detente.infer.readings.reading import Reading
from detente.models.model_dir import resolve, verify

ROOT = Path(__file__).resolve().parents[2]
ARTICLE, EXPECTED = ROOT / "seeds" / "asia-trip.txt", ROOT / "seeds" / "asia-trip.expected.jsonl"


@pytest.fixture(scope="module")
def model() -> Detente:
    return load()


def one(model: Detente, text: str, dyad: tuple[str, str]) -> Reading:
    (reading,) = model.label(text, date="2021-03-10", dyads=[dyad])
    return reading


def passed(model: Detente, text: str, expected: Path) -> tuple[int, int, list[str]]:
    """Return how many rows of a seed case hold, of how many, and what fails."""
    readings = model.label(text, date="2021-03-10", include_none=True)
    rows = [json.loads(line) for line in expected.read_text("utf-8").splitlines() if line.strip()]
    faults = []
    for row in rows:
        at = text.index(row["starts"])
        said = {r.dyad: r.tone for r in readings if r.start <= at < r.end}
        if wrong := {d: said.get(d) for d, tones in row["readings"].items() if said.get(d) not in tones}:
            faults.append(f"{row['n']}: {wrong}, expected {row['readings']}")
    return len(rows) - len(faults), len(rows), faults


def test_it_is_whole_and_small() -> None:
    folder = resolve()
    verify(folder)
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 30e6


def test_the_larger_one_is_whole_and_of_files_that_hosts_take() -> None:
    folder = resolve("detente-base")
    verify(folder)
    assert max(file.stat().st_size for file in folder.iterdir()) < 100e6
    assert one(load(folder), "Japan condemned China over the islands.", ("CHN", "JPN")).tone == "frosty"


def test_the_seed_article(model: Detente) -> None:
    right, rows, faults = passed(model, ARTICLE.read_text("utf-8"), EXPECTED)
    assert right >= rows - 2, faults


def test_the_article_that_the_project_started_from(model: Detente) -> None:
    seed = next((seed for place in corpora.folders() if (seed := place / "seed").is_dir()), None)
    if seed is None:
        pytest.skip("the article is not among the corpora on disk")
    (article,) = seed.glob("*.txt")
    right, _, faults = passed(model, article.read_text("utf-8"), seed / "expected.jsonl")
    assert right >= 9, faults


@pytest.mark.parametrize(
    ("text", "tone"),
    [
        ("Japan condemned China for sending warships into its waters and recalled its ambassador.", "frosty"),
        ("Japanese and Chinese ministers met in Geneva for talks and agreed to meet again.", "engaging"),
        (
            "Japan and China signed a mutual defence treaty and began joint naval exercises as allies.",
            "alliance-building",
        ),
        ("Rice prices rose in Japan and China last year, a survey showed.", "none"),
    ],
)
def test_clear_sentences(model: Detente, text: str, tone: str) -> None:
    assert one(model, text, ("CHN", "JPN")).tone == tone


@pytest.mark.parametrize(
    ("frame", "tone"),
    [
        ("{} accused {} of a breach of the agreement and threatened sanctions.", "frosty"),
        ("{} and {} will hold talks next week on trade.", "engaging"),
        ("{} and {} reaffirmed their alliance and announced joint military exercises.", "alliance-building"),
    ],
)
def test_other_states_same_words_same_tone(model: Detente, frame: str, tone: str) -> None:
    names = {
        "CHN": "China",
        "JPN": "Japan",
        "FRA": "France",
        "RUS": "Russia",
        "IND": "India",
        "DEU": "Germany",
        "BRA": "Brazil",
    }
    said = {(a, b): one(model, frame.format(names[a], names[b]), (a, b)).tone for a in names for b in names if a != b}
    assert np.mean([t == tone for t in said.values()]) >= 0.95, {pair: t for pair, t in said.items() if t != tone}


def test_the_accuser_leads(model: Detente) -> None:
    assert one(model, "China accused Japan of lying.", ("CHN", "JPN")).direction == "a>b"
    assert one(model, "Japan accused China of lying.", ("CHN", "JPN")).direction == "b>a"


def test_a_colder_word_is_not_warmer(model: Detente) -> None:
    frames = ["praised", "met", "criticised", "attacked"]
    warmth = [one(model, f"France {verb} Germany on Monday.", ("DEU", "FRA")).warmth or 0.0 for verb in frames]
    assert warmth == sorted(warmth, reverse=True)


def test_the_cue_is_in_the_sentence_and_shows_the_tone(model: Detente) -> None:
    reading = one(model, "On Monday in Geneva, China accused Japan of lying.", ("CHN", "JPN"))
    assert reading.cue in reading.sentence
    assert "accused" in reading.cue
    assert "Monday" not in reading.cue
