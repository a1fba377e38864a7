"""Recurrent layers and attention for Keras 3.

Importing this package registers its layers, so that `keras.models.load_model` opens a saved model
that has them; Keras itself imports no module outside its own family when it loads a model.
"""

from rnnpipe.layers.attention import (
    AdditiveAttention,
    Attention,
    AttentionWrapper,
    CoverageAttention,
    DotAttention,
    GatedAttention,
    GeneralAttention,
    HardAttention,
    HierarchicalMemories,
    LocalAttention,
    LocationAttention,
    MonotonicAttention,
    MovingAverage,
    MultiHeadAttention,
    SeveralMemories,
    doubly_stochastic_penalty,
    reinforce_loss,
)
from rnnpipe.layers.cells import (
    Att2InCell,
    ForgetBias,
    HighwayLSTMCell,
    LayerNormGRUCell,
    LayerNormLSTMCell,
    LayerNormVanillaRNNCell,
    PeepholeLSTMCell,
    ProjectionLSTMCell,
    RecurrentHighwayCell,
)
from rnnpipe.layers.coordinates import CoordinateChannels
from rnnpipe.layers.decoder import (
    AttentionDecoder,
    Bridge,
    ScheduledSampling,
    exponential_schedule,
    inverse_sigmoid_schedule,
    linear_schedule,
)
from rnnpipe.layers.glimpses import GlimpseReader
from rnnpipe.layers.gru import GRU, GRUCell
from rnnpipe.layers.learned_state import LearnedState
from rnnpipe.layers.lstm import LSTM, LSTMCell
from rnnpipe.layers.pooling import AttentionPooling, MaxPooling, MeanPooling, Pooling
from rnnpipe.layers.stack import RecurrentStack
from rnnpipe.layers.vanilla import VanillaRNN, VanillaRNNCell
from rnnpipe.layers.word_dropout import WordDropout
from rnnpipe.layers.zoneout import Zoneout

__all__ = [
    "GRU",
    "LSTM",
    "AdditiveAttention",
    "Att2InCell",
    "Attention",
    "AttentionDecoder",
    "AttentionPooling",
    "AttentionWrapper",
    "Bridge",
    "CoordinateChannels",
    "CoverageAttention",
    "DotAttention",
    "ForgetBias",
    "GRUCell",
    "GatedAttention",
    "GeneralAttention",
    "GlimpseReader",
    "HardAttention",
    "HierarchicalMemories",
    "HighwayLSTMCell",
    "LSTMCell",
    "LayerNormGRUCell",
    "LayerNormLSTMCell",
    "LayerNormVanillaRNNCell",
    "LearnedState",
    "LocalAttention",
    "LocationAttention",
    "MaxPooling",
    "MeanPooling",
    "MonotonicAttention",
    "MovingAverage",
    "MultiHeadAttention",
    "PeepholeLSTMCell",
    "Pooling",
    "ProjectionLSTMCell",
    "RecurrentHighwayCell",
    "RecurrentStack",
    "ScheduledSampling",
    "SeveralMemories",
    "VanillaRNN",
    "VanillaRNNCell",
    "WordDropout",
    "Zoneout",
    "doubly_stochastic_penalty",
    "exponential_schedule",
    "inverse_sigmoid_schedule",
    "linear_schedule",
    "reinforce_loss",
]
