"""Evaluation of a language model beside n-grams and compression programs."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.inputs.streams import Streams, make_stream_batches, make_streams, read_documents
from rnnpipe.metrics.entropy import ngram_nats, packed_bits
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.base import Evaluation
from rnnpipe.tasks.language_model.report import make_report_items
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokens import START

Array = np.ndarray[Any, np.dtype[Any]]

_ORDERS = {"char": 6, "word": 3}
_ORDER_NAMES = {1: "unigram", 2: "bigram"}
_MOST_PACKED = 1 << 24  # characters that packers read before


def evaluate(
    model: keras.Model,
    records: RecordsDirectory,
    split: str,
    symbols: Symbols,
    *,
    rows: int,
    time: int,
    clip_norm: float | None,
) -> Evaluation:
    """Scores a model, n-grams and packers on a split, and shows what the model has learnt.

    Args:
        model: a language model whose states come in and go out.
        records: the records.
        split: which of their splits.
        symbols: the vocabulary.
        rows: how many parts of the text are read side by side.
        time: tokens read at once; it changes nothing but the speed.
        clip_norm: to which the training clips gradients.
    """
    streams = make_streams(read_documents(records, split), rows=rows, time=time)
    nats = streams.by_text(token_nats(model, streams))
    texts = list(records.read(split))
    characters = sum(len(row["text"]) for row in texts)
    scores = _score(float(nats.mean()), len(nats), characters)
    for name, baseline in _score_baselines(records, split, symbols, len(nats), characters).items():
        scores |= {f"baseline/{name}/{metric}": value for metric, value in baseline.items()}
    rows_of_text = _describe(texts, nats)
    return Evaluation(
        scores, rows_of_text, make_report_items(model, symbols, texts, nats, clip_norm=clip_norm)
    )


def token_nats(model: keras.Model, streams: Streams) -> Array:
    """−log p of each target in nats, `(steps, rows, time)`, states carried from step to step."""

    @tf.function(reduce_retracing=True)
    def read(inputs: Any, targets: Any, states: Any) -> tuple[Any, Any]:
        states = [tf.where(inputs["starts"][:, None], 0.0, state) for state in states]
        outputs = model({"tokens": inputs["tokens"], "states": states}, training=False)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs["logits"])
        return nats, outputs["states"]

    rows = streams.tokens.shape[1]
    states: Any = [tf.zeros((rows, state.shape[-1])) for state in model.input["states"]]
    nats = []
    for inputs, targets in make_stream_batches(streams):
        values, states = read(inputs, targets, list(states))
        nats.append(values.numpy())
    return np.stack(nats)


def _score(nats: float, tokens: int, characters: int) -> dict[str, float]:
    return {
        "nats": nats,
        "bits_per_char": nats / np.log(2).item() * tokens / max(characters, 1),
        "perplexity": float(np.exp(nats)),
    }


def _score_baselines(
    records: RecordsDirectory, split: str, symbols: Symbols, tokens: int, characters: int
) -> dict[str, dict[str, float]]:
    """N-grams that learnt from the training split, and packers that have read it before."""
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
    """A row for each record: what it costs to foretell."""
    ends = np.cumsum([len(row["tokens"]) for row in texts])
    rows = []
    for row, values in zip(texts, np.split(nats, ends[:-1]), strict=True):
        bits = float(values.sum()) / np.log(2).item()
        rows.append(
            {
                "document": row["document"],
                "number": row["number"],
                "characters": len(row["text"]),
                "tokens": len(row["tokens"]),
                "bits_per_char": round(bits / max(len(row["text"]), 1), 4),
            }
        )
    return rows
