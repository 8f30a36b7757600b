"""Teachers read unlabelled sentences: the mean of what they say is what a smaller model learns from (distillation).

Sentences that stand in a dev or test split of any corpus are left out, whatever their case and punctuation.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from detente._files import sha256, write_json
from detente.data.codebook.labels import TONES, dyad_id
from detente.data.corpora import load as corpora
from detente.data.corpora import unlabeled
from detente.data.corpora.examples import CorpusError
from detente.data.corpora.unlabeled import Sentence
from detente.infer.encoder import cue_span
from detente.infer.encoder.base import Encoder, Floats, PairOutput
from detente.infer.label.labeler import LONGEST, load
from detente.infer.linking.linker import linker
from detente.infer.linking.mentions import dyads
from detente.infer.readings.document import read_date
from detente.models.config import HEADS
from detente.models.encoder import PairEncoder
from detente.models.features import Featurizer, Item
from detente.models.model_dir import MANIFEST, WEIGHTS, ModelError, resolve
from detente.train.distill import soft_labels
from detente.train.examples import TURNED
from detente.train.held_out import held_out, key
from detente.train.torch_encoder import TorchEncoder

#: Sentences of a part: what a kill can cost, some minutes of work.
PART: Final = 4096

#: States of a sentence that is read; one that names more is a list or a roll call.
MOST_STATES: Final = 6


@dataclass(slots=True)
class Counts:
    """What became of the sentences.

    Attributes:
        read: sentences that were looked at.
        held_out: of these, those that stand in a dev or test split.
        without: of these, those in which the linker finds no dyad, or too many states.
        dyads: that were labelled, in the rest.
    """

    read: int = 0
    held_out: int = 0
    without: int = 0
    dyads: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A sentence with the dyads that the linker found in it."""

    sentence: Sentence
    item: Item
    dyads: Sequence[tuple[str, str]]


def teach(
    models: Sequence[str],
    output: Path,
    *,
    source: Path | None = None,
    limit: int | None = None,
    progress: Callable[[int, Counts], None] = lambda _total, _counts: None,
) -> Counts:
    """Write the teachers' soft labels to a folder of parts; a run that was stopped goes on behind its last part.

    Args:
        models: folders of trained models (read by torch, on a GPU if there is one) or of exported ones.
        output: made if it isn't there.
        source: Parquet with the columns of `texts.sentences`; None for the corpus `transfer`.
        limit: sentences to take at most, a fixed draw; None for all.
        progress: told after each part how many sentences there are, and what became of those so far.

    Raises:
        CorpusError: sentences or held-out splits aren't on disk, or the folder holds another run.
        ModelError: there is no such model.
    """
    file = source or corpora.locate("transfer", "all")
    total = unlabeled.count(file)
    folders = [resolve(model) for model in models]
    run = {"teachers": [_digest(folder) for folder in folders], "sentences": sha256(file), "limit": limit}
    output.mkdir(parents=True, exist_ok=True)
    manifest = soft_labels.read_manifest(output)
    if manifest and manifest["run"] != run:
        raise CorpusError(f"{output} holds the labels of other teachers, sentences or limit; give another --output")
    counts = Counts(**manifest["counts"]) if manifest else Counts()
    if manifest.get("done"):
        return counts
    teachers = [_opened(folder) for folder in folders]
    known = held_out()
    chosen = range(total) if limit is None else sorted(Random(0).sample(range(total), min(limit, total)))
    sentences = islice(_taken(file, chosen), counts.read, None)
    number = manifest.get("parts", 0)
    while some := list(islice(sentences, PART)):
        asked = []
        for sentence in some:
            counts.read += 1
            if key(sentence.text) in known:
                counts.held_out += 1
            elif found := ask(sentence):
                counts.dyads += len(found.dyads)
                asked.append(found)
            else:
                counts.without += 1
        scratch = output / "_unfinished.tmp"
        pq.write_table(answered(teachers, asked), scratch, compression="zstd")
        scratch.replace(soft_labels.part(output, number))
        number += 1
        entry = {"format": soft_labels.FORMAT, "run": run, "parts": number, "counts": asdict(counts)}
        write_json(output / soft_labels.MANIFEST, {**entry, "done": counts.read == len(chosen)})
        progress(len(chosen), counts)
    return counts


def ask(sentence: Sentence) -> Asked | None:
    """Find the dyads of a sentence; None where it has none, names over `MOST_STATES` states or is too long."""
    if len(sentence.text) > LONGEST:
        return None
    try:
        date = read_date(sentence.date)
    except ValueError:
        date = None
    mentions = linker().link(sentence.text, date=date, title=sentence.title)
    pairs = dyads(mentions, linker().outward)
    states = list(dict.fromkeys(mention.state for mention in mentions))
    if not pairs or len(states) > MOST_STATES:
        return None
    actors = [sorted({(m.start, m.end) for m in mentions if m.state == state}) for state in states]
    return Asked(sentence, Item(sentence.text, actors, [(states.index(a), states.index(b)) for a, b in pairs]), pairs)


def answered(teachers: Sequence[Encoder], asked: Sequence[Asked]) -> pa.Table:
    """Let the teachers read every dyad in both orders, and return the mean of their answers, of `soft.SCHEMA`."""
    items = [Item(x.item.text, x.item.actors, [o for a, b in x.item.pairs for o in ((a, b), (b, a))]) for x in asked]
    said = [list(chain.from_iterable(teacher.predict(items, symmetric=False))) for teacher in teachers]
    pairs = [(x, n, dyad) for x in asked for n, dyad in enumerate(x.dyads)]
    heads = {head: _mean(said, head) for head in (*soft_labels.JOINED, *soft_labels.ORDERED)}
    columns: dict[str, Any] = {
        "id": [x.sentence.id for x, _, _ in pairs],
        "text": [x.sentence.text for x, _, _ in pairs],
        "date": [x.sentence.date for x, _, _ in pairs],
        "dyad": [dyad_id(*dyad) for _, _, dyad in pairs],
        "a": [x.item.actors[x.item.pairs[n][0]] for x, n, _ in pairs],
        "b": [x.item.actors[x.item.pairs[n][1]] for x, n, _ in pairs],
    }
    for head in soft_labels.JOINED:
        second = heads[head][1::2]
        columns[head] = (heads[head][::2] + (second[:, TURNED[head]] if head in TURNED else second)) / 2
    for head in soft_labels.ORDERED:
        columns[head], columns[f"{head}_back"] = heads[head][::2], heads[head][1::2]
    related = columns["tone"].argmax(axis=-1) != TONES.index("none")
    columns["cue"] = [
        _cue(x.item.text, said[0][2 * row : 2 * row + 2]) if related[row] else None
        for row, (x, _, _) in enumerate(pairs)
    ]
    return pa.table(
        [_array(columns[field.name], field.type) for field in soft_labels.SCHEMA], schema=soft_labels.SCHEMA
    )


def _mean(said: Sequence[Sequence[PairOutput]], head: str) -> Floats:
    """Return the mean distribution of the teachers, [readings of one, labels of the head]."""
    answers = [[reading.heads[head] for reading in readings] for readings in said]
    mean: Floats = np.mean(answers, axis=0, dtype=np.float32).reshape(-1, len(HEADS[head]))
    return mean


def _cue(text: str, orders: Sequence[PairOutput]) -> tuple[int, int] | None:
    """Return the cue of the first teacher; others may cut a sentence into other tokens."""
    one, other = orders
    return cue_span.find(text, (one.cue + other.cue) / 2, one.spans)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, np.ndarray):
        return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
    return pa.array(values, kind)


def _taken(file: Path, chosen: Sequence[int]) -> Iterator[Sentence]:
    """Yield the chosen sentences of a file, by their numbers in order."""
    wanted = iter(chosen)
    number = next(wanted, None)
    for at, sentence in enumerate(unlabeled.sentences(file)):
        if at == number:
            yield sentence
            number = next(wanted, None)


def _opened(folder: Path) -> Encoder:
    """Open a teacher, which must have the heads that soft labels are of."""
    engine = _engine(folder)
    if lacks := [h for h in (*soft_labels.JOINED, *soft_labels.ORDERED) if engine.config.heads.get(h) != HEADS[h]]:
        raise ModelError(f"{folder} can't teach: it has no {', '.join(lacks)} head with the labels of this detente")
    return engine


def _engine(folder: Path) -> Encoder:
    """Open a trained model on a GPU if there is one, or an exported one."""
    if not (folder / WEIGHTS).is_file():
        return load(folder).engine
    try:
        model, tokenizer = PairEncoder.from_pretrained(folder)
    except ModelError:
        raise
    except Exception as error:  # safetensors, torch and tokenizers raise classes of their own
        raise ModelError(f"{folder} can't be read ({str(error).splitlines()[0]}); train it again") from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return TorchEncoder(model.to(device), Featurizer(tokenizer, model.spec.max_length))


def _digest(folder: Path) -> str:
    """Return what tells a model from others."""
    for name in (WEIGHTS, MANIFEST):
        if (folder / name).is_file():
            return sha256(folder / name)
    raise ModelError(f"{folder} is no model: it has neither {WEIGHTS} (of `detente train`) nor {MANIFEST}")
