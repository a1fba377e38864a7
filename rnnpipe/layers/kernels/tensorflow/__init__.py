"""Kernels for TensorFlow on CPUs."""

from rnnpipe.layers.kernels.tensorflow.decoder import decoder_kernel
from rnnpipe.layers.kernels.tensorflow.log_likelihood import log_likelihood
from rnnpipe.layers.kernels.tensorflow.recurrent import recurrent_kernel

__all__ = ["decoder_kernel", "log_likelihood", "recurrent_kernel"]
