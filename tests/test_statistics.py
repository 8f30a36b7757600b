"""The bootstrap, the calibration error and the softmax that every figure uses."""

import numpy as np
import pytest

from detente._statistics import (
    Estimate,
    confidence_bins,
    ece,
    estimate_from_draws,
    resampled_counts,
    resampled_rows,
    softmax,
)


def test_samples_of_rows_hold_whole_groups() -> None:
    groups = np.array([7, 3, 7, 5, 3])
    members = [[1, 4], [3], [0, 2]]  # of the groups 3, 5, 7
    random = np.random.default_rng(4)
    for rows in resampled_rows(groups, draws=20, seed=4):
        assert rows.tolist() == [row for drawn in random.integers(3, size=3) for row in members[drawn]]


def test_samples_of_single_rows_are_plain_draws() -> None:
    random = np.random.default_rng(0)
    for rows in resampled_rows(np.arange(30), draws=5):
        assert rows.tolist() == random.integers(30, size=30).tolist()
        assert rows.tolist() != list(range(30))


def test_a_generator_is_drawn_on() -> None:
    one, other = np.random.default_rng(2), np.random.default_rng(2)
    first = list(resampled_rows(np.arange(4), draws=3, seed=one))
    assert [rows.tolist() for rows in first] == [other.integers(4, size=4).tolist() for _ in range(3)]
    assert one.random() == other.random()


def test_samples_of_counts_come_in_parts_of_one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.array([5, 0, 3, 2])
    whole = np.random.default_rng(1).multinomial(10, counts / 10, size=7)
    assert np.array_equal(np.concatenate(list(resampled_counts(counts, draws=7, seed=1))), whole)
    monkeypatch.setattr("detente._statistics._AT_ONCE", 8)
    parts = list(resampled_counts(counts, draws=7, seed=1))
    assert [len(part) for part in parts] == [2, 2, 2, 1]
    assert np.array_equal(np.concatenate(parts), whole)


def test_a_clustered_interval_holds_the_true_mean() -> None:
    """Rows of one document are alike, so documents are drawn: nineteen of twenty intervals hold the mean."""
    random = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        effects = random.normal(size=40)
        values = np.repeat(effects, 5)
        means = np.array([values[rows].mean() for rows in resampled_rows(np.repeat(np.arange(40), 5), draws=200)])
        estimate = estimate_from_draws(float(values.mean()), means)
        held += estimate.low <= 0 <= estimate.high
    assert 0.88 <= held / 200 <= 0.99


def test_undefined_draws() -> None:
    drawn = np.array([0.0, 1.0, np.nan, np.inf])
    assert np.isnan(estimate_from_draws(0.5, drawn).low)
    assert estimate_from_draws(0.5, drawn, skip_undefined=True) == Estimate(0.5, *np.percentile([0, 1], [2.5, 97.5]))
    assert np.isnan(estimate_from_draws(0.5, drawn[2:], skip_undefined=True).low)
    assert np.isnan(estimate_from_draws(float("nan"), drawn[:2]).high)


def test_calibration_error_by_hand() -> None:
    top, right = np.array([0.95, 0.85, 0.55, 1.0]), np.array([True, False, True, True])
    bins = confidence_bins(top, right, 10)
    assert [(b.number, b.rows) for b in bins] == [(5, 1), (8, 1), (9, 2)]
    assert ece(top, right, 10) == pytest.approx((0.45 + 0.85 + 2 * 0.025) / 4)


def test_softmax_of_large_logits() -> None:
    assert softmax(np.array([[1000.0, 1000.0], [0.0, np.log(3)]])) == pytest.approx(
        np.array([[0.5, 0.5], [0.25, 0.75]])
    )
