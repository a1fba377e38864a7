"""Evaluation of a language model beside n-grams and compression programs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.inputs.streams import Streams, make_stream_batches, make_streams, read_documents
from rnnpipe.metrics.entropy import ngram_nats, packed_bits
from rnnpipe.models.language_model import get_states, state_sizes
from rnnpipe.parts.optimizers import OptimizerOptions
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.language_model.report import make_report_items
from rnnpipe.tasks.network import Arrays, Function, compile_here, take_states
from rnnpipe.tasks.results import Evaluation
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokens import START

Array = np.ndarray[Any, np.dtype[Any]]

_ORDERS = {"char": 6, "word": 3, "token": 6}
_ORDER_NAMES = {1: "unigram", 2: "bigram"}
_MOST_PACKED = 1 << 24  # characters of the training split that compressors read


def evaluate(
    model: keras.Model,
    records: RecordsDirectory,
    split: str,
    symbols: Symbols,
    *,
    rows: int,
    time: int,
    optimizer: OptimizerOptions,
) -> Evaluation:
    """Scores a model, n-grams and compressors on a split, with what the report shows.

    Args:
        model: of `build_language_model`.
        records: the records.
        split: one of their splits.
        symbols: the vocabulary.
        rows: number of places in the text that are read in parallel.
        time: tokens of a chunk; it changes nothing but the speed.
        optimizer: that of the training, for how it clips gradients.
    """
    streams = make_streams(read_documents(records, split), rows=rows, time=time)
    nats = streams.by_text(token_nats(model, streams))
    texts = list(records.read(split))
    characters = sum(len(row["text"]) for row in texts)
    scores = _score(float(nats.mean()), len(nats), characters)
    baselines = _score_baselines(records, split, symbols, len(nats), characters)
    for name, values in baselines.items():
        scores |= {f"baseline/{name}/{metric}": value for metric, value in values.items()}
    items = make_report_items(model, symbols, texts, nats, clip_norm=optimizer.clip_norm)
    return Evaluation(scores, _describe(texts, nats), items)


def token_nats(model: keras.Model, streams: Streams) -> Array:
    """−log p of each target in nats, `(steps, rows, time)`, states carried from step to step."""

    @compile_here
    def read(inputs: Any, targets: Any, states: Any) -> tuple[Any, Any]:
        outputs = model({**inputs, "states": states}, training=False)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs["logits"])
        return nats, get_states(outputs)

    rows = streams.tokens.shape[1]
    states: Any = [tf.zeros((rows, size)) for size in state_sizes(model)]
    chunks = []
    for inputs, targets in make_stream_batches(streams):
        nats, states = read(inputs, targets, list(states))
        chunks.append(nats.numpy())
    return np.stack(chunks)


def step_through(step: Function, streams: Streams) -> Iterator[Arrays]:
    """The outputs of a network's function `step` along streams, states carried from step to step.

    Args:
        step: see `rnnpipe.tasks.language_model.network.make_step`.
        streams: a row of theirs that begins within a text begins with states of zeros.

    Yields:
        For each token of the rows, what is computed of it; symbols are drawn by random numbers.
    """
    random = np.random.default_rng(0)
    temperature = np.ones(streams.tokens.shape[1], "float32")
    states: Arrays = {}
    for tokens in np.concatenate(list(streams.tokens), axis=1).T:  # (rows,)
        quantiles = random.random(len(tokens), "float32")
        inputs = {"tokens": tokens, "quantiles": quantiles, "temperature": temperature}
        outputs = step({**inputs, **states})
        states = take_states(outputs)
        yield outputs


def score_network(step: Function, streams: Streams, characters: int) -> dict[str, float]:
    """The scores of a network on streams, without baselines, see `evaluate`.

    They are those of its model, unless the first states are learned: here a row that begins within
    a text begins with zeros.

    Args:
        step: its function.
        streams: of a split.
        characters: how many its texts have.
    """
    steps, rows, time = streams.targets.shape
    targets = np.concatenate(list(streams.targets), axis=1).T  # (steps * time, rows)
    nats = [
        _cross_entropy(outputs["logits"], target)
        for outputs, target in zip(step_through(step, streams), targets, strict=True)
    ]
    ordered = streams.by_text(np.reshape(nats, (steps, time, rows)).swapaxes(1, 2))
    return _score(float(ordered.mean()), len(ordered), characters)


def _cross_entropy(logits: Array, targets: Array) -> Array:
    """−log p of each target in nats, `(rows,)`, of logits `(rows, vocab)`."""
    highest = logits.max(axis=1)
    normalizer = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    nats: Array = normalizer - logits[np.arange(len(targets)), targets]
    return nats


def _score(nats: float, tokens: int, characters: int) -> dict[str, float]:
    return {
        "nats": nats,
        "bits_per_char": nats / np.log(2).item() * tokens / max(characters, 1),
        "perplexity": float(np.exp(nats)),
    }


def _score_baselines(
    records: RecordsDirectory, split: str, symbols: Symbols, tokens: int, characters: int
) -> dict[str, dict[str, float]]:
    """N-grams of the training split, and compressors that have read it before."""
    scores = {}
    nats = ngram_nats(
        list(read_documents(records, "train")),
        list(read_documents(records, split)),
        vocab=symbols.size,
        order=_ORDERS[symbols.kind],
        start=START,
    )
    for order in {1, 2, len(nats)}:
        name = _ORDER_NAMES.get(order, f"{order}-gram")
        scores[name] = _score(nats[order - 1], tokens, characters)
    train, text = (
        "".join(row["text"] for row in records.read(name, ["text"]))[-_MOST_PACKED:]
        for name in ("train", split)
    )
    scores["gzip"] = {"bits_per_char": packed_bits(train, text, "gzip")}
    scores["lzma"] = {"bits_per_char": packed_bits(train, text, "lzma")}
    return scores


def _describe(texts: Sequence[Mapping[str, Any]], nats: Array) -> list[dict[str, Any]]:
    """A row for each record, with the bits that it costs to predict."""
    ends = np.cumsum([len(row["tokens"]) for row in texts])
    rows = []
    for row, costs in zip(texts, np.split(nats, ends[:-1]), strict=True):
        bits = float(costs.sum()) / np.log(2).item()
        rows.append(
            {
                "document": row["document"],
                "number": row["number"],
                "characters": len(row["text"]),
                "tokens": len(row["tokens"]),
                "bits_per_char": bits / max(len(row["text"]), 1),
            }
        )
    return rows
