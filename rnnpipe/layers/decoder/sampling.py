"""Scheduled sampling: now and then a decoder in training reads its own words."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.decoder.loop import run
from rnnpipe.layers.decoder.structures import Source, State


def run_sampling(decoder: Any, tokens: Any, source: Source, state: State, rate: Any) -> Any:
    """Logits and alignments of all steps, each of which draws whose word it reads.

    With the probability `rate` that is a word drawn from the logits of the step before, else the
    given one.

    Args:
        decoder: the built decoder.
        tokens: the given words, `(batch, time)`.
        source: what does not change.
        state: the first state.
        rate: from 0 to 1.
    """
    given = ops.cast(tokens, "float32")[:, :, None]  # exact up to 16 million tokens
    own = ops.zeros_like(tokens[:, 0])
    first = ops.ones_like(own, dtype="bool")
    decoder.cell.draw_dropout(decoder.word(tokens[:, 0]), state)

    def step(inputs: Any, before: Any) -> Any:
        state, own, first = before
        drawn = keras.random.uniform(ops.shape(own), seed=decoder.random) < rate
        # The first word is the given one, as nothing has been drawn yet.
        take = ops.logical_and(drawn, ops.logical_not(first))
        token = ops.where(take, own, ops.cast(inputs[:, 0], own.dtype))
        word = decoder.dropout(decoder.word(token), training=True)
        outputs, state = decoder.cell(word, State(*state), source, training=True)
        logits = decoder.logits(word, outputs, training=True)
        drawn = keras.random.categorical(
            ops.cast(logits, "float32"), 1, dtype=own.dtype, seed=decoder.random
        )
        return (logits, outputs.alignments), (state, drawn[:, 0], ops.zeros_like(first))

    found = run(step, given, (state, own, first), drawing=decoder)
    decoder.cell.forget_dropout()
    return found
