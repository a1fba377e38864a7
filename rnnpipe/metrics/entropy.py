"""How well a text can be foretold without a network: by n-grams, and by what packs files."""

import gzip
import lzma
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.metrics.checks import check_some

Array = np.ndarray[Any, np.dtype[Any]]

_PACKERS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {"gzip": gzip.compress, "lzma": lzma.compress}
)
_KEYS = 2**62


def ngram_nats(
    train: Sequence[Array], test: Sequence[Array], *, vocab: int, order: int, start: int
) -> list[float]:
    """The cross-entropy of texts under n-gram models of others, of all orders up to one.

        p(w|h) = (c(h, w) + T(h) p(w|h')) / (c(h) + T(h))

    c counts in the training texts, T(h) is how many distinct tokens follow h there, and h' is h
    without its first token; below the unigrams lies the uniform distribution.

    Args:
        train: token ids of each training document.
        test: of each document to foretell.
        vocab: number of tokens.
        order: the highest one: 1 for unigrams, 2 for bigrams; less where too many n-grams could be.
        start: the token that stands before each document.

    Returns:
        Nats per token for the orders 1, 2, ….

    Raises:
        UserError: the order is less than 1, or there are no tokens.

    Example:
        >>> text = [np.array([4, 5] * 50)]
        >>> [round(nats, 2) for nats in ngram_nats(text, text, vocab=6, order=2, start=2)]
        [0.71, 0.01]

    Source: Witten and Bell, The zero-frequency problem, 1991, method C; interpolated as in Chen
    and Goodman, An Empirical Study of Smoothing Techniques for Language Modeling, 1998, section
    2.6.
    """
    if order < 1:
        raise UserError("order", "at least 1", str(order), "write 1 for unigrams")
    for name, documents in {"train": train, "test": test}.items():
        check_some(name, [document for document in documents if len(document)])
    read, foretold = (_Windows(texts, order, start) for texts in (train, test))
    shares = np.full(len(foretold.tokens), 1 / vocab)
    nats = []
    for length in range(order):
        if vocab ** (length + 1) >= _KEYS:
            break
        shares = _interpolate(shares, read.keys(length, vocab), foretold.keys(length, vocab))
        nats.append(float(-np.log(shares).mean()))
    return nats


class _Windows:
    """Tokens with those before each, document by document."""

    def __init__(self, documents: Sequence[Array], order: int, start: int) -> None:
        head = np.full(order, start, "int64")
        padded = [np.concatenate([head, document]).astype("int64") for document in documents]
        self._all = np.concatenate(padded)
        self._at = np.flatnonzero(
            np.concatenate([np.arange(len(document)) >= order for document in padded])
        )
        self.tokens = self._all[self._at]

    def keys(self, length: int, vocab: int) -> tuple[Array, Array]:
        """A number for the `length` tokens before each token, and one for these and itself."""
        before = np.zeros(len(self._at), "int64")
        for back in range(length, 0, -1):
            before = before * vocab + self._all[self._at - back]
        return before, before * vocab + self.tokens


def _interpolate(lower: Array, read: tuple[Array, Array], asked: tuple[Array, Array]) -> Array:
    """The probabilities of one order, from those of the order below."""
    histories, joints = (np.unique(keys, return_counts=True) for keys in read)
    before = read[0][np.unique(read[1], return_index=True)[1]]
    kinds = np.unique(before, return_counts=True)
    seen = _look_up(histories, asked[0])
    distinct = _look_up(kinds, asked[0])
    both = _look_up(joints, asked[1])
    mixed: Array = (both + distinct * lower) / np.maximum(seen + distinct, 1)
    return np.where(seen > 0, mixed, lower)


def _look_up(counted: tuple[Array, Array], keys: Array) -> Array:
    """How often each key was counted."""
    known, counts = counted
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    found: Array = np.where(known[at] == keys, counts[at], 0)
    return found


def packed_bits(train: str, test: str, packer: Literal["gzip", "lzma"]) -> float:
    """Bits per character that a text adds to a packed file which holds another already.

    Args:
        train: the text that the packer has read before; gzip looks back 32 kB of it at most.
        test: the text.
        packer: what packs.

    Example:
        >>> packed_bits("to be or not to be", "to be or not to be", "lzma") < 4
        True
    """
    pack = _PACKERS[packer]
    before, both = (len(pack(text.encode())) for text in (train, train + test))
    return 8 * (both - before) / max(len(test), 1)
