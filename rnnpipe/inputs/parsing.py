"""Serialised records → tensors, a batch at a time, from the one declaration of their fields."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from rnnpipe.records.specs import RecordSpec
from rnnpipe.text.tokens import PAD

_DTYPES = {"int64": tf.int64, "float32": tf.float32, "text": tf.string, "jpeg": tf.string}


def parse_batch(
    spec: RecordSpec, serialised: tf.Tensor, fields: Iterable[str]
) -> dict[str, tf.Tensor]:
    """The fields of a batch of records.

    Args:
        spec: the kind of record.
        serialised: the records' bytes, `(batch,)`.
        fields: which fields to parse.

    Returns:
        By field name: `(batch,)` of single values; `(batch, length)` of sequences, padded to the
        longest of the batch with `PAD`, zero or empty text; images as uint8
        `(batch, height, width, channels)`.
    """
    wanted = {name: spec.fields[name] for name in fields}
    features: dict[str, Any] = {
        name: tf.io.RaggedFeature(_DTYPES[field.kind])
        if field.sequence
        else tf.io.FixedLenFeature([], _DTYPES[field.kind])
        for name, field in wanted.items()
    }
    parsed = tf.io.parse_example(serialised, features)
    for name, field in wanted.items():
        if field.sequence:
            parsed[name] = parsed[name].to_tensor(PAD if field.kind == "int64" else None)
        elif field.kind == "jpeg":
            parsed[name] = _decode_images(parsed[name])
    return dict(parsed)


def _decode_images(jpegs: tf.Tensor) -> tf.Tensor:
    return tf.map_fn(
        lambda jpeg: tf.io.decode_jpeg(jpeg, channels=3),
        jpegs,
        fn_output_signature=tf.TensorSpec([None, None, 3], tf.uint8),
    )
