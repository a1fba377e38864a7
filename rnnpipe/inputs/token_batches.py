"""Batches of about as many tokens as one another: many short sequences, or few long ones."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.inputs.batches import Batch, make_batches
from rnnpipe.inputs.pools import order_by_lengths, trim
from rnnpipe.inputs.prefetching import prefetch
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.inventory import FIX
from rnnpipe.records.layout import STATS
from rnnpipe.text.tokens import PAD

_POOL = 8192  # records that are sorted together
_SHUFFLED = 256  # batches to choose the next one from


def make_token_batches(
    records: RecordsDirectory,
    split: str,
    *,
    fields: Sequence[str],
    by: Sequence[str] | None = None,
    tokens: int,
    shuffle_seed: int | None = None,
    multiple: int = 4,
    transform: Callable[[Batch], Any] = lambda batch: batch,
) -> tf.data.Dataset:
    """The batches of a split, each of one bucket of lengths and of at most so many tokens.

    A bucket is of the sequences that are padded to the same multiple. Records are shuffled, sorted
    in pools, and dealt out to the buckets of the last field of `by`: what lies together in a bucket
    is about as long in the other ones too. Batches come in random order.

    Args:
        records: where they are.
        split: which of its splits.
        fields: which fields to parse.
        by: those of them that are sequences of token ids, the last of which decides; None for all.
        tokens: of the last field of `by` in a batch at most, padding included; a longer sequence is
            a batch by itself.
        shuffle_seed: seed of the order; without one it is the same each time.
        multiple: what padded lengths are multiples of.
        transform: what becomes of a batch, in which the fields of `by` are `(batch, time)`.

    Raises:
        UserError: the records have no such split, or `stats.json` is not about them.
    """
    sequences = fields if by is None else by
    deciding = sequences[-1]
    histogram = records.stats["splits"].get(split, {}).get("histograms", {}).get(deciding, {})
    lengths = {int(length): count for length, count in histogram.items()}
    _check_lengths(records, split, lengths)
    sizes = bucket_sizes(max(lengths, default=1), tokens, multiple)

    def finish(batch: Batch) -> Any:
        return transform(batch | {name: trim(batch[name], multiple) for name in sequences})

    batches = _sort_in_pools(
        records, split, fields, sequences, shuffle_seed
    ).bucket_by_sequence_length(
        lambda record: tf.size(record[deciding]),
        # A boundary is the first length that is too long for its bucket.
        bucket_boundaries=[multiple * (number + 1) + 1 for number in range(len(sizes) - 1)],
        bucket_batch_sizes=sizes,
    )
    if shuffle_seed is not None:
        batches = batches.shuffle(_SHUFFLED, seed=shuffle_seed)
    count = count_batches(lengths, sizes, multiple)
    batches = batches.map(finish, num_parallel_calls=2, deterministic=True)
    return prefetch(batches.apply(tf.data.experimental.assert_cardinality(count)), 4)


def _check_lengths(records: RecordsDirectory, split: str, lengths: Mapping[int, int]) -> None:
    """Checks that records can be as long as it says: each length has a bucket of its own.

    Raises:
        UserError: one has more tokens than all records have bytes.
    """
    longest = max(lengths, default=0)
    if longest and longest > (size := records.stats["splits"][split]["num_bytes"]):
        expected, got = f"lengths of at most {size:,} tokens", f"{longest:,}"
        raise UserError(str(records.published / STATS), expected, got, FIX)


def _sort_in_pools(
    records: RecordsDirectory,
    split: str,
    fields: Sequence[str],
    sequences: Sequence[str],
    shuffle_seed: int | None,
) -> tf.data.Dataset:
    """The records one by one, without padding, sorted by their lengths in pools."""

    def sort(pool: Batch) -> Batch:
        order = order_by_lengths([pool[name] for name in sequences])
        return {name: tf.gather(pool[name], order) for name in fields}

    def strip(record: Batch) -> Batch:
        return record | {name: record[name][record[name] != PAD] for name in sequences}

    pools = make_batches(
        records,
        split,
        fields=fields,
        batch_size=_POOL,
        shuffle_seed=shuffle_seed,
        transform=sort,
    )
    return pools.unbatch().map(strip, num_parallel_calls=2, deterministic=True)


def bucket_sizes(longest: int, tokens: int, multiple: int) -> list[int]:
    """How many sequences a batch of each bucket has.

    Example:
        >>> bucket_sizes(longest=10, tokens=32, multiple=4)
        [8, 4, 2]
    """
    widths = range(multiple, longest + multiple, multiple)
    return [max(tokens // width, 1) for width in widths]


def count_batches(lengths: Mapping[int, int], sizes: Sequence[int], multiple: int) -> int:
    """How many batches an epoch has.

    Args:
        lengths: how many sequences there are of each length.
        sizes: as `bucket_sizes` has them.
        multiple: what padded lengths are multiples of.

    Example:
        >>> count_batches({3: 8, 4: 1, 9: 2}, sizes=[8, 4, 2], multiple=4)
        3
    """
    filled = [0] * len(sizes)
    for length, count in lengths.items():
        filled[max(length - 1, 0) // multiple] += count
    return sum(-(-count // size) for count, size in zip(filled, sizes, strict=True))
