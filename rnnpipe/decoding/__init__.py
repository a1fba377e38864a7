"""Decoding: sequences from a step function of any model, eager or compiled."""

from rnnpipe.decoding.beam_search import beam_search
from rnnpipe.decoding.constraints import Constraint, Constraints
from rnnpipe.decoding.ctc import (
    CTCAlignment,
    CTCBeamSearch,
    CTCDecoded,
    CTCGreedySearch,
    LanguageModel,
    WordTime,
    ctc_align,
    ctc_beam_search,
    ctc_greedy_search,
    ctc_step,
    word_times,
)
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.ensemble import ensemble
from rnnpipe.decoding.fusion import shallow_fusion
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
    "CTCAlignment",
    "CTCBeamSearch",
    "CTCDecoded",
    "CTCGreedySearch",
    "Constraint",
    "Constraints",
    "CoveragePenalty",
    "Decoded",
    "LanguageModel",
    "LengthPenalty",
    "RowwiseStep",
    "Selection",
    "Step",
    "WordTime",
    "average_length",
    "bad_endings",
    "beam_search",
    "ctc_align",
    "ctc_beam_search",
    "ctc_greedy_search",
    "ctc_step",
    "draw_quantiles",
    "ensemble",
    "gnmt_coverage",
    "gnmt_length",
    "greedy_search",
    "no_immediate_repeat",
    "sample",
    "sample_tokens",
    "shallow_fusion",
    "top_continuations",
    "word_times",
]
