"""Clips changed by chance: their frames as images, and their speed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnpipe.inputs.augmentation import AugmentationOptions
from rnnpipe.settings import fraction

if TYPE_CHECKING:
    import tensorflow as tf


class ClipAugmentationOptions(AugmentationOptions):
    """What happens to training clips, anew in every epoch; to all frames of a clip alike."""

    speed: float = fraction(help="share by which clips become faster or slower at most")


NO_CLIP_AUGMENTATION = ClipAugmentationOptions()


def change_speed(
    rows: Sequence[tf.Tensor], lengths: tf.Tensor, most: float, seed: Sequence[tf.Tensor]
) -> tuple[tf.Tensor, ...]:
    """Clips that are faster or slower: some of their frames are left out, or shown again.

    The factor of the speed is uniform from `1 - most` to `1 + most`. Of n frames, m = n / factor
    remain, rounded; the frame at t is that which was on show at (t + 1/2) n / m.

    Args:
        rows: a value of each frame, int, `(clips, time)`, e.g. its index and its label.
        lengths: of the clips, int32, `(clips,)`.
        most: greatest change of the speed.
        seed: two numbers; the same ones change clips in the same way.

    Returns:
        The rows, padded with -1 to the longest.
    """
    import tensorflow as tf

    factor = 1.0 + most * tf.random.stateless_uniform(tf.shape(lengths), tf.stack(seed), -1.0, 1.0)
    after = tf.cast(tf.round(tf.cast(lengths, tf.float32) / factor), tf.int32)
    after = tf.maximum(after, tf.minimum(lengths, 1))  # no clip is lost
    times = tf.range(tf.reduce_max(after))  # (time,)
    shown = times < after[:, None]  # (clips, time)
    places = (2 * times + 1) * lengths[:, None] // (2 * tf.maximum(after, 1)[:, None])
    places = tf.where(shown, places, 0)
    return tuple(
        tf.where(shown, tf.gather(row, places, batch_dims=1), tf.constant(-1, row.dtype))
        for row in rows
    )
