"""Recurrent layers over time, their cells, and layers around them."""

from rnnpipe.layers.recurrent.gru import GRU, GRUCell
from rnnpipe.layers.recurrent.learned_state import LearnedState
from rnnpipe.layers.recurrent.lstm import LSTM, LSTMCell
from rnnpipe.layers.recurrent.stack import RecurrentStack
from rnnpipe.layers.recurrent.vanilla import VanillaRNN, VanillaRNNCell
from rnnpipe.layers.recurrent.zoneout import Zoneout

__all__ = [
    "GRU",
    "LSTM",
    "GRUCell",
    "LSTMCell",
    "LearnedState",
    "RecurrentStack",
    "VanillaRNN",
    "VanillaRNNCell",
    "Zoneout",
]
