"""The functions of a Keras model that recognizes speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from rnnpipe.decoding import ctc_step, shallow_fusion
from rnnpipe.models.ensemble import mean_logits
from rnnpipe.models.speech_recognizer import (
    CTC,
    FEATURES,
    LENGTHS,
    begin_recognition,
    take_ctc,
)
from rnnpipe.models.speech_stream import SpeechStream, check_stream
from rnnpipe.parts.search import FindToken
from rnnpipe.tasks.graph_function import make_stream_function
from rnnpipe.tasks.network import Function, Graph, describe_inputs, state_name
from rnnpipe.tasks.search_function import SearchFunction, Tensors
from rnnpipe.tasks.speech.config import SpeechSearchOptions
from rnnpipe.tasks.speech.search import JointStep, make_decode

if TYPE_CHECKING:
    import keras

    from rnnpipe.tasks.shallow_fusion import FusedLanguageModel


def make_search(
    model: keras.Model,
    options: SpeechSearchOptions,
    find_token: FindToken,
    language_model: FusedLanguageModel | None = None,
) -> SearchFunction:
    """The search for texts of a decoder, a function of `features` and `lengths`.

    Where the model has CTC too, scores are λ log P_CTC + (1 − λ) log P_decoder.

    Args:
        model: of `build_speech_recognizer`, with a decoder, or an ensemble of such models.
        options: of the search, with a `max_length`.
        find_token: the id of a token that `options.constraints` name.
        language_model: what takes part in it.
    """
    weight = options.ctc_weight if CTC in model.output else 0.0
    ctc_model = take_ctc(model) if weight else None

    def begin(tensors: Tensors, beam_width: int | None) -> tuple[Any, Any]:
        step, state = begin_model(tensors, beam_width)
        return (step, state) if language_model is None else language_model.fuse(step, state)

    def begin_model(tensors: Tensors, beam_width: int | None) -> tuple[Any, Any]:
        step, state = begin_recognition(model, tensors, beam_width=beam_width)
        if ctc_model is None:
            return step, state
        sound = {name: tensors[name] for name in (FEATURES, LENGTHS)}
        logits = ctc_model(sound, training=False)[CTC]
        ctc, prefix = ctc_step(logits, beam_width=beam_width or 1)
        if beam_width is None:
            return JointStep(step, weight), JointStep.make_state(state, prefix, ctc.log_probs)
        return shallow_fusion([step, ctc], [1 - weight, weight]), (state, prefix)

    decode = make_decode(find_token)
    inputs = describe_inputs(model, FEATURES, LENGTHS)
    return SearchFunction(begin, decode, options, inputs, nested=ctc_model is not None)


def make_step(model: keras.Model) -> Function:
    """The function `step` of a network: the logits of one step of each recording.

    It reads `features`, `(batch, frames of a step, mels)`, `lengths`, how many of these frames are
    no padding, and the states that it returned before, `state/0` and so on, which are left out, or
    zeros, at the first step. It returns the logits `ctc`, `(batch, vocab)`, and the states. Of an
    ensemble the logits are the logarithms of the members' mean probabilities.

    Args:
        model: of `build_speech_recognizer`, or an ensemble of such models; the step is built when
            it is first used.

    Returns:
        The function; of a model that needs the whole recording, one that raises a `UserError`.
    """
    return make_stream_function(model, check_stream, _make_graph)


def _make_graph(members: Sequence[keras.Model]) -> Graph:
    import tensorflow as tf

    streams = [SpeechStream(member) for member in members]
    # Of each member its states, and the number of its steps.
    shapes = [[*stream.state_shapes, (1,)] for stream in streams]
    flat = [shape for own in shapes for shape in own]
    names = [state_name(number) for number in range(len(flat))]
    specs = {
        name: tf.TensorSpec((None, *shape), tf.float32)
        for name, shape in zip(names, flat, strict=True)
    }
    inputs = {
        FEATURES: tf.TensorSpec((None, *streams[0].features_shape), tf.float32),
        LENGTHS: tf.TensorSpec((None,), tf.int32),
    }

    def step(tensors: Mapping[str, Any]) -> dict[str, Any]:
        before = iter([tensors[name] for name in names])
        logits, after = [], []
        for stream, own in zip(streams, shapes, strict=True):
            *states, count = islice(before, len(own))
            output, states = stream(tensors[FEATURES], tensors[LENGTHS], states, count + 1)
            after += [*states, count + 1]
            logits.append(output)
        named = {n: tf.cast(s, tf.float32) for n, s in zip(names, after, strict=True)}
        return {CTC: logits[0] if len(logits) == 1 else mean_logits(logits), **named}

    return Graph(step, {**inputs, **specs}, states=tuple(names))
