"""How hard attention is trained."""

from rnnpipe.settings import Settings, setting


class ReinforceOptions(Settings):
    """The terms that REINFORCE adds to the loss of a model with hard attention.

    See `rnnpipe.layers.reinforce_loss` for the equation.
    """

    reward_weight: float = setting(1.0, "of the reward: the target's log-likelihood", ge=0)
    entropy_weight: float = setting(
        0.01, "of the alignments' entropy, which keeps the samples from settling too early", ge=0
    )
