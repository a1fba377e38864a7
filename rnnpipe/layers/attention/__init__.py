"""Attention mechanisms: alignments and contexts of a memory, given a query."""

from rnnpipe.layers.attention.additive import AdditiveAttention
from rnnpipe.layers.attention.coverage import CoverageAttention
from rnnpipe.layers.attention.dot import DotAttention, GeneralAttention
from rnnpipe.layers.attention.doubly_stochastic import doubly_stochastic_penalty
from rnnpipe.layers.attention.gated import GatedAttention
from rnnpipe.layers.attention.hard import HardAttention
from rnnpipe.layers.attention.local import LocalAttention
from rnnpipe.layers.attention.location import LocationAttention
from rnnpipe.layers.attention.mechanism import Attention
from rnnpipe.layers.attention.monotonic import MonotonicAttention
from rnnpipe.layers.attention.multi_head import MultiHeadAttention
from rnnpipe.layers.attention.multi_source import HierarchicalAttention, MultiSourceAttention
from rnnpipe.layers.attention.reinforce import MovingAverage, reinforce_loss
from rnnpipe.layers.attention.wrapper import AttentionWrapper

__all__ = [
    "AdditiveAttention",
    "Attention",
    "AttentionWrapper",
    "CoverageAttention",
    "DotAttention",
    "GatedAttention",
    "GeneralAttention",
    "HardAttention",
    "HierarchicalAttention",
    "LocalAttention",
    "LocationAttention",
    "MonotonicAttention",
    "MovingAverage",
    "MultiHeadAttention",
    "MultiSourceAttention",
    "doubly_stochastic_penalty",
    "reinforce_loss",
]
