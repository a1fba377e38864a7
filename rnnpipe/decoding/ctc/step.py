"""CTC prefix scores as a step, for beam searches that also have a decoder."""

from typing import Any, NamedTuple

import numpy as np

from rnnpipe import ops
from rnnpipe.decoding.checks import check_count
from rnnpipe.decoding.ctc.logits import BLANK
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import END
from rnnpipe.types import Tensor


class CTCPrefix(NamedTuple):
    """The alignments of each prefix with the frames before t, for every t."""

    # The logarithms of the probabilities of those that end with a blank, and with a token.
    log_blank: Tensor  # (rows, time + 1)
    log_token: Tensor  # (rows, time + 1)
    last: Tensor  # (rows,), the last token; the blank of an empty prefix
    is_begun: Tensor  # (rows,), False before the first step, which reads the start token


class CTCStep:
    """`step(tokens, state) -> (logits, state)`; see `ctc_step`.

    Args:
        log_probs: `(batch, time, vocabulary)`, those of a blank after the end of a row.
        end: the end token.
        beam_width: how many rows there are for each row of the batch.
    """

    def __init__(self, log_probs: Tensor, end: int, beam_width: int) -> None:
        self.log_probs, self.probs = log_probs, ops.exp(log_probs)
        self.end, self.beam_width = end, beam_width

    def __call__(self, tokens: Tensor, state: CTCPrefix) -> tuple[Tensor, CTCPrefix]:
        """Reads a token `(batch * beam_width,)` in each row."""
        extended = self._extend(state, tokens)
        is_begun = state.is_begun
        state = CTCPrefix(
            log_blank=ops.where(is_begun[:, None], extended.log_blank, state.log_blank),
            log_token=ops.where(is_begun[:, None], extended.log_token, state.log_token),
            last=ops.where(is_begun, extended.last, state.last),
            is_begun=ops.ones_like(is_begun),
        )
        return self._score(state), state

    def _extend(self, state: CTCPrefix, tokens: Tensor) -> CTCPrefix:
        """The prefixes with one token more."""
        emitted = self._log_probs_of(tokens)
        blank = self._log_probs_of(ops.full_like(tokens, BLANK))

        def read_frame(carry: Any, frame: Any) -> tuple[Any, Any]:
            token, ended = carry
            after = (
                ops.logaddexp(token, frame[0]) + frame[1],
                ops.logaddexp(ended, token) + frame[2],
            )
            return after, after

        # One tensor: Keras 3.15 scans several of unknown length on no TensorFlow graph.
        frames = ops.stack([self._before(state, tokens), emitted, blank])  # (3, rows, time)
        nothing = ops.full_like(emitted[:, 0], -np.inf)
        scanned = ops.scan(read_frame, (nothing, nothing), ops.transpose(frames, (2, 0, 1)))
        token, ended = scanned[1]
        first = nothing[:, None]
        return CTCPrefix(
            log_blank=ops.concatenate([first, ops.transpose(ended)], axis=1),
            log_token=ops.concatenate([first, ops.transpose(token)], axis=1),
            last=tokens,
            is_begun=state.is_begun,
        )

    def _before(self, state: CTCPrefix, tokens: Tensor) -> Tensor:
        """The alignments of the prefixes that a token may follow, `(rows, time)`."""
        is_last = ops.equal(tokens, state.last)[:, None]
        log_token = ops.where(is_last, -np.inf, state.log_token)
        return ops.logaddexp(state.log_blank, log_token)[:, :-1]

    def _score(self, state: CTCPrefix) -> Tensor:
        """The logarithms of the probabilities of the prefixes with each token more."""
        either = ops.logaddexp(state.log_blank, state.log_token)
        weights, largest = _scale(either[:, :-1])
        grouped = ops.reshape(weights, (-1, self.beam_width, ops.shape(weights)[1]))
        sums = ops.matmul(grouped, self.probs)  # (batch, beam_width, vocabulary)
        logits = ops.log(ops.reshape(sums, (-1, self.probs.shape[-1]))) + largest
        # The last token once more needs a blank before it.
        weights, largest = _scale(state.log_blank[:, :-1])
        again = ops.sum(weights * ops.exp(self._log_probs_of(state.last)), axis=1, keepdims=True)
        vocabulary = ops.arange(self.probs.shape[-1], dtype="int32")
        logits = ops.where(vocabulary == state.last[:, None], ops.log(again) + largest, logits)
        logits = ops.where(vocabulary == BLANK, -np.inf, logits)
        return ops.where(vocabulary == self.end, either[:, -1:], logits)

    def _log_probs_of(self, tokens: Tensor) -> Tensor:
        """The log-probabilities of one token of each row at every frame, `(rows, time)`."""
        batch, time, _ = ops.shape(self.log_probs)
        grouped = ops.reshape(ops.cast(tokens, "int32"), (-1, 1, self.beam_width))
        grouped = ops.broadcast_to(grouped, (batch, time, self.beam_width))
        chosen = ops.take_along_axis(self.log_probs, grouped, axis=2)
        return ops.reshape(ops.transpose(chosen, (0, 2, 1)), (-1, time))

    def select_rows(self, rows: Tensor) -> "CTCStep":
        """The same step for these rows `(rows,)`, all beams of some of the batch, alone."""
        batch = rows[:: self.beam_width] // self.beam_width
        return CTCStep(ops.take(self.log_probs, batch, axis=0), self.end, self.beam_width)


def ctc_step(
    logits: Tensor, lengths: Tensor | None = None, *, beam_width: int = 1, end: int = END
) -> tuple[CTCStep, CTCPrefix]:
    """CTC as a step of `rnnpipe.decoding`: the probability of each token after a prefix.

        P(y | g) = Ψ(g y) / Ψ(g)     P(end | g) = P_CTC(g) / Ψ(g)

    Ψ(g) is the probability of all sequences that begin with g, and P_CTC(g) that of g itself. With
    `shallow_fusion` it takes part in the beam search of an attention decoder, as joint CTC and
    attention decoding does:

        step, state = decoder.begin(memory, mask, beam_width=8)
        ctc, prefix = ctc_step(logits, lengths, beam_width=8)
        joint = shallow_fusion([step, ctc], [0.7, 0.3])
        decoded = beam_search(joint, (state, prefix), beam_width=8, max_length=100)

    Args:
        logits: `(batch, time, vocabulary)`; token 0 is the blank, the others are those of the
            decoder.
        lengths: `(batch,)` int, the frames of each row; None: all.
        beam_width: how many rows the search has for each row of the batch.
        end: the end token.

    Returns:
        The step, which `select_rows` restricts to some rows; and its first state, whose rows are
        the batch.

    Raises:
        UserError: if the logits have another rank, or the beam width is not positive.

    Example:
        >>> from rnnpipe.decoding import beam_search
        >>> logits = 9.0 * np.eye(6, dtype="float32")[[[0, 4, 4, 0, 5, 5]]]
        >>> step, state = ctc_step(logits, beam_width=2)
        >>> beam_search(step, state, beam_width=2, max_length=4).ids.numpy().tolist()
        [[[4, 5, 3, 0]]]

    Source: Watanabe et al., Hybrid CTC/Attention Architecture for End-to-End Speech Recognition,
    2017, algorithm 2; Hori, Watanabe and Hershey, Joint CTC/Attention Decoding for End-to-End
    Speech Recognition, 2017, section 3.
    """
    logits = ops.cast(ops.convert_to_tensor(logits), "float32")
    if len(logits.shape) != 3:
        expected, fix = "(batch, time, vocabulary)", "pass the outputs for CTC"
        raise UserError("logits", expected, str(tuple(logits.shape)), fix)
    check_count("beam_width", beam_width, "that of the search, e.g. beam_width=8")
    log_probs = ops.log_softmax(logits, axis=-1)
    batch, time, vocabulary = ops.shape(log_probs)
    if lengths is not None:
        inside = ops.arange(time, dtype="int32") < ops.cast(lengths, "int32")[:, None]
        only_blank = np.where(np.arange(vocabulary) == BLANK, 0.0, -np.inf).astype("float32")
        log_probs = ops.where(inside[:, :, None], log_probs, only_blank)
    log_blank = ops.cumsum(log_probs[:, :, BLANK], axis=1)
    start = ops.zeros_like(log_blank[:, :1])
    log_blank = ops.concatenate([start, log_blank], axis=1)
    prefix = CTCPrefix(
        log_blank=log_blank,
        log_token=ops.full_like(log_blank, -np.inf),
        last=ops.full((batch,), BLANK, dtype="int32"),
        is_begun=ops.zeros((batch,), dtype="bool"),
    )
    return CTCStep(log_probs, end, beam_width), prefix


def _scale(log_weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weights of at most 1, `(rows, time)`, and the logarithms of their scales, `(rows, 1)`."""
    largest = ops.max(log_weights, axis=1, keepdims=True, initial=-np.inf)
    largest = ops.where(largest > -np.inf, largest, 0.0)
    return ops.exp(log_weights - largest), largest
