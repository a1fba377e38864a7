"""A split of a records directory as a `tf.data.Dataset` of parsed batches."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from rnnpipe.inputs.parsing import parse_batch
from rnnpipe.inputs.prefetching import prefetch
from rnnpipe.records.directory import RecordsDirectory

_READ_BUFFER = 1 << 20  # bytes
_SHUFFLE_BYTES = 1 << 30  # of the records to choose the next ones from: features are large

Batch = dict[str, tf.Tensor]


def make_batches(
    records: RecordsDirectory,
    split: str,
    *,
    fields: Sequence[str],
    batch_size: int,
    shuffle_seed: int | None = None,
    shuffle_buffer: int = 20_000,
    run_length: int = 1,
    images_by: str | None = None,
    transform: Callable[[Batch], Any] = lambda batch: batch,
) -> tf.data.Dataset:
    """The batches of a split, in the records' order or shuffled anew at every epoch.

    Serialised records are shuffled, before images are decoded: that buffer is small. Records that
    share an image lie together in a shard. With `run_length` such neighbours stay together in the
    shuffled order too, so that a batch has fewer images than records, and `images_by` lets the
    batch hold each of them once: an image is decoded, and encoded by the model, once for all its
    records.

    Args:
        records: where they are.
        split: which of its splits.
        fields: which fields to parse.
        batch_size: records in a batch; the last batch of an epoch may be smaller.
        shuffle_seed: seed of the order; without one the records come in their own order.
        shuffle_buffer: how many records to choose the next ones from, as far as 1 GiB holds them.
        run_length: how many neighbouring records are shuffled as one.
        images_by: the field that identifies images, see `parse_batch`.
        transform: what becomes of a parsed batch, e.g. a pair (inputs, targets).

    Raises:
        UserError: the records have no such split, or their names or vocabulary cannot be read.
    """
    paths = [str(path) for path in records.shards(split)]
    if shuffle_seed is None:
        serialised = tf.data.TFRecordDataset(paths, buffer_size=_READ_BUFFER)
    else:
        files = tf.data.Dataset.from_tensor_slices(paths).shuffle(len(paths), seed=shuffle_seed)
        serialised = files.interleave(
            lambda path: tf.data.TFRecordDataset(path, buffer_size=_READ_BUFFER),
            cycle_length=8,
            block_length=run_length,
        )
        runs = min(shuffle_buffer, _count_held(records, split)) // run_length
        serialised = serialised.batch(run_length).shuffle(max(runs, 1), seed=shuffle_seed).unbatch()

    limits = records.limits

    def parse(batch: tf.Tensor) -> Any:
        parsed = parse_batch(records.spec, batch, fields, images_by=images_by, limits=limits)
        return transform(parsed)

    batches = serialised.batch(batch_size).map(
        parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    # Files do not store their number of records, which Keras needs.
    count = -(-records.splits[split] // batch_size)
    return prefetch(batches.apply(tf.data.experimental.assert_cardinality(count)))


def _count_held(records: RecordsDirectory, split: str) -> int:
    """How many records of a split may wait in memory."""
    count = records.splits[split]
    size = sum(path.stat().st_size for path in records.shards(split))
    return min(count, max(1, count * _SHUFFLE_BYTES // max(size, 1)))
