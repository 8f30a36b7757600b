"""A series with an audit's correction: what the shares and the warmth would be if the sample's errors are everyone's.

The audit says which part of what was scored as k is c, for the whole corpus. Here that is taken to hold in each dyad
and period: the errors may depend on the tone, not on who and when. Where that is doubted, audit the dyad or the years
apart.
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

#: Draws of the audit's rates.
DRAWS: Final = 2000

_STEPS: Final = {"day": ("D", 1), "week": ("D", 7), "month": ("M", 1), "quarter": ("M", 3), "year": ("Y", 1)}


def read_audit(file: Path) -> Audit:
    """Read what `detente audit --json` wrote.

    Raises:
        ValueError: it isn't that.
        OSError: it can't be read.
    """
    try:
        return Audit.from_dict(orjson.loads(file.read_bytes()))
    except ValueError as error:
        raise ValueError(f"{file}: {error}; make it with `detente audit SCORED --gold CSV --json {file}`") from error


def correct(frame: pd.DataFrame, audit: Audit, *, seed: int = 0) -> pd.DataFrame:
    """Add what an audit corrects to what `series` returned.

    Args:
        frame: the series; of a label's share, that share is corrected in place of the warmth.
        audit: of the corpus that it was made of.
        seed: of the draws.

    Returns:
        The frame with the columns `corrected`, `corrected_low`, `corrected_high`, the corrected mean warmth and its
        95 % interval, which joins the documents' bootstrap and the audit's uncertainty; and `corrected_none` and
        `corrected_` before each tone's name, its corrected share of the readings. With smoothing, the warmth is
        that of the window and the shares are the period's. `attrs["audit"]` is the number of labelled rows.

    Raises:
        ValueError: the audit is of other labels, or its model isn't the series', or the labels have no scores and no
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
    counted = _windows(frame, shares, smooth) if smooth > 1 else shares
    warmth = mean(counted @ point, labels, scores)
    spread = np.std(mean(counted @ drawn, labels, scores), axis=0)  # [draws, rows] over the draws
    low, high = ("smooth_low", "smooth_high") if smooth > 1 else ("low", "high")
    value = np.array([scores.get(label, 0.0) for label in labels])
    reach = np.hypot(1.96 * spread, _slope(point, value, labels, scores) * (frame[high] - frame[low]).to_numpy() / 2)
    found = frame.assign(
        corrected=warmth,
        corrected_low=np.maximum(warmth - reach, value.min()),
        corrected_high=np.minimum(warmth + reach, value.max()),
        **{f"corrected_{column(label)}": part for label, part in zip(labels, (shares @ point).T, strict=True)},
    )
    found.attrs = {**frame.attrs, "audit": audit.rows}
    return found


def _slope(point: Floats, value: Floats, labels: list[str], scores: Mapping[str, float]) -> float:
    """Return how much of a difference between two readings' scores is left once they are corrected."""
    each = mean(point, labels, scores)
    scored = np.array([label in scores for label in labels]) & ~np.isnan(each)
    if scored.sum() < 2:
        return 1.0
    slope = float(np.polyfit(value[scored], each[scored], 1)[0])
    return max(0.0, slope)


def _windows(frame: pd.DataFrame, shares: Floats, smooth: int) -> Floats:
    """Return the shares of each row's centred window of periods, weighed by the periods' sentences."""
    unit, length = _STEPS[frame.attrs["period"]]
    days = frame["period"].to_numpy().astype(f"datetime64[{unit}]").astype(np.int64)
    at, dyad, weight = days // length, frame["dyad"].to_numpy(), frame["sentences"].to_numpy()
    found = np.empty_like(shares)
    for row in range(len(frame)):
        near = (dyad == dyad[row]) & (np.abs(at - at[row]) <= smooth // 2)
        found[row] = np.average(shares[near], axis=0, weights=weight[near])
    return found
