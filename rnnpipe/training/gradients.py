"""How far back a loss reaches: the gradient at every time step before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class GradientFlow:
    """The gradient of one prediction, on its way back through time.

    Args:
        norms: ‖∂L/∂sₜ₋ₖ‖ for k = 1, 2, … steps back, `(time,)`; all states of a step together.
        weights: the norm of the gradient by all weights together.
    """

    norms: Array
    weights: float

    def clipped(self, norm: float) -> Array:
        """The norms after the gradient was clipped to a global norm (Pascanu et al. 2013)."""
        return self.norms * min(1.0, norm / max(self.weights, 1e-30))


def measure_gradient_flow(model: keras.Model, tokens: Any) -> GradientFlow:
    """How much each earlier state matters for the prediction of a single token.

    L is the negative log-likelihood of the last token of each text, predicted at step t. Where the
    norm of its gradient by the states falls with each step back, the gradient vanishes and the
    network cannot learn longer dependencies; where it grows, the gradient explodes.

    Args:
        model: of `build_language_model`.
        tokens: `(batch, time + 1)`; the last of each is predicted from those before it.

    Returns:
        The norms, as means over the batch.

    Example:
        >>> from rnnpipe.models.language_model import LanguageModelOptions, build_language_model
        >>> model = build_language_model(LanguageModelOptions(), vocab=9)
        >>> measure_gradient_flow(model, np.array([[2, 4, 5, 6]])).norms.shape
        (3,)

    Source: Bengio, Simard and Frasconi, Learning Long-Term Dependencies with Gradient Descent Is
    Difficult, 1994; Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural
    networks, 2013, sections 2 and 3.
    """
    tokens = ops.convert_to_tensor(tokens)
    rows = tokens.shape[0]
    # The first states are an input, so that they have a gradient like those of the other steps.
    states = [ops.zeros((rows, size.shape[-1])) for size in model.input["states"]]
    starts = ops.zeros((rows,), "bool")
    steps: list[list[Any]] = []
    with tf.GradientTape() as tape:
        logits = None
        tape.watch(states)
        for t in range(tokens.shape[1] - 1):
            steps.append(states)
            inputs = {"tokens": tokens[:, t : t + 1], "starts": starts, "states": states}
            outputs = model(inputs, training=False)
            logits, states = (
                outputs["logits"][:, 0],
                [outputs[f"state_{number}"] for number in range(len(states))],
            )
        loss = ops.mean(
            ops.sparse_categorical_crossentropy(tokens[:, -1], logits, from_logits=True)
        )
    weights = [variable.value for variable in model.trainable_variables]
    by_steps, by_weights = tape.gradient(
        loss, (steps, weights), unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    norms = [_mean_norm(gradients) * rows for gradients in reversed(by_steps)]
    total = tf.linalg.global_norm([tf.convert_to_tensor(gradient) for gradient in by_weights])
    return GradientFlow(np.array(norms), float(total))


def _mean_norm(gradients: Sequence[Any]) -> float:
    """The mean over the batch of the norm of all of a step's states together."""
    squares = sum(np.square(np.asarray(gradient)).sum(axis=1) for gradient in gradients)
    return float(np.sqrt(squares).mean())
