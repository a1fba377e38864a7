"""Batches of images with captions, each image once however many captions of it there are."""

from collections.abc import Sequence
from typing import Literal

import tensorflow as tf

from rnnpipe.inputs.augmentation import NO_AUGMENTATION, AugmentationOptions, augment
from rnnpipe.inputs.batches import Batch, make_batches
from rnnpipe.inputs.pools import trim
from rnnpipe.inputs.prefetching import prefetch
from rnnpipe.inputs.targets import shift_targets
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.text.tokens import PAD

_MULTIPLE = 4  # what padded lengths are multiples of: compiled kernels are made for each
_TOKENS = "caption_tokens"


def make_caption_batches(
    records: RecordsDirectory,
    split: str,
    *,
    image_field: str,
    image_shape: Sequence[int | None],
    batch_size: int,
    captions: Literal["one", "all"],
    shuffle_seed: int | None = None,
    augmentation: AugmentationOptions = NO_AUGMENTATION,
) -> tf.data.Dataset:
    """Batches of ({`image`, `image_index`, `caption`}, targets).

    Args:
        records: where they are.
        split: which of their splits.
        image_field: the field that the model sees: pixels, or features.
        image_shape: of one of them.
        batch_size: images of a batch; the last one of an epoch may be smaller.
        captions: of each image, one that is drawn anew every time, or all.
        shuffle_seed: seed of the order and of what is drawn; without one the images come in the
            records' order.
        augmentation: what happens to the pixels of shuffled batches.

    Returns:
        Batches of which `caption` begins with the start token and targets end with the end token,
        both `(captions, time)`; `image_index`, `(captions,)`, is the row of each one's image.
    """
    batches = make_batches(
        records,
        split,
        fields=(image_field, _TOKENS),
        batch_size=batch_size,
        shuffle_seed=shuffle_seed,
    )
    # A draw within the map would be the same in every epoch.
    seeds = tf.data.Dataset.random(seed=shuffle_seed or 0, rerandomize_each_iteration=True)

    def to_pair(batch: Batch, seed: tf.Tensor) -> tuple[Batch, tf.Tensor]:
        tokens, index = (
            _all(batch[_TOKENS]) if captions == "all" else _draw_one(batch[_TOKENS], seed)
        )
        decoder_inputs, targets = shift_targets(trim(tokens, _MULTIPLE))
        image = tf.ensure_shape(batch[image_field], (None, *image_shape))
        if shuffle_seed is not None:
            image = _change(image, augmentation, seed)
        return {"image": image, "image_index": index, "caption": decoder_inputs}, targets

    pairs = tf.data.Dataset.zip(batches, seeds)
    return prefetch(pairs.map(to_pair, num_parallel_calls=2, deterministic=True))


def make_reference_batches(
    records: RecordsDirectory,
    split: str,
    *,
    image_field: str,
    image_shape: Sequence[int | None],
    batch_size: int,
    shuffle_seed: int,
    augmentation: AugmentationOptions = NO_AUGMENTATION,
) -> tf.data.Dataset:
    """Batches of ({`image`}, tokens of all of its captions), as self-critical training takes them.

    Args:
        records: where they are.
        split: which of their splits.
        image_field: the field that the model sees: pixels, or features.
        image_shape: of one of them.
        batch_size: images of a batch.
        shuffle_seed: seed of the order, and of what happens to the pixels.
        augmentation: what happens to them.

    Returns:
        Batches of images, and tokens `(images, captions, time)`, padded.
    """
    batches = make_batches(
        records,
        split,
        fields=(image_field, _TOKENS),
        batch_size=batch_size,
        shuffle_seed=shuffle_seed,
    )
    seeds = tf.data.Dataset.random(seed=shuffle_seed, rerandomize_each_iteration=True)

    def to_pair(batch: Batch, seed: tf.Tensor) -> tuple[Batch, tf.Tensor]:
        image = tf.ensure_shape(batch[image_field], (None, *image_shape))
        return {"image": _change(image, augmentation, seed)}, batch[_TOKENS]

    pairs = tf.data.Dataset.zip(batches, seeds)
    return prefetch(pairs.map(to_pair, num_parallel_calls=2, deterministic=True))


def make_image_batches(
    records: RecordsDirectory, split: str, *, image_field: str, batch_size: int
) -> tf.data.Dataset:
    """The images of a split, in the records' order, `(batch, ...)`."""
    return make_batches(
        records,
        split,
        fields=(image_field,),
        batch_size=batch_size,
        transform=lambda batch: batch[image_field],
    )


def _change(images: tf.Tensor, augmentation: AugmentationOptions, seed: tf.Tensor) -> tf.Tensor:
    return images if augmentation == NO_AUGMENTATION else augment(images, augmentation, (seed, 1))


def _all(tokens: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """All captions of `(images, captions, time)`, and which image each is about."""
    there = tokens[:, :, 0] != PAD
    index = tf.cast(tf.where(there)[:, 0], tf.int32)
    return tf.boolean_mask(tokens, there), index


def _draw_one(tokens: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """One caption of each image, by chance."""
    counts = tf.math.count_nonzero(tokens[:, :, 0] != PAD, axis=1, dtype=tf.float32)
    shares = tf.random.stateless_uniform(tf.shape(counts), tf.stack([seed, 0]))
    chosen = tf.cast(shares * counts, tf.int32)
    return tf.gather(tokens, chosen, batch_dims=1), tf.range(tf.size(chosen))
