"""CTC by its definition: every path, one after another."""

import itertools
import math
from collections import defaultdict

import numpy as np


def log_softmax(logits):
    logits = np.asarray(logits, "float64")
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def collapse(path):
    return tuple(token for token, _ in itertools.groupby(path) if token != 0)


def every_path(logits):
    """Each path of one row (time, vocabulary), and its probability."""
    probabilities = np.exp(log_softmax(logits))
    for path in itertools.product(range(probabilities.shape[1]), repeat=len(probabilities)):
        yield path, math.prod(row[token] for row, token in zip(probabilities, path, strict=True))


def every_labelling(logits):
    """The probability of each sequence."""
    total: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for path, probability in every_path(logits):
        total[collapse(path)] += probability
    return dict(total)


def best_path(logits, labelling):
    """The most likely path of a sequence, and its probability."""
    fitting = [pair for pair in every_path(logits) if collapse(pair[0]) == tuple(labelling)]
    return max(fitting, key=lambda pair: pair[1])


def spans_of(path):
    """The first frame of each token of a path, and the one after its last."""
    spans, start = [], 0
    for token, run in itertools.groupby(path):
        length = len(list(run))
        if token != 0:
            spans.append([start, start + length])
        start += length
    return spans


def rank(scores):
    """Sequences and scores, the best first."""
    return sorted(scores.items(), key=lambda pair: -pair[1])


def slow_beam_search(logits, width, bonus=lambda prefix: 0.0, top=None):
    """Prefix search with a dictionary, as Hannun et al. 2014 write it: all prefixes at the end."""
    beam: dict[tuple[int, ...], tuple[float, ...]] = {(): (1.0, 0.0)}
    for frame in np.exp(log_softmax(logits)):
        allowed = sorted(range(1, len(frame)), key=lambda token: -frame[token])[:top]
        after: defaultdict[tuple[int, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for prefix, (blank, token) in beam.items():
            after[prefix][0] += frame[0] * (blank + token)
            if prefix:
                after[prefix][1] += frame[prefix[-1]] * token
            for new in range(1, len(frame)):
                longer = (*prefix, new)
                if new not in allowed and longer not in beam:
                    continue
                before = blank if prefix[-1:] == (new,) else blank + token
                after[longer][1] += frame[new] * before
        scores = {
            prefix: math.log(sum(parts)) + bonus(prefix)
            for prefix, parts in after.items()
            if sum(parts) > 0
        }
        beam = {prefix: tuple(after[prefix]) for prefix, _ in rank(scores)[:width]}
    return {prefix: math.log(sum(parts)) + bonus(prefix) for prefix, parts in beam.items()}


def bigrams(table, start, weight, bonus=0.0, end=None):
    """The part of a score that a language model of bigram logits and a bonus have."""
    table = log_softmax(table)

    def score(prefix, ended=False):
        path = (start, *prefix, *((end,) if ended and end is not None else ()))
        total = sum(table[a, b] for a, b in itertools.pairwise(path))
        return weight * total + bonus * len(prefix)

    return score
