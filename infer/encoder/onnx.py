"""The exported network on the CPU."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from detente._files import sha256
from detente.infer.encoder.network import NetworkEncoder
from detente.models.features import Featurizer
from detente.models.model_dir import MANIFEST, ONNX, TOKENIZER, ModelError, read_config

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class OnnxEncoder(NetworkEncoder):
    """An exported model in an onnxruntime session.

    Args:
        folder: the model folder; `model_dir.verify` checks its files.
        threads: cores to use; None for all that this process may use.

    Raises:
        ModelError: a file of the folder is missing or cannot be read.
    """

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        self.folder = folder
        config = read_config(folder)
        try:
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # the tokenizers library raises nothing narrower
            raise ModelError(
                f"{folder / TOKENIZER} cannot be read ({error}); copy or install the model again"
            ) from error
        featurizer = Featurizer(tokenizer, config.max_length)
        super().__init__(config, featurizer, open_session(folder / ONNX), threads=threads or cores())

    @property
    def digest(self) -> str:
        """The hash of the model's manifest, which holds those of its other files."""
        return sha256(self.folder / MANIFEST)


def cores() -> int:
    """Return how many cores this process may use; onnxruntime itself counts those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_session(file: Path) -> "InferenceSession":
    """Open an exported network for one core.

    Raises:
        ModelError: the file can't be read.
    """
    import onnxruntime  # noqa: PLC0415  (a tenth of a second, spent only when a model is opened)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(file),
            options,
            providers=["CPUExecutionProvider"],
            # On the CPU the fused node takes five times as long as its two parts.
            disabled_optimizers=["SkipLayerNormFusion"],
        )
    except Exception as error:  # onnxruntime raises classes of its own for each way to fail
        reason = str(error).splitlines()[0]
        raise ModelError(f"{file} cannot be read ({reason}); copy or install the model again") from error
