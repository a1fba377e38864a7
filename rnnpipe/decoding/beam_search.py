"""Beam search: the most likely sequences that can be found with a few hypotheses at each step."""

from typing import Any

from rnnpipe import ops
from rnnpipe.decoding import compaction
from rnnpipe.decoding.beams import Beams, BeamSearch
from rnnpipe.decoding.checks import (
    check_count,
    check_lengths,
    check_tokens,
    is_real,
    length_limits,
    start_tokens,
)
from rnnpipe.decoding.constraints import AnyConstraints, Rules
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.penalties import CoveragePenalty, LengthPenalty, check_penalties
from rnnpipe.decoding.required_phrases import RequiredPhrases
from rnnpipe.decoding.selection import Selection, diverse_groups, top_continuations
from rnnpipe.decoding.step import Step, StepOutputs, run_step
from rnnpipe.errors import UserError
from rnnpipe.nested import is_empty, repeat_rows
from rnnpipe.text.tokens import END, START
from rnnpipe.types import Nested, Tensor


def beam_search(
    step: Step,
    state: Nested[Tensor],
    *,
    beam_width: int,
    max_length: int,
    max_lengths: Any = None,
    n_best: int = 1,
    start: Any = START,
    end: int = END,
    length_penalty: LengthPenalty | None = None,
    coverage_penalty: CoveragePenalty | None = None,
    constraints: AnyConstraints = None,
    required_phrases: Any = None,
    selection: Selection | None = None,
    groups: int = 1,
    diversity: float = 0.5,
) -> Decoded:
    """Keeps the `beam_width` best hypotheses at each step, and of those that end the `n_best`.

        score(Y) = log P(Y) / lp(|Y|) + cp(Y)

    A sequence ends with the end token or at its maximum length. Its place in the beam is then empty
    for one step. A row is finished when none of its hypotheses can still reach its `n_best`,
    whatever follows; the loop stops when all rows are.

    Args:
        step: as for `greedy_search`; it has `batch * beam_width` rows, each row's beams one after
            another.
        state: the first state, whose rows are the batch.
        beam_width: how many hypotheses are kept, at most the size of the vocabulary.
        max_length: the maximum length, the end token included.
        max_lengths: the maximum length of each row, `(batch,)`, where they differ. With a length
            penalty a search ends much sooner if it is close to the length needed: else unlikely
            hypotheses go on, as they could still win if they became long enough.
        n_best: how many sequences are returned for each row, at most `beam_width`.
        start: the first token that the step reads: one for all rows, or `(batch,)`.
        end: the end token.
        length_penalty: lp: `gnmt_length(alpha)`, `average_length`, or any `LengthPenalty`.
        coverage_penalty: cp: `gnmt_coverage(beta, mask)`, or any `CoveragePenalty`; it needs a step
            that returns alignments `(batch, positions)` or `(batch, glimpses, positions)`.
        constraints: `Constraints`, a `Constraint`, or a list of them.
        required_phrases: phrases that every sequence of a row must contain, as nested lists (rows,
            their phrases, the tokens) or a tensor `(batch, phrases, phrase_time)` padded with PAD.
            The beam should be wider than the number of their tokens. `constraints` take precedence:
            where they leave no sequence with all phrases, none is returned.
        selection: which continuations are kept, in place of the most likely ones.
        groups: in how many groups the beam is divided. Each searches by itself and avoids the
            tokens that earlier groups choose at the same step. `beam_width` and `n_best` count all
            groups together and are divided evenly.
        diversity: the cost of a token for each beam of an earlier group that chooses it, in nats.
            It decides which beams are kept, and does not enter the scores.

    Returns:
        A `Decoded` with `n_best` sequences for each row, the best first, and in each group all
        different. Where there are fewer, the rest have length 0 and score -inf. A row for which the
        model's logits are NaN has length 0 and score NaN.

    Raises:
        UserError: if an argument is out of range, or the step returns something else.

    Example:
        >>> def step(tokens, state):  # "a" (4) may go on to "b" (5) or end (3)
        ...     table = {2: [0, 0, 0, 0, 1, 0], 4: [0, 0, 0, 0.4, 0, 0.6], 5: [0, 0, 0, 1, 0, 0]}
        ...     rows = [table.get(token, [0, 0, 0, 1, 0, 0]) for token in range(6)]
        ...     return ops.log(ops.take(ops.array(rows, "float32"), tokens, axis=0)), state
        >>> best = beam_search(step, ops.zeros((1,)), beam_width=2, n_best=2, max_length=3)
        >>> best.ids.numpy().tolist()
        [[[4, 5, 3], [4, 3, 0]]]
        >>> options = {"beam_width": 2, "n_best": 2, "max_length": 3}
        >>> with_b = beam_search(step, ops.zeros((1,)), **options, required_phrases=[[[5]]])
        >>> with_b.ids.numpy().tolist()  # only one sequence contains "b"
        [[[4, 5, 3], [0, 0, 0]]]

    Source: penalties after Wu et al., Google's Neural Machine Translation System, 2016, section 7;
    required phrases after Post and Vilar, Fast Lexically Constrained Decoding with Dynamic Beam
    Allocation, 2018; groups after Vijayakumar et al., Diverse Beam Search, 2018.
    """
    check_lengths(max_length, end)
    _check_beams(beam_width, n_best, groups, diversity)
    check_penalties(length_penalty, coverage_penalty)
    _check_selection(selection, required_phrases)
    tokens, state = repeat_rows((start_tokens(start, state), state), beam_width)
    # The first step is outside of the loop: vocabulary and alignments are known after it.
    first = run_step(step, tokens, state)
    rows, vocab = first.log_probs.shape
    check_lengths(max_length, end, vocab)
    _check_vocabulary(vocab, beam_width, start)
    limits = length_limits(max_lengths, max_length, None if rows is None else rows // beam_width)
    bound = {"max_length": max_length, "end": end, "repeats": beam_width}
    if required_phrases is not None:
        selection = RequiredPhrases(required_phrases, (rows, vocab), limits=limits, **bound)
    # Phrases, coverage, groups and selections are bound to the rows that there are.
    compact = selection is None and coverage_penalty is None and groups == 1
    search = BeamSearch(
        width=beam_width // groups,
        n_best=n_best // groups,
        groups=groups,
        max_length=max_length,
        limits=limits,
        end=end,
        rules=Rules(constraints, (rows, vocab), **bound),
        selection=_in_groups(selection, groups, diversity),
        length_penalty=length_penalty,
        coverage_penalty=coverage_penalty,
    )
    return _Search(search, step).run(tokens, first, compact=compact)


class _Search:
    """A beam search with its step; a row is active while one of its beams is alive."""

    def __init__(self, search: BeamSearch, step: Step) -> None:
        self.search, self.step = search, step
        self.active, self.finish = search.active, search.finish
        self.select_carry = search.select_beams

    def run(self, tokens: Tensor, first: StepOutputs, *, compact: bool) -> Decoded:
        """Searches on from the outputs of the first step, which has read `tokens`."""
        t = ops.zeros((), "int32")
        beams = self.search.advance(t, self.search.first_beams(tokens, first), first)
        compact = compact and self.search.rules.can_compact and compaction.can_compact(self.step)
        decoded: Decoded = compaction.run(self, t + 1, beams, compact=compact)
        return decoded._replace(alignments=None) if is_empty(decoded.alignments) else decoded

    def advance(self, t: Tensor, beams: Beams) -> Beams:
        tokens = ops.reshape(beams.tokens, (-1,))
        return self.search.advance(t, beams, run_step(self.step, tokens, beams.state))

    def select_rows(self, rows: Tensor) -> "_Search":
        step: Any = self.step  # with `select_rows`, as the batch is compacted
        return _Search(self.search.select_rows(rows), step.select_rows(self.search.beam_rows(rows)))


def _in_groups(selection: Selection | None, groups: int, diversity: float) -> Selection:
    """The selection, by default of the most likely continuations, within each group."""
    selection = top_continuations if selection is None else selection
    return diverse_groups(selection, groups, diversity) if groups > 1 else selection


def _check_beams(beam_width: int, n_best: int, groups: int, diversity: float) -> None:
    for name, count in {"beam_width": beam_width, "n_best": n_best, "groups": groups}.items():
        check_count(name, count, f"e.g. {name}=4")
    if n_best > beam_width:
        expected = f"at most beam_width, {beam_width}"
        raise UserError("n_best", expected, str(n_best), "widen the beam")
    if beam_width % groups:
        expected = f"a divisor of beam_width, {beam_width}"
        raise UserError("groups", expected, str(groups), "divide the beam evenly")
    if n_best % groups:
        expected = f"a multiple of the {groups} groups"
        raise UserError("n_best", expected, str(n_best), "take as many of each group")
    if not is_real(diversity) or diversity < 0:
        raise UserError("diversity", "0 or more", repr(diversity), "write e.g. 0.5")


def _check_selection(selection: Any, required_phrases: Any) -> None:
    if selection is None:
        return
    if not callable(selection):
        expected = "a function selection(scores, log_probs, ids, t), or None"
        raise UserError("selection", expected, repr(selection), "pass e.g. top_continuations")
    if required_phrases is not None:
        expected, got = "either a selection or required_phrases", "both"
        raise UserError("selection", expected, got, "omit one: phrases are a selection themselves")


def _check_vocabulary(vocab: int, beam_width: int, start: Any) -> None:
    if beam_width > vocab:
        expected = f"at most the vocabulary, {vocab}"
        raise UserError("beam_width", expected, str(beam_width), "narrow the beam")
    check_tokens("start", start, vocab)
