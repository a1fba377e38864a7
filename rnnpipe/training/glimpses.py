"""Training of classifiers that look, softly or at one place at a time."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers import MovingAverage, reinforce_loss


@keras.saving.register_keras_serializable("rnnpipe")
class GlimpseTrainer(keras.Model):
    """A classifier with alignments, compiled with a loss of its logits, and what adds to it.

        soft: loss = L        hard: loss = L − mean [λ_r (log p(y | s) − b) log p(s) + λ_e H[s]]

    where L is the compiled loss and b a moving average of log p(y | s). Metrics see the logits
    alone. Hard attention is reinforced in training only; otherwise its loss is L.

    Args:
        model: to `{"logits", "alignments"}`, of every look; of hard attention with `probabilities`
            too, or of none with logits only.
        reward_weight: λ_r.
        entropy_weight: λ_e.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: those of the model.

    Returns:
        What the model returns.

    Source: Xu et al., Show, Attend and Tell, 2015, section 4.1; as Mnih et al., Recurrent Models
    of Visual Attention, 2014, section 3.2, with the likelihood for the reward.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        reward_weight: float = 1.0,
        entropy_weight: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"name": model.name, **kwargs})
        self.model = model
        self.reward_weight, self.entropy_weight = reward_weight, entropy_weight
        self.baseline = MovingAverage(name="baseline") if "probabilities" in model.output else None

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
        if self.baseline is None or not training:
            return loss
        return loss + self._reinforce(self.baseline, y, y_pred)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The compiled metrics, of the logits."""
        return super().compute_metrics(x, y, y_pred["logits"], sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this trainer again."""
        return {
            **super().get_config(),
            "model": keras.saving.serialize_keras_object(self.model),
            "reward_weight": self.reward_weight,
            "entropy_weight": self.entropy_weight,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "GlimpseTrainer":
        """The trainer that `get_config` told of."""
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**{**config, "model": model})

    def _reinforce(self, baseline: MovingAverage, classes: Any, outputs: Any) -> Any:
        """What hard attention adds to the loss."""
        likelihood = ops.stop_gradient(
            -ops.sparse_categorical_crossentropy(classes, outputs["logits"], from_logits=True)
        )
        found = reinforce_loss(
            likelihood,
            outputs["alignments"][:, :, None],
            outputs["probabilities"][:, :, None],
            baseline(likelihood, training=True),
            reward_weight=self.reward_weight,
            entropy_weight=self.entropy_weight,
        )
        return ops.mean(found + likelihood)  # the likelihood itself is the loss already
