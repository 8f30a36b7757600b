"""Model folders on disk: file names, lookup, download and verification."""

import json
import os
from pathlib import Path

from detente._files import sha256, write_json
from detente.models.config import ModelConfig

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
WEIGHTS = "model.safetensors"  # PyTorch weights, for training
ONNX = "model.onnx"  # for inference
TABLES = "model.onnx_data"  # external weights, if model.onnx would exceed 100 MB (GitHub's and PyPI's limit)
SHAPE = "encoder.json"  # configuration of the encoder, needed to fine-tune an exported model
MANIFEST = "manifest.json"  # SHA-256 of every other file

SHIPPED = "detente-mini"
LARGER = "detente-base"  # only in a checkout of the repository: four times the size of the package


class ModelError(ValueError):
    """An unusable model folder; the message says which, why, and what to do."""


def resolve(model: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of a model.

    Args:
        model: None or `detente-mini` for the shipped model; `detente-base` for the larger model of a checkout; a
            folder; or a hub id (`owner/name`), which is downloaded to the hub's cache.

    Raises:
        ModelError: there is no such model.
    """
    if model is None or str(model) == SHIPPED:
        return Path(__file__).parent / SHIPPED
    path, name = Path(model), str(model)
    if name == LARGER and not path.is_dir():
        path = Path(__file__).resolve().parent / LARGER
        if not path.is_dir():
            raise ModelError(f"{LARGER} isn't in the package; clone the repository and give its folder models/{LARGER}")
    if path.is_dir():
        return path
    if path.exists():
        raise ModelError(f"{name} is a file; a model is a folder with {CONFIG}, {ONNX} and {TOKENIZER}")
    if name.count("/") == 1 and not name.startswith((".", "/", "~")) and not name.endswith("/"):
        return _download(name)
    raise ModelError(f"no model folder at {name}; give a folder, a hub id (owner/name), or nothing for {SHIPPED}")


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415  (only needed for downloads)
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        # Restricted to the files of a model folder: no pickles, no code.
        return Path(
            snapshot_download(name, allow_patterns=[CONFIG, TOKENIZER, ONNX, TABLES, SHAPE, MANIFEST, "README.md"])
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise ModelError(f"no folder {name} here, and the hub did not give it: {str(error).splitlines()[0]}") from error


def read_config(folder: Path) -> ModelConfig:
    """Load the configuration of a model folder.

    Raises:
        ModelError: the configuration is missing or malformed.
    """
    try:
        return ModelConfig.from_dict(json.loads((folder / CONFIG).read_text("utf-8")))
    except FileNotFoundError as error:
        raise ModelError(f"{folder} is no model folder: it has no {CONFIG}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / CONFIG}: {error}") from error


def verify(folder: Path) -> None:
    """Check the SHA-256 of every file in the manifest.

    Raises:
        ModelError: a file is missing or was changed.
    """
    try:
        manifest: dict[str, str] = json.loads((folder / MANIFEST).read_text("utf-8"))
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder} is no exported model: it has no {MANIFEST}; export it with `detente export`"
        ) from error
    except ValueError as error:
        raise ModelError(f"{folder / MANIFEST}: not JSON ({error}); copy or export the model again") from error
    if not isinstance(manifest, dict) or not {CONFIG, ONNX, TOKENIZER} <= manifest.keys():
        raise ModelError(
            f"{folder / MANIFEST} does not name {CONFIG}, {ONNX} and {TOKENIZER}; copy or export the model again"
        )
    for name, expected in manifest.items():
        file = folder / name
        if not file.is_file():
            raise ModelError(f"{folder}: {name} is missing; copy or install the model again")
        if sha256(file) != expected:
            raise ModelError(
                f"{file} was changed since it was exported (its SHA-256 differs); copy or install it again"
            )


def seal(folder: Path) -> None:
    """Write the manifest of a folder, without the model card, which may be edited later."""
    files = sorted(f.name for f in folder.iterdir() if f.is_file() and f.name not in {MANIFEST, "README.md"})
    write_json(folder / MANIFEST, {name: sha256(folder / name) for name in files})
