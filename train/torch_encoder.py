"""The torch model behind the same engine that runs the exported one, so that training measures as use does."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch

from detente.infer.encoder.onnx import Engine
from detente.models.encoder import PairEncoder
from detente.models.features import Featurizer


class TorchEngine(Engine):
    """An engine over a torch model, on whatever device it lies.

    Args:
        model: in evaluation mode.
        featurizer: what reads text for it.
        half: read in bfloat16, as a run of that precision trains.
    """

    def __init__(self, model: PairEncoder, featurizer: Featurizer, *, half: bool = False) -> None:
        self.config = model.spec
        self.featurizer = featurizer
        self.session = _TorchSession(model, half)


class _TorchSession:
    """Answers `run` as an onnxruntime session does."""

    def __init__(self, model: PairEncoder, half: bool) -> None:
        self.model = model
        self.half = half
        self.device = next(model.parameters()).device

    def run(self, names: Sequence[str], arrays: Mapping[str, npt.NDArray[np.generic]]) -> list[npt.NDArray[np.float32]]:
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            readings = self.model(**{k: torch.from_numpy(v).to(self.device) for k, v in arrays.items()})
        outputs = readings.heads | {"cue": readings.cue}
        return [outputs[name].float().cpu().numpy() for name in names]
