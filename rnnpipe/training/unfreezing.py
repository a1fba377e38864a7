"""Gradual unfreezing of a model's layers."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from rnnpipe.errors import UserError
from rnnpipe.parts.layer_groups import LayerGroupOptimizer
from rnnpipe.training.transfer import is_within, weights_by_path


def find_groups(model: keras.Model, groups: Sequence[Sequence[str]]) -> Callable[[Any], int]:
    """What gives the number of the group of a variable; of several groups the most exact one.

    Args:
        model: a built model.
        groups: the paths of layers, groups of layers or weights in each, see `weights_by_path`.

    Returns:
        A function of a variable; of one that is in no group it is the number of groups.

    Raises:
        UserError: a path is not in the model; `where` is `groups`.

    Example:
        >>> layers = [keras.layers.Dense(2, name="hidden"), keras.layers.Dense(2)]
        >>> model = keras.Sequential([keras.Input((3,)), *layers])
        >>> find = find_groups(model, [["hidden"]])
        >>> [find(variable) for variable in model.trainable_variables]
        [0, 0, 1, 1]
    """
    weights = weights_by_path(model)
    numbers = {part: number for number, parts in enumerate(groups) for part in parts}
    for part in numbers:
        if not any(is_within(path, part) for path in weights):
            names = ", ".join(dict.fromkeys(path.partition("/")[0] for path in weights))
            expected = f"a layer with weights of the model ({names})"
            raise UserError("groups", expected, part, "correct it")
    found: dict[int, int] = {}
    for part in sorted(numbers, key=len):
        found |= {id(w): numbers[part] for path, w in weights.items() if is_within(path, part)}
    return lambda variable: found.get(id(variable), len(groups))


class Unfreezing(keras.callbacks.Callback):
    """Lets groups of layers be trained after a number of epochs.

    Args:
        trainer: what is fitted, with a `LayerGroupOptimizer`.
        delays: how many epochs each group stays as it is; None: always.

    Source: Howard and Ruder, Universal Language Model Fine-tuning for Text Classification, 2018,
    section 3.3, gradual unfreezing.
    """

    def __init__(self, trainer: keras.Model, delays: Sequence[int | None]) -> None:
        super().__init__()
        optimizer = trainer.optimizer
        # That with the loss scale has it within.
        self._optimizer: LayerGroupOptimizer = getattr(optimizer, "inner_optimizer", optimizer)
        self._delays = delays

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Unfreezes what is due, also where a training that was interrupted goes on."""
        frozen = frozenset(
            number for number, delay in enumerate(self._delays) if delay is None or epoch < delay
        )
        if frozen != self._optimizer.frozen:
            self._optimizer.frozen = frozen
            self.model.make_train_function(force=True)  # which steps are traced with all groups of
