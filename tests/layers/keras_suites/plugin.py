"""Makes Keras' own test suites run with this package's layers in place of Keras'.

A pytest plugin: it must act before the suites are collected, so it acts when it is imported.
"""

import keras.src.layers as theirs

from rnnpipe import layers as ours

theirs.LSTM, theirs.LSTMCell = ours.LSTM, ours.LSTMCell
theirs.GRU, theirs.GRUCell = ours.GRU, ours.GRUCell
theirs.SimpleRNN, theirs.SimpleRNNCell = ours.VanillaRNN, ours.VanillaRNNCell
