"""Checks of what parsed records hold, before anything is made of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from rnnpipe.records.codec import tensor_columns
from rnnpipe.records.limits import Limits
from rnnpipe.records.specs import Field

_ITEM_BYTES = {"float32": 4, "float16": 2, "int16": 2}


def check_parsed(
    fields: Mapping[str, Field], limits: Mapping[str, Limits], parsed: Mapping[str, Any]
) -> dict[str, Any]:
    """Parsed records as they are, which raise where one holds what none may hold.

    It is the check of `rnnpipe.records.limits.check_contents`, of a whole batch at once; which
    record it is, that one finds.

    Args:
        fields: those that were parsed.
        limits: what they may hold; those of a field that is missing are the declaration's.
        parsed: features of `tf.train.Example`s by name, of a batch.
    """
    conditions, axes = list[tf.Tensor](), dict[str, tf.Tensor]()
    for name, field in fields.items():
        allowed = limits.get(name, Limits(field.least))
        if field.axes:
            conditions += _tensors_are_right(name, field, parsed)
        elif field.kind in ("int64", "float32"):
            conditions += _numbers_are_right(parsed[name], allowed)
        if not field.is_list:
            continue
        lengths = _lengths(name, field, parsed)
        conditions.append(tf.reduce_all(lengths >= allowed.shortest))
        if allowed.longest is not None:
            conditions.append(tf.reduce_all(lengths <= allowed.longest))
        if field.axis:
            equal = axes.setdefault(field.axis, lengths)
            conditions += [] if equal is lengths else [tf.reduce_all(lengths == equal)]
    if not conditions:
        return dict(parsed)
    message = (
        "a record holds what none of its data set may hold: `rnnpipe inspect --check` names it"
    )
    check = tf.debugging.Assert(tf.reduce_all(tf.stack(conditions)), [message])
    with tf.control_dependencies([] if check is None else [check]):
        return {name: tf.identity(values) for name, values in parsed.items()}


def _numbers_are_right(values: Any, allowed: Limits) -> Iterator[tf.Tensor]:
    numbers = values.flat_values if isinstance(values, tf.RaggedTensor) else values
    if numbers.dtype.is_floating:
        yield tf.reduce_all(tf.math.is_finite(numbers))
    if allowed.least is not None:
        yield tf.reduce_all(numbers >= tf.cast(allowed.least, numbers.dtype))
    if allowed.most is not None:
        yield tf.reduce_all(numbers <= tf.cast(allowed.most, numbers.dtype))


def _tensors_are_right(name: str, field: Field, parsed: Mapping[str, Any]) -> Iterator[tf.Tensor]:
    """Each has the bytes of its shape, and the same shape as the others, but for its items."""
    size = _ITEM_BYTES[field.kind]
    if field.axes == 1:
        yield tf.reduce_all(tf.strings.length(parsed[name]) % size == 0)
        return
    shapes, data = (parsed[column] for column in tensor_columns(name))
    yield tf.reduce_all(shapes >= 0)
    yield tf.reduce_all(
        size * tf.reduce_prod(shapes, axis=1) == tf.cast(tf.strings.length(data), tf.int64)
    )
    same = shapes[:, 1:] if field.sequence else shapes
    yield tf.reduce_all(same == same[:1])


def _lengths(name: str, field: Field, parsed: Mapping[str, Any]) -> tf.Tensor:
    """How many items each record has, `(batch,)`."""
    if field.axes == 1:
        return tf.cast(tf.strings.length(parsed[name]), tf.int64) // _ITEM_BYTES[field.kind]
    if field.axes:
        return parsed[tensor_columns(name)[0]][:, 0]
    return tf.cast(parsed[name].row_lengths(), tf.int64)
