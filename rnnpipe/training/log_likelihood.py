"""How likely a model finds tokens: what losses and perplexities are made of."""

from typing import Any

from keras import ops

from rnnpipe.layers.kernels import find_log_likelihood


def log_likelihood(targets: Any, logits: Any, *, watch: bool = False) -> tuple[Any, Any]:
    """The logarithm of each target's probability, and its mean over the vocabulary.

        log p(v) = logitᵥ − log Σᵤ exp logitᵤ

    On TensorFlow and CPU both are computed by a kernel that reads the logits once.

    Args:
        targets: `(batch, time)` ids.
        logits: `(batch, time, vocab)`.
        watch: whether this is for a metric, which has no gradients and is computed beside a loss.

    Returns:
        Two arrays `(batch, time)`.

    Example:
        >>> import numpy
        >>> of_target, mean = log_likelihood(numpy.array([[1]]), numpy.zeros((1, 1, 4), "float32"))
        >>> round(float(of_target[0, 0]), 4), round(float(mean[0, 0]), 4)
        (-1.3863, -1.3863)
    """
    targets, logits = ops.convert_to_tensor(targets), ops.convert_to_tensor(logits)
    kernel = find_log_likelihood()
    if kernel is not None:
        rows = ops.reshape(targets, (-1,)), ops.reshape(logits, (-1, logits.shape[-1]))
        flat = kernel(*rows, for_metric=watch)
        shape = ops.shape(logits)[:-1]
        return ops.reshape(flat[0], shape), ops.reshape(flat[1], shape)
    log_p = ops.log_softmax(logits, axis=-1)
    return ops.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0], ops.mean(log_p, axis=-1)
