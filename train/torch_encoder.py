"""The torch model as an `Encoder`, so that training measures what the exported model will do."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from detente.infer.encoder.network import NetworkEncoder
from detente.models.encoder import PairEncoder
from detente.models.features import Featurizer


class TorchEncoder(NetworkEncoder):
    """An `Encoder` around a torch model, on the device that it is on.

    Args:
        model: the network, in evaluation mode.
        featurizer: makes the network's inputs.
        half: compute in bfloat16, as a run of that precision trains.
    """

    def __init__(self, model: PairEncoder, featurizer: Featurizer, *, half: bool = False) -> None:
        super().__init__(model.spec, featurizer, _TorchNetwork(model, half=half))


class _TorchNetwork:
    """A torch model called as an onnxruntime session is."""

    def __init__(self, model: PairEncoder, *, half: bool) -> None:
        self.model = model
        self.half = half
        self.device = next(model.parameters()).device

    def run(
        self, output_names: Sequence[str], input_feed: Mapping[str, npt.NDArray[Any]]
    ) -> list[npt.NDArray[np.float32]]:
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            output = self.model(**{k: torch.from_numpy(v).to(self.device) for k, v in input_feed.items()})
        tensors = output.heads | {"cue": output.cue}
        return [tensors[name].float().cpu().numpy() for name in output_names]
