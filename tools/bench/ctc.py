"""Times the loss and the decoding of CTC against the same operations of Keras.

    python -m tools.bench.ctc
    python -m tools.bench.ctc --batch 16 --frames 400 --tokens 150 --rounds 2

The loss is that of a training step, with its gradient and reproducible operations; Keras' decoding
runs in TensorFlow's kernel. All run in one process, in turn.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from rnnpipe.decoding import ctc_beam_search, ctc_greedy_search
from rnnpipe.layers import ctc_loss
from tools.bench.interleaved import Case, describe, interleave, running


def step(find: Callable[[Any], Any], logits: Any) -> Case:
    """The sum of the losses, after the gradient has been computed."""

    @tf.function
    def graph() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = tf.reduce_sum(find(logits))
        return loss, tape.gradient(loss, logits)

    return running(graph)


def decode(strategy: str, logits: Any, lengths: Any, width: int) -> Case:
    """Keras' decoding of logits."""
    return lambda: ops.ctc_decode(logits, lengths, strategy=strategy, beam_width=width)


def main() -> None:
    """Parses, runs, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (
        ("batch", 32),
        ("frames", 75),
        ("tokens", 30),
        ("vocab", 32),
        ("width", 16),
        ("rounds", 5),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    keras.utils.set_random_seed(1)
    tf.config.experimental.enable_op_determinism()
    random = np.random.default_rng(1)
    batch, shape = options.batch, (options.batch, options.frames, options.vocab)
    targets = tf.constant(random.integers(1, options.vocab, (batch, options.tokens)), tf.int32)
    counts, lengths = np.full(batch, options.tokens), np.full(batch, options.frames)
    counts, lengths = (tf.constant(sizes, tf.int32) for sizes in (counts, lengths))
    logits = tf.constant(random.normal(size=shape, scale=3.0), tf.float32)
    array = logits.numpy()
    pairs: dict[str, dict[str, Case]] = {
        "loss": {
            "ours": step(lambda x: ctc_loss(targets, x, counts, lengths).losses, logits),
            "keras": step(lambda x: ops.ctc_loss(targets, x, counts, lengths), logits),
        },
        "greedy": {
            "ours": lambda: ctc_greedy_search(array),
            "keras": decode("greedy", logits, lengths, options.width),
        },
        "beam": {
            "ours": lambda: ctc_beam_search(array, beam_width=options.width),
            "keras": decode("beam_search", logits, lengths, options.width),
        },
    }
    for name, cases in pairs.items():
        found = interleave(cases, 0.0, min_rounds=options.rounds)
        print(f"{name:7} {describe(found, 1)}", flush=True)


if __name__ == "__main__":
    main()
