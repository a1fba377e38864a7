"""A speech recognizer that reads sound as it comes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.models.speech_recognizer import (
    CTC,
    ENCODER,
    FEATURES,
    NORMALIZATION,
    SUBSAMPLING,
    mask_steps,
)
from rnnpipe.models.streaming import check_reads_forwards, select_states

if TYPE_CHECKING:
    import keras


class SpeechStream:
    """A recognizer as one step of its encoder: frames and what it remembers in, logits out.

    It shares the weights of the model, and has the logits that this has of the whole recording.

    Args:
        model: of `build_speech_recognizer`, with `ctc` logits, and an encoder that reads forwards
            or none.

    Call arguments:
        features: those of a step, `(batch, frames, mels)`.
        lengths: how many of the frames are no padding, `(batch,)`.
        states: those that the step before returned, of `state_shapes`; at the first one zeros.
        number: of the steps so far and this one, `(batch, 1)`.

    Returns:
        The logits, `(batch, vocab)`, and the next states.

    Raises:
        UserError: there are no such logits, or the model needs the whole recording.
    """

    def __init__(self, model: "keras.Model") -> None:
        check_stream(model)
        self._layers = {layer.name: layer for layer in model.layers}
        self._subsampling, self._encoder = self._layers[SUBSAMPLING], self._layers.get(ENCODER)
        self._mels = model.input[FEATURES].shape[-1]

    @property
    def features_shape(self) -> tuple[int, int]:
        """The frames of a step, and the features of each."""
        reduction = 1
        if self._encoder is not None:
            reduction = self._encoder.time_reduction ** (self._encoder.depth - 1)
        return self._subsampling.factor * reduction, self._mels

    @property
    def state_shapes(self) -> list[tuple[int, ...]]:
        """The shape of each state without the batch."""
        sizes = [] if self._encoder is None else self._encoder.state_size
        return [*self._subsampling.state_shapes, *((size,) for size in sizes)]

    def __call__(
        self, features: Any, lengths: Any, states: Sequence[Any], number: Any
    ) -> tuple[Any, list[Any]]:
        """Reads a step; see the class for the arguments."""
        count = len(self._subsampling.state_shapes)
        mask = mask_steps(features, lengths)
        features = self._layers[NORMALIZATION](features)
        hidden, after = self._subsampling(features, mask=mask, state=list(states[:count]))
        if self._encoder is not None:
            steps = mask_steps(hidden, self._subsampling.compute_lengths(lengths))
            before = select_states(self._encoder, hidden, states[count:], number)
            hidden, *last = self._encoder(hidden, initial_state=list(before), mask=steps)
            after = [*after, *last]
        return self._layers[CTC](hidden[:, 0]), after


def check_stream(model: "keras.Model") -> None:
    """Checks that a recognizer can read sound as it comes.

    Raises:
        UserError: it cannot.
    """
    if CTC not in model.output:
        fix = "train with model.output.kind ctc or joint, or predict without --stream"
        raise UserError("a stream", "a model with CTC", "a decoder, which reads all first", fix)
    encoder = next((layer for layer in model.layers if layer.name == ENCODER), None)
    check_reads_forwards(encoder, "a recording", "model.encoder")
    if not model.get_layer(SUBSAMPLING).causal:
        fix = "train with model.subsampling.causal=true, or predict without --stream"
        raise UserError("a stream", "causal convolutions", "some that look at later frames", fix)
