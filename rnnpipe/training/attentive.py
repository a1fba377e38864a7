"""Training of models that attend while they tell: soft attention regularised, hard reinforced."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers import MovingAverage, doubly_stochastic_penalty, reinforce_loss
from rnnpipe.text.tokens import PAD


@keras.saving.register_keras_serializable("rnnpipe")
class AttentiveTrainer(keras.Model):
    """A model of logits and alignments, compiled with a loss of the logits, and what adds to it.

        soft: loss = L + λ/T Σᵢ (1 − Σₜ αₜᵢ)²
        hard: loss = L − 1/T [λ_r (log p(y | s) − b) log p(s) + λ_e H[s]]

    where L is the compiled loss, a mean over tokens, and T how many tokens a caption has on
    average: what adds to it is so in proportion to the loss of whole captions, as in the paper.
    Metrics see the logits alone. Hard attention is reinforced in training only; otherwise its loss
    is L.

    Args:
        model: from inputs to `{"logits", "alignments"}`; of hard attention with `probabilities`
            too, or of none with logits only.
        doubly_stochastic: λ.
        reward_weight: λ_r.
        entropy_weight: λ_e.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: those of the model.

    Returns:
        What the model returns.

    Source: Xu et al., Show, Attend and Tell, 2015, sections 4.1 and 4.2.1.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        doubly_stochastic: float = 0.0,
        reward_weight: float = 1.0,
        entropy_weight: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"name": model.name, **kwargs})
        self.model = model
        self.doubly_stochastic = doubly_stochastic
        self.reward_weight, self.entropy_weight = reward_weight, entropy_weight
        self.is_hard = "probabilities" in model.output
        self.baseline: Any = MovingAverage(name="baseline") if self.is_hard else None

    def build(self, input_shape: Any = None) -> None:
        """Creates b; the model has its weights."""
        del input_shape
        if self.baseline is not None:
            self.baseline.build((None,))
        self.built = True

    def call(self, inputs: Any, training: Any = False) -> Any:
        """What the model says."""
        return self.model(inputs, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: Any = True,
    ) -> Any:
        """The loss; see the class for the equations."""
        loss = super().compute_loss(x, y, y_pred["logits"], sample_weight, training)
        if self.is_hard:
            return loss + self._reinforce(y, y_pred) if training else loss
        if self.doubly_stochastic and "alignments" in y_pred:
            told = ops.not_equal(y, PAD)
            penalty = doubly_stochastic_penalty(y_pred["alignments"][:, :, None], told)
            loss = loss + self.doubly_stochastic * _per_token(penalty, told)
        return loss

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The compiled metrics, of the logits."""
        return super().compute_metrics(x, y, y_pred["logits"], sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this trainer again."""
        return {
            **super().get_config(),
            "model": keras.saving.serialize_keras_object(self.model),
            "doubly_stochastic": self.doubly_stochastic,
            "reward_weight": self.reward_weight,
            "entropy_weight": self.entropy_weight,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "AttentiveTrainer":
        """The trainer that `get_config` told of."""
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**{**config, "model": model})

    def _reinforce(self, targets: Any, outputs: Any) -> Any:
        """What hard attention adds to the loss."""
        told = ops.not_equal(targets, PAD)
        losses = ops.sparse_categorical_crossentropy(targets, outputs["logits"], from_logits=True)
        likelihood = ops.stop_gradient(-ops.sum(losses * ops.cast(told, losses.dtype), axis=1))
        found = reinforce_loss(
            likelihood,
            outputs["alignments"][:, :, None],
            outputs["probabilities"][:, :, None],
            self.baseline(likelihood, training=True),
            told,
            reward_weight=self.reward_weight,
            entropy_weight=self.entropy_weight,
        )
        return _per_token(found + likelihood, told)  # the likelihood itself is the loss already


def _per_token(of_captions: Any, told: Any) -> Any:
    """The sum over captions `(batch,)` for each token that is told."""
    tokens = ops.sum(ops.cast(told, of_captions.dtype))
    return ops.sum(of_captions) / ops.maximum(tokens, 1)
