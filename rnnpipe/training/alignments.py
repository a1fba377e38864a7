"""Training by alignments: soft attention is regularised, hard attention is reinforced."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers import doubly_stochastic_penalty
from rnnpipe.text.tokens import PAD
from rnnpipe.training.attention import AttentionTrainer


@keras.saving.register_keras_serializable("rnnpipe")
class AlignmentTrainer(AttentionTrainer):
    """A model of logits and alignments, compiled with a loss of the logits, and what adds to it.

        soft: loss = L + λ/T Σᵢ (1 − Σₜ αₜᵢ)²
        hard: loss = L − 1/T [λ_r (log p(y | s) − b) log p(s) + λ_e H[s]]

    where L is the compiled loss, a mean over tokens, and T how many tokens a sequence has on
    average: what adds to it is so in proportion to the loss of whole sequences, as in the paper.
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
        self, model: keras.Model, *, doubly_stochastic: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(model, **kwargs)
        self.doubly_stochastic = doubly_stochastic

    def total_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: Any) -> Any:
        """The loss; see the class for the equations."""
        loss = super().total_loss(x, y, y_pred, sample_weight, training)
        if self.is_hard:
            return loss + self._reinforce(y, y_pred) if training else loss
        if self.doubly_stochastic and "alignments" in y_pred:
            token_mask = ops.not_equal(y, PAD)
            penalty = doubly_stochastic_penalty(y_pred["alignments"][:, :, None], token_mask)
            loss = loss + self.doubly_stochastic * _per_token(penalty, token_mask)
        return loss

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "doubly_stochastic": self.doubly_stochastic}

    def _reinforce(self, targets: Any, outputs: Any) -> Any:
        """The term that hard attention adds to the loss."""
        token_mask = ops.not_equal(targets, PAD)
        losses = ops.sparse_categorical_crossentropy(targets, outputs["logits"], from_logits=True)
        log_likelihood = -ops.sum(losses * ops.cast(token_mask, losses.dtype), axis=1)
        return _per_token(self.reinforcement(log_likelihood, outputs, token_mask), token_mask)


def _per_token(of_sequences: Any, token_mask: Any) -> Any:
    """The sum over sequences `(batch,)` divided by the number of tokens in the mask."""
    tokens = ops.sum(ops.cast(token_mask, of_sequences.dtype))
    return ops.sum(of_sequences) / ops.maximum(tokens, 1)
