"""Recurrent cells that Keras does not have, for `keras.layers.RNN(cell)`."""

from rnnpipe.layers.cells.att2in import Att2InCell
from rnnpipe.layers.cells.forget_bias import ForgetBias
from rnnpipe.layers.cells.highway_lstm import HighwayLSTMCell
from rnnpipe.layers.cells.layer_norm import (
    LayerNormGRUCell,
    LayerNormLSTMCell,
    LayerNormVanillaRNNCell,
)
from rnnpipe.layers.cells.peephole import PeepholeLSTMCell
from rnnpipe.layers.cells.projection import ProjectionLSTMCell
from rnnpipe.layers.cells.recurrent_highway import RecurrentHighwayCell

__all__ = [
    "Att2InCell",
    "ForgetBias",
    "HighwayLSTMCell",
    "LayerNormGRUCell",
    "LayerNormLSTMCell",
    "LayerNormVanillaRNNCell",
    "PeepholeLSTMCell",
    "ProjectionLSTMCell",
    "RecurrentHighwayCell",
]
