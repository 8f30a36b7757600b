"""Whole articles: their file, what becomes of their sentences and pairs, the figures, and the command."""

import json
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.cli import main
from detente.data.codebook.labels import NO_DIRECTION, TONES, WARMTH
from detente.data.corpora.examples import CorpusError
from detente.data.corpora.load import VARIABLE
from detente.infer.label.labeler import load
from detente.infer.linking.mentions import Mention
from detente.infer.readings.reading import Reading
from detente.train.evaluate.articles.evaluation import ArticleEvaluation, compare, evaluate_articles, write_errors
from detente.train.evaluate.articles.gold import (
    PROJECT_ARTICLES,
    Article,
    LabelledPair,
    PairLabel,
    joined,
    locate,
    read_articles,
)
from detente.train.evaluate.articles.outcomes import (
    CAUSES,
    ArticleOutput,
    PairOutcome,
    nearer,
    pair_outcomes,
    read_article,
    sentence_outcomes,
)
from detente.train.evaluate.articles.render import markdown
from tests.helpers.tiny import CORPORA

MADE_UP = CORPORA / "articles" / "dev.jsonl"
SHARED = Path(__file__).resolve().parents[4] / "shared"
MINI = Path(__file__).resolve().parents[3] / "models" / "detente-mini"


# The file


def test_the_text_is_as_a_user_gives_it() -> None:
    text, spans = joined([["One two.", "Three."], ["Four."]])
    assert text == "One two. Three.\n\nFour."
    assert [text[slice(*span)] for span in spans] == ["One two.", "Three.", "Four."]


def test_articles_are_read() -> None:
    first, second, _ = read_articles(MADE_UP)
    assert (first.id, first.date, first.kind, first.readers) == ("made-1", "2019-05-14", "wire", 2)
    assert first.states[0] == (frozenset({"CHN", "JPN"}),) * 2
    assert first.pairs[0].labels[0] == PairLabel("frosty", "a>b", 3, "warned")
    assert [(pair.sentence, pair.dyad) for pair in first.pairs] == [(0, "CHN-JPN"), (1, "CHN-JPN"), (3, "FRA-IND")]
    assert second.pairs[1].labels[1] is None


def broken(change: Callable[[dict[str, Any]], object]) -> str:
    """Return the made-up articles with a change in the second."""
    lines = MADE_UP.read_text("utf-8").splitlines()
    record = json.loads(lines[1])
    change(record)
    return "\n".join([lines[0], json.dumps(record), lines[2]])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a.pop("kind"), "no 'kind'"),
        (lambda a: a.update(id="made-1"), "a second article made-1"),
        (lambda a: a.update(date="May"), "'May' is not a date"),
        (lambda a: a.update(paragraphs=[["One.", 2]]), "a sentence must be a string"),
        (lambda a: a.update(paragraphs="One."), "paragraphs must be a list, not str"),
        (lambda a: a.update(paragraphs=[]), "no sentences"),
        (lambda a: a["states"].pop(), "states of 2 sentences, and the article has 3"),
        (lambda a: a["states"][0].pop(), "as many in every sentence"),
        (lambda a: a["states"][0][0].append("usa"), "'usa' is no code"),
        (lambda a: a["labels"][0].update(sentence=4), "sentence is 4, not a number from 1 to 3"),
        (lambda a: a["labels"][0].update(dyad="TUR-RUS"), "not two codes in alphabetical order"),
        (lambda a: a["labels"][0].update(dyad="JPN-TUR"), "not both among the states of reader 1"),
        (lambda a: a["labels"][0]["readings"].pop(), "1 readings, and 2 have read it"),
        (lambda a: a["labels"][0]["readings"][0].update(tone="cold"), "tone is 'cold', not one of frosty"),
        (lambda a: a["labels"][0]["readings"][0].update(tone="none"), "without a relationship is null"),
        (lambda a: a["labels"][0]["readings"][0].update(confidence=4), "confidence is 4"),
        (lambda a: a["labels"][0]["readings"][0].pop("direction"), "no 'direction'"),
        (lambda a: a["labels"].append(a["labels"][0]), "labelled twice"),
        (lambda a: a["labels"].append([]), "a label must be an object"),
    ],
)
def test_a_malformed_file_is_told_by_line(
    change: Callable[[dict[str, Any]], object], says: str, tmp_path: Path
) -> None:
    file = tmp_path / "articles.jsonl"
    file.write_text(broken(change), "utf-8")
    with pytest.raises(CorpusError, match=re.escape(f"{file}:2: ")) as error:
        read_articles(file)
    assert says in str(error.value)


def test_a_file_of_something_else_is_told(tmp_path: Path) -> None:
    for content in (b"", b"\n", b"[1]\n", b"\xff\xfe", b"# Articles\n"):
        (tmp_path / "a.jsonl").write_bytes(content)
        with pytest.raises(CorpusError, match=r"a\.jsonl:1: "):
            read_articles(tmp_path / "a.jsonl")


def test_the_default_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(CORPORA))
    assert locate() == MADE_UP
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert locate() == PROJECT_ARTICLES


@pytest.mark.skipif(not PROJECT_ARTICLES.is_file(), reason="the project's own articles aren't there yet")
def test_the_projects_own_articles_can_be_measured_on(tiny_model: Path) -> None:
    articles = read_articles(PROJECT_ARTICLES)
    evaluation = evaluate_articles(load(tiny_model), articles, resamples=20)
    assert evaluation.articles == len(articles) >= 24
    assert all(8 <= len(article.sentences) <= 15 for article in articles)
    assert evaluation.overall.metrics["states_f1"]


# What becomes of a sentence and of a pair


def article_of(
    sentences: Sequence[str], states: Sequence[Sequence[str]], pairs: Mapping[tuple[int, str], Sequence[str]]
) -> Article:
    """Make an article: `states` are "CHN JPN" by sentence and reader, `pairs` the tones of each reader, `none` too."""
    text, spans = joined([sentences])
    return Article(
        id="a",
        date="2021-03-10",
        kind="wire",
        text=text,
        sentences=spans,
        states=tuple(tuple(frozenset(codes.split()) for codes in readers) for readers in states),
        pairs=tuple(
            LabelledPair(index, dyad, tuple(None if t == "none" else PairLabel(t, "a>b", 3, "") for t in tones))
            for (index, dyad), tones in pairs.items()
        ),
    )


def reading_of(
    article: Article, index: int, dyad: str, tone: str, direction: str = "a>b", p: float = 0.7, how: str = "name"
) -> Reading:
    """Make a reading of a sentence; both states stand at its start."""
    start, end = article.sentences[index]
    return Reading(
        id=article.id,
        sentence=article.text[start:end],
        start=start,
        end=end,
        dyad=dyad,
        tone=tone,
        warmth=WARMTH.get(tone, 0.0),
        probabilities={name: p if name == tone else (1 - p) / 4 for name in TONES},
        direction=NO_DIRECTION if tone == "none" else direction,
        mentions=tuple(Mention(start, start + 1, state, how) for state in dyad.split("-")),
        model="made up",
    )


def output_of(
    article: Article, readings: Sequence[Reading], spans: Sequence[tuple[int, int]] | None = None
) -> ArticleOutput:
    mentions = sorted({mention for reading in readings for mention in reading.mentions})
    return ArticleOutput(article.sentences if spans is None else spans, mentions, readings)


def outcomes(article: Article, output: ArticleOutput) -> list[PairOutcome]:
    return [*pair_outcomes(article, output, sentence_outcomes(article, output))]


TWO = (["China met Japan.", "Japan met India."], [["CHN JPN"] * 2, ["IND JPN"] * 2])


@pytest.mark.parametrize(
    ("spans", "cut", "joined", "runs_on"),
    [
        ([(0, 16), (17, 33)], [0, 0], [0, 0], [0, 0]),
        ([(0, 9), (10, 16), (17, 33)], [1, 0], [0, 0], [0, 0]),
        ([(0, 13), (13, 16), (17, 33)], [0, 0], [0, 0], [0, 0]),  # three characters don't count
        ([(0, 33)], [0, 0], [1, 1], [1, 0]),
        ([(0, 20), (20, 33)], [0, 0], [0, 0], [0, 0]),  # nor do three of the next sentence
        ([(0, 21), (21, 33)], [0, 1], [1, 1], [1, 0]),
        ([], [0, 0], [0, 0], [0, 0]),
    ],
)
def test_sentences_cut_and_joined(
    spans: list[tuple[int, int]], cut: list[int], joined: list[int], runs_on: list[int]
) -> None:
    article = article_of(*TWO, {})
    evaluated = sentence_outcomes(article, ArticleOutput(spans, [], []))
    assert [sentence.cut for sentence in evaluated] == cut
    assert [sentence.joined for sentence in evaluated] == joined
    assert [sentence.runs_on for sentence in evaluated] == runs_on


def test_states_are_held_against_the_nearer_reader_and_found_in_the_most_direct_way() -> None:
    article = article_of(["China met Japan and India."], [["CHN JPN", "CHN IND JPN"]], {})
    index = article.text.index("Japan")
    mentions = [
        Mention(0, 5, "CHN", "leader"),
        Mention(0, 5, "CHN", "demonym"),
        Mention(index, index + 5, "JPN", "name"),
    ]
    (sentence,) = sentence_outcomes(article, ArticleOutput(article.sentences, mentions, []))
    assert sentence.ways == {"CHN": "demonym", "JPN": "name"}
    assert sentence.states == {"CHN", "JPN"}
    assert sentence.size == "3", "by the reader who sees the most"
    assert (sentence.agreed, sentence.named) == (2, 5)
    more = [*mentions, Mention(22, 27, "IND", "name")]
    assert sentence_outcomes(article, ArticleOutput(article.sentences, more, []))[0].states == {"CHN", "IND", "JPN"}


def test_the_nearer_tone() -> None:
    assert nearer(["frosty", "neutral"], "neutral") == "neutral"
    assert nearer(["frosty", "neutral"], "engaging") == "frosty"
    assert nearer(["none", "neutral"], "engaging") == "neutral"
    assert nearer(["none", "neutral"], "none") == "none"
    assert nearer(["none", "none"], "engaging") == "none"


def test_each_cause() -> None:
    sentences, states = TWO
    labels = {(0, "CHN-JPN"): ["frosty", "frosty"], (1, "IND-JPN"): ["engaging", "none"]}
    article = article_of(sentences, states, labels)

    def causes(*readings: Reading, spans: Sequence[tuple[int, int]] | None = None) -> dict[tuple[int, str], str]:
        return {(p.number, p.dyad): p.cause for p in outcomes(article, output_of(article, readings, spans))}

    right = reading_of(article, 0, "CHN-JPN", "frosty")
    assert causes(right) == {(1, "CHN-JPN"): "", (2, "IND-JPN"): ""}, "none is right where one reader sees none"
    assert causes() == {(1, "CHN-JPN"): "state missed", (2, "IND-JPN"): ""}
    assert causes(spans=[(0, 9), (9, 16), (17, 33)])[1, "CHN-JPN"] == "cut"
    assert causes(spans=[(0, 33)])[1, "CHN-JPN"] == "cut"
    assert causes(right, reading_of(article, 0, "CHN-USA", "frosty"))[1, "CHN-USA"] == "state invented"
    assert causes(right, reading_of(article, 0, "CHN-USA", "none"))[1, "CHN-USA"] == "", "no reading, no error"
    assert causes(reading_of(article, 0, "CHN-JPN", "none"))[1, "CHN-JPN"] == "relationship"
    assert causes(reading_of(article, 0, "CHN-JPN", "neutral"))[1, "CHN-JPN"] == "tone"
    assert causes(right, reading_of(article, 1, "IND-JPN", "frosty"))[2, "IND-JPN"] == "tone"
    none = article_of(sentences, states, {})
    (outcome,) = outcomes(none, output_of(none, [reading_of(none, 0, "CHN-JPN", "frosty")]))
    assert (outcome.cause, outcome.gold, outcome.warmth) == ("relationship", "none", None)


def test_of_two_readings_of_a_pair_in_a_sentence_the_first_with_a_relationship_counts() -> None:
    article = article_of(*TWO, {})
    none, cold, warm = (reading_of(article, 0, "CHN-JPN", tone) for tone in ("none", "frosty", "engaging"))
    (outcome,) = outcomes(article, output_of(article, [none, cold, warm]))
    assert outcome.reading is cold


def test_how_a_pair_was_found() -> None:
    article = article_of(*TWO, {(0, "CHN-JPN"): ["frosty"] * 2, (1, "IND-JPN"): ["frosty"] * 2})
    output = ArticleOutput(article.sentences, [Mention(17, 22, "JPN", "group")], [])
    first, second = outcomes(article, output)
    assert (first.ways, second.ways) == ("not found + not found", "group + not found")
    (outcome, _) = outcomes(article, output_of(article, [reading_of(article, 0, "CHN-JPN", "frosty", how="leader")]))
    assert outcome.ways == "leader + leader"


# The figures


def test_figures_by_hand() -> None:
    labels = {(0, "CHN-JPN"): ["frosty", "engaging"], (1, "IND-JPN"): ["engaging", "engaging"]}
    article = article_of(*TWO, labels)
    readings = [
        reading_of(article, 0, "CHN-JPN", "engaging", "mutual", p=0.9),
        reading_of(article, 0, "CHN-USA", "neutral", p=0.5),
        reading_of(article, 1, "IND-JPN", "frosty", "a>b", p=0.6),
    ]
    evaluation = compare([article], [output_of(article, readings)], resamples=20)
    metrics = {name: estimate and round(estimate.value, 6) for name, estimate in evaluation.overall.metrics.items()}
    assert metrics == {
        "states_f1": round(2 * 4 / (4 + 5), 6),
        "relation_f1": 2 * 2 / (2 + 3),
        "tone_f1": 2 * 1 / (2 + 3),
        "clear_tone": 0.0,
        "direction": 0.5,
        "warmth_r": -1.0,  # readers -0.25 and 0.5, the model 0.5 and -1
        "tone_ece": round((0.1 + 0.5 + 0.6) / 3, 6),
    }
    assert evaluation.readers == {"states_f1": 1.0, "relation_f1": 1.0, "tone_f1": 0.5, "direction": 1.0}
    assert evaluation.causes == {"cut": 0, "state missed": 0, "state invented": 1, "relationship": 0, "tone": 1}


def test_readers_right_by_themselves_make_every_figure_one() -> None:
    labels = {(0, "CHN-JPN"): ["frosty", "frosty"], (1, "IND-JPN"): ["engaging", "engaging"]}
    article = article_of(*TWO, labels)
    readings = [reading_of(article, index, dyad, tones[0], p=1.0) for (index, dyad), tones in labels.items()]
    evaluation = compare([article], [output_of(article, readings)], resamples=20)
    assert {name: estimate and round(estimate.value, 9) for name, estimate in evaluation.overall.metrics.items()} == {
        **dict.fromkeys(evaluation.overall.metrics, 1.0),
        "tone_ece": 0.0,
    }
    assert not evaluation.errors


CODES = ("CHN", "IND", "JPN")
DYADS = ["-".join(pair) for pair in combinations(CODES, 2)]
CELLS = st.fixed_dictionaries(
    {dyad: st.tuples(*[st.sampled_from(TONES)] * 2, st.sampled_from(("", *TONES))) for dyad in DYADS}
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=5))
def test_slices_and_causes_add_up_and_intervals_hold_their_figure(drawn: list[list[dict[str, Any]]]) -> None:
    articles, outputs = [], []
    for number, sentences in enumerate(drawn):
        text, spans = joined([["China, India and Japan met."] * len(sentences)])
        pairs = tuple(
            LabelledPair(index, dyad, tuple(None if t == "none" else PairLabel(t, "a>b", 3, "") for t in tones))
            for index, cells in enumerate(sentences)
            for dyad, (*tones, _) in cells.items()
        )
        states = ((frozenset(CODES),) * 2,) * len(spans)
        article = Article(str(number), "", ("wire", "daily")[number % 2], text, spans, states, pairs)
        readings = [
            reading_of(article, index, dyad, answer)
            for index, cells in enumerate(sentences)
            for dyad, (*_, answer) in cells.items()
            if answer
        ]
        articles.append(article)
        outputs.append(output_of(article, readings))
    evaluation = compare(articles, outputs, resamples=50)
    cells = [cell for sentences in drawn for one in sentences for cell in one.values()]
    right = sum((answer or "none") in tones for *tones, answer in cells)
    assert sum(evaluation.causes.values()) == len(evaluation.errors) == len(cells) - right
    assert evaluation.overall.pairs == len(cells) == sum(map(sum, evaluation.confusion))
    for dimension in ("states", "source", "found"):
        parts = [part.figures for part in evaluation.slices if part.dimension == dimension]
        assert sum(part.pairs for part in parts) == evaluation.overall.pairs
        assert sum(part.sentences for part in parts) == (0 if dimension == "found" else evaluation.overall.sentences)
    for figures in (evaluation.overall, *(part.figures for part in evaluation.slices)):
        for name in ("tone_f1", "relation_f1", "direction", "states_f1"):
            if estimate := figures.metrics[name]:
                assert 0 <= estimate.low <= estimate.high <= 1
    if len(articles) == 1:
        tone = evaluation.overall.metrics["tone_f1"]
        assert tone is None or tone.low == tone.value == tone.high, "one article can only be drawn as itself"


def test_the_interval_is_over_articles() -> None:
    """Articles that are all right or all wrong: the interval is that of so many articles, not of their pairs."""
    articles, outputs = [], []
    for number in range(20):
        sentences, states = ["China met Japan."] * 10, [["CHN JPN"] * 2] * 10
        article = article_of(sentences, states, {(index, "CHN-JPN"): ["frosty", "frosty"] for index in range(10)})
        answer = "frosty" if number % 2 else "engaging"
        articles.append(Article(str(number), *(getattr(article, name) for name in Article.__slots__[1:])))
        outputs.append(output_of(article, [reading_of(article, index, "CHN-JPN", answer) for index in range(10)]))
    tone = compare(articles, outputs).overall.metrics["tone_f1"]
    assert tone is not None
    assert tone.value == 0.5
    assert tone.low == pytest.approx(0.5 - 1.96 * (0.25 / 20) ** 0.5, abs=0.06)
    assert tone.high == pytest.approx(0.5 + 1.96 * (0.25 / 20) ** 0.5, abs=0.06)


def test_an_article_is_read_as_users_read_it(tiny_model: Path) -> None:
    model, article = load(tiny_model), read_articles(MADE_UP)[0]
    output = read_article(model, article)
    assert output.readings == model.label(article.text, date="2019-05-14", include_none=True)
    assert [article.text[slice(*span)] for span in output.sentences] == [
        article.text[slice(*span)] for span in article.sentences
    ]
    assert {mention.state for mention in output.mentions} == {"CHN", "JPN", "IND", "FRA"}


@pytest.fixture(scope="module")
def evaluation(tiny_model: Path) -> ArticleEvaluation:
    return evaluate_articles(load(tiny_model), read_articles(MADE_UP), file="dev.jsonl", resamples=20)


def test_tables_and_errors(evaluation: ArticleEvaluation, tmp_path: Path) -> None:
    text = markdown(evaluation)
    assert "tiny 1, 3 articles of dev.jsonl" in text
    for title in ("Errors by cause", "By states in the sentence", "By kind of source", "By how the two states"):
        assert f"{title}" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert any(
        re.match(r"\| relationship with the right tone, F1 \| [\d.]+ \| [\d.]+–[\d.]+ \| [\d.]+ \|", r) for r in rows
    )
    write_errors(evaluation, tmp_path / "errors.jsonl")
    errors = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_text("utf-8").splitlines()]
    assert len(errors) == sum(evaluation.causes.values()) > 0
    order = [CAUSES.index(error["cause"]) for error in errors]
    assert order == sorted(order)
    assert all(error["tone"] not in error["labels"] for error in errors)


def outside_figures(file: Path, model: Path, folder: Path) -> dict[str, float]:
    """Return what the outside tool measures of the command line."""
    script = folder / "detente"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m detente "$@"\n', "utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    tool = SHARED / "tools" / "score_articles.py"
    ran = subprocess.run(
        [sys.executable, tool, folder, file, file, "0", model], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    names = {"tone_f1": "tone F1", "relation_f1": "relation F1", "direction": "direction", "warmth_r": "dyad r"}
    return {name: float(re.findall(rf"{words} (-?[\d.]+)", ran.stdout)[0]) for name, words in names.items()}


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "tools" / "score_articles.py").is_file(), reason="no ../shared/tools on disk")
@pytest.mark.parametrize("file", [MADE_UP, SHARED / "articles" / "dev.jsonl"], ids=["made up", "articles dev"])
def test_figures_equal_those_of_the_outside_tool(file: Path, tmp_path: Path) -> None:
    metrics = evaluate_articles(load(MINI), read_articles(file), resamples=20).overall.metrics
    for name, value in outside_figures(file, MINI, tmp_path).items():
        estimate = metrics[name]
        assert estimate is not None
        assert estimate.value == pytest.approx(value, abs=6e-4), name


# The command


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["detente", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0), *capfd.readouterr()

    return run


@pytest.mark.usefixtures("corpora")
def test_the_command(command: Callable[..., tuple[int, str, str]], tiny_model: Path, tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("errors.jsonl", "figures.json", "figures.md")}
    code, out, err = command(
        "evaluate", tiny_model, "--articles", "--errors", files["errors.jsonl"], "--json", files["figures.json"],
        "--markdown", files["figures.md"],
    )  # fmt: skip
    assert code == 0, err
    assert "tiny 1, 3 articles of dev.jsonl: 10 sentences" in out
    figures = json.loads(files["figures.json"].read_text("utf-8"))
    assert figures["overall"]["metrics"]["tone_f1"]["value"] <= 1
    assert "errors" not in figures
    assert len(files["errors.jsonl"].read_text("utf-8").splitlines()) == sum(figures["causes"].values())
    assert "Errors by cause" in files["figures.md"].read_text("utf-8")
    mine = tmp_path / "mine.jsonl"
    mine.write_text(MADE_UP.read_text("utf-8").splitlines()[0], "utf-8")
    for words in (["--articles", mine], [f"--articles={mine}"]):
        code, out, err = command("evaluate", tiny_model, *words)
        assert code == 0, err
        assert "1 articles of mine.jsonl: 5 sentences" in out


@pytest.mark.usefixtures("corpora")
def test_bad_usage_of_the_command(
    command: Callable[..., tuple[int, str, str]], tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.jsonl").write_text("{}\n", "utf-8")
    for words, code, says in (
        (["--articles", tiny_model], 2, "is a folder; the model comes first"),
        ([tiny_model, "--articles", tmp_path / "no.jsonl"], 1, "No such file"),
        ([tiny_model, "--articles", tmp_path / "bad.jsonl"], 1, "bad.jsonl:1: no 'paragraphs'"),
        ([tiny_model, "--articles", "--corpora", "plv"], 2, "measures whole articles alone"),
        ([tiny_model, "--articles", "--labels", "x.csv"], 2, "not both"),
        ([tiny_model, "--errors", "e.jsonl"], 2, "give --articles too"),
    ):
        got, _, err = command("evaluate", *words)
        assert (got, says in err) == (code, True), err
        assert len(err.strip().splitlines()) == 1
