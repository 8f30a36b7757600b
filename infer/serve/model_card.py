"""What is known of a model: its labels, its card, and the figures in it."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from detente.data.gazetteer.gazetteer import tables
from detente.infer.serve.limits import Limits
from detente.models.config import ModelConfig

_REPORT: Final = re.compile(r"<!-- report -->\n(.*?)<!-- /report -->", re.DOTALL)


def describe(config: ModelConfig, folder: Path, limits: Limits) -> dict[str, Any]:
    """Return what `/v1/model` answers.

    Args:
        config: of the model.
        folder: of the model.
        limits: of the server.
    """
    file = folder / "README.md"
    card = file.read_text("utf-8", "replace") if file.is_file() else ""
    return {
        "name": config.name,
        "version": config.version,
        "detente": version("detente"),
        "codebook": config.codebook,
        "labels": {head: list(labels) for head, labels in config.heads.items()},
        "warmth": config.scheme.tone.counted,
        "states": tables().states,
        "limits": limits.to_dict(),
        "metrics": metrics(card),
        "card": card,
    }


def metrics(card: str) -> list[dict[str, str]]:
    """Return the rows of the table that `detente evaluate --markdown` made for a card, by the table's heads."""
    match = _REPORT.search(card)
    if match is None:
        return []
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in match[1].strip().splitlines())
    return [dict(zip(head, row, strict=False)) for row in rows]
