"""Times our recurrent layers where sequences have many lengths, against `keras.layers`.

    python -m tools.bench.lengths                  # an epoch of model.fit, batches of many lengths
    python -m tools.bench.lengths --masks          # what a right-padded mask costs a training step

The first epoch compiles, once for each of a few lengths (docs/layers.md), and is reported apart
from those after it. Cases alternate, medians are printed; `cpu` is as in `tools.bench.layers`.
"""

import argparse
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe import layers
from tools.bench.interleaved import Case, interleave, running
from tools.bench.layers import GATES, THEIRS

VOCAB = 1000


def batches(shape: tuple[int, ...], count: int) -> Any:
    """Batches of tokens, each padded to its longest sequence: a quarter of `time` up to `time`."""
    batch, length, *_ = shape
    random = np.random.default_rng(3)
    found = []
    for longest in random.integers(length // 4, length + 1, count):
        lengths = random.integers(1, longest + 1, (batch, 1))
        lengths[0] = longest
        tokens = random.integers(1, VOCAB, (batch, longest))
        found.append(np.where(np.arange(longest) < lengths, tokens, 0).astype("int32"))
    targets = random.normal(size=(batch, 1)).astype("float32")
    signature = (tf.TensorSpec((batch, None), tf.int32), tf.TensorSpec((batch, 1)))
    data = tf.data.Dataset.from_generator(
        lambda: ((tokens, targets) for tokens in found), output_signature=signature
    )
    return data.apply(tf.data.experimental.assert_cardinality(count)).cache()


def epoch(layer: Any, shape: tuple[int, ...], data: Any) -> Case:
    """An epoch of training a small classifier that reads with `layer`."""
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(VOCAB, shape[2], mask_zero=True),
            layer,
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    return lambda: model.fit(data, shuffle=False, verbose=0)


def step(layer: Any, shape: tuple[int, ...], mask: Any) -> Case:
    """A training step of a layer alone, under a mask or none."""
    inputs = tf.random.stateless_normal(shape[:3], (1, 2))

    @tf.function
    def graph() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(inputs, mask=mask, training=True) ** 2)
        gradients = tape.gradient(loss, [inputs, *(w.value for w in layer.trainable_weights)])
        return gradients[0][0, 0, 0], gradients

    return running(graph)


def report(title: str, found: dict[str, dict[str, float]], ours: str, other: str) -> None:
    """Prints how many times as long `other` takes."""
    wall, cpu, first = found["wall"], found["cpu"], found["first"]
    times = "  ".join(f"{name} {1e3 * value:.1f} ms" for name, value in wall.items())
    print(
        f"{title}: {times} | {other} / {ours} {wall[other] / wall[ours]:.2f} "
        f"(cpu {cpu[other] / cpu[ours]:.2f}) | first {other} {first[other]:.1f} s, "
        f"{ours} {first[ours]:.1f} s",
        flush=True,
    )


def main() -> None:
    """Parses, runs, prints."""
    parser = argparse.ArgumentParser(description="Times our layers where lengths vary.")
    parser.add_argument("--layers", nargs="+", choices=GATES, default=list(GATES))
    parser.add_argument("--shape", default="32,100,128,256", metavar="BATCH,TIME,FEATURES,UNITS")
    parser.add_argument("--batches", type=int, default=20, help="in an epoch")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each line")
    parser.add_argument("--masks", action="store_true", help="masked against unmasked steps")
    options = parser.parse_args()
    shape = tuple(map(int, options.shape.split(",")))
    for kind in options.layers:
        make = getattr(layers, kind)
        if options.masks:
            lengths = np.random.default_rng(3).integers(shape[1] // 4, shape[1] + 1, (shape[0], 1))
            mask = tf.constant(np.arange(shape[1]) < lengths)
            layer = make(shape[3], return_sequences=True)
            cases = {"unmasked": step(layer, shape, None), "ours": step(layer, shape, mask)}
            report(f"{kind} {shape} masked", interleave(cases, options.seconds), "unmasked", "ours")
        else:
            data = batches(shape, options.batches)
            cases = {
                "keras": epoch(THEIRS[kind](shape[3]), shape, data),
                "ours": epoch(make(shape[3]), shape, data),
            }
            report(f"{kind} {shape} epoch", interleave(cases, options.seconds), "ours", "keras")


if __name__ == "__main__":
    main()
