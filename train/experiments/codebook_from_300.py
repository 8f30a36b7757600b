"""Evaluate `detente train --labels` with 300 rows: PLOVER's quad classes, from PLV train, on PLV test.

    python -m detente.train.experiments.codebook_from_300            # three draws of 300 rows, mean and spread
    python -m detente.train.experiments.codebook_from_300 --rows 1050 --draws 1
    python -m detente.train.experiments.codebook_from_300 --finetune --draws 1

The shipped model was trained on PLV train, so this scheme isn't new to it. `without PLOVER` leaves out its PLOVER heads
and uses the other heads' hidden layers and the pair vector, which PLV has influenced too.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np

from detente.data.codebook.label_schema import Scheme, Variable
from detente.data.codebook.labels import QUADS
from detente.data.corpora.examples import Example
from detente.data.corpora.load import read
from detente.models.model_dir import resolve
from detente.train.codebook.annotations import Coded, Table
from detente.train.codebook.train import measure, train
from detente.train.examples import item_of

SCHEME = Scheme((Variable(name="quad", kind="nominal", labels=QUADS),))


def table(examples: list[Example]) -> Table:
    """Return examples as a table of labels. PLV marks its actors in the text, and not all of them are states."""
    return Table(
        [Coded(item_of(e), e.id, e.sentence_id, {"quad": QUADS.index(str(e.quad))}, e.id) for e in examples],
        len(examples),
    )


def main() -> None:
    """Print macro F1 on PLV test and the training time of each draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--base", default="", help="a model folder, if not the shipped one")
    parser.add_argument("--finetune", action="store_true", help="fine-tune the network, not only its heads")
    options = parser.parse_args()
    training, test = read("plv", "train+dev").examples, table(read("plv", "test").examples)
    variants = (
        [("all heads", ()), ("without PLOVER", ("root", "quad"))] if not options.finetune else [("fine-tuned", ())]
    )
    for name, without in variants:
        scores = []
        for draw in range(options.draws):
            rows = random.Random(draw).sample(training, min(options.rows, len(training)))
            with tempfile.TemporaryDirectory() as scratch:
                start, cpu_start = time.monotonic(), time.process_time()
                folder = Path(scratch) / "model"
                base = resolve(options.base or None)
                train(table(rows), SCHEME, folder, base=base, without=without, finetune=options.finetune)
                seconds, cpu = time.monotonic() - start, time.process_time() - cpu_start
                (result,) = measure(folder, test)
            low, high = (100 * end for end in result.intervals["macro_f1"])
            scores.append(100 * result.metrics["macro_f1"])
            figure = f"macro F1 {scores[-1]:.1f} ({low:.1f}–{high:.1f})"
            print(f"{name}, draw {draw}: {figure}, in {seconds:.0f} s, {cpu:.0f} s of a core", flush=True)
        print(f"{name}: macro F1 {np.mean(scores):.1f}, from {min(scores):.1f} to {max(scores):.1f}")


if __name__ == "__main__":
    main()
