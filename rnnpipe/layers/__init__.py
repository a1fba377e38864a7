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
    HierarchicalAttention,
    LocalAttention,
    LocationAttention,
    MonotonicAttention,
    MovingAverage,
    MultiHeadAttention,
    MultiSourceAttention,
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
from rnnpipe.layers.ctc_loss import CTCLoss, count_ctc_frames, ctc_loss
from rnnpipe.layers.decoder import (
    AttentionDecoder,
    Bridge,
    ScheduledSampling,
    exponential_schedule,
    inverse_sigmoid_schedule,
    linear_schedule,
)
from rnnpipe.layers.frame_stacking import FrameStacking
from rnnpipe.layers.glimpse_reader import GlimpseReader
from rnnpipe.layers.pooling import (
    AttentionPooling,
    ConcatPooling,
    MaxPooling,
    MeanPooling,
    Pooling,
)
from rnnpipe.layers.recurrent import (
    GRU,
    LSTM,
    GRUCell,
    LearnedState,
    LSTMCell,
    RecurrentStack,
    VanillaRNN,
    VanillaRNNCell,
    Zoneout,
)
from rnnpipe.layers.spec_augment import SpecAugment
from rnnpipe.layers.subsampling import ConvolutionalSubsampling
from rnnpipe.layers.two_channel_embedding import TwoChannelEmbedding
from rnnpipe.layers.word_dropout import WordDropout

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
    "CTCLoss",
    "ConcatPooling",
    "ConvolutionalSubsampling",
    "CoordinateChannels",
    "CoverageAttention",
    "DotAttention",
    "ForgetBias",
    "FrameStacking",
    "GRUCell",
    "GatedAttention",
    "GeneralAttention",
    "GlimpseReader",
    "HardAttention",
    "HierarchicalAttention",
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
    "MultiSourceAttention",
    "PeepholeLSTMCell",
    "Pooling",
    "ProjectionLSTMCell",
    "RecurrentHighwayCell",
    "RecurrentStack",
    "ScheduledSampling",
    "SpecAugment",
    "TwoChannelEmbedding",
    "VanillaRNN",
    "VanillaRNNCell",
    "WordDropout",
    "Zoneout",
    "count_ctc_frames",
    "ctc_loss",
    "doubly_stochastic_penalty",
    "exponential_schedule",
    "inverse_sigmoid_schedule",
    "linear_schedule",
    "reinforce_loss",
]
