"""Beam search: the likeliest sequences that keeping a few at each step can find."""

from typing import Any

from keras import ops

from rnnpipe.decoding.beams import Beams, Search
from rnnpipe.decoding.constraints import Constraints, Rules
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.narrowing import halvings_for, run
from rnnpipe.decoding.penalties import CoveragePenalty, LengthPenalty, check_penalties
from rnnpipe.decoding.required import Required
from rnnpipe.decoding.selection import NEVER, Select, in_groups, likeliest
from rnnpipe.decoding.step import (
    Step,
    check_count,
    check_lengths,
    check_tokens,
    first_tokens,
    given,
    row_limits,
    run_step,
)
from rnnpipe.decoding.structures import tile
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import END, START


def beam_search(
    step: Step,
    state: Any,
    *,
    width: int,
    max_length: int,
    longest: Any = None,
    n_best: int = 1,
    start: Any = START,
    end: int = END,
    length_penalty: LengthPenalty | None = None,
    coverage_penalty: CoveragePenalty | None = None,
    constraints: Constraints | None = None,
    required: Any = None,
    groups: int = 1,
    diversity: float = 0.5,
) -> Decoded:
    """Keeps the `width` likeliest beginnings at each step, and of what ends the `n_best`.

        score(Y) = log P(Y) / lp(|Y|) + cp(Y)

    A sequence ends with the end token or at its greatest length. Those that end leave their place
    in the beam empty for one step. A row is finished when none of its beams can still come among
    its `n_best`, however it went on; the loop stops when all rows are.

    Args:
        step: as for `greedy`; it sees `batch * width` rows, each row's beams one after another.
        state: the first state, whose rows are the batch.
        width: how many beginnings are kept, at most as many as there are tokens.
        max_length: the greatest length, the end token included.
        longest: the greatest length of each row, `(batch,)`, where they differ. A search with a
            length penalty ends much sooner where it is not much more than needed: else unlikely
            beams go on, as they could still win if they became long enough.
        n_best: how many sequences are returned for each row, at most `width`.
        start: the first token that the step sees: one for all rows, or `(batch,)`.
        end: the end token.
        length_penalty: lp: `gnmt_length(alpha)`, `average_length`, or a function of your own.
        coverage_penalty: cp: `gnmt_coverage(beta, mask)`, or a function of your own; it needs a
            step that returns alignments `(batch, positions)` or `(batch, glimpses, positions)`.
        constraints: what the sequences may not be.
        required: phrases that every sequence of a row must contain, as nested lists (rows, their
            phrases, the tokens) or a tensor `(batch, phrases, phrase_time)` filled with PAD. Give
            the beam more than one place for each of their tokens. `constraints` win over it: where
            they leave no sequence with all phrases, there is none.
        groups: in how many groups the beam is divided, which find sequences unlike each other's:
            each searches by itself, and avoids the tokens that earlier groups take at the same
            time. Both `width` and `n_best` count all groups together and are divided evenly.
        diversity: what a token costs for each beam of an earlier group that takes it, in nats; it
            decides which beams are kept, and does not enter the scores.

    Returns:
        A `Decoded` with `n_best` sequences a row, the best first, and in each group all different.
        Where there are fewer, the rest have length 0 and score -inf.

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
        >>> options = {"width": 2, "n_best": 2, "max_length": 3}
        >>> only_b = beam_search(step, ops.zeros((1,)), **options, required=[[[5]]])
        >>> only_b.ids.numpy().tolist()  # one sequence alone has a "b"
        [[[4, 5, 3], [0, 0, 0]]]

    Source: penalties after Wu et al., Google's Neural Machine Translation System, 2016, section 7;
    required phrases after Post and Vilar, Fast Lexically Constrained Decoding with Dynamic Beam
    Allocation, 2018; groups after Vijayakumar et al., Diverse Beam Search, 2018.
    """
    check_lengths(max_length, end)
    _check_beams(width, n_best, groups, diversity)
    check_penalties(length_penalty, coverage_penalty)
    tokens, state = tile((first_tokens(start, state), state), width)
    # The first step stands outside the loop: it tells the vocabulary and what is carried.
    first = run_step(step, tokens, state)
    shape = first.log_probs.shape
    check_lengths(max_length, end, shape[-1])
    _check_vocabulary(shape[-1], width, start)
    limits = row_limits(longest, max_length, None if shape[0] is None else shape[0] // width)
    options = {"max_length": max_length, "end": end, "copies": width}
    select: Select = likeliest
    if required is not None:
        select = Required(required, shape, limits=limits, **options)
    if groups > 1:
        select = in_groups(select, groups, diversity)
    search = Search(
        width=width // groups,
        n_best=n_best // groups,
        groups=groups,
        max_length=max_length,
        limits=limits,
        end=end,
        rules=Rules(constraints or Constraints(), shape, **options),
        select=select,
        length_penalty=length_penalty,
        coverage_penalty=coverage_penalty,
    )

    t = ops.zeros((), "int32")
    beams = search.advance(t, search.begin(tokens, first), first)
    prefix = constraints and constraints.prefix
    # These know the rows that there are.
    bound = groups > 1 or any(part is not None for part in (required, coverage_penalty, prefix))
    found: Decoded = run(_Rows(search, step), t + 1, beams, 0 if bound else halvings_for(step))
    return found._replace(alignments=given(found.alignments))


class _Rows:
    """The rows of a batch, each of which goes on while one of its beams lives."""

    def __init__(self, search: Search, step: Step) -> None:
        self.search, self.step = search, step
        self.pick, self.finish = search.pick, search.finish

    def going(self, beams: Beams) -> Any:
        return ops.any(beams.log_probs > NEVER, axis=1)

    def advance(self, t: Any, beams: Beams) -> Beams:
        tokens = ops.reshape(beams.tokens, (-1,))
        return self.search.advance(t, beams, run_step(self.step, tokens, beams.state))

    def take(self, chosen: Any) -> "_Rows":
        step: Any = self.step  # which has `take`, as there are halvings
        return _Rows(self.search.take(chosen), step.take(self.search.beams_of(chosen)))


def _check_beams(width: int, n_best: int, groups: int, diversity: float) -> None:
    for name, count in {"width": width, "n_best": n_best, "groups": groups}.items():
        check_count(name, count, f"e.g. {name}=4")
    if n_best > width:
        raise UserError("n_best", f"at most the width, {width}", str(n_best), "widen the beam")
    if width % groups:
        expected = f"a divisor of the width, {width}"
        raise UserError("groups", expected, str(groups), "give all groups as many beams")
    if n_best % groups:
        expected = f"a multiple of the {groups} groups"
        raise UserError("n_best", expected, str(n_best), "take as many of each group")
    if not diversity >= 0:
        raise UserError("diversity", "0 or more", str(diversity), "write e.g. 0.5")


def _check_vocabulary(vocab: int, width: int, start: Any) -> None:
    if width > vocab:
        raise UserError("width", f"at most the vocabulary, {vocab}", str(width), "narrow the beam")
    check_tokens("start", start, vocab)
