"""Batches of pairs through a network, exported or torch: items in, probabilities out."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from detente._statistics import softmax
from detente._timing import span
from detente.infer.encoder.base import Floats, PairOutput, sigmoid
from detente.infer.encoder.pair_orders import both_orders, combine_quad_and_root, is_reversed, join_orders
from detente.infer.encoder.truncation import Excerpt, around, is_cut, marked
from detente.models.config import ModelConfig
from detente.models.features import Featurizer, Item, Span
from detente.models.model_dir import ModelError

#: Tokens of one batch, padding included: what passes between two layers stays in a core's cache. Eight times as many
#: take a quarter longer.
BATCH_TOKENS: Final = 512

#: Tokens that all pairs of one batch look back at together; each takes a vector of the encoder's width in memory.
PAIR_TOKENS: Final = 16384

#: The network's output with a logit per token.
_CUE: Final = "cue"


class Network(Protocol):
    """A network called as an `onnxruntime.InferenceSession` is."""

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, npt.NDArray[Any]]) -> Sequence[Any]:
        """Return the named outputs for the arrays of a `features.Batch`, in the order of the names."""
        ...


@dataclass(frozen=True, slots=True)
class _EncoderRequest:
    """An excerpt with its tokens, and the numbers that its pairs have in the order of the request."""

    excerpt: Excerpt
    encoding: Encoding
    numbers: Sequence[int]


@dataclass(frozen=True, slots=True)
class _BatchOutputs:
    """A batch's named outputs, each [pairs of the batch, width]."""

    requests: Sequence[_EncoderRequest]
    values: Sequence[Floats]

    @property
    def numbers(self) -> list[int]:
        """The number of each row's pair in the order of the request."""
        return [number for request in self.requests for number in request.numbers]


class NetworkEncoder:
    """An `Encoder` around a network; each core takes whole batches, which needn't wait for each other.

    Args:
        config: heads and temperatures of the network.
        featurizer: makes the network's inputs.
        network: the exported network or the torch one.
        threads: cores to use.
    """

    def __init__(self, config: ModelConfig, featurizer: Featurizer, network: Network, *, threads: int = 1) -> None:
        self.config = config
        self._featurizer = featurizer
        self._network = network
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    @property
    def name(self) -> str:
        """The model's name and version, as readings carry them."""
        return f"{self.config.name} {self.config.version}"

    @property
    def digest(self) -> str | None:
        """The hash of the model's files; None, since a network in memory has none."""
        return None

    def predict(self, items: Sequence[Item], *, symmetric: bool = True) -> list[list[PairOutput]]:
        """Predict every pair of every item; see `Encoder.predict`.

        Raises:
            ModelError: an output of the network is not finite.
        """
        batches = self._run([both_orders(item) for item in items] if symmetric else items, [*self.config.heads, _CUE])
        heads = {
            name: softmax(logits / np.float32(self.config.temperature.get(name, 1.0)))
            for name, logits in self._by_pair(batches, list(self.config.heads)).items()
        }
        heads["quad"] = combine_quad_and_root(heads["quad"], heads["root"])
        cues, spans = _cues(batches)
        if symmetric:
            heads = join_orders(heads, is_reversed(items))
            cues = [(first + second) / 2 for first, second in zip(cues[::2], cues[1::2], strict=True)]
            spans = spans[::2]
        outputs = iter(
            [
                PairOutput({name: head[row] for name, head in heads.items()}, cue, tokens)
                for row, (cue, tokens) in enumerate(zip(cues, spans, strict=True))
            ]
        )
        return [[next(outputs) for _ in item.pairs] for item in items]

    def predict_logits(self, items: Sequence[Item]) -> dict[str, Floats]:
        """Return each head's raw logits for every pair in its given order, [pairs of all items, labels of the head]."""
        return self.forward(items, list(self.config.heads))

    def forward(self, items: Sequence[Item], outputs: Sequence[str]) -> dict[str, Floats]:
        """Return named outputs of the network for every pair in its given order, [pairs of all items, width] each.

        Args:
            items: sentences with their actors and pairs.
            outputs: names of the network's outputs that have one row per pair: heads, pair vectors.

        Raises:
            ModelError: an output of the network is not finite.
        """
        return self._by_pair(self._run(items, outputs), outputs)

    def _by_pair(self, batches: Sequence[_BatchOutputs], outputs: Sequence[str]) -> dict[str, Floats]:
        """Join the batches' leading outputs, in the order of the request."""
        if not batches:
            return {name: np.empty((0, len(self.config.heads.get(name, ()))), dtype=np.float32) for name in outputs}
        order = np.argsort(np.concatenate([batch.numbers for batch in batches]))
        return {
            name: np.concatenate([batch.values[column] for batch in batches])[order]
            for column, name in enumerate(outputs)
        }

    def _run(self, items: Sequence[Item], outputs: Sequence[str]) -> list[_BatchOutputs]:
        """Run the network over all items, batched by length."""
        batches = list(_batches(self._requests(items)))
        side_by_side = self._pool.map if self._pool is not None and len(batches) > 1 else map
        return list(side_by_side(lambda batch: self._encode(batch, outputs), batches))

    def _encode(self, requests: Sequence[_EncoderRequest], outputs: Sequence[str]) -> _BatchOutputs:
        """Return the network's outputs for one batch."""
        with span("tokenize"):
            batch = self._featurizer.batch([x.excerpt.item for x in requests], [x.encoding for x in requests])
        with span("encode"):
            values = self._network.run(list(outputs), batch.arrays())
        if not all(np.isfinite(output).all() for output in values):
            raise ModelError(f"{self.name}: an output of the network is not finite; install or train the model again")
        return _BatchOutputs(requests, values)

    def _requests(self, items: Sequence[Item]) -> list[_EncoderRequest]:
        """Decide what the network reads: a sentence once, or an excerpt for each pair that needs one of its own."""
        whole: list[_EncoderRequest] = []
        own: list[tuple[Excerpt, int]] = []
        number = 0
        for item, encoding in zip(items, self._tokenize([item.text for item in items]), strict=True):
            numbers = range(number, number + len(item.pairs))
            number = numbers.stop
            cut = [is_cut(encoding, item, pair) for pair in item.pairs]
            # The characters that fit, less a tenth: other words may take more tokens.
            budget = encoding.offsets[-2][1] * 9 // 10 if any(cut) else 0
            for index, pair in enumerate(item.pairs):
                if cut[index]:
                    own.append((around(item, pair, budget), numbers[index]))
                elif self.config.markers:
                    own.append((Excerpt(Item(item.text, item.actors, [pair])), numbers[index]))
            kept = [] if self.config.markers else [index for index in range(len(item.pairs)) if not cut[index]]
            if kept:
                uncut = Item(item.text, item.actors, [item.pairs[index] for index in kept])
                whole.append(_EncoderRequest(Excerpt(uncut), encoding, [numbers[index] for index in kept]))
        excerpts = [marked(excerpt) if self.config.markers else excerpt for excerpt, _ in own]
        encodings = self._tokenize([excerpt.item.text for excerpt in excerpts])
        return whole + [_EncoderRequest(x, e, [n]) for x, e, (_, n) in zip(excerpts, encodings, own, strict=True)]

    def _tokenize(self, texts: Sequence[str]) -> list[Encoding]:
        with span("tokenize"):
            return self._featurizer.tokenize(texts)


def _cues(batches: Sequence[_BatchOutputs]) -> tuple[list[Floats], list[Sequence[Span]]]:
    """Return each pair's cue probabilities and its tokens' spans, in the order of the request."""
    total = sum(len(batch.numbers) for batch in batches)
    cues: list[Floats] = [np.empty(0, dtype=np.float32)] * total
    spans: list[Sequence[Span]] = [()] * total
    for batch in batches:
        rows = iter(batch.values[-1])
        for request in batch.requests:
            tokens = [request.excerpt.source(span) for span in request.encoding.offsets]
            for number in request.numbers:
                cues[number], spans[number] = sigmoid(next(rows)[: len(tokens)]), tokens
    return cues, spans


def _batches(requests: Sequence[_EncoderRequest]) -> Iterator[list[_EncoderRequest]]:
    """Group requests of similar length, within the bounds on tokens."""
    batch: list[_EncoderRequest] = []
    pairs = 0
    for request in sorted(requests, key=lambda request: len(request.encoding.ids)):
        length = len(request.encoding.ids)  # the longest so far
        pairs += len(request.numbers)
        if batch and ((len(batch) + 1) * length > BATCH_TOKENS or pairs * length > PAIR_TOKENS):
            yield batch
            batch, pairs = [], len(request.numbers)
        batch.append(request)
    if batch:
        yield batch
