"""Attention mechanisms: where to look in a memory, given a query."""

from rnnpipe.layers.attention.additive import AdditiveAttention
from rnnpipe.layers.attention.mechanism import Attention

__all__ = ["AdditiveAttention", "Attention"]
