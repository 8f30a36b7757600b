"""The exported network on the CPU: items in, probabilities out."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from detente.data.codebook.labels import DIRECTIONS, QUAD_OF_ROOT, QUADS, flip
from detente.infer.encoder.truncation import Excerpt, around, is_cut, marked
from detente.models.config import OWN
from detente.models.features import Featurizer, Item, Span
from detente.models.model_dir import ONNX, TOKENIZER, ModelError, read_config

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = npt.NDArray[np.floating]

#: Tokens of one batch, padding included: what passes between two layers stays in a core's cache. Eight times as many
#: take a quarter longer.
BATCH_TOKENS = 512

#: Tokens that all pairs of one batch look back at together; each takes a vector of the encoder's width in memory.
PAIR_TOKENS = 16384

#: Which root codes belong to a quad class, [`ROOTS`, `QUADS`].
_QUAD_OF_ROOT = np.array([[quad == name for name in QUADS] for quad in QUAD_OF_ROOT], dtype=np.float32)

_FLIPPED = [DIRECTIONS.index(flip(direction)) for direction in DIRECTIONS]


@dataclass(frozen=True, slots=True)
class PairReading:
    """What the model says of one pair of actors in a sentence.

    Attributes:
        heads: probabilities by head, each [labels of the head].
        cue: probability of each token being one of the words that show the tone, [tokens].
        spans: each token's characters in the sentence; empty for tokens that stand for none of its words.
    """

    heads: Mapping[str, Floats]
    cue: Floats
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class _Outputs:
    """What the network gave for P pairs: logits by head [P, labels], cue logits by pair, and their tokens' places."""

    heads: dict[str, Floats]
    cue: list[Floats]
    spans: list[Sequence[Span]]


@dataclass(frozen=True, slots=True)
class _Job:
    """An excerpt with its tokens, and the numbers that its pairs have in the order of the request."""

    excerpt: Excerpt
    encoding: Encoding
    numbers: Sequence[int]


class Engine:
    """An exported model in an onnxruntime session.

    Each core takes whole batches: they need not wait for each other as the parts of one batch would.

    Args:
        folder: the model folder; `store.verify` says whether it is whole.
        threads: cores to use; None for all that this process may use.

    Raises:
        ModelError: a file of the folder is missing or cannot be read.
    """

    _pool: ThreadPoolExecutor | None = None

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        self.folder = folder
        self.config = read_config(folder)
        try:
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # the tokenizers library raises nothing narrower
            raise ModelError(
                f"{folder / TOKENIZER} cannot be read ({error}); copy or install the model again"
            ) from error
        self.featurizer = Featurizer(tokenizer, self.config.max_length)
        self.session = _session(folder / ONNX)
        if (threads := threads or cores()) > 1:
            self._pool = ThreadPoolExecutor(threads)

    @property
    def name(self) -> str:
        """The model's name and version, as readings carry them."""
        return f"{self.config.name} {self.config.version}"

    def read(self, items: Sequence[Item], *, symmetric: bool = True) -> list[list[PairReading]]:
        """Read every pair of every item.

        Args:
            items: sentences with their actors and pairs.
            symmetric: read each pair in both orders and join them, so that the answer doesn't depend on the order
                in which the pair was given (a direction is the same, seen from the pair's first actor). False
                where the order is part of the question, as in the benchmarks that name a source and a target.

        Returns:
            For each item a reading for each of its pairs.
        """
        outputs = self._run([_both_orders(item) for item in items] if symmetric else items)
        heads = {
            name: softmax(logits / np.float32(self.config.temperature.get(name, 1.0)))
            for name, logits in outputs.heads.items()
        }
        heads["quad"] = _agreed(heads["quad"], heads["root"])
        cue, spans = [sigmoid(logits) for logits in outputs.cue], outputs.spans
        if symmetric:
            heads = _join(heads, [_rank(item, a) > _rank(item, b) for item in items for a, b in item.pairs])
            cue = [(first + second) / 2 for first, second in zip(cue[::2], cue[1::2], strict=True)]
            spans = spans[::2]
        readings = iter(
            [
                PairReading({name: head[row] for name, head in heads.items()}, weights, places)
                for row, (weights, places) in enumerate(zip(cue, spans, strict=True))
            ]
        )
        return [[next(readings) for _ in item.pairs] for item in items]

    def logits(self, items: Sequence[Item], head: str) -> Floats:
        """Return one head's raw logits for every pair as it is ordered, [pairs of all items, labels of the head]."""
        return self._run(items).heads[head]

    def _run(self, items: Sequence[Item]) -> _Outputs:
        """Run the network over all items, batched by length; results in the order of the items' pairs."""
        total = sum(len(item.pairs) for item in items)
        heads = {name: np.empty((total, len(labels)), dtype=np.float32) for name, labels in self.config.heads.items()}
        cues: list[Floats] = [np.empty(0, dtype=np.float32)] * total
        places: list[Sequence[Span]] = [()] * total
        batches = list(_batches(self._jobs(items)))
        side_by_side = self._pool.map if self._pool is not None and len(batches) > 1 else map
        answers = side_by_side(self._encode, batches)
        for batch, (*logits, cue) in zip(batches, answers, strict=True):
            numbers = [number for job in batch for number in job.numbers]
            for head, values in zip(heads.values(), logits, strict=True):
                head[numbers] = values
            rows = iter(cue)
            for job in batch:
                spans = [job.excerpt.source(span) for span in job.encoding.offsets]
                for number in job.numbers:
                    cues[number], places[number] = next(rows)[: len(spans)].copy(), spans
        return _Outputs(heads, cues, places)

    def _encode(self, batch: Sequence[_Job]) -> list[Floats]:
        """Return the network's outputs for one batch: a head's logits each, and the cue's."""
        features = self.featurizer.batch([job.excerpt.item for job in batch], [job.encoding for job in batch])
        outputs: list[Floats] = self.session.run([*self.config.heads, "cue"], features.arrays())
        if not all(np.isfinite(output).all() for output in outputs):
            raise ModelError(f"{self.name}: the network's answer is not a number; install or train the model again")
        return outputs

    def _jobs(self, items: Sequence[Item]) -> list[_Job]:
        """Decide what the network reads: a sentence once, or an excerpt for each pair that needs one of its own."""
        whole: list[_Job] = []
        own: list[tuple[Excerpt, int]] = []
        number = 0
        for item, encoding in zip(items, self.featurizer.tokenize([item.text for item in items]), strict=True):
            numbers = range(number, number + len(item.pairs))
            number = numbers.stop
            cut = [is_cut(encoding, item, pair) for pair in item.pairs]
            # The characters that fit, less a tenth: other words may take more tokens.
            budget = encoding.offsets[-2][1] * 9 // 10 if any(cut) else 0
            for at, pair in enumerate(item.pairs):
                if cut[at]:
                    own.append((around(item, pair, budget), numbers[at]))
                elif self.config.markers:
                    own.append((Excerpt(Item(item.text, item.actors, [pair])), numbers[at]))
            kept = [] if self.config.markers else [at for at in range(len(item.pairs)) if not cut[at]]
            if kept:
                shown = Item(item.text, item.actors, [item.pairs[at] for at in kept])
                whole.append(_Job(Excerpt(shown), encoding, [numbers[at] for at in kept]))
        excerpts = [marked(excerpt) if self.config.markers else excerpt for excerpt, _ in own]
        encodings = self.featurizer.tokenize([excerpt.item.text for excerpt in excerpts])
        return whole + [_Job(x, e, [n]) for x, e, (_, n) in zip(excerpts, encodings, own, strict=True)]


def softmax(logits: Floats) -> Floats:
    """Return the probabilities of each row of logits."""
    powers: Floats = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def sigmoid(logits: Floats) -> Floats:
    """Return the probability of each logit."""
    shares: Floats = 1 / (1 + np.exp(-logits.clip(-30, 30)))
    return shares


def leads(direction: Floats) -> npt.NDArray[np.intp]:
    """Return the direction (index into `DIRECTIONS`) of each row of probabilities.

    Two actors that the sentence names by the same words ("the Quad") cannot be told apart: neither leads.
    """
    even = np.isclose(direction, direction[..., _FLIPPED], rtol=0, atol=1e-5).all(axis=-1)
    return np.where(even, DIRECTIONS.index("mutual"), direction.argmax(axis=-1))


def cores() -> int:
    """Cores that this process may use; onnxruntime itself counts those of the whole machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _session(file: Path) -> "InferenceSession":
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


def _batches(jobs: list[_Job]) -> Iterator[list[_Job]]:
    """Group jobs of similar length, within the bounds on tokens."""
    batch: list[_Job] = []
    pairs = 0
    for job in sorted(jobs, key=lambda job: len(job.encoding.ids)):
        length = len(job.encoding.ids)  # the longest so far
        pairs += len(job.numbers)
        if batch and ((len(batch) + 1) * length > BATCH_TOKENS or pairs * length > PAIR_TOKENS):
            yield batch
            batch, pairs = [], len(job.numbers)
        batch.append(job)
    if batch:
        yield batch


def _rank(item: Item, actor: int) -> list[Span]:
    """What orders two actors: where they stand in the sentence, whatever order they were given in."""
    return sorted(item.actors[actor])


def _both_orders(item: Item) -> Item:
    """Ask for each pair in both orders, the one whose actor stands first in the sentence first."""
    pairs = [sorted(pair, key=lambda actor: _rank(item, actor)) for pair in item.pairs]
    return Item(item.text, item.actors, [order for a, b in pairs for order in ((a, b), (b, a))])


def _agreed(quad: Floats, root: Floats) -> Floats:
    """Join two answers to one question: the quad head's, and the sum of the root codes of each quad class.

    Their geometric mean, so that a class needs both. On PLV's dev rows it is right a little more often than the quad
    head alone, and a reading's root and quad contradict each other less.

    Args:
        quad: probabilities, [pairs, `QUADS`].
        root: probabilities, [pairs, `ROOTS`].
    """
    joint: Floats = np.sqrt(quad * (root @ _QUAD_OF_ROOT))
    joint /= joint.sum(axis=-1, keepdims=True)
    return joint


def _join(heads: Mapping[str, Floats], turned: Sequence[bool]) -> dict[str, Floats]:
    """Join the rows of a pair's two orders to one row.

    Tone, direction and the variables of a scheme of one's own are the mean of both; what is asked of a source and its
    target comes from the order that the direction gives.

    Args:
        heads: probabilities by head, [2 P, labels]; the rows of a pair follow each other.
        turned: whether a pair was given in the order of its second row, which its direction is then seen from.
    """
    first = {name: head[::2] for name, head in heads.items()}
    second = {name: head[1::2] for name, head in heads.items()}
    direction = (first["direction"] + second["direction"][:, _FLIPPED]) / 2
    back = (leads(direction) == DIRECTIONS.index("b>a"))[:, None]
    joined = {name: np.where(back, second[name], first[name]) for name in first}
    for name, answer in first.items():
        if name == "tone" or name.startswith(OWN):
            joined[name] = (answer + second[name]) / 2
    joined["direction"] = np.where(np.array(turned, dtype=bool)[:, None], direction[:, _FLIPPED], direction)
    return joined
