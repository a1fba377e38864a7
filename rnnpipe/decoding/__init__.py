"""Decoding: from a step of any model to sequences, eager or compiled."""

from rnnpipe.decoding.beam_search import beam_search
from rnnpipe.decoding.constraints import Constraints
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.ensemble import ensemble
from rnnpipe.decoding.greedy import greedy
from rnnpipe.decoding.penalties import average_length, gnmt_coverage, gnmt_length
from rnnpipe.decoding.sample import draw_tokens, random_shares, sample
from rnnpipe.decoding.step import SelfContained, Step

__all__ = [
    "Constraints",
    "Decoded",
    "SelfContained",
    "Step",
    "average_length",
    "beam_search",
    "draw_tokens",
    "ensemble",
    "gnmt_coverage",
    "gnmt_length",
    "greedy",
    "random_shares",
    "sample",
]
