"""Every public layer at a tiny size, with the arrays that it is called with."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

from rnnpipe import layers as ours

BATCH, TIME, FEATURES, UNITS, VOCAB = 7, 11, 3, 4, 9


class Case(NamedTuple):
    """A layer and the axes of its inputs: `rows` and `positions` are sizes that may be 0."""

    make: Callable[..., keras.layers.Layer]
    inputs: Callable[[int, int], list[Any]]


def _values(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape).astype("float32")


def _sequence(rows: int, positions: int) -> list[Any]:
    return [_values(rows, positions, FEATURES)]


def _grid(rows: int, positions: int) -> list[Any]:
    return [_values(rows, positions, 2, FEATURES)]


def _tokens(rows: int, positions: int) -> list[Any]:
    return [np.ones((rows, positions), "int32")]


def _queried(rows: int, positions: int) -> list[Any]:
    return [_values(rows, FEATURES), _values(rows, positions, FEATURES)]


def _queried_lists(rows: int, positions: int) -> list[Any]:
    return [_values(rows, FEATURES), [*_sequence(rows, positions), *_grid(rows, positions)]]


def _words_and_memory(rows: int, positions: int) -> list[Any]:
    return [np.ones((rows, TIME - 1), "int32"), _values(rows, positions, FEATURES)]


def _states(rows: int, positions: int) -> list[Any]:
    del positions
    return [[_values(rows, UNITS), _values(rows, UNITS)]]


def _rnn(cell: str, *sizes: int) -> Callable[..., keras.layers.Layer]:
    def make(**options: Any) -> keras.layers.Layer:
        cell_options = {"dtype": options["dtype"]} if "dtype" in options else {}
        return keras.layers.RNN(getattr(ours, cell)(UNITS, *sizes, **cell_options), **options)

    return make


def _inside(outer: Callable[..., Any], inner: Callable[[], Any], **fixed: Any) -> Any:
    """A layer around another, both of the same dtype."""

    def make(dtype: Any = None, **options: Any) -> keras.layers.Layer:
        given = {} if dtype is None else {"dtype": dtype}
        return outer(inner(**given), **fixed, **given, **options)

    return make


def _decoder(cell: Any, **fixed: Any) -> Callable[..., keras.layers.Layer]:
    def make(dtype: Any = None, **options: Any) -> keras.layers.Layer:
        given = {} if dtype is None else {"dtype": dtype}
        attention = ours.AdditiveAttention(3, **given)
        parts = {"cell": cell(**given), "attention": attention}
        return ours.AttentionDecoder(VOCAB, UNITS, **parts, **fixed, **given, **options)

    return make


def _of(kind: str, *arguments: Any, **fixed: Any) -> Callable[..., keras.layers.Layer]:
    return lambda **options: getattr(ours, kind)(*arguments, **fixed, **options)


_additive = _of("AdditiveAttention", 3)
_gru_cell = _of("GRUCell", UNITS)

KERNELS = {
    **{
        kind: Case(_of(kind, UNITS, return_sequences=True, return_state=True), _sequence)
        for kind in ("LSTM", "GRU", "VanillaRNN")
    },
    "luong": Case(_decoder(_gru_cell), _words_and_memory),
    "bahdanau": Case(_decoder(_of("LSTMCell", UNITS), architecture="bahdanau"), _words_and_memory),
}
"""The layers that have kernels."""

LAYERS = {
    **KERNELS,
    "last output": Case(_of("GRU", UNITS), _sequence),
    "Bidirectional": Case(
        _inside(keras.layers.Bidirectional, _of("LSTM", UNITS, return_sequences=True)), _sequence
    ),
    "RecurrentStack": Case(
        _inside(
            ours.RecurrentStack,
            _of("GRU", UNITS, return_sequences=True, return_state=True),
            depth=2,
            bidirectional=True,
            connection="highway",
            learned_state=True,
        ),
        _sequence,
    ),
    "pyramid": Case(
        _inside(
            ours.RecurrentStack,
            _of("GRU", UNITS, return_sequences=True, return_state=True),
            depth=3,
            time_reduction=2,
        ),
        _sequence,
    ),
    "Zoneout": Case(
        _inside(ours.Zoneout, _of("HighwayLSTMCell", UNITS, 2), return_sequences=True), _sequence
    ),
    **{
        cell: Case(_rnn(cell, *sizes), _sequence)
        for cell, *sizes in (
            ("LSTMCell",),
            ("GRUCell",),
            ("VanillaRNNCell",),
            ("Att2InCell", 1),
            ("PeepholeLSTMCell",),
            ("ProjectionLSTMCell", 2),
            ("LayerNormLSTMCell",),
            ("LayerNormGRUCell",),
            ("LayerNormVanillaRNNCell",),
            ("RecurrentHighwayCell", 2),
            ("HighwayLSTMCell", 2),
        )
    },
    "LearnedState": Case(_of("LearnedState", [UNITS, 2]), _sequence),
    "Bridge": Case(_of("Bridge", [UNITS]), _states),
    "MeanPooling": Case(_of("MeanPooling"), _sequence),
    "MaxPooling": Case(_of("MaxPooling"), _sequence),
    "ConcatPooling": Case(_of("ConcatPooling"), _sequence),
    "AttentionPooling": Case(_of("AttentionPooling", 3), _sequence),
    "FrameStacking": Case(_of("FrameStacking", 3), _sequence),
    "ConvolutionalSubsampling": Case(_of("ConvolutionalSubsampling", 2), _sequence),
    "WordDropout": Case(_of("WordDropout", 0.5), _tokens),
    "SpecAugment": Case(_of("SpecAugment", frequency_width=2), _sequence),
    "TwoChannelEmbedding": Case(_of("TwoChannelEmbedding", VOCAB, 3), _tokens),
    "CoordinateChannels": Case(_of("CoordinateChannels"), _grid),
    "MovingAverage": Case(_of("MovingAverage"), lambda rows, _: [_values(rows)]),
    "AdditiveAttention": Case(_of("AdditiveAttention", 3, 2, dropout=0.5), _queried),
    "CoverageAttention": Case(_of("CoverageAttention", 3), _queried),
    "DotAttention": Case(_of("DotAttention"), _queried),
    "GeneralAttention": Case(_of("GeneralAttention"), _queried),
    "LocationAttention": Case(_of("LocationAttention", 3, kernel_size=3), _queried),
    "MultiHeadAttention": Case(_of("MultiHeadAttention", 2, 3, dropout=0.5), _queried),
    "GatedAttention": Case(_inside(ours.GatedAttention, _additive), _queried),
    "HardAttention": Case(_inside(ours.HardAttention, _additive), _queried),
    "LocalAttention": Case(_inside(ours.LocalAttention, _additive), _queried),
    "MonotonicAttention": Case(_inside(ours.MonotonicAttention, _additive), _queried),
    "MultiSourceAttention": Case(
        lambda **options: ours.MultiSourceAttention(
            [_additive(**options), _additive(**options)], **options
        ),
        _queried_lists,
    ),
    "HierarchicalAttention": Case(
        lambda **options: ours.HierarchicalAttention(
            [_additive(**options), _additive(**options)], units=3, **options
        ),
        _queried_lists,
    ),
    "top_down": Case(
        _decoder(
            lambda **options: [_gru_cell(**options), _gru_cell(**options)],
            architecture="top_down",
            tie_weights=True,
            sampling_rate=0.5,
        ),
        _words_and_memory,
    ),
    "GlimpseReader": Case(
        lambda **options: ours.GlimpseReader(
            _gru_cell(**options), _additive(**options), steps=2, **options
        ),
        _sequence,
    ),
}
"""All public layers."""

NO_LAYERS = {"Attention", "AttentionWrapper", "Pooling", "AttentionDecoder", "ForgetBias"}
"""Public classes that are bases, are here under another name, or are no layers."""

every_layer = pytest.mark.parametrize("name", LAYERS)
every_kernel = pytest.mark.parametrize("name", KERNELS)


def shapes(outputs: Any) -> list[tuple[Any, ...]]:
    """The shapes of nested outputs."""
    return [tuple(output.shape) for output in keras.tree.flatten(outputs)]


def call_case(
    name: str, rows: int = BATCH, positions: int = TIME, **options: Any
) -> tuple[Any, list[Any], Any]:
    """A layer of the table, its inputs, and what it returns for them."""
    case = LAYERS[name]
    layer, inputs = case.make(**options), case.inputs(rows, positions)
    return layer, inputs, layer(*inputs)


def symbolic(inputs: Any, *, fixed: bool) -> Any:
    """Symbolic inputs of the arrays' shapes; else of any batch and length."""

    def make(array: np.ndarray) -> keras.KerasTensor:
        shape = array.shape if fixed else (None, *array.shape[1:])
        if not fixed and len(shape) == 3 and array.dtype == np.float32:
            shape = (None, None, shape[-1])
        return keras.Input(batch_shape=shape, dtype=array.dtype.name)

    return keras.tree.map_structure(make, inputs)


def training_option(layer: Any, training: bool) -> dict[str, bool]:
    """The argument `training` for a layer that takes it."""
    return {"training": training} if layer._call_has_training_arg else {}
