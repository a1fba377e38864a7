"""CTC prefix beam search: the most likely sequences, over all their alignments."""

from typing import NamedTuple

import numpy as np

from rnnpipe.decoding.checks import check_count, is_real
from rnnpipe.decoding.ctc import language_model as fusion
from rnnpipe.decoding.ctc.decoded import CTCDecoded
from rnnpipe.decoding.ctc.language_model import LanguageModel, PrefixScores
from rnnpipe.decoding.ctc.logits import BLANK, Array, read_logits
from rnnpipe.decoding.ctc.prefixes import Prefixes, choose, first_prefixes, grow
from rnnpipe.errors import UserError
from rnnpipe.types import Tensor


class BeamState(NamedTuple):
    """The beams of all rows after some frames."""

    prefixes: Prefixes
    language: PrefixScores | None
    broken: Array  # (batch,), whether the row had NaN


class CTCBeamSearch:
    """Prefix beam search of a stream of frames; see `ctc_beam_search` for the arguments.

    A state is immutable, and may be finished at any time: what is decoded so far. Chunks of any
    size give what the whole gives.

    Example:
        >>> logits = 9.0 * np.eye(3)[[[0, 1, 1, 0, 1, 2]]]
        >>> search = CTCBeamSearch(beam_width=4)
        >>> state = search.begin(batch=1)
        >>> for start in (0, 2, 4):
        ...     state = search.advance(state, logits[:, start : start + 2])
        >>> search.finish(state).ids.tolist()
        [[[1, 1, 2]]]
    """

    def __init__(
        self,
        *,
        beam_width: int = 16,
        n_best: int = 1,
        language_model: LanguageModel | None = None,
        length_bonus: float = 0.0,
        top_tokens: int | None = None,
    ) -> None:
        for name, count in {"beam_width": beam_width, "n_best": n_best}.items():
            check_count(name, count, f"e.g. {name}=16")
        if n_best > beam_width:
            expected = f"at most beam_width, {beam_width}"
            raise UserError("n_best", expected, str(n_best), "widen the beam")
        if top_tokens is not None:
            check_count("top_tokens", top_tokens, "e.g. top_tokens=40, or None")
        if not is_real(length_bonus):
            raise UserError("length_bonus", "a number", repr(length_bonus), "write e.g. 0.5")
        self.beam_width, self.n_best = beam_width, n_best
        self.language_model, self.length_bonus = language_model, length_bonus
        self.top_tokens = top_tokens

    def begin(self, batch: int) -> BeamState:
        """The state before the first frames."""
        model = self.language_model
        language = None if model is None else fusion.first_scores(model, self.beam_width)
        if language is not None and len(language.scores) != batch:
            expected, got = f"a state of {batch} rows, as the batch has", str(len(language.scores))
            raise UserError("language_model", expected, got, "make its state for this batch")
        prefixes = first_prefixes(batch, self.beam_width)
        return BeamState(prefixes, language, broken=np.zeros(batch, bool))

    def advance(self, state: BeamState, logits: Tensor, lengths: Tensor | None = None) -> BeamState:
        """The state after more frames.

        Args:
            state: before them.
            logits: `(batch, time, vocabulary)`.
            lengths: `(batch,)` int, the frames of each row; None: all.

        Raises:
            UserError: the arguments do not fit.
        """
        frames = read_logits(logits, lengths, batch=len(state.broken))
        self._check_vocabulary(state, frames.values.shape[-1])
        order = np.argsort(frames.lengths, kind="stable")
        rest, ended, done = _select(state, order), [], 0
        values = frames.values[order]
        # Rows that end at the same frame leave the batch together.
        for length in np.unique(frames.lengths):
            for t in range(done, length):
                rest = self._read_frame(rest, values[:, t])
            count = int(np.sum(frames.lengths == length))
            rows = np.arange(len(values))
            ended.append(_select(rest, rows[:count]))
            rest, values, done = _select(rest, rows[count:]), values[count:], int(length)
        joined = _select(_join(ended), np.argsort(order)) if ended else state
        return joined._replace(broken=state.broken | frames.broken)

    def _read_frame(self, state: BeamState, frame: Array) -> BeamState:
        prefixes, language = state.prefixes, state.language
        growth = grow(prefixes, frame, self._find_tokens(frame))
        stay = np.logaddexp(growth.log_blank, growth.log_token) + self._bonus(state)
        extend = growth.extended + (self._bonus(state) + self.length_bonus)[:, :, None]
        if language is not None and self.language_model is not None:
            weight = self.language_model.weight
            rows = np.arange(len(frame))[:, None, None]
            beams = np.arange(self.beam_width)[:, None]
            extend += weight * language.following[rows, beams, growth.tokens[:, None]]
        candidates = np.concatenate([stay, extend.reshape(len(frame), -1)], axis=1)
        kept, parents, grown = choose(prefixes, growth, _top(candidates, self.beam_width))
        if language is not None and self.language_model is not None:
            alive = grown & (kept.log_probs > -np.inf)
            language = fusion.extend(self.language_model, language, parents, kept.last, alive)
        return state._replace(prefixes=kept, language=language)

    def _find_tokens(self, frame: Array) -> Array:
        """The tokens that may extend a prefix, `(batch, choices)`."""
        batch, vocabulary = frame.shape
        if self.top_tokens is None or self.top_tokens >= vocabulary - 1:
            return np.broadcast_to(np.arange(1, vocabulary), (batch, vocabulary - 1))
        return _top(frame[:, 1:], self.top_tokens) + 1

    def _bonus(self, state: BeamState) -> Array:
        """What the scores of prefixes have beside the log-probabilities of CTC."""
        bonus = self.length_bonus * state.prefixes.lengths
        if state.language is None or self.language_model is None:
            return bonus
        return bonus + self.language_model.weight * state.language.scores

    def finish(self, state: BeamState) -> CTCDecoded:
        """The best sequences of the frames so far."""
        prefixes, model = state.prefixes, self.language_model
        log_probs = prefixes.log_probs
        scores = log_probs + self._bonus(state)
        if state.language is not None and model is not None and model.end is not None:
            scores = scores + model.weight * state.language.following[:, :, model.end]
        best = np.argsort(-scores, axis=1, kind="stable")[:, : self.n_best]
        ids, lengths, log_probs, scores = (
            part[np.arange(len(best))[:, None], best]
            for part in (prefixes.ids, prefixes.lengths, log_probs, scores)
        )
        lengths = np.where((scores > -np.inf) & ~state.broken[:, None], lengths, 0).astype("int32")
        tokens = np.where(np.arange(ids.shape[-1]) < lengths[..., None], ids, BLANK)
        return CTCDecoded(
            ids=tokens[..., : int(lengths.max(initial=0))],
            lengths=lengths,
            scores=np.where(state.broken[:, None], np.nan, scores),
            log_probs=np.where(state.broken[:, None], np.nan, log_probs),
            spans=None,
        )

    def _check_vocabulary(self, state: BeamState, vocabulary: int) -> None:
        if state.language is None:
            return
        size = state.language.following.shape[-1]
        if size != vocabulary:
            expected = f"{vocabulary} tokens, as the logits of CTC have"
            raise UserError("language_model", expected, str(size), "share the tokenizer")


def _top(values: Array, count: int) -> Array:
    """The indices of the largest values of each row, the largest first, of equal ones the first."""
    if count < values.shape[1]:
        largest = np.sort(np.argpartition(-values, count - 1, axis=1)[:, :count], axis=1)
    else:
        largest = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    order = np.argsort(-np.take_along_axis(values, largest, axis=1), axis=1, kind="stable")
    return np.take_along_axis(largest, order, axis=1)


def _select(state: BeamState, rows: Array) -> BeamState:
    language = state.language
    return BeamState(
        prefixes=Prefixes(*[part[rows] for part in state.prefixes]),
        language=None if language is None else fusion.select(language, rows),
        broken=state.broken[rows],
    )


def _join(states: list[BeamState]) -> BeamState:
    room = max(state.prefixes.ids.shape[-1] for state in states)
    parts = []
    for state in states:
        ids = state.prefixes.ids
        padding = [(0, 0), (0, 0), (0, room - ids.shape[-1])]
        parts.append(state.prefixes._replace(ids=np.pad(ids, padding)))
    language = [state.language for state in states if state.language is not None]
    return BeamState(
        prefixes=Prefixes(*[np.concatenate(column) for column in zip(*parts, strict=True)]),
        language=fusion.join(language) if language else None,
        broken=np.concatenate([state.broken for state in states]),
    )


def ctc_beam_search(
    logits: Tensor,
    lengths: Tensor | None = None,
    *,
    beam_width: int = 16,
    n_best: int = 1,
    language_model: LanguageModel | None = None,
    length_bonus: float = 0.0,
    top_tokens: int | None = None,
) -> CTCDecoded:
    """The most likely sequences, each over all its alignments: prefix beam search.

        score(Y) = log P_CTC(Y | X) + weight · log P_LM(Y) + length_bonus · |Y|

    The beam holds different prefixes; alignments that collapse to the same one are added up. The
    log-probability of a sequence is exact where none of its prefixes has ever left the beam, and
    otherwise a lower bound.

    Args:
        logits: `(batch, time, vocabulary)` of any backend; token 0 is the blank.
        lengths: `(batch,)` int, the frames of each row; None: all.
        beam_width: how many prefixes are kept after each frame.
        n_best: how many sequences are returned, at most `beam_width`.
        language_model: a `LanguageModel` for shallow fusion.
        length_bonus: nats for each token, which make up for what a language model takes.
        top_tokens: how many of the most likely tokens of a frame may follow a prefix; None: all.
            With large vocabularies 40 of them lose next to nothing and are much faster.

    Returns:
        A `CTCDecoded`.

    Raises:
        UserError: an argument is out of range or does not fit.

    Example:
        >>> probabilities = np.array([[[0.6, 0.4], [0.6, 0.4]]])
        >>> decoded = ctc_beam_search(np.log(probabilities), n_best=2)
        >>> decoded.ids.tolist()  # a blank at each frame is the most likely path, 0.36
        [[[1], [0]]]
        >>> np.exp(decoded.log_probs).round(2).tolist()
        [[0.64, 0.36]]

    Source: Graves, Sequence Transduction with Recurrent Neural Networks, 2012, section 2.5; Hannun
    et al., First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent
    DNNs, 2014, algorithm 1.
    """
    search = CTCBeamSearch(
        beam_width=beam_width,
        n_best=n_best,
        language_model=language_model,
        length_bonus=length_bonus,
        top_tokens=top_tokens,
    )
    return search.finish(search.advance(search.begin(len(logits)), logits, lengths))
