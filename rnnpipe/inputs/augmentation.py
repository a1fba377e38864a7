"""Images changed by chance, so that training sees each of them in many ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnpipe.settings import Settings, fraction, setting

if TYPE_CHECKING:
    import tensorflow as tf


class AugmentationOptions(Settings):
    """What happens to training images, anew in every epoch; to all frames of a clip alike."""

    shift: int = setting(
        0, "pixels by which they are moved at most, in each direction; edges are repeated", ge=0
    )
    flip: bool = setting(False, "whether every second one is mirrored")
    brightness: float = fraction(help="share of white by which they become darker or brighter")


NO_AUGMENTATION = AugmentationOptions()


def augment_batches(
    batches: tf.data.Dataset, how: AugmentationOptions, seed: int
) -> tf.data.Dataset:
    """Batches of (inputs, targets) whose input `image` is augmented, anew in every epoch.

    Args:
        batches: with uint8 images, `(images, height, width, 3)`.
        how: what happens to them.
        seed: of the chance.
    """
    import tensorflow as tf

    if how == NO_AUGMENTATION:
        return batches
    # A draw within the map would be the same in every epoch.
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)

    def change(
        batch: tuple[dict[str, tf.Tensor], tf.Tensor], seed: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        inputs, targets = batch
        return {**inputs, "image": augment(inputs["image"], how, (seed, 1))}, targets

    return tf.data.Dataset.zip(batches, seeds).map(change, num_parallel_calls=2)


def augment(
    images: tf.Tensor,
    how: AugmentationOptions,
    seed: Sequence[tf.Tensor],
    *,
    lengths: tf.Tensor | None = None,
) -> tf.Tensor:
    """Images moved, mirrored and made brighter or darker.

    Args:
        images: uint8, `(images, height, width, 3)`.
        how: what happens to them.
        seed: two numbers; the same ones change images in the same way.
        lengths: how many of the images, in their order, are changed in one and the same way, as the
            frames of a clip are, `(clips,)`; None: each in its own.
    """
    import tensorflow as tf

    count = tf.shape(images)[0] if lengths is None else tf.size(lengths)
    draws = tf.random.stateless_uniform((count, 4), tf.stack(seed), -1.0, 1.0)
    if lengths is not None:
        draws = tf.repeat(draws, lengths, axis=0)
    down, right, mirror, light = tf.unstack(draws, axis=1)  # (images,)
    height, width = images.shape[1:3]
    columns = _move(width, right, how.shift)
    if how.flip:
        columns = tf.where(mirror[:, None] < 0, width - 1 - columns, columns)
    images = tf.gather(images, _move(height, down, how.shift), axis=1, batch_dims=1)
    images = tf.gather(images, columns, axis=2, batch_dims=1)
    if how.brightness:
        lit = tf.cast(images, tf.float32) + light[:, None, None, None] * (255 * how.brightness)
        images = tf.cast(tf.clip_by_value(lit, 0, 255), tf.uint8)
    return images


def _move(side: int, by: tf.Tensor, most: int) -> tf.Tensor:
    """Which row or column is seen at each place, `(images, side)`, moved by -1 to 1 of `most`."""
    import tensorflow as tf

    moved = tf.range(side) + tf.cast(tf.round(by * most), tf.int32)[:, None]
    return tf.clip_by_value(moved, 0, side - 1)
