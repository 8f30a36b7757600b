"""Model folders on disk: which files they hold, whether they are whole, and where the shipped one is."""

import json
import os
from pathlib import Path

from detente._files import sha256, write_json
from detente.models.config import ModelConfig

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
WEIGHTS = "model.safetensors"  # for training
ONNX = "model.onnx"  # for use
TABLES = "model.onnx_data"  # of a large model: tables without which the file itself is one that hosts of code take
SHAPE = "encoder.json"  # the encoder's own configuration, with which an exported model can be trained on
MANIFEST = "manifest.json"  # SHA-256 of every other file

SHIPPED = "detente-mini"
LARGER = "detente-base"  # four times the size of the package, so only a checkout of the repository has it


class ModelError(ValueError):
    """A model folder that cannot be used; the message says which, why, and what to do."""


def resolve(model: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of a model.

    Args:
        model: None or `detente-mini` for the shipped model; `detente-base` for the larger one of a checkout; a folder;
            or a hub id (`owner/name`), which is downloaded to the hub's cache.

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
    from huggingface_hub import snapshot_download  # noqa: PLC0415  (only where a hub is asked for)
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        # Never more than the files that a model folder has: no pickles, no code.
        return Path(
            snapshot_download(name, allow_patterns=[CONFIG, TOKENIZER, ONNX, TABLES, SHAPE, MANIFEST, "README.md"])
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise ModelError(f"no folder {name} here, and the hub did not give it: {str(error).splitlines()[0]}") from error


def read_config(folder: Path) -> ModelConfig:
    """Read the configuration of a model folder.

    Raises:
        ModelError: it is missing or malformed.
    """
    try:
        return ModelConfig.from_dict(json.loads((folder / CONFIG).read_text("utf-8")))
    except FileNotFoundError as error:
        raise ModelError(f"{folder} is no model folder: it has no {CONFIG}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / CONFIG}: {error}") from error


def verify(folder: Path) -> None:
    """Check every file that the manifest names against its SHA-256.

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
    """Write the manifest of what a folder holds; the card may be edited afterwards."""
    files = sorted(f.name for f in folder.iterdir() if f.is_file() and f.name not in {MANIFEST, "README.md"})
    write_json(folder / MANIFEST, {name: sha256(folder / name) for name in files})
