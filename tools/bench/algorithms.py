"""What an attention decoder learns in two minutes: to copy, to reverse and to sort letters.

    python -m tools.bench.algorithms [--steps 600] [--picture docs/images/algorithms.png]

Trains a model of its own for each task on words made up as it goes, and prints how many of 1,000
unseen words it then writes without a fault, by beam search in graph, and how long it trained.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from rnnpipe.decoding import Decoded, beam_search
from rnnpipe.layers import GRU, AdditiveAttention, AttentionDecoder, Bridge, GRUCell
from rnnpipe.text.tokens import END, PAD, START

LETTERS = "_?<>abcdefghijklmnopqrstuvwxyz"  # padding, unknown, start and end are tokens as well
FIRST = LETTERS.index("a")
LONGEST, BATCH, UNITS = 10, 64, 64
TASKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "copy": lambda word: word,
    "reverse": lambda word: word[::-1],
    "sort": np.sort,
}


@dataclass
class Learner:
    """The model that is trained, and the parts of it that decode."""

    model: keras.Model
    encoder: keras.Model
    decoder: AttentionDecoder

    def write(self, source: Any) -> Decoded:
        """What it makes of words `(batch, time)`."""
        memory, *state = self.encoder(source)
        step, first = self.decoder.begin(memory, source != PAD, state, beam_width=4)
        return beam_search(step, first, beam_width=4, max_length=LONGEST + 1)


def build_learner() -> Learner:
    """A bidirectional encoder, and a decoder that attends to it."""
    source = keras.Input((None,), dtype="int32")
    words = keras.Input((None,), dtype="int32")
    letters = keras.layers.Embedding(len(LETTERS), UNITS, mask_zero=True)(source)
    encode = keras.layers.Bidirectional(GRU(UNITS, return_sequences=True, return_state=True))
    memory, *states = encode(letters)
    decoder = AttentionDecoder(len(LETTERS), UNITS, GRUCell(2 * UNITS), AdditiveAttention(UNITS))
    state = Bridge(decoder.state_sizes)(states)
    logits, _ = decoder(words, memory, initial_state=state)
    return Learner(
        model=keras.Model([source, words], logits),
        encoder=keras.Model(source, [memory, *state]),
        decoder=decoder,
    )


def make_words(task: str, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Words `(count, LONGEST)` and what becomes of them, with its end, `(count, LONGEST + 1)`."""
    source = np.full((count, LONGEST), PAD, "int32")
    target = np.full((count, LONGEST + 1), PAD, "int32")
    for row, length in enumerate(random.integers(1, LONGEST + 1, count)):
        word = random.integers(FIRST, len(LETTERS), length)
        source[row, :length] = word
        target[row, : length + 1] = [*TASKS[task](word), END]
    return source, target


def make_batches(task: str, random: np.random.Generator) -> Iterator[Any]:
    """Batches without end: words and what was written so far, and what is to be written."""
    while True:
        source, target = make_words(task, BATCH, random)
        words = np.concatenate([np.full((BATCH, 1), START), target[:, :-1]], axis=1)
        words[words == END] = PAD
        yield (source, words.astype("int32")), target


def train(learner: Learner, task: str, steps: int) -> tuple[float, float]:
    """Seconds that the training took, by the clock and of all cores together."""
    learner.model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(4e-3, steps), clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    start = time.perf_counter(), time.process_time()
    batches = make_batches(task, np.random.default_rng(1))
    learner.model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
    return time.perf_counter() - start[0], time.process_time() - start[1]


def score(learner: Learner, task: str) -> float:
    """The fraction of 1,000 unseen words that is written without a fault."""
    source, target = make_words(task, 1000, np.random.default_rng(2))
    found = tf.function(learner.write)(tf.constant(source))
    return float(np.mean(np.all(found.ids[:, 0] == target, axis=1)))


def draw(learner: Learner, task: str, axes: Any) -> None:
    """Where the decoder looked for each letter of one word."""
    word = np.array([[LETTERS.index(letter) for letter in "attention"]], "int32")
    found = learner.write(tf.constant(np.pad(word, [(0, 0), (0, LONGEST - word.shape[1])])))
    length = int(found.lengths[0, 0])
    written = [LETTERS[token] for token in found.ids[0, 0, :length]]
    axes.imshow(found.alignments[0, 0, :length, 0, : word.shape[1]], cmap="Greys", vmin=0, vmax=1)
    axes.set_xticks(range(word.shape[1]), "attention")
    axes.set_yticks(range(length), written)
    axes.xaxis.tick_top()
    axes.set_title(task)


def main() -> None:
    """Trains all three, prints a line for each and draws their alignments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=600, help="training steps for each task")
    parser.add_argument("--picture", type=Path, help="where to draw the alignments, e.g. a .png")
    options = parser.parse_args()
    figure, panels = plt.subplots(1, len(TASKS), figsize=(10, 4), layout="constrained")
    for task, axes in zip(TASKS, panels, strict=True):
        keras.utils.set_random_seed(3)
        learner = build_learner()
        seconds, core_seconds = train(learner, task, options.steps)
        exact = score(learner, task)
        took = f"{seconds:5.0f} s of training, {core_seconds:5.0f} s of all cores together"
        print(f"{task:8} {exact:7.1%} of unseen words exact   {took}", flush=True)
        draw(learner, task, axes)
    if options.picture:
        figure.savefig(options.picture, dpi=110)


if __name__ == "__main__":
    main()
