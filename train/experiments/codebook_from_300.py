"""Measure what `detente train --labels` makes of 300 rows: PLOVER's quad classes, from PLV train, on PLV test.

    python -m detente.train.experiments.codebook_from_300            # three draws of 300 rows, mean and spread
    python -m detente.train.experiments.codebook_from_300 --rows 1050 --draws 1
    python -m detente.train.experiments.codebook_from_300 --finetune --draws 1

The shipped model has learnt PLOVER's codes on PLV train, so for it this scheme is no news. `without PLOVER` leaves out
what its PLOVER heads have learnt and reads the other heads' layers and the pair's vector, which they have shaped too.
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
    """Return the examples as a table of labels; PLV marks its actors in the text, and not all are states."""
    return Table(
        [Coded(item_of(e), e.id, e.sentence_id, {"quad": QUADS.index(str(e.quad))}, e.id) for e in examples],
        len(examples),
    )


def main() -> None:
    """Print macro F1 on PLV test by draw, and the seconds that training took."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=300)
    options.add_argument("--draws", type=int, default=3)
    options.add_argument("--base", default="", help="a model folder, if not the shipped one")
    options.add_argument("--finetune", action="store_true", help="all of the network, not heads alone")
    asked = options.parse_args()
    known, test = read("plv", "train+dev").examples, table(read("plv", "test").examples)
    ways = [("all heads", ()), ("without PLOVER", ("root", "quad"))] if not asked.finetune else [("fine-tuned", ())]
    for what, without in ways:
        scores = []
        for draw in range(asked.draws):
            rows = random.Random(draw).sample(known, min(asked.rows, len(known)))
            with tempfile.TemporaryDirectory() as scratch:
                began, cpu = time.monotonic(), time.process_time()
                folder = Path(scratch) / "model"
                base = resolve(asked.base or None)
                train(table(rows), SCHEME, folder, base=base, without=without, finetune=asked.finetune)
                seconds, cpu = time.monotonic() - began, time.process_time() - cpu
                (result,) = measure(folder, test)
            low, high = (100 * end for end in result.intervals["macro_f1"])
            scores.append(100 * result.metrics["macro_f1"])
            figure = f"macro F1 {scores[-1]:.1f} ({low:.1f}–{high:.1f})"
            print(f"{what}, draw {draw}: {figure}, in {seconds:.0f} s, {cpu:.0f} s of a core", flush=True)
        print(f"{what}: macro F1 {np.mean(scores):.1f}, from {min(scores):.1f} to {max(scores):.1f}")


if __name__ == "__main__":
    main()
