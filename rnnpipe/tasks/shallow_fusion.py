"""A language model that takes part in the searches of another model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe import ops
from rnnpipe.decoding import LanguageModel, shallow_fusion
from rnnpipe.tasks.graph_function import GraphFunction
from rnnpipe.tasks.network import Array, Arrays, Function, Graph, state_name, take_states
from rnnpipe.text.tokens import END, START

if TYPE_CHECKING:
    import keras

    from rnnpipe.decoding import Step
    from rnnpipe.parts.shallow_fusion import ShallowFusionOptions

FUSED = "language_model"
"""The name of the function of a network that CTC's prefix beam search calls."""


class FusedLanguageModel:
    """A language model beside another model: λ log P_LM(Y) + β |Y|, token by token.

    Args:
        model: of `build_language_model`, or an ensemble of such models.
        ids: `(vocab,)` int32, for each token of the search that of the language model.
        options: λ and β.
    """

    def __init__(self, model: keras.Model, ids: Array, options: ShallowFusionOptions) -> None:
        self._model, self._ids, self._weight = model, ids, options.weight
        self._bonus = np.where(np.arange(len(ids)) == END, 0.0, options.length_bonus)
        self._bonus = self._bonus.astype("float32")

    def fuse(self, step: Step, state: Any) -> tuple[Step, Any]:
        """The step of a search with the language model beside it, and its first state.

        Args:
            step: of the search.
            state: its first state.
        """
        rows = ops.shape(ops.tree.flatten(state)[0])[0]
        states = tuple(ops.zeros((rows, size)) for size in self._state_sizes())
        return shallow_fusion([step, _Step(self.score)], [1.0, 1.0]), (state, states)

    def make_function(self) -> GraphFunction:
        """The function `language_model` of a network: the scores of the tokens that come next.

        It reads `tokens`, `(rows,)`, and the states that it returned before, `state/0` and so on.
        It returns `scores`, `(rows, vocab)`, and the states.
        """
        import tensorflow as tf

        states = {
            state_name(number): tf.TensorSpec((None, size), tf.float32)
            for number, size in enumerate(self._state_sizes())
        }

        def score(tensors: Mapping[str, Any]) -> Mapping[str, Any]:
            scores, after = self.score(tensors["tokens"], [tensors[name] for name in states])
            return {"scores": scores, **dict(zip(states, after, strict=True))}

        inputs = {"tokens": tf.TensorSpec((None,), tf.int32), **states}
        return GraphFunction(lambda: Graph(score, inputs, states=tuple(states)))

    def score(self, tokens: Any, states: Any) -> tuple[Any, tuple[Any, ...]]:
        """The scores of the tokens after these ones, `(rows, vocab)`, and the new states.

        A text begins with the start token, whatever the states are.

        Args:
            tokens: `(rows,)`, those of the search.
            states: `(rows, size)` each.
        """
        from keras import ops as keras_ops

        from rnnpipe.models.language_model import get_states

        read = keras_ops.take(self._ids, tokens)
        inputs = {"tokens": read[:, None], "starts": keras_ops.equal(read, START)}
        outputs = self._model({**inputs, "states": list(states)}, training=False)
        logits = keras_ops.cast(outputs["logits"][:, 0], "float32")
        log_probs = keras_ops.take(keras_ops.log_softmax(logits, axis=-1), self._ids, axis=1)
        after = [keras_ops.cast(state, "float32") for state in get_states(outputs)]
        return self._weight * log_probs + self._bonus, tuple(after)

    def _state_sizes(self) -> list[int]:
        from rnnpipe.models.language_model import state_sizes

        return state_sizes(self._model)


def make_prefix_scores(function: Function, rows: int) -> LanguageModel:
    """The language model of CTC's prefix beam search, which computes in NumPy.

    Args:
        function: of `FusedLanguageModel.make_function`.
        rows: of the batch.
    """

    def step(tokens: Array, state: Arrays) -> tuple[Array, Arrays]:
        outputs = function({"tokens": tokens.astype("int32"), **state})
        return outputs["scores"], take_states(outputs)

    # Any states have the shapes of the first ones, which the start token brings about.
    state = take_states(function({"tokens": np.full(rows, START, "int32")}))
    return LanguageModel(_Step(step), state, weight=1.0)


@dataclass(frozen=True)
class _Step:
    """A language model as a step of `rnnpipe.decoding`."""

    score: Step
    returns_scores = True

    def __call__(self, tokens: Any, state: Any) -> tuple[Any, ...]:
        return self.score(tokens, state)

    def select_rows(self, rows: Any) -> _Step:
        """The same step, which serves any rows."""
        del rows
        return self
