"""Records of speech as batches of features, of recordings about as long as one another."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from rnnpipe.audio import LogMelOptions
from rnnpipe.audio.samples import FULL_SCALE
from rnnpipe.inputs.batches import Batch, make_batches
from rnnpipe.inputs.log_mel import make_log_mel
from rnnpipe.inputs.prefetching import prefetch
from rnnpipe.inputs.sound_augmentation import (
    NO_SOUND_AUGMENTATION,
    SoundAugmentationOptions,
    augment_sound,
)
from rnnpipe.records.directory import RecordsDirectory

_ID = "utterance_id"
_POOL = 32  # batches that are sorted together
_MULTIPLE = 32  # of padded frames: kernels are compiled for each


def make_utterances(
    records: RecordsDirectory,
    split: str,
    *,
    log_mel: LogMelOptions | None,
    batch_size: int,
    shuffle_seed: int | None = None,
    augmentation: SoundAugmentationOptions = NO_SOUND_AUGMENTATION,
    ids: bool = False,
) -> tf.data.Dataset:
    """The batches of a split of recordings.

    Shuffled recordings are drawn in pools of many batches, and sorted by their lengths within
    their pool, so that little of what is computed is padding; a pool's batches come in random
    order. Otherwise they come in the records' order.

    Args:
        records: where they are.
        split: which of its splits.
        log_mel: what makes features of samples; None: the records hold features.
        batch_size: recordings in a batch; the last batch of an epoch may be smaller.
        shuffle_seed: seed of the order; without one the records come in their own order.
        augmentation: what happens to the samples of shuffled recordings, anew in every epoch.
        ids: whether batches are the ids of their recordings, `(batch,)`, and nothing else.

    Returns:
        Pairs of `{"features": (batch, frames, mels), "lengths": (batch,) frames}` and tokens
        `(batch, tokens)`, padded with zeros.

    Raises:
        UserError: the records have no such split.
    """
    field = "features" if log_mel is None else "samples"
    augments = shuffle_seed is not None and augmentation != NO_SOUND_AUGMENTATION
    recordings = make_batches(
        records,
        split,
        fields=(field, _ID if ids else "tokens"),
        batch_size=1,
        shuffle_seed=shuffle_seed,
        transform=_spell_ids if ids else dict,
    )
    if augments:
        recordings = _augment(recordings, augmentation, shuffle_seed)
    compute = _keep_features if log_mel is None else _computing(log_mel)
    recordings = recordings.map(compute, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if shuffle_seed is None:
        batches = recordings.ragged_batch(batch_size).map(_pad)
    else:
        batches = _sort_in_pools(recordings, batch_size, shuffle_seed)
    # Files do not store their number of records, which Keras needs.
    count = -(-records.splits[split] // batch_size)
    batches = prefetch(batches.apply(tf.data.experimental.assert_cardinality(count)))
    return batches.map(_join_ids) if ids else batches


def _spell_ids(batch: Batch) -> Batch:
    """The bytes of an id in the place of the tokens."""
    return {**batch, "tokens": tf.io.decode_raw(batch[_ID], tf.uint8)}


def _join_ids(inputs: Batch, letters: tf.Tensor) -> tf.Tensor:
    """The ids of padded rows of bytes, `(batch, bytes)`."""
    del inputs
    characters = tf.constant([b"", *(bytes([code]) for code in range(1, 256))])
    return tf.strings.reduce_join(tf.gather(characters, letters), axis=1)


def _augment(
    recordings: tf.data.Dataset, how: SoundAugmentationOptions, seed: int | None
) -> tf.data.Dataset:
    """Recordings with other samples, of one row each."""
    # A draw within the map would be the same in every epoch.
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)

    def change(batch: Batch, *seeds: tf.Tensor) -> Batch:
        samples = tf.cast(batch["samples"][0], tf.float32) / FULL_SCALE
        return {**batch, "samples": augment_sound(samples, how, seeds)[None] * FULL_SCALE}

    return tf.data.Dataset.zip(recordings, seeds, seeds).map(
        change, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )


def _keep_features(batch: Batch) -> Batch:
    """The features of all records of a batch lie one after the other: of one here."""
    return {"features": batch["features"], "tokens": tf.cast(batch["tokens"][0], tf.int32)}


def _computing(options: LogMelOptions) -> Callable[[Batch], Batch]:
    """The features of the samples of one record, `(frames, mels)`, in their place."""
    log_mel = make_log_mel(options)

    def compute(batch: Batch) -> Batch:
        features = log_mel(tf.cast(batch["samples"][0], tf.float32) / FULL_SCALE)
        features = tf.ensure_shape(features, (None, options.mels))
        return {"features": features, "tokens": tf.cast(batch["tokens"][0], tf.int32)}

    return compute


def _sort_in_pools(
    recordings: tf.data.Dataset, batch_size: int, shuffle_seed: int
) -> tf.data.Dataset:
    def cut(pool: Any, seed: tf.Tensor) -> tf.data.Dataset:
        order = tf.argsort(pool["features"].row_lengths(), stable=True)
        count = -(-tf.size(order, tf.int64) // batch_size)
        numbers = tf.range(count)
        numbers = tf.random.experimental.stateless_shuffle(numbers, tf.stack([seed, 0]))

        def take(number: tf.Tensor) -> Any:
            rows = order[number * batch_size : (number + 1) * batch_size]
            return _pad({name: tf.gather(values, rows) for name, values in pool.items()})

        slices = tf.data.Dataset.from_tensor_slices(numbers)
        return slices.map(take, num_parallel_calls=2, deterministic=True)

    # A shuffle within `cut` would give all epochs the same order of lengths.
    seeds = tf.data.Dataset.random(seed=shuffle_seed, rerandomize_each_iteration=True)
    pools = recordings.ragged_batch(batch_size * _POOL)
    return tf.data.Dataset.zip(pools, seeds).flat_map(cut)


def _pad(batch: Any) -> tuple[Batch, tf.Tensor]:
    """Features padded to a multiple of frames, how many frames they have, and tokens."""
    lengths = tf.cast(batch["features"].row_lengths(), tf.int32)
    features = batch["features"].to_tensor()
    padding = -tf.shape(features)[1] % _MULTIPLE
    features = tf.pad(features, [[0, 0], [0, padding], [0, 0]])
    return {"features": features, "lengths": lengths}, batch["tokens"].to_tensor()
