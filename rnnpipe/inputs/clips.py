"""Records of videos as batches: all frames in a row, and which of them are each clip's."""

from collections.abc import Sequence

import tensorflow as tf

from rnnpipe.inputs.batches import Batch, make_batches
from rnnpipe.records.directory import RecordsDirectory

_MULTIPLE = 8  # of padded lengths: kernels are compiled for each
_FIELDS = ("frames_jpeg", "frame_labels", "clip_label")
_NO_LABEL = -1


def make_clips(
    records: RecordsDirectory,
    split: str,
    *,
    outputs: Sequence[str],
    size: int,
    batch_size: int,
    shuffle_seed: int | None = None,
) -> tf.data.Dataset:
    """The batches of a split of videos.

    Args:
        records: where they are.
        split: which of its splits.
        outputs: what is labelled: `frame`, `clip` or both.
        size: height and width of the frames, in pixels.
        batch_size: clips in a batch; the last batch of an epoch may be smaller.
        shuffle_seed: seed of the order; without one the records come in their own order.

    Returns:
        Pairs of `{"frames": (frames, height, width, 3) uint8, "frame_index": (batch, time)}`, of
        which -1 is padding, and `{"frame": (batch, time), "clip": (batch,)}` or one of these, of
        which -1 says that there is no label.

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
        frames = tf.ensure_shape(batch["frames_jpeg"], (None, size, size, 3))
        inputs = {"frames": frames, "frame_index": index}
        return inputs, {output: labels[output] for output in outputs}

    return make_batches(
        records,
        split,
        fields=_FIELDS,
        batch_size=batch_size,
        shuffle_seed=shuffle_seed,
        transform=to_pair,
    )


def _lengthen(rows: tf.Tensor) -> tf.Tensor:
    """Rows padded with -1 to the next multiple."""
    time = tf.shape(rows)[1]
    return tf.pad(rows, [[0, 0], [0, -time % _MULTIPLE]], constant_values=_NO_LABEL)
