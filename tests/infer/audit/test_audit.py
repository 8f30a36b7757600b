"""The audit of a scored corpus: its figures, its intervals, and the series that carries them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detente._statistics import wilson
from detente.data.annotation.label_table import Labelled
from detente.data.codebook.labels import TONES, WARMTH
from detente.infer.audit.audit import Audit, Scored, audit, gold_rows
from detente.infer.series.correction import correct
from detente.infer.series.series import series

#: What is scored as one of `TONES` is one of them so often.
ERRORS = np.array(
    [
        [0.85, 0.04, 0.06, 0.04, 0.01],
        [0.10, 0.80, 0.06, 0.03, 0.01],
        [0.30, 0.15, 0.40, 0.12, 0.03],
        [0.15, 0.04, 0.10, 0.60, 0.11],
        [0.08, 0.02, 0.05, 0.15, 0.70],
    ]
)


def _corpus(size: int = 3000, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    said = random.choice(5, size, p=[0.4, 0.25, 0.1, 0.15, 0.1])
    right = [random.choice(5, p=ERRORS[k]) for k in said]
    return pd.DataFrame(
        {
            "document": range(size),
            "id": [f"d{i}" for i in range(size)],
            "date": [f"2021-{i % 4 + 1:02}-10" for i in range(size)],
            "sentence": [f"Sentence {i}." for i in range(size)],
            "dyad": ["CHN-USA" if i % 2 else "JPN-USA" for i in range(size)],
            "tone": [TONES[k] for k in said],
            "warmth": [WARMTH.get(TONES[k], 0.0) for k in said],
            "right": [TONES[k] for k in right],
        }
    )


def _audit(corpus: pd.DataFrame, rows: pd.DataFrame, seed: int = 0) -> Audit:
    scored = Scored({str(k): int(n) for k, n in corpus["tone"].value_counts().items()}, 0.0, rows["tone"].tolist())
    return audit(rows["right"].tolist(), scored, labels=TONES, scores=WARMTH, draws=500, seed=seed)


def test_true_shares_lie_in_the_intervals() -> None:
    corpus = _corpus()
    truth = corpus["right"].value_counts(normalize=True)
    inside = [
        figure.corrected.low <= truth[tone] <= figure.corrected.high
        for seed in range(40)
        for tone, figure in _audit(corpus, corpus.sample(150, random_state=seed), seed).classes.items()
    ]
    assert np.mean(inside) >= 0.92
    scored = corpus["tone"].value_counts(normalize=True)
    found = _audit(corpus, corpus.sample(1500, random_state=1))
    assert abs(found.classes["none"].corrected.value - truth["none"]) < abs(scored["none"] - truth["none"])


def test_a_corpus_that_is_labelled_to_the_end_is_certain() -> None:
    corpus = _corpus(200)
    found = _audit(corpus, corpus)
    for tone, figure in found.classes.items():
        share = (corpus["right"] == tone).mean()
        assert (figure.corrected.value, figure.corrected.low, figure.corrected.high) == pytest.approx((share,) * 3)
    assert found.accuracy.value == (corpus["right"] == corpus["tone"]).mean()


def test_wilsons_interval() -> None:
    found = wilson(81, 263)  # Newcombe 1998, table I
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20).low == 0.0
    assert np.isnan(wilson(0, 0).value)


def test_an_audit_is_written_and_read() -> None:
    found = _audit(_corpus(), _corpus().head(30).assign(tone="none"))  # four labels were never scored: NaN
    back = Audit.from_dict(found.to_dict())
    assert back.to_dict() == found.to_dict()
    with pytest.raises(ValueError, match="not what `detente audit --json` writes"):
        Audit.from_dict({"classes": 3})


def _gold(label: str, part: str = "", coder: str = "a", number: int = 0) -> Labelled:
    return Labelled(
        sentence=f"S{number}", dyad="CHN-USA", part=part, coder=coder, labels={"tone": label}, where=f"g:{number}"
    )


def test_which_rows_may_measure() -> None:
    test = [_gold("frosty", "test", number=i) for i in range(12)]
    rows, left_out = gold_rows([*test, _gold("none", "train", number=99), _gold("frosty", "test", "b", 3)], "tone")
    assert len(rows) == 12
    assert left_out == {"of part `train`, which wasn't drawn at random": 1, "by further coders": 1}
    with pytest.raises(ValueError, match="1 unit has different tone labels, evenly: g:3 CHN-USA 'S3': frosty or none"):
        gold_rows([*test, _gold("none", "test", "b", 3)], "tone")
    with pytest.raises(ValueError, match=r"2 labelled rows that may measure .*1 of part `train`"):
        gold_rows([*test[:2], _gold("none", "train", number=99)], "tone")


def test_a_series_carries_the_correction() -> None:
    corpus = _corpus(8000)
    frame = series(corpus, period="month", draws=100)
    found = correct(frame, _audit(corpus, corpus.sample(4000, random_state=0)))
    related = corpus[(corpus["tone"] != "none") & (corpus["right"] != "none")]
    for row in found.to_dict("records"):
        of = related[(related["dyad"] == row["dyad"]) & (related["date"].str[:7] == f"{row['period']:%Y-%m}")]
        truth = of["right"].map(WARMTH).mean()
        assert row["corrected_low"] <= row["corrected"] <= row["corrected_high"]
        assert abs(row["corrected"] - truth) < 0.1
        shares = [row[f"corrected_{tone.replace('-', '_')}"] for tone in TONES]
        assert sum(shares) == pytest.approx(1)
    assert found.attrs["audit"] == 4000
    smooth = correct(series(corpus, smooth=3, draws=100), _audit(corpus, corpus.sample(4000, random_state=0)))
    assert smooth["corrected"].std() <= found["corrected"].std()


@pytest.mark.parametrize("own", [True, False])
def test_a_share_is_corrected_as_a_share(own: bool) -> None:
    # A nominal scheme of one's own: shares have other columns, and no label has a score.
    names = [f"step-{k}" for k in range(5)] if own else [*TONES]
    scores = {} if own else WARMTH
    corpus = _corpus(8000).replace(dict(zip(TONES, names, strict=True)))
    rows = corpus.sample(4000, random_state=0)
    scored = Scored({str(k): int(n) for k, n in corpus["tone"].value_counts().items()}, 0.0, rows["tone"].tolist())
    found = audit(rows["right"].tolist(), scored, labels=names, scores=scores, draws=100)
    if own:
        with pytest.raises(ValueError, match=r"step-0.* have no scores.*label"):
            correct(series(corpus, draws=100), found)
    frame = correct(series(corpus, label=names[1], draws=100), found)
    right = corpus[corpus["right"] != "none"]
    for row in frame.to_dict("records"):
        of = right[(right["dyad"] == row["dyad"]) & (right["date"].str[:7] == f"{row['period']:%Y-%m}")]
        assert 0 <= row["corrected_low"] <= row["corrected"] <= row["corrected_high"] <= 1
        assert row["corrected"] == pytest.approx((of["right"] == names[1]).mean(), abs=0.06)


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "detente", *map(str, arguments)],
        capture_output=True, check=False, encoding="utf-8", timeout=300, env={**os.environ, "COLUMNS": "100"},
    )  # fmt: skip


def test_the_command_and_the_chart(tmp_path: Path) -> None:
    corpus = _corpus(600)
    (tmp_path / "scored").mkdir()
    corpus.drop(columns="right").to_parquet(tmp_path / "scored" / "part-00000.parquet")
    gold = corpus.sample(120, random_state=0).assign(
        document=lambda f: f["id"], label=lambda f: f["right"], part="test"
    )
    gold[["document", "sentence", "dyad", "part", "label"]].to_csv(tmp_path / "gold.csv", index=False)
    done = _run("audit", tmp_path / "scored", "--gold", tmp_path / "gold.csv", "--json", tmp_path / "audit.json")
    assert done.returncode == 0, done.stderr
    for words in ("120 labelled rows of 600 readings; accuracy 0.", "corrected", "mean warmth as scored"):
        assert words in done.stdout
    chart = tmp_path / "chart.svg"
    done = _run("series", tmp_path / "scored", "--audit", tmp_path / "audit.json", "--plot", chart)
    assert done.returncode == 0, done.stderr
    assert "corrected by an audit of 120 labelled sentences" in done.stdout
    assert "audit of 120" in chart.read_text("utf-8")
    other = gold.assign(sentence=gold["sentence"] + " Never scored.")[["sentence", "dyad", "label"]]
    other.to_csv(tmp_path / "other.csv", index=False)
    done = _run("audit", tmp_path / "scored", "--gold", tmp_path / "other.csv")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "aren't in" in done.stderr
