"""A batch that is computed in parts, one after the other, for less memory."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

Gradients = list[tf.Tensor | None]

_SHARED = {"image_index": "image", "frame_index": "frames"}  # what rows share, by its index


def sum_over_parts(
    gradients_of: Callable[[tf.Tensor, tf.Tensor], Gradients],
    variables: list[Any],
    rows: tf.Tensor,
    parts: int,
) -> Gradients:
    """The sum of the gradients of the parts of a batch.

    A part begins when the one before it has ended, so that the memory is that of one.

    Args:
        gradients_of: the gradients of the rows from the first number to before the second one,
            None for variables that have none.
        variables: what the gradients are of.
        rows: how many rows the batch has.
        parts: how many parts there are; of a smaller batch as many as it has rows. One is computed
            without a loop, which would have parts of it on several devices wait for one another.

    Example:
        >>> numbers, variable = tf.constant([1.0, 2.0, 4.0]), tf.Variable(0.0)
        >>> def gradients_of(begin, end):
        ...     return [tf.reduce_sum(numbers[begin:end])]
        >>> [float(each) for each in sum_over_parts(gradients_of, [variable], tf.constant(3), 2)]
        [7.0]
    """
    if parts == 1:
        return gradients_of(tf.constant(0), rows)
    parts = tf.minimum(rows, parts)
    has_none: list[bool] = []  # known once the body is traced

    def add(part: tf.Tensor, *sums: tf.Tensor) -> list[tf.Tensor]:
        gradients = gradients_of(rows * part // parts, rows * (part + 1) // parts)
        has_none[:] = [gradient is None for gradient in gradients]
        # Those of embeddings are sparse, which no loop carries.
        added = [
            total if gradient is None else total + tf.convert_to_tensor(gradient)
            for total, gradient in zip(sums, gradients, strict=True)
        ]
        return [part + 1, *added]

    zeros = [tf.zeros(variable.shape, variable.dtype) for variable in variables]
    loop = [tf.constant(0), *zeros]
    _, *sums = tf.while_loop(lambda part, *_: part < parts, add, loop, parallel_iterations=1)
    if not has_none:  # no row
        return sums
    return [None if missing else total for missing, total in zip(has_none, sums, strict=True)]


def take_rows(values: Any, begin: tf.Tensor, end: tf.Tensor) -> Any:
    """Some rows of any structure of tensors.

    Images and frames that rows share by an `image_index` or a `frame_index` are taken as far as one
    of the rows has them; an index of -1 stays.

    Args:
        values: tensors with the rows on their first axis.
        begin: the first of the rows.
        end: behind the last one.

    Example:
        >>> shared = {"image": tf.constant([[0.5], [0.75]]), "image_index": tf.constant([0, 1, 1])}
        >>> taken = take_rows(shared, 1, 3)
        >>> taken["image"].numpy().tolist(), taken["image_index"].numpy().tolist()
        ([[0.75]], [0, 0])
    """
    shared = [n for n in _SHARED if n in values] if isinstance(values, Mapping) else []
    if not shared:
        return tf.nest.map_structure(lambda value: value[begin:end], values)
    names = {name for index in shared for name in (index, _SHARED[index])}
    rest = {name: value for name, value in values.items() if name not in names}
    taken: dict[str, Any] = take_rows(rest, begin, end)
    for name in shared:
        index = values[name][begin:end]
        numbers, places = tf.unique(tf.reshape(tf.maximum(index, 0), (-1,)))
        places = tf.cast(tf.reshape(places, tf.shape(index)), index.dtype)
        taken[name] = tf.where(index < 0, index, tf.ensure_shape(places, index.shape))
        taken[_SHARED[name]] = tf.gather(values[_SHARED[name]], tf.cast(numbers, "int32"))
    return taken
