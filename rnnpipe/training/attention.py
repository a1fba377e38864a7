"""The training that all models with soft or hard attention share."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers import MovingAverage, reinforce_loss
from rnnpipe.training.trainer import Trainer


class AttentionTrainer(Trainer):
    """Base of the trainers of models with logits and alignments: its loss is L, that of the logits.

    A subclass adds to L, in `total_loss`; of hard attention what `reinforcement` gives.

    Args:
        model: to `{"logits", "alignments"}`; of hard attention with `probabilities` too, or of none
            with logits only.
        reward_weight: λ_r of `reinforce_loss`.
        entropy_weight: λ_e.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: those of the model.

    Returns:
        What the model returns.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        reward_weight: float = 1.0,
        entropy_weight: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(model, **kwargs)
        self.reward_weight, self.entropy_weight = reward_weight, entropy_weight
        self.is_hard = "probabilities" in model.output
        self.baseline: Any = MovingAverage(name="baseline") if self.is_hard else None

    def build(self, input_shape: Any = None) -> None:
        """Creates the baseline of the rewards; the model has its weights."""
        del input_shape
        if self.baseline is not None:
            self.baseline.build((None,))
        self.built = True

    def total_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: Any) -> Any:
        """L, the compiled loss of the logits."""
        return super().total_loss(x, y, y_pred["logits"], sample_weight, training)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The compiled metrics, of the logits."""
        return super().compute_metrics(x, y, y_pred["logits"], sample_weight)

    def reinforcement(self, log_likelihood: Any, outputs: Any, token_mask: Any = None) -> Any:
        """The term that hard attention adds to −log p(y | s) of each example, `(batch,)`.

        Args:
            log_likelihood: log p(y | s), `(batch,)`.
            outputs: of the model; their second axis is that of the attention steps.
            token_mask: `(batch, steps)`, True at the steps that count; by default all do.
        """
        log_likelihood = ops.stop_gradient(log_likelihood)
        loss = reinforce_loss(
            log_likelihood,
            outputs["alignments"][:, :, None],
            outputs["probabilities"][:, :, None],
            self.baseline(log_likelihood, training=True),
            token_mask,
            reward_weight=self.reward_weight,
            entropy_weight=self.entropy_weight,
        )
        return loss + log_likelihood  # the compiled loss has the likelihood already

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            **super().get_config(),
            "reward_weight": self.reward_weight,
            "entropy_weight": self.entropy_weight,
        }
