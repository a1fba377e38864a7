"""The weights of a trained translator, widened to the sizes of JoeyNMT's."""

import re
from typing import Any

import keras
import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.models.translator import TranslatorOptions, build_translator
from rnnpipe.parts.attention import AdditiveAttentionOptions
from rnnpipe.parts.cells import GRUOptions
from rnnpipe.parts.decoder import DecoderOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.tasks.translation.config import TranslationConfig

DROPOUT = 0.3


def widen_to_joey(model: keras.Model, config: TranslationConfig) -> keras.Model:
    """An untied model, in which features that the trained one does not have are zeros.

    JoeyNMT compares and reads out in as many units as its decoder has, and has an embedding for
    each language and weights of its own for the logits. A model whose readout is narrower, or whose
    weights are tied, is one of those with zeros in some places: both say the same.

    Args:
        model: a trained translator with GRUs of one layer.
        config: of its run.

    Raises:
        UserError: it is none that JoeyNMT's could be.
    """
    encoder, decoder = config.model.encoder, config.model.decoder
    kinds = {encoder.cell.kind, decoder.cell.kind}, {encoder.depth, decoder.depth}
    if kinds != ({"gru"}, {1}) or decoder.output != "tanh" or not decoder.input_feeding:
        expected = "GRUs of one layer with input feeding and a tanh readout, as JoeyNMT's recipe"
        raise UserError("model", expected, f"{encoder}, {decoder}", "take another run")
    trained = _untie(weights_of(model))
    vocab, embedding = trained["target_embedding/embeddings"].shape
    options = TranslatorOptions(
        embedding=EmbeddingOptions(size=embedding, dropout=DROPOUT),
        share_embedding=False,
        encoder=RecurrenceOptions(cell=GRUOptions(units=encoder.cell.units), bidirectional=True),
        memory_dropout=DROPOUT,
        decoder=DecoderOptions(
            cell=GRUOptions(units=decoder.cell.units),
            attention=AdditiveAttentionOptions(units=decoder.cell.units),
            dropout=DROPOUT,
        ),
    )
    source_vocab = len(trained["source_embedding/embeddings"])
    wide = build_translator(options, source_vocab=source_vocab, target_vocab=vocab)
    for weight in wide.trainable_weights:
        weight.assign(_pad(trained[_name_of(weight)], weight.shape))
    return wide


def weights_of(model: keras.Model) -> dict[str, np.ndarray]:
    """The weights of a translator of ours by name."""
    return {_name_of(weight): weight.numpy() for weight in model.trainable_weights}


def _name_of(weight: keras.Variable) -> str:
    # What is loaded or shared is built before the decoder, all else inside of it.
    path = weight.path.removeprefix("decoder/").removeprefix("cell/")
    # Keras numbers layers of one class, in the order in which a process makes them.
    return re.sub(r"(gru_cell|additive_attention)_\d+/", r"\1/", path)


def _untie(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights that a model would have which says the same, but shares none."""
    words = weights["target_embedding/embeddings"]
    weights = {"source_embedding/embeddings": words} | weights
    if "bias" in weights:
        weights |= {"logits/kernel": words.T, "logits/bias": weights["bias"]}
    return weights


def _pad(values: np.ndarray, shape: Any) -> np.ndarray:
    return np.pad(values, [(0, to - size) for size, to in zip(values.shape, shape, strict=True)])
