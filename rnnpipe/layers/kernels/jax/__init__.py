"""Kernels for JAX."""

from rnnpipe.layers.kernels.jax.recurrent import recurrent_kernel

__all__ = ["recurrent_kernel"]
