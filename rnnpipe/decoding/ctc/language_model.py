"""Shallow fusion: a language model that scores prefixes beside CTC."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnnpipe import ops
from rnnpipe.decoding.checks import is_real, start_tokens
from rnnpipe.decoding.ctc.logits import Array
from rnnpipe.decoding.step import Step, run_step
from rnnpipe.errors import UserError
from rnnpipe.nested import repeat_rows, select_rows
from rnnpipe.text.tokens import END, START
from rnnpipe.types import Nested, Tensor


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A language model for a CTC beam search, with the vocabulary of the network.

        score(Y) = log P_CTC(Y | X) + weight · log P_LM(Y)

    Args:
        step: as all of `rnnpipe.decoding` takes it; it is called for new prefixes alone, so that
            the number of its rows varies.
        state: its first state, whose rows are the batch.
        weight: at least 0.
        start: the first token that the step reads.
        end: the token whose probability ends a sequence; None: any sequence may end.

    Raises:
        UserError: if the weight is no number or below 0.

    Source: Gulcehre et al., On Using Monolingual Corpora in Neural Machine Translation, 2015,
    section 4.1.
    """

    step: Step
    state: Nested[Tensor]
    weight: float = 0.5
    start: int = START
    end: int | None = END

    def __post_init__(self) -> None:
        if not is_real(self.weight) or self.weight < 0:
            raise UserError("weight", "0 or more", repr(self.weight), "write e.g. 0.5")


class PrefixScores(NamedTuple):
    """The scores that a language model gives the prefixes of a beam."""

    scores: Array  # (batch, width) float64, the log-probability of each
    following: Array  # (batch, width, vocabulary) float32, of each token after it
    state: Nested[Tensor]  # (batch * width, ...)


def first_scores(model: LanguageModel, width: int) -> PrefixScores:
    """The scores of `width` empty prefixes in each row."""
    outputs = run_step(model.step, start_tokens(model.start, model.state), model.state)
    following = np.asarray(ops.convert_to_numpy(outputs.log_probs))
    batch, vocabulary = following.shape
    return PrefixScores(
        scores=np.zeros((batch, width)),
        following=np.broadcast_to(following[:, None], (batch, width, vocabulary)),
        state=repeat_rows(outputs.state, width),
    )


def extend(
    model: LanguageModel, prefixes: PrefixScores, parents: Array, tokens: Array, grown: Array
) -> PrefixScores:
    """The scores of new prefixes.

    Args:
        model: the language model.
        prefixes: the scores of the old ones.
        parents: `(batch, width)`, the index of the old prefix of each new one.
        tokens: `(batch, width)`, what it is extended by.
        grown: `(batch, width)`, whether it is; the others are their parents.
    """
    batch, width = parents.shape
    rows = np.arange(batch)[:, None]
    added = np.where(grown, prefixes.following[rows, parents, tokens], 0.0)
    scores = prefixes.scores[rows, parents] + added
    following = prefixes.following[rows, parents]
    flat = (parents + rows * width).reshape(-1).astype("int32")
    new = np.flatnonzero(grown)
    if not len(new):
        return PrefixScores(scores, following, select_rows(prefixes.state, flat))
    before = select_rows(prefixes.state, flat[new])
    read = ops.convert_to_tensor(tokens.reshape(-1)[new].astype("int32"))
    outputs = run_step(model.step, read, before)
    following.reshape(batch * width, -1)[new] = ops.convert_to_numpy(outputs.log_probs)
    # The rows of the new states come after those of the old ones.
    flat[new] = batch * width + np.arange(len(new))
    both = ops.tree.map_structure(
        lambda old, stepped: ops.concatenate([old, stepped], axis=0), prefixes.state, outputs.state
    )
    return PrefixScores(scores, following, select_rows(both, flat))


def select(prefixes: PrefixScores, rows: Array) -> PrefixScores:
    """The scores of some rows of the batch."""
    width = prefixes.scores.shape[1]
    flat = (rows[:, None] * width + np.arange(width)).reshape(-1).astype("int32")
    scores, following = prefixes.scores[rows], prefixes.following[rows]
    return PrefixScores(scores, following, select_rows(prefixes.state, flat))


def join(parts: list[PrefixScores]) -> PrefixScores:
    """The scores of several batches, one after another."""
    columns = zip(*[(part.scores, part.following) for part in parts], strict=True)
    scores, following = (np.concatenate(column) for column in columns)
    states = [part.state for part in parts]
    state: Any = ops.tree.map_structure(
        lambda *tensors: ops.concatenate(list(tensors), axis=0), *states
    )
    return PrefixScores(scores, following, state)
