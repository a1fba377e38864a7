"""Decoding: sequences from a step function of any model, eager or compiled."""

from rnnpipe.decoding.beam_search import beam_search
from rnnpipe.decoding.constraints import Constraint, Constraints
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.ensemble import ensemble
from rnnpipe.decoding.greedy_search import greedy_search
from rnnpipe.decoding.penalties import (
    CoveragePenalty,
    LengthPenalty,
    average_length,
    gnmt_coverage,
    gnmt_length,
)
from rnnpipe.decoding.rules import bad_endings, no_immediate_repeat
from rnnpipe.decoding.sample import draw_quantiles, sample, sample_tokens
from rnnpipe.decoding.selection import Selection, top_continuations
from rnnpipe.decoding.step import RowwiseStep, Step

__all__ = [
    "Constraint",
    "Constraints",
    "CoveragePenalty",
    "Decoded",
    "LengthPenalty",
    "RowwiseStep",
    "Selection",
    "Step",
    "average_length",
    "bad_endings",
    "beam_search",
    "draw_quantiles",
    "ensemble",
    "gnmt_coverage",
    "gnmt_length",
    "greedy_search",
    "no_immediate_repeat",
    "sample",
    "sample_tokens",
    "top_continuations",
]
