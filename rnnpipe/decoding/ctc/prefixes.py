"""The prefixes of a CTC beam search, and how a frame changes them."""

from typing import NamedTuple

import numpy as np

from rnnpipe.decoding.ctc.logits import BLANK, Array


class Prefixes(NamedTuple):
    """Different prefixes of each row, and the probability of all alignments that were found."""

    ids: Array  # (batch, width, tokens) int32
    lengths: Array  # (batch, width) int64
    last: Array  # (batch, width) int64, the last token; the blank of an empty prefix
    # Prefixes are compared by hashes of 64 bits: of themselves, and without the last token.
    hashes: Array  # (batch, width) uint64
    parent_hashes: Array  # (batch, width) uint64
    # The logarithms of the probabilities of alignments that end with a blank, and with a token.
    log_blank: Array  # (batch, width) float64
    log_token: Array  # (batch, width) float64

    @property
    def log_probs(self) -> Array:
        """The log-probabilities of the prefixes, `(batch, width)`; -inf where there is none."""
        return np.logaddexp(self.log_blank, self.log_token)


class Growth(NamedTuple):
    """The candidates after a frame: each prefix as it is, and with each token more."""

    log_blank: Array  # (batch, width), of the prefix as it is
    log_token: Array  # (batch, width), of the same
    extended: Array  # (batch, width, choices), with one token more
    tokens: Array  # (batch, choices), which token that is


def first_prefixes(batch: int, width: int) -> Prefixes:
    """The empty prefix in each row."""
    shape = (batch, width)
    log_blank = np.full(shape, -np.inf)
    log_blank[:, 0] = 0.0
    integers, hashes = np.zeros(shape, "int64"), np.zeros(shape, "uint64")
    return Prefixes(
        ids=np.zeros((*shape, 0), "int32"),
        lengths=integers,
        last=np.full(shape, BLANK),
        hashes=hashes,
        parent_hashes=~hashes,  # of no prefix
        log_blank=log_blank,
        log_token=np.full(shape, -np.inf),
    )


def grow(prefixes: Prefixes, frame: Array, tokens: Array) -> Growth:
    """The candidates after a frame.

    Args:
        prefixes: before it.
        frame: `(batch, vocabulary)`, its log-probabilities.
        tokens: `(batch, choices)`, which tokens may follow.
    """
    either = prefixes.log_probs
    repeated = np.take_along_axis(frame, prefixes.last, axis=1)
    log_blank = either + frame[:, BLANK, None]
    log_token = prefixes.log_token + repeated
    added = np.take_along_axis(frame, tokens, axis=1)[:, None]
    # A token that equals the last one is another token only after a blank.
    is_last = tokens[:, None] == prefixes.last[:, :, None]
    before = np.where(is_last, prefixes.log_blank[:, :, None], either[:, :, None])
    extended = before + added
    # A prefix may also come from that without its last token, if the beam has it.
    parent, has_parent = _find_parents(prefixes, either)
    rows = np.arange(len(frame))[:, None]
    doubled = prefixes.last[rows, parent] == prefixes.last
    source = np.where(doubled, prefixes.log_blank[rows, parent], either[rows, parent])
    joined = np.logaddexp(log_token, np.where(has_parent, source, -np.inf) + repeated)
    row, child, choice = np.nonzero(is_last & has_parent[:, :, None])
    extended[row, parent[row, child], choice] = -np.inf  # counted for the child
    return Growth(log_blank, joined, extended, tokens)


def _find_parents(prefixes: Prefixes, log_probs: Array) -> tuple[Array, Array]:
    """Where in the beam each prefix without its last token is, and whether it is there."""
    alive = log_probs > -np.inf
    same = prefixes.parent_hashes[:, :, None] == prefixes.hashes[:, None, :]
    same &= alive[:, :, None] & alive[:, None, :]
    return same.argmax(axis=-1), same.any(axis=-1)


def choose(prefixes: Prefixes, growth: Growth, chosen: Array) -> tuple[Prefixes, Array, Array]:
    """The prefixes that are kept.

    Args:
        prefixes: before the frame.
        growth: the candidates after it.
        chosen: `(batch, width)`, indices of candidates: first all prefixes as they are, then those
            with one token more, one prefix after another.

    Returns:
        The new prefixes; the index of the old one of each, `(batch, width)`; and whether it has one
        token more.
    """
    _, width, choices = growth.extended.shape
    rows = np.arange(len(chosen))[:, None]
    grown = chosen >= width
    parents = np.where(grown, (chosen - width) // choices, chosen)
    choice = (chosen - width) % choices
    last = np.where(grown, growth.tokens[rows, choice], prefixes.last[rows, parents])
    lengths = prefixes.lengths[rows, parents]
    old = prefixes.hashes[rows, parents]
    kept = Prefixes(
        ids=_append(prefixes.ids[rows, parents], lengths, last, grown),
        lengths=lengths + grown,
        last=last,
        hashes=np.where(grown, _extend_hashes(old, last), old),
        parent_hashes=np.where(grown, old, prefixes.parent_hashes[rows, parents]),
        log_blank=np.where(grown, -np.inf, growth.log_blank[rows, parents]),
        log_token=np.where(
            grown, growth.extended[rows, parents, choice], growth.log_token[rows, parents]
        ),
    )
    return kept, parents, grown


def _append(ids: Array, lengths: Array, tokens: Array, grown: Array) -> Array:
    rows, columns = np.nonzero(grown)
    if lengths[rows, columns].max(initial=-1) >= ids.shape[-1]:
        ids = np.pad(ids, [(0, 0), (0, 0), (0, max(ids.shape[-1], 8))])
    ids[rows, columns, lengths[rows, columns]] = tokens[rows, columns]
    return ids


def _extend_hashes(hashes: Array, tokens: Array) -> Array:
    """Hashes of prefixes with one token more, by the mixing function of SplitMix64."""
    mixed = hashes + (tokens.astype("uint64") + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
