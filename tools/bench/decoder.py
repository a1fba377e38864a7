"""Times the attention decoder against a naive Keras cell and, where it is installed, PyTorch.

    python -m tools.bench.decoder                        # everything, some minutes
    python -m tools.bench.decoder --what train --regions 49 --seconds 30
    python -m tools.bench.decoder --what search translation

`train`: a training step of a captioner, 64 captions of 20 words, over 49 or 196 regions: a GRU of
512 in Bahdanau's architecture, additive attention of 512, a vocabulary of 10,000. The naive cell
is what `keras.layers.RNN` runs when attention, its keys and the vocabulary are written into the
cell. `search`: a beam of 5 for 32 images and 30 words with the same model, compiled, eager and
written as a loop in PyTorch. `translation`: a bidirectional GRU of 256, a GRU of 512 with input
feeding, additive attention and a vocabulary of 8,000: target tokens a second in training, sentences
a second in greedy and beam search, 15 words each.

All cases of a line have equal weights where they have the same ones, and run in one process,
in turn: read the ratios, not the milliseconds. Medians of wall-clock and CPU seconds.
"""

import argparse
import importlib.util
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from rnnpipe.decoding import Constraints, beam_search, greedy_search
from rnnpipe.layers import GRU, AdditiveAttention, AttentionDecoder, Bridge, GRUCell
from tools.bench.interleaved import Case, describe, interleave

BATCH, STEPS, UNITS, VOCAB, EMBEDDING, REGIONS = 64, 20, 512, 10_000, 512, (49, 196)


class NaiveCell(keras.layers.Layer):
    """A step that does everything again: keys, attention, words, vocabulary."""

    def __init__(self) -> None:
        super().__init__()
        self.state_size, self.output_size = UNITS, VOCAB
        self.query, self.keys = keras.layers.Dense(UNITS, use_bias=False), keras.layers.Dense(UNITS)
        self.score = keras.layers.Dense(1, use_bias=False)
        self.gru, self.readout = keras.layers.GRUCell(UNITS), keras.layers.Dense(UNITS, "tanh")
        self.logits = keras.layers.Dense(VOCAB)
        self.memory: Any = None

    def build(self, words_shape: Any) -> None:
        """Builds all parts."""
        self.query.build((None, UNITS))
        self.keys.build((None, None, UNITS))
        self.score.build((None, None, UNITS))
        self.gru.build((None, words_shape[-1] + UNITS))
        self.readout.build((None, 2 * UNITS))
        self.logits.build((None, UNITS))

    def call(self, words: Any, states: Any) -> tuple[Any, Any]:
        """Looks, steps, names a word."""
        joint = ops.tanh(self.keys(self.memory) + self.query(states[0])[:, None])
        alignments = ops.softmax(self.score(joint), axis=1)
        context = ops.sum(alignments * self.memory, axis=1)
        output, states = self.gru(ops.concatenate([words, context], axis=-1), states)
        return self.logits(self.readout(ops.concatenate([output, context], axis=-1))), states


def captioner() -> AttentionDecoder:
    """Our decoder of the captioning model."""
    attention = AdditiveAttention(UNITS)
    return AttentionDecoder(VOCAB, EMBEDDING, GRUCell(UNITS), attention, architecture="bahdanau")


def training_cases(regions: int) -> dict[str, Case]:
    """A training step (forward, loss, gradients) of each case."""
    random = np.random.default_rng(1)
    tokens = random.integers(1, VOCAB, (BATCH, STEPS + 1))
    memory = random.normal(size=(BATCH, regions, UNITS)).astype("float32")
    decoder = captioner()
    decoder.build((BATCH, STEPS), memory.shape)
    cell = NaiveCell()
    layer = keras.layers.RNN(cell, return_sequences=True)
    embedding = keras.layers.Embedding(VOCAB, EMBEDDING)
    embedding.build((None, None))
    layer.build((BATCH, STEPS, EMBEDDING))
    share_weights(decoder, cell, embedding)

    def ours(tokens: Any, memory: Any) -> Any:
        return decoder(tokens, memory, training=True)[0]

    def naive(tokens: Any, memory: Any) -> Any:
        cell.memory = memory
        return layer(embedding(tokens), training=True)

    ours_weights, naive_weights = decoder.trainable_weights, [*layer.weights, *embedding.weights]
    cases = {
        "ours": training_step(ours, ours_weights, tokens, memory),
        "naive": training_step(naive, naive_weights, tokens, memory),
    }
    np.testing.assert_allclose(cases["ours"](), cases["naive"](), rtol=1e-4)
    if importlib.util.find_spec("torch"):
        from tools.bench import torch_captioner

        cases["torch"] = torch_captioner.training_step(decoder, tokens, memory)
        np.testing.assert_allclose(cases["ours"](), cases["torch"](), rtol=1e-4)
    return cases


def share_weights(decoder: AttentionDecoder, cell: NaiveCell, embedding: Any) -> None:
    """Gives the naive cell the weights of the decoder."""
    attention: Any = decoder.cell.attention
    query, keys, bias, score = attention.get_weights()
    cell.query.set_weights([query])
    cell.keys.set_weights([keys, bias])
    cell.score.set_weights([score])
    cell.gru.set_weights(decoder.cell.cells[0].get_weights())
    cell.readout.set_weights(decoder.cell.readout.dense.get_weights())
    to_logits: Any = decoder.to_logits
    cell.logits.set_weights(to_logits.get_weights())
    embedding.set_weights(decoder.embedding.get_weights())


def training_step(model: Any, weights: list[Any], tokens: Any, memory: Any) -> Case:
    """The loss, after all gradients have been computed."""
    tokens, memory = tf.constant(tokens), tf.constant(memory)

    @tf.function
    def graph() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(memory)
            logits = model(tokens[:, :-1], memory)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(tokens[:, 1:], logits)
            loss = tf.reduce_mean(loss)
        return loss, tape.gradient(loss, [memory, *(weight.value for weight in weights)])

    return lambda: float(graph()[0])


def search_cases(batch: int = 32, width: int = 5, length: int = 30, regions: int = 49) -> Any:
    """A beam search of each case, which returns the score of the first row."""
    memory = np.random.default_rng(2).normal(size=(batch, regions, UNITS)).astype("float32")
    decoder = captioner()
    decoder.build((None, None), memory.shape)
    # Trained models are sure of their words; random ones would have ties at every step.
    to_logits: Any = decoder.to_logits
    to_logits.set_weights([30 * weight for weight in to_logits.get_weights()])
    full = Constraints(min_length=length)

    def search(memory: Any) -> Any:
        step, state = decoder.begin(memory, beam_width=width)
        return beam_search(
            step, state, beam_width=width, max_length=length, constraints=full
        ).scores

    graph, tensor = tf.function(search), tf.constant(memory)
    cases = {
        "ours": lambda: float(graph(tensor)[0, 0]),
        "eager": lambda: float(search(tensor)[0, 0]),
    }
    if importlib.util.find_spec("torch"):
        from tools.bench import torch_captioner

        cases["torch"] = torch_captioner.search(decoder, memory, width, length)
        np.testing.assert_allclose(cases["ours"](), cases["torch"](), rtol=1e-4)
    return cases


class Translator:
    """The usual model of translation, of which parts are timed."""

    def __init__(self, vocab: int = 8_000, embedding: int = 256, units: int = 512) -> None:
        self.embedding = keras.layers.Embedding(vocab, embedding, mask_zero=True)
        layer = GRU(units // 2, return_sequences=True, return_state=True)
        self.encoder, self.bridge = keras.layers.Bidirectional(layer), Bridge([units])
        attention = AdditiveAttention(units)
        self.decoder = AttentionDecoder(vocab, embedding, GRUCell(units), attention)
        self.vocab = vocab

    def model(self) -> keras.Model:
        """The model that is trained."""
        source, target = (keras.Input((None,), dtype="int32") for _ in range(2))
        memory, states = self.encode(source)
        return keras.Model([source, target], self.decoder(target, memory, initial_state=states)[0])

    def encode(self, source: Any) -> tuple[Any, Any]:
        """Memory and first states."""
        memory, *states = self.encoder(self.embedding(source))
        return memory, self.bridge(states)

    def search(self, width: int, length: int) -> Any:
        """Greedy search for a width of 1, else beam search, as a graph."""
        options: dict[str, Any] = {"max_length": length}
        options["constraints"] = Constraints(min_length=length)

        @tf.function
        def search(source: Any) -> Any:
            memory, states = self.encode(source)
            step, state = self.decoder.begin(
                memory, self.embedding.compute_mask(source), states, beam_width=width
            )
            if width == 1:
                return greedy_search(step, state, **options).scores
            return beam_search(step, state, beam_width=width, **options).scores

        return search


def translation(seconds: float, batch: int = 64, length: int = 15) -> None:
    """Prints target tokens a second in training, and sentences a second in decoding."""
    translator, random = Translator(), np.random.default_rng(3)
    model = translator.model()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=5.0), loss)
    source, target, labels = (random.integers(4, translator.vocab, (batch, length)) for _ in "123")
    tensors = [tf.constant(source), tf.constant(target)]
    labels = tf.constant(labels)
    cases: dict[str, tuple[Case, int]] = {
        "training, target tokens": (lambda: model.train_on_batch(tensors, labels), batch * length),
    }
    for width in (1, 5):
        search = partial(translator.search(width, length), tensors[0])
        name = "greedy" if width == 1 else f"beam {width}"
        cases[f"{name}, sentences"] = (search, batch)
    for name, (case, units) in cases.items():
        found = interleave({"ours": case}, seconds, min_rounds=3)
        wall, cpu = found["wall"]["ours"], found["cpu"]["ours"]
        print(
            f"translation {name}: {units / wall:.0f} a second, {cpu:.2f} CPU seconds for {units}, "
            f"first call {found['first']['ours']:.1f} s",
            flush=True,
        )


def compare(title: str, cases: dict[str, Case], seconds: float) -> None:
    """Prints how long each case takes, and how many times as long as ours."""
    found = interleave(cases, seconds, min_rounds=3)
    print(f"{title}: {describe(found, 0)} | first {found['first']['ours']:.1f} s", flush=True)


def main() -> None:
    """Parses, runs, prints."""
    parser = argparse.ArgumentParser(description="Times the attention decoder.")
    kinds = ("train", "search", "translation")
    parser.add_argument("--what", nargs="+", choices=kinds, default=kinds)
    parser.add_argument("--regions", nargs="+", type=int, default=REGIONS)
    parser.add_argument("--seconds", type=float, default=30.0, help="for each line")
    options = parser.parse_args()
    if "train" in options.what:
        for regions in options.regions:
            compare(f"train, {regions} regions", training_cases(regions), options.seconds)
    if "search" in options.what:
        compare("search, beam 5", search_cases(), options.seconds)
    if "translation" in options.what:
        translation(options.seconds)


if __name__ == "__main__":
    main()
