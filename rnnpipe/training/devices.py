"""A batch that is computed on several devices at once."""

from collections.abc import Callable, Sequence
from typing import Literal

import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.training.micro_batches import Gradients


def find_devices(choice: Literal["auto", "cpu", "all"] | int) -> list[str]:
    """The devices that a batch is divided between, by TensorFlow's names; none: it is not divided.

    Args:
        choice: `auto` leaves it to TensorFlow, which takes the first GPU where there is one; `cpu`
            hides the GPUs; `all` are all GPUs, or the CPU where there is none; a number is as many
            GPUs, or, where there is none, as many replicas that share the threads of the CPU.

    Raises:
        UserError: there are fewer GPUs, or TensorFlow uses GPUs already that were to be hidden.

    Example:
        >>> find_devices("auto"), find_devices(2)
        ([], ['/CPU:0', '/CPU:0'])
    """
    if choice == "auto":
        return []
    if choice == "cpu":
        _hide_gpus()
        return []
    gpus = [f"/GPU:{number}" for number in range(len(tf.config.list_logical_devices("GPU")))]
    if choice == "all":
        return gpus if len(gpus) > 1 else []
    if not gpus:
        return ["/CPU:0"] * choice if choice > 1 else []
    if choice > len(gpus):
        fix = "write all, or make more of them visible"
        raise UserError("train.devices", f"at most {len(gpus)}, the GPUs here", str(choice), fix)
    return gpus[:choice] if choice > 1 else []


def _hide_gpus() -> None:
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:
        if not tf.config.get_visible_devices("GPU"):
            return  # there is none
        got, fix = "cpu once TensorFlow uses a GPU", "set CUDA_VISIBLE_DEVICES to nothing"
        raise UserError("train.devices", "auto, all or a number", got, fix) from None


def sum_over_devices(
    gradients_of: Callable[[tf.Tensor, tf.Tensor], Gradients],
    begin: tf.Tensor,
    end: tf.Tensor,
    devices: Sequence[str],
) -> Gradients:
    """The sum of the gradients of parts of a batch, one for each device.

    Weights stay where they are: each device reads them at each step, and sends its gradients there.
    Rows fewer than devices are computed on the first one.

    Args:
        gradients_of: the gradients of the rows from the first number to before the second one,
            None for variables that have none.
        begin: the first of the rows.
        end: behind the last one.
        devices: at least one, by TensorFlow's names.

    Example:
        >>> numbers = tf.constant([1.0, 2.0, 4.0])
        >>> def gradients_of(begin, end):
        ...     return [tf.reduce_sum(numbers[begin:end])]
        >>> places = ["/CPU:0", "/CPU:0"]
        >>> sums = sum_over_devices(gradients_of, tf.constant(0), tf.constant(3), places)
        >>> [float(each) for each in sums]
        [7.0]
    """
    has_none: list[bool] = []  # known once a branch is traced

    def on(first: tf.Tensor, last: tf.Tensor, device: str) -> list[tf.Tensor]:
        with tf.device(device):
            gradients = gradients_of(first, last)
            has_none[:] = [gradient is None for gradient in gradients]
            # Those of embeddings are sparse; a branch returns tensors.
            return [tf.convert_to_tensor(each) for each in gradients if each is not None]

    def on_all() -> list[tf.Tensor]:
        rows, count = end - begin, len(devices)
        bounds = [begin + rows * number // count for number in range(count + 1)]
        spans = zip(bounds[:-1], bounds[1:], devices, strict=True)
        parts = [on(first, last, device) for first, last, device in spans]
        return [tf.add_n(each) for each in zip(*parts, strict=True)]

    def on_first() -> list[tf.Tensor]:
        return on(begin, end, devices[0])

    sums = iter(tf.cond(end - begin >= len(devices), on_all, on_first))
    return [None if missing else next(sums) for missing in has_none]
