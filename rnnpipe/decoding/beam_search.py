"""Beam search: the likeliest sequences that keeping a few at each step can find."""

from typing import Any

from keras import ops

from rnnpipe.decoding.beams import Beams, Search
from rnnpipe.decoding.constraints import Constraints, Rules
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.penalties import CoveragePenalty, LengthPenalty
from rnnpipe.decoding.step import Step, check_lengths, first_tokens, run_step
from rnnpipe.decoding.structures import tile
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import END, START


def beam_search(
    step: Step,
    state: Any,
    *,
    width: int,
    max_length: int,
    n_best: int = 1,
    start: Any = START,
    end: int = END,
    length_penalty: LengthPenalty | None = None,
    coverage_penalty: CoveragePenalty | None = None,
    constraints: Constraints | None = None,
) -> Decoded:
    """Keeps the `width` likeliest beginnings at each step, and of what ends the `n_best`.

        score(Y) = log P(Y) / lp(|Y|) + cp(Y)

    A sequence ends with the end token or at `max_length`. Those that end leave their place in the
    beam empty for one step. A row is finished when none of its beams can still come among its
    `n_best`, however it went on; the loop stops when all rows are.

    Args:
        step: as for `greedy`; it sees `batch * width` rows, each row's beams one after another.
        state: the first state, whose rows are the batch.
        width: how many beginnings are kept, at most as many as there are tokens.
        max_length: the greatest length, the end token included.
        n_best: how many sequences are returned for each row, at most `width`.
        start: the first token that the step sees: one for all rows, or `(batch,)`.
        end: the end token.
        length_penalty: lp: `gnmt_length(alpha)`, `average_length`, or a function of your own.
        coverage_penalty: cp: `gnmt_coverage(beta, mask)`, or a function of your own; it needs a
            step that returns alignments `(batch, positions)` or `(batch, glimpses, positions)`.
        constraints: what the sequences may not be.

    Returns:
        A `Decoded` with `n_best` different sequences a row, the best first. Where there are fewer,
        the rest have length 0 and score -inf.

    Raises:
        UserError: if an argument is out of range, or the step returns something else.

    Example:
        >>> from keras import ops
        >>> def step(tokens, state):  # "a" (4) may go on to "b" (5) or end (3)
        ...     table = {2: [0, 0, 0, 0, 1, 0], 4: [0, 0, 0, 0.4, 0, 0.6], 5: [0, 0, 0, 1, 0, 0]}
        ...     rows = [table.get(token, [0, 0, 0, 1, 0, 0]) for token in range(6)]
        ...     return ops.log(ops.take(ops.array(rows, "float32"), tokens, axis=0)), state
        >>> best = beam_search(step, ops.zeros((1,)), width=2, n_best=2, max_length=3)
        >>> best.ids.numpy().tolist()
        [[[4, 5, 3], [4, 3, 0]]]

    Source: penalties after Wu et al., Google's Neural Machine Translation System, 2016, section 7.
    """
    check_lengths(max_length, end)
    _check_width(width, n_best)
    tokens, state = tile((first_tokens(start, state), state), width)
    # The first step stands outside the loop: it tells the vocabulary and what is carried.
    first = run_step(step, tokens, state)
    shape = first.log_probs.shape
    check_lengths(max_length, end, shape[-1])
    _check_width(width, n_best, shape[-1])
    constraints = constraints or Constraints()
    rules = Rules(constraints, shape, max_length=max_length, end=end, copies=width)
    search = Search(width, n_best, max_length, end, rules, length_penalty, coverage_penalty)

    def going(t: Any, beams: Beams) -> Any:
        del t
        return ops.any(beams.log_probs > -float("inf"))

    def body(t: Any, beams: Beams) -> tuple[Any, Beams]:
        tokens = ops.reshape(beams.tokens, (-1,))
        return t + 1, search.advance(t, beams, run_step(step, tokens, beams.state))

    t = ops.zeros((), "int32")
    beams = search.advance(t, search.begin(tokens, first), first)
    _, beams = ops.while_loop(going, body, (t + 1, beams))
    return search.finish(beams)


def _check_width(width: int, n_best: int, vocab: int | None = None) -> None:
    if width < 1:
        raise UserError("width", "at least 1", str(width), "write e.g. width=5")
    if not 1 <= n_best <= width:
        raise UserError("n_best", f"1 to the width, {width}", str(n_best), "widen the beam")
    if vocab is not None and width > vocab:
        raise UserError("width", f"at most the vocabulary, {vocab}", str(width), "narrow the beam")
