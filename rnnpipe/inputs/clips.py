"""Records of videos as batches: all frames in a row, and which of them are each clip's."""

from collections.abc import Sequence
from dataclasses import replace

import tensorflow as tf

from rnnpipe.inputs.augmentation import augment
from rnnpipe.inputs.batches import Batch, make_batches
from rnnpipe.inputs.clip_augmentation import (
    NO_CLIP_AUGMENTATION,
    ClipAugmentationOptions,
    change_speed,
)
from rnnpipe.inputs.prefetching import prefetch
from rnnpipe.records.directory import RecordsDirectory

_MULTIPLE = 8  # of padded lengths: kernels are compiled for each
_NO_LABEL = -1


def make_clips(
    records: RecordsDirectory,
    split: str,
    *,
    outputs: Sequence[str],
    frame_field: str,
    frame_shape: Sequence[int],
    batch_size: int,
    shuffle_seed: int | None = None,
    augmentation: ClipAugmentationOptions = NO_CLIP_AUGMENTATION,
) -> tf.data.Dataset:
    """The batches of a split of videos.

    Args:
        records: where they are.
        split: which of its splits.
        outputs: what is labelled: `frame`, `clip` or both.
        frame_field: what the model sees of a record: `frames_jpeg` or `frame_features`.
        frame_shape: of one frame: `(height, width, 3)` or `(channels,)`.
        batch_size: clips in a batch; the last batch of an epoch may be smaller.
        shuffle_seed: seed of the order; without one the records come in their own order.
        augmentation: what happens to clips of shuffled batches; to features only their speed.

    Returns:
        Pairs of `{"frames": (frames, …) uint8 images or float32 features, "frame_index": (batch,
        time)}`, of which -1 is padding, and `{"frame": (batch, time), "clip": (batch,)}` or one of
        these, -1 where there is no label.

    Raises:
        UserError: the records have no such split.
    """

    def to_pair(batch: Batch) -> tuple[Batch, Batch]:
        index = _lengthen(batch["frame_index"])
        labels = {
            "frame": tf.where(
                index < 0, tf.cast(_NO_LABEL, tf.int64), _lengthen(batch["frame_labels"])
            ),
            "clip": batch["clip_label"],
        }
        frames = tf.ensure_shape(batch[frame_field], (None, *frame_shape))
        inputs = {"frames": frames, "frame_index": index}
        return inputs, {output: labels[output] for output in outputs}

    batches = make_batches(
        records,
        split,
        fields=(frame_field, "frame_labels", "clip_label"),
        batch_size=batch_size,
        shuffle_seed=shuffle_seed,
        transform=to_pair,
    )
    if shuffle_seed is None or augmentation == NO_CLIP_AUGMENTATION:
        return batches
    return prefetch(_augment_clips(batches, augmentation, shuffle_seed))


def _augment_clips(
    batches: tf.data.Dataset, augmentation: ClipAugmentationOptions, seed: int
) -> tf.data.Dataset:
    """The batches with augmented clips, all frames of one alike, anew in every epoch."""

    def change(pair: tuple[Batch, Batch], *seed: tf.Tensor) -> tuple[Batch, Batch]:
        inputs, labels = pair
        lengths = tf.reduce_sum(tf.cast(inputs["frame_index"] >= 0, tf.int32), axis=1)
        if replace(augmentation, speed=0.0) != NO_CLIP_AUGMENTATION:
            frames = augment(inputs["frames"], augmentation, seed, lengths=lengths)
            inputs = {**inputs, "frames": frames}
        if augmentation.speed:
            by_frame = {"index": inputs["frame_index"], **labels}
            clip = {name: by_frame.pop(name) for name in ("clip",) if name in labels}
            speed_seed = tf.random.fold_in(tf.stack(seed), 1)
            rows = change_speed(list(by_frame.values()), lengths, augmentation.speed, speed_seed)
            changed = dict(zip(by_frame, map(_lengthen, rows), strict=True))
            inputs = {**inputs, "frame_index": changed.pop("index")}
            labels = changed | clip
        return inputs, labels

    # A draw within the map would be the same in every epoch.
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)
    return tf.data.Dataset.zip(batches, seeds, seeds).map(change)


def _lengthen(rows: tf.Tensor) -> tf.Tensor:
    """Rows padded with -1 to the next multiple."""
    time = tf.shape(rows)[1]
    return tf.pad(rows, [[0, 0], [0, -time % _MULTIPLE]], constant_values=_NO_LABEL)
