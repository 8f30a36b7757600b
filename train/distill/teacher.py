"""Label sentences with teachers: the mean of their predictions is a smaller model's target (distillation).

Sentences in a dev or test split of any corpus are left out, whatever their case and punctuation.
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
from detente.train.examples import REVERSED_INDEX
from detente.train.held_out import held_out, key
from detente.train.torch_encoder import TorchEncoder

#: Sentences per part, the most that an interrupted run can lose: some minutes of work.
PART_SIZE: Final = 4096

#: Maximum number of states in a labelled sentence; one with more is a list or a roll call.
MAX_STATES: Final = 6


@dataclass(slots=True)
class Counts:
    """Progress of a run.

    Attributes:
        read: number of sentences processed.
        held_out: number of these skipped because they are in a dev or test split.
        without: number of these in which the linker finds no dyad or too many states.
        dyads: number of dyads labelled in the rest.
    """

    read: int = 0
    held_out: int = 0
    without: int = 0
    dyads: int = 0


@dataclass(frozen=True, slots=True)
class LinkedSentence:
    """A sentence with its dyads."""

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
    """Write the teachers' soft labels to a folder of parts; an interrupted run resumes after its last part.

    Args:
        models: folders of trained models (run by torch, on a GPU if available) or of exported ones.
        output: output folder, created if missing.
        source: Parquet file with the columns of `unlabeled.sentences`; None for the corpus `transfer`.
        limit: maximum number of sentences, a fixed random sample; None for all.
        progress: function called after each part with the total number of sentences and the counts so far.

    Raises:
        CorpusError: sentences or held-out splits aren't on disk, or the folder contains a different run.
        ModelError: a model is missing or unsuitable.
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
    teachers = [_open_teacher(folder) for folder in folders]
    excluded = held_out()
    chosen = range(total) if limit is None else sorted(Random(0).sample(range(total), min(limit, total)))
    sentences = islice(_select(file, chosen), counts.read, None)
    number = manifest.get("parts", 0)
    while part := list(islice(sentences, PART_SIZE)):
        linked_sentences = []
        for sentence in part:
            counts.read += 1
            if key(sentence.text) in excluded:
                counts.held_out += 1
            elif linked := link(sentence):
                counts.dyads += len(linked.dyads)
                linked_sentences.append(linked)
            else:
                counts.without += 1
        scratch = output / "_unfinished.tmp"
        pq.write_table(predict(teachers, linked_sentences), scratch, compression="zstd")
        scratch.replace(soft_labels.part(output, number))
        number += 1
        entry = {"format": soft_labels.FORMAT, "run": run, "parts": number, "counts": asdict(counts)}
        write_json(output / soft_labels.MANIFEST, {**entry, "done": counts.read == len(chosen)})
        progress(len(chosen), counts)
    return counts


def link(sentence: Sentence) -> LinkedSentence | None:
    """Return a sentence with its dyads; None if it has none, more than `MAX_STATES` states, or is too long."""
    if len(sentence.text) > LONGEST:
        return None
    try:
        date = read_date(sentence.date)
    except ValueError:
        date = None
    mentions = linker().link(sentence.text, date=date, title=sentence.title)
    pairs = dyads(mentions, linker().outward)
    states = list(dict.fromkeys(mention.state for mention in mentions))
    if not pairs or len(states) > MAX_STATES:
        return None
    actors = [sorted({(m.start, m.end) for m in mentions if m.state == state}) for state in states]
    return LinkedSentence(
        sentence, Item(sentence.text, actors, [(states.index(a), states.index(b)) for a, b in pairs]), pairs
    )


def predict(teachers: Sequence[Encoder], sentences: Sequence[LinkedSentence]) -> pa.Table:
    """Predict every dyad in both orders and return the mean over the teachers, a table of `soft_labels.SCHEMA`."""
    items = [
        Item(x.item.text, x.item.actors, [order for a, b in x.item.pairs for order in ((a, b), (b, a))])
        for x in sentences
    ]
    predictions = [list(chain.from_iterable(teacher.predict(items, symmetric=False))) for teacher in teachers]
    pairs = [(x, n, dyad) for x in sentences for n, dyad in enumerate(x.dyads)]
    heads = {head: _mean(predictions, head) for head in (*soft_labels.JOINED, *soft_labels.ORDERED)}
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
        columns[head] = (heads[head][::2] + (second[:, REVERSED_INDEX[head]] if head in REVERSED_INDEX else second)) / 2
    for head in soft_labels.ORDERED:
        columns[head], columns[f"{head}_back"] = heads[head][::2], heads[head][1::2]
    related = columns["tone"].argmax(axis=-1) != TONES.index("none")
    columns["cue"] = [
        _cue(x.item.text, predictions[0][2 * row : 2 * row + 2]) if related[row] else None
        for row, (x, _, _) in enumerate(pairs)
    ]
    return pa.table(
        [_array(columns[field.name], field.type) for field in soft_labels.SCHEMA], schema=soft_labels.SCHEMA
    )


def _mean(predictions: Sequence[Sequence[PairOutput]], head: str) -> Floats:
    """Return the mean distributions of the teachers, [pairs, labels of the head]."""
    distributions = [[reading.heads[head] for reading in readings] for readings in predictions]
    mean: Floats = np.mean(distributions, axis=0, dtype=np.float32).reshape(-1, len(HEADS[head]))
    return mean


def _cue(text: str, orders: Sequence[PairOutput]) -> tuple[int, int] | None:
    """Return the first teacher's cue, since teachers may tokenize differently."""
    forward, backward = orders
    return cue_span.find(text, (forward.cue + backward.cue) / 2, forward.spans)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, np.ndarray):
        return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
    return pa.array(values, kind)


def _select(file: Path, numbers: Sequence[int]) -> Iterator[Sentence]:
    """Yield the sentences of a file with the given numbers, which are in order."""
    remaining = iter(numbers)
    number = next(remaining, None)
    for index, sentence in enumerate(unlabeled.sentences(file)):
        if index == number:
            yield sentence
            number = next(remaining, None)


def _open_teacher(folder: Path) -> Encoder:
    """Open a teacher, which must have all heads of the soft labels."""
    engine = _open_model(folder)
    if missing := [h for h in (*soft_labels.JOINED, *soft_labels.ORDERED) if engine.config.heads.get(h) != HEADS[h]]:
        raise ModelError(f"{folder} can't teach: it has no {', '.join(missing)} head with the labels of this detente")
    return engine


def _open_model(folder: Path) -> Encoder:
    """Open a trained model, on a GPU if available, or an exported one."""
    if not (folder / WEIGHTS).is_file():
        return load(folder).engine
    try:
        model, tokenizer = PairEncoder.from_pretrained(folder)
    except ModelError:
        raise
    except Exception as error:  # safetensors, torch and tokenizers raise various classes
        raise ModelError(f"{folder} can't be read ({str(error).splitlines()[0]}); train it again") from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return TorchEncoder(model.to(device), Featurizer(tokenizer, model.spec.max_length))


def _digest(folder: Path) -> str:
    """Return the SHA-256 of a model's weights or manifest, which identifies the model."""
    for name in (WEIGHTS, MANIFEST):
        if (folder / name).is_file():
            return sha256(folder / name)
    raise ModelError(f"{folder} is no model: it has neither {WEIGHTS} (of `detente train`) nor {MANIFEST}")
