"""Inputs and targets of a recognizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from rnnpipe.inputs.targets import shift_targets
from rnnpipe.models.speech_recognizer import CTC, LOGITS, TARGET
from rnnpipe.parts.speech_outputs import SpeechOutputOptions


def make_pair(
    inputs: Mapping[str, tf.Tensor], tokens: tf.Tensor, output: SpeechOutputOptions
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs with what a decoder reads, and the targets of each output.

    Args:
        inputs: `features` and `lengths`.
        tokens: `(batch, tokens)`, padded.
        output: of the model.
    """
    target, shifted = shift_targets(tokens)
    targets = {CTC: tokens, LOGITS: shifted}
    read = {TARGET: target} if output.has_decoder else {}
    return {**inputs, **read}, {name: targets[name] for name in output.loss_weights}
