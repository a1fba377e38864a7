"""Kernels for TensorFlow on CPUs."""

from rnnpipe.layers.kernels.tensorflow.ctc_loss import ctc_loss
from rnnpipe.layers.kernels.tensorflow.decoder import decoder_kernel
from rnnpipe.layers.kernels.tensorflow.log_likelihood import log_likelihood
from rnnpipe.layers.kernels.tensorflow.recurrent import recurrent_kernel

__all__ = ["ctc_loss", "decoder_kernel", "log_likelihood", "recurrent_kernel"]
