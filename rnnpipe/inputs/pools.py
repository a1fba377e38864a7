"""Batches of sequences of similar lengths, so that little of what is computed is padding."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from rnnpipe.inputs.batches import Batch, make_batches
from rnnpipe.inputs.prefetching import prefetch
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.text.tokens import PAD

_POOL = 128  # batches that are sorted together


def make_pooled_batches(
    records: RecordsDirectory,
    split: str,
    *,
    fields: Sequence[str],
    by: Sequence[str] | None = None,
    batch_size: int,
    shuffle_seed: int | None = None,
    multiple: int = 4,
    transform: Callable[[Batch], Any] = lambda batch: batch,
) -> tf.data.Dataset:
    """The batches of a split, each of records whose sequences are about as long as one another.

    Records are shuffled, drawn in pools of many batches, and sorted within their pool: by the
    length of the last field of `by`, then by that of the field before it. A pool's batches come in
    random order. The time axis is padded to a multiple, so that few shapes occur: compiled kernels
    are made for each.

    Args:
        records: where they are.
        split: which of its splits.
        fields: which fields to parse.
        by: those of them that are sequences of token ids; None for all.
        batch_size: records in a batch; the last batch of an epoch may be smaller.
        shuffle_seed: seed of the order; without one it is the same each time.
        multiple: what padded lengths are multiples of.
        transform: what becomes of a batch, in which the fields of `by` are `(batch, time)`.

    Raises:
        UserError: the records have no such split.
    """
    sequences = fields if by is None else by

    def cut(pool: Batch, *seed: tf.Tensor) -> tf.data.Dataset:
        order = order_by_lengths([pool[name] for name in sequences])
        pool = {name: tf.gather(pool[name], order) for name in fields}
        count = -(-tf.size(order, tf.int64) // batch_size)
        numbers = tf.range(count)
        if seed:
            numbers = tf.random.experimental.stateless_shuffle(numbers, tf.stack([*seed, 0]))

        def take(number: tf.Tensor) -> Any:
            rows = slice(number * batch_size, (number + 1) * batch_size)
            batch = {name: values[rows] for name, values in pool.items()}
            return transform(batch | {name: trim(batch[name], multiple) for name in sequences})

        slices = tf.data.Dataset.from_tensor_slices(numbers)
        return slices.map(take, num_parallel_calls=2, deterministic=True)

    pools = make_batches(
        records, split, fields=fields, batch_size=batch_size * _POOL, shuffle_seed=shuffle_seed
    )
    if shuffle_seed is not None:
        # A shuffle within `cut` would give all epochs the same order of lengths.
        seeds = tf.data.Dataset.random(seed=shuffle_seed, rerandomize_each_iteration=True)
        pools = tf.data.Dataset.zip(pools, seeds)
    count = -(-records.splits[split] // batch_size)
    # Files do not store their number of records, which Keras needs.
    batches = pools.flat_map(cut).apply(tf.data.experimental.assert_cardinality(count))
    return prefetch(batches, 4)


def order_by_lengths(sequences: Sequence[tf.Tensor]) -> tf.Tensor:
    """The rows by their length in the last of several sequences, then in the one before it.

    Args:
        sequences: tokens, each `(batch, time)`; rows that are alike come in the order they have.
    """
    first, *rest = map(_lengths, sequences)
    order = tf.argsort(first, stable=True)
    for lengths in rest:
        order = tf.gather(order, tf.argsort(tf.gather(lengths, order), stable=True))
    return order


def _lengths(tokens: tf.Tensor) -> tf.Tensor:
    return tf.math.count_nonzero(tokens != PAD, axis=1, dtype=tf.int32)


def trim(tokens: tf.Tensor, multiple: int) -> tf.Tensor:
    """Rows without the columns that only pad, but for those that make a multiple of `multiple`.

    Args:
        tokens: `(batch, time)`, padded behind.
        multiple: what the new `time` is a multiple of.
    """
    time = tf.maximum(tf.reduce_max(_lengths(tokens)), 1)
    time = -(-time // multiple) * multiple
    missing = tf.maximum(time - tf.shape(tokens)[1], 0)
    return tf.pad(tokens, [[0, 0], [0, missing]], constant_values=PAD)[:, :time]
