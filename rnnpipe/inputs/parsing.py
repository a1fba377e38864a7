"""Serialised records → tensors, a batch at a time, from the one declaration of their fields."""

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from rnnpipe.inputs.contents import check_parsed
from rnnpipe.records.codec import ragged_columns, tensor_columns
from rnnpipe.records.limits import Limits
from rnnpipe.records.specs import Field, RecordSpec
from rnnpipe.text.tokens import PAD

_DTYPES = {
    "int64": tf.int64,
    "float32": tf.float32,
    "float16": tf.float16,
    "int16": tf.int16,
    "text": tf.string,
    "jpeg": tf.string,
}


def parse_batch(
    spec: RecordSpec,
    serialised: tf.Tensor,
    fields: Iterable[str],
    *,
    images_by: str | None = None,
    limits: Mapping[str, Limits] | None = None,
) -> dict[str, tf.Tensor]:
    """The fields of a batch of records.

    Args:
        spec: the kind of record.
        serialised: the records' bytes, `(batch,)`.
        fields: which fields to parse.
        images_by: a number that identifies images. Records that share an image share its decoded
            pixels and its tensors then, and `image_index` is the index of each record's image.
        limits: what the fields may hold, see `RecordsDirectory.limits`; None: whatever the
            declaration allows.

    Returns:
        By field name: `(batch,)` of single values; `(batch, length)` of sequences and
        `(batch, sequences, length)` of nested ones, padded to the longest of the batch with `PAD`,
        zero or empty text; of tensors of one axis the same, and in `<name>_length`, `(batch,)`, how
        long each is; `(images, …)` of other tensors, which all have the same shape, float16 as
        float32; images as uint8 `(images, height, width, channels)`, where `images` is the batch
        but for `images_by`; of sequences of images or of tensors those of all records, one after
        the other, and in `frame_index`, of shape `(batch, length)`, which of them are each
        record's, padded with -1.

    Raises:
        tf.errors.InvalidArgumentError: a record holds what none may hold, or something else.
    """
    selected = {name: spec.fields[name] for name in {*fields, *filter(None, [images_by])}}
    features: dict[str, Any] = {}
    for name, field in selected.items():
        features |= _features(name, field)
    parsed = check_parsed(selected, limits or {}, tf.io.parse_example(serialised, features))
    distinct = None
    if images_by is not None:
        parsed["image_index"], distinct = _find_distinct(parsed[images_by])
    for name, field in selected.items():
        if field.sequence and field.kind == "jpeg":
            jpegs = parsed[name]
            parsed["frame_index"] = _number(jpegs)
            parsed[name] = _decode_images(jpegs.flat_values)
        elif field.sequence and field.axes:
            rows = _join(field, *(parsed.pop(column) for column in tensor_columns(name)))
            parsed["frame_index"], parsed[name] = _number(rows), rows.values
        elif field.sequence:
            parsed[name] = parsed[name].to_tensor(PAD if field.kind == "int64" else None)
        elif field.kind == "jpeg":
            jpegs = parsed[name] if distinct is None else tf.gather(parsed[name], distinct)
            parsed[name] = _decode_images(jpegs)
        elif field.axes == 1:
            rows = _join_rows(field, parsed.pop(name))
            parsed[name], parsed[f"{name}_length"] = rows.to_tensor(), rows.row_lengths()
        elif field.axes:
            shape, data = (parsed.pop(column) for column in tensor_columns(name))
            data = data if distinct is None else tf.gather(data, distinct)
            values = _decode(field, data)  # (images, height * width * …)
            whole = tf.concat([tf.shape(data, tf.int64), shape[0]], axis=0)
            parsed[name] = tf.reshape(values, whole)
            parsed[name].set_shape([None] * (1 + field.axes))
    return parsed


def _features(name: str, field: Field) -> dict[str, Any]:
    """How the features of the `Example` that hold a field are parsed."""
    dtype = _DTYPES[field.kind]
    if field.axes == 1:
        return {name: tf.io.FixedLenFeature([], tf.string)}
    if field.axes:
        shape, data = tensor_columns(name)
        return {
            shape: tf.io.FixedLenFeature([field.axes], tf.int64),
            data: tf.io.FixedLenFeature([], tf.string),
        }
    if field.nested:
        items, lengths = ragged_columns(name)
        rows = tf.io.RaggedFeature.RowLengths(lengths)
        return {name: tf.io.RaggedFeature(dtype, value_key=items, partitions=[rows], validate=True)}
    if field.sequence:
        return {name: tf.io.RaggedFeature(dtype)}
    return {name: tf.io.FixedLenFeature([], dtype)}


def _join(field: Field, shapes: tf.Tensor, data: tf.Tensor) -> tf.RaggedTensor:
    """Sequences of tensors, `(batch, (length), …)`, of their shapes and their bytes."""
    values = _decode(field, tf.strings.reduce_join(data))
    rows = tf.reshape(values, tf.concat([[-1], shapes[0, 1:]], axis=0))
    rows.set_shape([None] * field.axes)
    return tf.RaggedTensor.from_row_lengths(rows, shapes[:, 0])


def _join_rows(field: Field, data: tf.Tensor) -> tf.RaggedTensor:
    """Tensors of one axis, `(batch, (length))`, of their bytes."""
    values, size = _decode(field, tf.strings.reduce_join(data)), _DTYPES[field.kind].size
    return tf.RaggedTensor.from_row_lengths(values, tf.strings.length(data) // size)


def _decode(field: Field, data: tf.Tensor) -> tf.Tensor:
    """The numbers of tensors; half precision is on disk alone, models read float32."""
    values = tf.io.decode_raw(data, _DTYPES[field.kind])
    if not values.dtype.is_floating:
        return values
    return tf.cast(tf.debugging.check_numerics(values, "a record"), tf.float32)


def _number(sequences: tf.RaggedTensor) -> tf.Tensor:
    """The place of each item among all of them, `(batch, length)`; -1 where there is none."""
    places = tf.range(tf.shape(sequences.values)[0])
    return sequences.with_values(places).to_tensor(-1)


def _find_distinct(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Which distinct value each one is, `(batch,)`, and where each occurs first, `(values,)`."""
    distinct, index = tf.unique(values)
    positions = tf.range(tf.size(values))
    return index, tf.math.unsorted_segment_min(positions, index, tf.size(distinct))


def decode_jpeg(jpeg: Any) -> tf.Tensor:
    """The pixels of a stored image as a model is trained on them, uint8 `(height, width, 3)`.

    TensorFlow's default is a faster, less accurate transform whose pixels no other decoder gives;
    these are equal to those of `rnnpipe.sources.images.decoding.decode_jpeg`.

    Args:
        jpeg: its bytes.
    """
    return tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE")


def _decode_images(jpegs: tf.Tensor) -> tf.Tensor:
    return tf.map_fn(
        decode_jpeg,
        jpegs,
        fn_output_signature=tf.TensorSpec([None, None, 3], tf.uint8),
    )
