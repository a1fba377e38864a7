"""Long texts as parallel streams: each batch goes on where the one before it ended, row by row."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.inputs.prefetching import prefetch
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.text.tokens import END, PAD, START

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Streams:
    """Chunks of documents, side by side in rows.

    A document's first chunk begins a stream; its last one is padded. Within a row, chunk after
    chunk is text without a gap.

    Args:
        tokens: what a model reads, `(steps, rows, time)` int32; a document's first is `START`.
        targets: what comes next, of the same shape; `PAD` beyond a document's end.
        starts: whether a row begins anew with this chunk, `(steps, rows)`.
    """

    tokens: Array
    targets: Array
    starts: Array

    def by_text(self, values: Array) -> Array:
        """One value for each token of the text, in its order, of values for each target.

        Args:
            values: `(steps, rows, time)`.
        """
        order = self.targets.swapaxes(0, 1) != PAD  # (rows, steps, time)
        in_order: Array = values.swapaxes(0, 1)[order]
        return in_order


def read_documents(records: RecordsDirectory, split: str) -> Iterator[Array]:
    """The token ids of each document of a split; a gap due to a dead letter ends a document.

    So does an end token, where documents have some: the texts in a document are independent.

    Raises:
        UserError: the records have no such split.
    """
    for document in _read_whole(records, split):
        ends = np.flatnonzero(document == END) + 1
        yield from (text for text in np.split(document, ends) if len(text))


def _read_whole(records: RecordsDirectory, split: str) -> Iterator[Array]:
    """The token ids of each document, whatever tokens it has."""
    parts: list[list[int]] = []
    before: tuple[str, int] | None = None
    for record in records.read(split, ["document", "number", "tokens"]):
        place = record["document"], record["number"]
        if before is not None and place != (before[0], before[1] + 1):
            yield np.concatenate(parts).astype("int32")
            parts = []
        parts.append(record["tokens"])
        before = place
    if parts:
        yield np.concatenate(parts).astype("int32")


def make_streams(documents: Iterable[Array], *, rows: int, time: int) -> Streams:
    """Cuts documents into chunks and lays these, in their order, into rows of equal length.

    Args:
        documents: token ids, `(length,)` each.
        rows: how many streams are read at once. A row that begins in the middle of a document
            begins without what came before.
        time: tokens in a chunk.

    Raises:
        UserError: there is no token at all.

    Example:
        >>> streams = make_streams([np.array([4, 5, 6])], rows=1, time=2)
        >>> streams.tokens.tolist(), streams.targets.tolist(), streams.starts.tolist()
        ([[[2, 4]], [[5, 0]]], [[[4, 5]], [[6, 0]]], [[True], [False]])
    """
    tokens, targets, starts = [], [], []
    for document in documents:
        chunks = -(-len(document) // time)
        padded = np.full(1 + chunks * time, PAD, "int32")
        padded[0], padded[1 : 1 + len(document)] = START, document
        read = padded[:-1].reshape(chunks, time)
        aims = padded[1:].reshape(chunks, time)
        tokens.append(np.where(aims == PAD, PAD, read))
        targets.append(aims)
        starts.append(np.arange(chunks) == 0)
    count = sum(map(len, starts))
    if not count:
        raise UserError("streams", "at least one token", "none", "give more text")
    steps = -(-count // rows)
    beyond = np.full((rows * steps - count, time), PAD, "int32")
    shape = (rows, steps, time)
    begins = np.concatenate([*starts, np.ones(len(beyond), bool)]).reshape(rows, steps)
    begins[:, 0] = True
    return Streams(
        np.concatenate([*tokens, beyond]).reshape(shape).swapaxes(0, 1),
        np.concatenate([*targets, beyond]).reshape(shape).swapaxes(0, 1),
        begins.T,
    )


def make_stream_batches(streams: Streams) -> tf.data.Dataset:
    """The batches of streams, step by step: pairs of inputs and targets `(rows, time)`.

    The inputs are `{"tokens": (rows, time) int32, "starts": (rows,) bool}`.
    """
    inputs = {"tokens": streams.tokens, "starts": streams.starts}
    return prefetch(tf.data.Dataset.from_tensor_slices((inputs, streams.targets)))
