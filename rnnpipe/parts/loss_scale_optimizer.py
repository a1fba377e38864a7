"""An optimizer of scaled losses."""

from collections.abc import Sequence
from typing import Any

import keras


class LossScaleOptimizer(keras.optimizers.LossScaleOptimizer):
    """The `LossScaleOptimizer` of Keras, which may be built again.

    That of Keras (3.13 at least) makes new variables each time, so that the state of a training
    has others when it is read than when it was written.
    """

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the variables, once."""
        if not self.built:
            super().build(variables)
