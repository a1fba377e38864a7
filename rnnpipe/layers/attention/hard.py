"""Hard attention (Xu et al. 2015)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.attention.mechanism import Attention
from rnnpipe.layers.attention.wrapper import AttentionWrapper
from rnnpipe.layers.errors import is_number, layer_error
from rnnpipe.ops import argmax
from rnnpipe.types import Nested, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class HardAttention(AttentionWrapper):
    """Hard attention: a mechanism that reads one position at a time.

        s ~ Categorical(α) in training, s = argmax α otherwise     context = memoryₛ

    Its alignments are `{"samples": s, "probabilities": α}`, both `(batch, glimpses, ...positions)`
    and s one-hot. No gradient passes through s: `reinforce_loss` trains the choice.

    Args:
        mechanism: any `Attention` that gives α.
        expected_share: chance in training that a row takes its expected position α instead of a
            sample, which steadies training; the paper's is one half.
        seed: of the samples.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Raises:
        UserError: as `Attention`; or if `mechanism` is not an `Attention`, or the share is not
            in [0, 1].

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import AdditiveAttention
        >>> query, image = numpy.zeros((2, 8)), numpy.zeros((2, 7, 7, 6))
        >>> context, alignments = HardAttention(AdditiveAttention(16))(query, image, training=True)
        >>> {name: tuple(each.shape) for name, each in alignments.items()}
        {'samples': (2, 1, 7, 7), 'probabilities': (2, 1, 7, 7)}

    Source: Xu et al., Show, Attend and Tell, 2015, section 4.1.
    """

    def __init__(
        self,
        mechanism: Attention,
        *,
        expected_share: float = 0.5,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(mechanism, **kwargs)
        if not is_number(expected_share) or not 0 <= expected_share <= 1:
            fix = "write e.g. expected_share=0.5"
            raise layer_error(self, "an expected_share in [0, 1]", str(expected_share), fix)
        self.expected_share, self.seed = expected_share, seed
        self.random = keras.random.SeedGenerator(seed)

    def align(
        self, scores: Tensor, readable: Tensor, query: Tensor, state: Nested[Tensor], training: bool
    ) -> Tensor:
        """The mechanism's alignments, and samples of them."""
        probabilities = super().align(scores, readable, query, state, training)
        samples = self._sample(probabilities) if training else _one_hot(probabilities)
        return {"samples": ops.stop_gradient(samples), "probabilities": probabilities}

    def read(self, alignments: Tensor, memory: Tensor, query: Tensor, training: bool) -> Tensor:
        """The mechanism's context at the samples."""
        return super().read(alignments["samples"], memory, query, training)

    def next_state(self, state: Nested[Tensor], alignments: Tensor) -> Tensor:
        """Next state of the mechanism, from the samples alone."""
        return super().next_state(state, alignments["samples"])

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        share = {"expected_share": self.expected_share, "seed": self.seed}
        return {**super().get_config(), **share}

    def _sample(self, probabilities: Tensor) -> Tensor:
        """Gumbel noise makes the greatest a sample; some rows keep their probabilities."""
        shape = ops.shape(probabilities)
        # Half precision would draw 0 and 1, whose Gumbel noise is infinite.
        exact = "float64" if self.compute_dtype == "float64" else "float32"
        drawn = keras.random.uniform(shape, 1e-7, 1.0, dtype=exact, seed=self.random)
        noise = -ops.log(-ops.log(ops.minimum(drawn, 1 - 1e-7)))
        log_odds = ops.log(ops.maximum(ops.cast(probabilities, exact), 1e-37)) + noise
        one_hot = _one_hot(log_odds, like=probabilities)
        rows = keras.random.uniform((shape[0], 1, 1), dtype=exact, seed=self.random)
        expected = rows < self.expected_share
        return ops.where(expected, probabilities, one_hot)


def _one_hot(odds: Any, like: Any = None) -> Tensor:
    """One at the greatest of the last axis, but none where all `like` are zero."""
    like = odds if like is None else like
    if 0 in odds.shape:
        return ops.zeros_like(like)
    chosen = ops.one_hot(argmax(odds, axis=-1), ops.shape(odds)[-1], dtype=like.dtype)
    return ops.where(like > 0, chosen, ops.zeros_like(chosen))
