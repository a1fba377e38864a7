"""Times the loss and the perplexity of tokens against the same of Keras' own operations.

    python -m tools.bench.likelihood
    python -m tools.bench.likelihood --tokens 1280 --vocab 10000 --smoothing 0 --seconds 20

Each case finds the smoothed cross-entropy of some tokens, its gradient by the logits, and
their perplexity, as a training step does, with reproducible operations as in training runs. Both
run in one process, in turn: read the ratios, not the milliseconds.
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

from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy
from tools.bench.interleaved import Case, describe, interleave


def ours(smoothing: float) -> Callable[[Any, Any], tuple[Any, Any]]:
    """What training runs use."""
    loss, metric = TokenCrossEntropy(smoothing), Perplexity()

    def find(targets: Any, logits: Any) -> tuple[Any, Any]:
        metric.reset_state()
        metric.update_state(targets, logits)
        return loss(targets, logits), metric.result()

    return find


def keras_own(smoothing: float) -> Callable[[Any, Any], tuple[Any, Any]]:
    """The same by `keras.ops`: smoothed targets written out, and a softmax for each purpose."""

    def find(targets: Any, logits: Any) -> tuple[Any, Any]:
        vocab = logits.shape[-1]
        wanted = ops.one_hot(targets, vocab) * (1 - smoothing) + smoothing / vocab
        loss = ops.mean(ops.categorical_crossentropy(wanted, logits, from_logits=True))
        surprise = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
        return loss, ops.exp(ops.mean(surprise))

    return find


def step(find: Callable[[Any, Any], tuple[Any, Any]], targets: Any, logits: Any) -> Case:
    """Loss and perplexity, after the gradient has been computed."""

    @tf.function
    def graph() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss, perplexity = find(targets, logits)
        return loss, perplexity, tape.gradient(loss, logits)

    return lambda: [float(each) for each in graph()[:2]]


def main() -> None:
    """Parses, runs, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=1024)
    parser.add_argument("--vocab", type=int, default=8000)
    parser.add_argument("--smoothing", type=float, default=0.1)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    keras.utils.set_random_seed(1)
    tf.config.experimental.enable_op_determinism()
    random = np.random.default_rng(1)
    targets = tf.constant(random.integers(1, options.vocab, (1, options.tokens)))
    logits = tf.constant(random.normal(size=(1, options.tokens, options.vocab)), tf.float32)
    cases = {
        "ours": step(ours(options.smoothing), targets, logits),
        "keras": step(keras_own(options.smoothing), targets, logits),
    }
    np.testing.assert_allclose(cases["ours"](), cases["keras"](), rtol=1e-5)
    found = interleave(cases, options.seconds)
    print(f"{options.tokens} tokens of {options.vocab}: {describe(found, 1)}")


if __name__ == "__main__":
    main()
