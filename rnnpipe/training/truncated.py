"""Truncated backpropagation through time, for any model whose states come in and go out."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from rnnpipe.training.precision import as_float32
from rnnpipe.training.trainer import Trainer

_ROWS = "rows"


@keras.saving.register_keras_serializable("rnnpipe")
class TruncatedBPTT(Trainer):
    """Trains a recurrent model on a text of any length, chunk by chunk.

        logits, sₖ = model(chunkₖ, stop_gradient(sₖ₋₁))

    Each row of a batch continues that row of the batch before. States are carried from chunk to
    chunk without end, and the gradient flows back through one chunk, so that memory depends on the
    chunk's length alone. One chunk that holds everything is full backpropagation through time.

    It is an ordinary Keras model: compile it and call `fit`, with any callbacks. The carried states
    are non-trainable variables: checkpoints hold them. Evaluation reads in the same way and carries
    states of its own, so that validating in the middle of a text changes nothing. The weights are
    those of `model`, which keeps no state itself: save and use that.

    Args:
        model: from `{"tokens": (rows, time), "starts": (rows,), "states": [(rows, size), …]}` to
            `{"logits": (rows, time, vocab), "state_0": …}`, e.g. of `build_language_model`; in
            rows where `starts` is true it does not read the states.
        rows: how many texts are read at once in training.
        evaluation_rows: how many in evaluation; None for as many as in training.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: `{"tokens": (rows, time), "starts": (rows,)}`, of which `starts` is true in the rows
            where a text starts with this chunk.
        training: whether the states of training are handed on, and dropout is on.

    Returns:
        The logits, `(rows, time, vocab)`.

    Example:
        >>> import numpy
        >>> from rnnpipe.models.language_model import LanguageModelOptions, build_language_model
        >>> from rnnpipe.parts.cells import LSTMOptions
        >>> from rnnpipe.parts.recurrence import RecurrenceOptions
        >>> recurrence = RecurrenceOptions(cell=LSTMOptions(units=4))
        >>> model = build_language_model(LanguageModelOptions(recurrence=recurrence), vocab=9)
        >>> trainer = TruncatedBPTT(model, rows=2)
        >>> chunk = {"tokens": numpy.array([[2, 4], [2, 5]]), "starts": numpy.array([True, True])}
        >>> tuple(trainer(chunk, training=True).shape)
        (2, 2, 9)
        >>> [state.name for state in trainer.carried["training"]]
        ['training_state_0', 'training_state_1']

    Source: Williams and Peng, An Efficient Gradient-Based Algorithm for On-Line Training of
    Recurrent Network Trajectories, 1990, section 4: BPTT(h; h').
    """

    def __init__(
        self, model: keras.Model, rows: int, evaluation_rows: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(model, **kwargs)
        self.rows, self.evaluation_rows = rows, evaluation_rows or rows
        self._part: tuple[Any, Any] | None = None  # the rows of a part of a batch
        self._before: list[Any] = []  # the states of all rows before that batch
        sizes = [state.shape[-1] for state in model.input["states"]]
        self.carried = {
            "training": self._make_states("training", rows, sizes),
            "evaluation": self._make_states("evaluation", self.evaluation_rows, sizes),
        }
        self.built = True

    def _make_states(self, name: str, rows: int, sizes: list[int]) -> list[Any]:
        return [
            self.add_weight((rows, size), "zeros", trainable=False, name=f"{name}_state_{number}")
            for number, size in enumerate(sizes)
        ]

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Reads the next chunk; see the class for the arguments."""
        carried = self.carried["training" if training else "evaluation"]
        begin, end = self._part or (0, None)
        before = self._before if self._part else [ops.convert_to_tensor(state) for state in carried]
        states = [state[begin:end] for state in before]
        after = self.model(
            {"tokens": inputs["tokens"], "starts": inputs["starts"], "states": states},
            training=training,
        )
        for number, variable in enumerate(carried):
            state = ops.cast(ops.stop_gradient(after[f"state_{number}"]), variable.dtype)
            if self._part:
                state = ops.concatenate([variable[:begin], state, variable[end:]])
                state = ops.reshape(state, variable.shape)
            variable.assign(state)
        return as_float32(after["logits"])

    def train_step(self, data: Any) -> dict[str, Any]:
        """Takes a step with a chunk of each row."""
        # Read once: parts on several devices would wait for what the others write.
        self._before = [ops.convert_to_tensor(state) for state in self.carried["training"]]
        try:
            return super().train_step(data)
        finally:
            self._before = []

    def _part_gradients(self, x: Any, y: Any, totals: Mapping[str, Any]) -> list[Any]:
        rows = x.pop(_ROWS)
        self._part = rows[0], rows[1]
        try:
            return super()._part_gradients(x, y, totals)
        finally:
            self._part = None

    def take_part(self, x: Any, y: Any, begin: Any, end: Any) -> tuple[Any, Any]:
        """Also which rows they are, whose states are read."""
        x, y = super().take_part(x, y, begin, end)
        return {**x, _ROWS: (begin, end)}, y

    def reset(self) -> None:
        """Sets all carried states to zeros, which a batch whose rows all start need not have."""
        for states in self.carried.values():
            for state in states:
                state.assign(ops.zeros_like(state))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            **super().get_config(),
            "rows": self.rows,
            "evaluation_rows": self.evaluation_rows,
        }
