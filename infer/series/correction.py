"""Correct the shares and the warmth of a series by an audit.

The audit estimates the share of gold label c among the readings scored as k, for the entire corpus. The correction
assumes the same error rates in every dyad and period: errors may depend on the tone, but not on the states or the date.
If that is doubtful, audit the dyad or the years separately.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import orjson

from detente._optional import MissingExtra
from detente.data.codebook.label_schema import NONE, column
from detente.infer.audit.audit import Audit, Floats, draw_rates, mean, rates

try:
    import pandas as pd
except ModuleNotFoundError as error:
    raise MissingExtra(error, "plot") from error

#: Number of posterior draws of the audit's error rates.
DRAWS: Final = 2000

_STEPS: Final = {"day": ("D", 1), "week": ("D", 7), "month": ("M", 1), "quarter": ("M", 3), "year": ("Y", 1)}


def read_audit(file: Path) -> Audit:
    """Load the output of `detente audit --json`.

    Raises:
        ValueError: the file is malformed.
        OSError: the file can't be read.
    """
    try:
        return Audit.from_dict(orjson.loads(file.read_bytes()))
    except ValueError as error:
        raise ValueError(f"{file}: {error}; make it with `detente audit SCORED --gold CSV --json {file}`") from error


def correct(frame: pd.DataFrame, audit: Audit, *, seed: int = 0) -> pd.DataFrame:
    """Return a series with corrected columns.

    Args:
        frame: output of `series`; for the series of a label, its share is corrected in place of the warmth.
        audit: audit of the same corpus.
        seed: random seed.

    Returns:
        The frame with the columns `corrected`, `corrected_low` and `corrected_high`, the corrected mean warmth and its
        95 % interval, which combines the bootstrap over documents and the audit's uncertainty; and `corrected_none` and
        `corrected_<tone>`, the corrected share of each tone among the readings. With smoothing, the warmth is that of
        the window and the shares are those of the period. `attrs["audit"]` is the number of labelled rows.

    Raises:
        ValueError: the audit has other labels or another model than the series, or the labels have no scores and no
            label was chosen.
    """
    labels = [*audit.classes]
    columns = {label: name for name, label in frame.attrs["shares"].items()}
    if {*labels} - {NONE} != {*columns}:
        raise ValueError(f"the audit is of {', '.join(labels)}; the series is of {', '.join(columns)}")
    chosen = frame.attrs["label"]
    scores = {label: float(label == chosen) for label in columns} if chosen else audit.scores
    if not scores:
        raise ValueError(f"{', '.join(labels)} have no scores, so there is no warmth to correct; choose a label")
    models = frame.attrs.get("models", [])
    if audit.model and models and audit.model != ", ".join(models):
        raise ValueError(f"the audit is of {audit.model}, the series was read by {', '.join(models)}; audit it again")
    shares = np.array(
        [frame[columns[label]] if label in columns else np.zeros(len(frame)) for label in labels], dtype=np.float64
    ).T
    confusion = np.array(audit.confusion)
    point, drawn = rates(confusion), draw_rates(confusion, DRAWS, np.random.default_rng(seed))
    smooth = frame.attrs["smooth"]
    window_shares = _window_shares(frame, shares, smooth) if smooth > 1 else shares
    warmth = mean(window_shares @ point, labels, scores)
    spread = np.std(mean(window_shares @ drawn, labels, scores), axis=0)  # [draws, rows] over the draws
    low, high = ("smooth_low", "smooth_high") if smooth > 1 else ("low", "high")
    value = np.array([scores.get(label, 0.0) for label in labels])
    margin = np.hypot(1.96 * spread, _slope(point, value, labels, scores) * (frame[high] - frame[low]).to_numpy() / 2)
    corrected = frame.assign(
        corrected=warmth,
        corrected_low=np.maximum(warmth - margin, value.min()),
        corrected_high=np.minimum(warmth + margin, value.max()),
        **{f"corrected_{column(label)}": share for label, share in zip(labels, (shares @ point).T, strict=True)},
    )
    corrected.attrs = {**frame.attrs, "audit": audit.rows}
    return corrected


def _slope(point: Floats, value: Floats, labels: list[str], scores: Mapping[str, float]) -> float:
    """Return the ratio of the corrected to the predicted difference between two readings' scores."""
    corrected = mean(point, labels, scores)
    scored = np.array([label in scores for label in labels]) & ~np.isnan(corrected)
    if scored.sum() < 2:
        return 1.0
    slope = float(np.polyfit(value[scored], corrected[scored], 1)[0])
    return max(0.0, slope)


def _window_shares(frame: pd.DataFrame, shares: Floats, smooth: int) -> Floats:
    """Return the shares of each row's centred window of periods, weighted by the number of sentences."""
    unit, length = _STEPS[frame.attrs["period"]]
    days = frame["period"].to_numpy().astype(f"datetime64[{unit}]").astype(np.int64)
    positions, dyad, weight = days // length, frame["dyad"].to_numpy(), frame["sentences"].to_numpy()
    window_shares = np.empty_like(shares)
    for row in range(len(frame)):
        in_window = (dyad == dyad[row]) & (np.abs(positions - positions[row]) <= smooth // 2)
        window_shares[row] = np.average(shares[in_window], axis=0, weights=weight[in_window])
    return window_shares
