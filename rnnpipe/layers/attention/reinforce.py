"""Training of hard attention: REINFORCE with a moving-average baseline (Xu et al. 2015)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.errors import is_number, layer_error
from rnnpipe.types import Shape, Tensor


def reinforce_loss(
    log_likelihood: Tensor,
    samples: Tensor,
    probabilities: Tensor,
    baseline: Any = 0.0,
    mask: Tensor = None,
    *,
    reward_weight: float = 1.0,
    entropy_weight: float = 0.0,
) -> Tensor:
    """The loss whose gradient trains a model with hard attention.

        loss = −log p(y | s) − λ_r (log p(y | s) − b) log p(s) − λ_e H[s]

    The factor in brackets is the reward and passes no gradient: the sampled positions become more
    likely where log p(y | s) exceeds b. The value itself is no metric; monitor the log-likelihood.

    Args:
        log_likelihood: log p(y | s), `(batch,)`, of whole sequences.
        samples: of `HardAttention`, over a whole sequence: `(batch, target_time, glimpses,
            ...positions)`.
        probabilities: of `HardAttention`, of the same shape.
        baseline: b, e.g. a `MovingAverage` of the log-likelihood.
        mask: `(batch, target_time)`, False at padding.
        reward_weight: λ_r.
        entropy_weight: λ_e; the entropy keeps the model from an early choice of positions.

    Returns:
        `(batch,)`.

    Example:
        >>> import numpy
        >>> samples = numpy.array([[[[1.0, 0.0]]]])
        >>> probabilities = numpy.array([[[[0.5, 0.5]]]])
        >>> loss = reinforce_loss(numpy.array([-1.0]), samples, probabilities, baseline=-3.0)
        >>> round(float(loss[0]), 4)  # 1 + 2 log 2
        2.3863

    Source: Xu et al., Show, Attend and Tell, 2015, section 4.1, equations 11 to 13.
    """
    probabilities = ops.convert_to_tensor(probabilities)
    if keras.backend.standardize_dtype(probabilities.dtype) != "float64":
        # Half precision would round sums over a sequence, and the difference from the baseline.
        probabilities = ops.cast(probabilities, "float32")
    log_likelihood = ops.cast(log_likelihood, probabilities.dtype)
    logs = ops.log(ops.where(probabilities > 0, probabilities, 1))  # 0 where 0 log 0 is
    log_chances = _over_sequence(ops.cast(samples, probabilities.dtype) * logs, mask)
    entropies = -_over_sequence(probabilities * logs, mask)
    reward = ops.stop_gradient(log_likelihood - ops.cast(baseline, probabilities.dtype))
    return -log_likelihood - reward_weight * reward * log_chances - entropy_weight * entropies


def _over_sequence(terms: Any, mask: Tensor) -> Tensor:
    """The sum over glimpses and positions, and over the steps that count: `(batch,)`."""
    steps = ops.sum(terms, axis=tuple(range(2, len(terms.shape))))
    if mask is not None:
        steps = ops.where(ops.cast(mask, "bool"), steps, ops.zeros_like(steps))
    return ops.sum(steps, axis=-1)


@keras.saving.register_keras_serializable("rnnpipe")
class MovingAverage(keras.layers.Layer):
    """An exponential moving average of the values in training.

        b ← m b + (1 − m) mean(values)

    The first batch sets b.

    Args:
        momentum: m.
        **kwargs: `name`, `dtype`, as for every Keras layer.

    Call arguments:
        values: `(batch,)`.
        training: whether b moves.

    Returns:
        b, a scalar, after it has moved, in float32 or float64. It passes no gradient.

    Raises:
        UserError: if the momentum is not in [0, 1).

    Example:
        >>> import numpy
        >>> baseline = MovingAverage(0.9)
        >>> [round(float(baseline(numpy.full(4, v), training=True)), 2) for v in (-8.0, -4.0)]
        [-8.0, -7.6]

    Source: Xu et al., Show, Attend and Tell, 2015, section 4.1, equation 12.
    """

    def __init__(self, momentum: float = 0.9, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # half precision would round the values
        if not is_number(momentum) or not 0 <= momentum < 1:
            raise layer_error(
                self, "a momentum in [0, 1)", str(momentum), "write e.g. momentum=0.9"
            )
        self.momentum = momentum

    def build(self, values_shape: Shape) -> None:
        """Creates b, and whether it is set."""
        del values_shape
        # In half precision, steps of a slow average are lost in rounding.
        options = {"trainable": False, "autocast": False, "dtype": _full_precision(self)}
        self.average = self.add_weight((), "zeros", name="average", **options)
        self.started = self.add_weight((), "zeros", name="started", **options)

    def call(self, values: Tensor, training: bool = False) -> Tensor:
        """Moves b in training; returns it."""
        if training:
            values = ops.cast(ops.stop_gradient(values), self.average.dtype)
            mean = ops.mean(values)
            momentum = self.momentum * self.started.value
            average = momentum * self.average.value + (1 - momentum) * mean
            # No values, no mean.
            self.average.assign(ops.where(ops.size(values) > 0, average, self.average.value))
            self.started.assign(ops.where(ops.size(values) > 0, 1.0, self.started.value))
        return self.average.value

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {**super().get_config(), "momentum": self.momentum}


def _full_precision(layer: keras.layers.Layer) -> str:
    """The dtype in which a layer accumulates: float64 if that is its own, else float32."""
    return "float64" if layer.variable_dtype == "float64" else "float32"
