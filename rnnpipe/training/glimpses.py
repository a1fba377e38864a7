"""Training of classifiers with soft or hard visual attention."""

from typing import Any

import keras
from keras import ops

from rnnpipe.training.attention import AttentionTrainer


@keras.saving.register_keras_serializable("rnnpipe")
class GlimpseTrainer(AttentionTrainer):
    """A classifier with alignments, compiled with a loss of its logits, and what adds to it.

        soft: loss = L        hard: loss = L − mean [λ_r (log p(y | s) − b) log p(s) + λ_e H[s]]

    where L is the compiled loss and b a moving average of log p(y | s). Metrics see the logits
    alone. Hard attention is reinforced in training only; otherwise its loss is L.

    Args:
        model: to `{"logits", "alignments"}`, of every glimpse; with `probabilities` too if its
            attention is hard, or with logits only if it has none.
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

    def total_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: Any) -> Any:
        """The loss; see the class for the equations."""
        loss = super().total_loss(x, y, y_pred, sample_weight, training)
        if not (self.is_hard and training):
            return loss
        logits = y_pred["logits"]
        log_likelihood = -ops.sparse_categorical_crossentropy(y, logits, from_logits=True)
        return loss + ops.mean(self.reinforcement(log_likelihood, y_pred))
