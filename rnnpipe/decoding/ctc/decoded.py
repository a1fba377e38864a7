"""The result of CTC decoding."""

from typing import NamedTuple

from rnnpipe.decoding.ctc.logits import Array


class CTCDecoded(NamedTuple):
    """Decoded sequences, the best of each row first.

    Args:
        ids: `(batch, n_best, tokens)` int32, padded with 0. There is no end token.
        lengths: `(batch, n_best)` int32.
        scores: `(batch, n_best)` float64: what they are ranked by, in nats. Where there are fewer
            sequences than `n_best`, the rest have length 0 and score -inf; a row whose logits have
            NaN has length 0 and score NaN.
        log_probs: `(batch, n_best)` float64: the log-probability of the alignments that were found
            of each.
        spans: `(batch, n_best, tokens, 2)` int32: the first frame of each token, and the one after
            its last; None where the search follows more than one alignment, see `ctc_align`.
    """

    ids: Array
    lengths: Array
    scores: Array
    log_probs: Array
    spans: Array | None
