"""CTC: sequences from the logits of each frame; in NumPy, whatever computes the logits."""

from rnnpipe.decoding.ctc.align import CTCAlignment, ctc_align
from rnnpipe.decoding.ctc.beam_search import CTCBeamSearch, ctc_beam_search
from rnnpipe.decoding.ctc.decoded import CTCDecoded
from rnnpipe.decoding.ctc.greedy_search import CTCGreedySearch, ctc_greedy_search
from rnnpipe.decoding.ctc.language_model import LanguageModel
from rnnpipe.decoding.ctc.step import CTCStep, ctc_step
from rnnpipe.decoding.ctc.word_times import WordTime, word_times

__all__ = [
    "CTCAlignment",
    "CTCBeamSearch",
    "CTCDecoded",
    "CTCGreedySearch",
    "CTCStep",
    "LanguageModel",
    "WordTime",
    "ctc_align",
    "ctc_beam_search",
    "ctc_greedy_search",
    "ctc_step",
    "word_times",
]
