"""Kernels for PyTorch."""

from rnnpipe.layers.kernels.torch.recurrent import recurrent_kernel

__all__ = ["recurrent_kernel"]
