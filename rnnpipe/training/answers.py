"""Training of models of visual question answering with soft or hard attention."""

from typing import Any

import keras
from keras import ops

from rnnpipe.training.attention import AttentionTrainer
from rnnpipe.training.soft_targets import soft_cross_entropy


@keras.saving.register_keras_serializable("rnnpipe")
class AnswerTrainer(AttentionTrainer):
    """A model that answers, compiled with a loss of its logits, and what hard attention adds to it.

        soft: loss = L        hard: loss = L − mean [λ_r (log p(y | s) − b) log p(s) + λ_e H[s]]

    where L is the compiled loss, log p(y | s) the log-likelihood of the soft targets and b its
    moving average. Metrics see the logits alone. Hard attention is reinforced in training only.

    Args:
        model: to `{"logits", "alignments"}`, of every glimpse; with `probabilities` too if its
            attention is hard.
        reward_weight: λ_r.
        entropy_weight: λ_e.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: those of the model.

    Returns:
        What the model returns.

    Source: Xu et al., Show, Attend and Tell, 2015, section 4.1.
    """

    def total_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: Any) -> Any:
        """The loss; see the class for the equations."""
        loss = super().total_loss(x, y, y_pred, sample_weight, training)
        if not (self.is_hard and training):
            return loss
        log_likelihood = -soft_cross_entropy(y, y_pred["logits"])
        return loss + ops.mean(self.reinforcement(log_likelihood, y_pred))
