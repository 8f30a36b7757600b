"""Reads news and says how each sentence presents the relationship of each pair of states in it.

>>> import detente
>>> model = detente.load()
>>> readings = model.label("Japan thanked Australia for its help.", date="2021-03-10")
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detente.infer.chart.static import plot
    from detente.infer.label.labeler import Detente, load
    from detente.infer.readings.document import Document
    from detente.infer.readings.reading import Reading
    from detente.infer.score.score import score
    from detente.infer.series.series import series
    from detente.models.model_dir import ModelError

    __version__: str

__all__ = ["Detente", "Document", "ModelError", "Reading", "__version__", "load", "plot", "score", "series"]

# onnxruntime, from some version on, tells its maker of its use and keeps an id of the machine in the home folder.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

#: Where the public names live; each is imported when it is first used, so that `import detente` costs nothing.
_HOMES = {
    "Detente": "detente.infer.label.labeler",
    "Document": "detente.infer.readings.document",
    "ModelError": "detente.models.model_dir",
    "Reading": "detente.infer.readings.reading",
    "load": "detente.infer.label.labeler",
    "plot": "detente.infer.chart.static",
    "score": "detente.infer.score.score",
    "series": "detente.infer.series.series",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = import_module("importlib.metadata").version("detente")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'detente' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
