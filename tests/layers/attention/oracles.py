"""Each mechanism in NumPy: one example, one look, one position at a time; weights in its order.

An oracle takes `queries` (looks, query_features), `memory` (positions, features), the booleans
`readable` (positions) and the weights, and returns contexts and alignments, one for each look.
"""

from functools import partial

import numpy as np

from tests.layers.reference import sigmoid

GLIMPSES, REACH, KERNEL_SIZE, MAX_FERTILITY, SHARPENING = 2, 2, 3, 2.0, 1.7


def softmax(scores):
    powers = np.exp(np.array(scores) - max(scores))
    return powers / powers.sum()


def where_readable(readable, numbers):
    """Numbers of the readable positions, in place among zeros."""
    row = np.zeros(len(readable))
    row[readable] = numbers
    return row


def soften(scores, memory, readable, softmax=softmax):
    """Context and alignments of `scores(i)`, which gives a score for each glimpse."""
    places = np.flatnonzero(readable)
    table = np.array([scores(i) for i in places])  # (readable, glimpses)
    rows = [where_readable(readable, softmax(column)) for column in table.T]
    context = np.concatenate([sum(row[i] * memory[i] for i in places) for row in rows])
    return context, np.array(rows)


def each_look(look, queries):
    """What `look(query, alignments before)` gives for each query in turn."""
    contexts, alignments = [], []
    for query in queries:
        context, rows = look(query, alignments)
        contexts.append(context)
        alignments.append(rows)
    return np.array(contexts), np.array(alignments)


def additive(queries, memory, readable, w_q, w_m, b, v):
    def look(query, _):
        return soften(lambda i: np.tanh(query @ w_q + memory[i] @ w_m + b) @ v, memory, readable)

    return each_look(look, queries)


def normalised(queries, memory, readable, w_q, w_m, b, v, g):
    v = np.stack([g[k] * v[:, k] / np.sqrt((v[:, k] ** 2).sum()) for k in range(GLIMPSES)], axis=1)
    return additive(queries, memory, readable, w_q, w_m, b, v)


def concat(queries, memory, readable, w_q, w_m, v):
    w = np.concatenate([w_q, w_m])

    def look(query, _):
        return soften(lambda i: np.tanh(np.append(query, memory[i]) @ w) @ v, memory, readable)

    return each_look(look, queries)


def dot(queries, memory, readable, scale=1.0):
    return each_look(
        lambda query, _: soften(lambda i: [scale * query @ memory[i]], memory, readable), queries
    )


def scaled_dot(queries, memory, readable):
    return dot(queries, memory, readable, 1 / np.sqrt(memory.shape[1]))


def general(queries, memory, readable, w, scale=1.0):
    def look(query, _):
        def scores(i):
            return [scale * query @ w[:, k] @ memory[i] for k in range(GLIMPSES)]

        return soften(scores, memory, readable)

    return each_look(look, queries)


def location(
    queries, memory, readable, w_q, w_m, b, v, filters, w_f, cumulative=False, softmax=softmax
):
    half = KERNEL_SIZE // 2

    def look(query, before):
        seen = np.zeros((GLIMPSES, len(memory)))
        for rows in before if cumulative else before[-1:]:
            seen = seen + rows

        def scores(i):
            near = [j for j in range(i - half, i + half + 1) if 0 <= j < len(memory)]
            f = sum(seen[k, j] * filters[j - i + half, k] for j in near for k in range(GLIMPSES))
            return np.tanh(query @ w_q + memory[i] @ w_m + f @ w_f + b) @ v

        return soften(scores, memory, readable, softmax)

    return each_look(look, queries)


def share_of_sigmoids(scores):
    weights = sigmoid(SHARPENING * np.array(scores))
    return weights / weights.sum()


sharpened_location = partial(location, softmax=lambda scores: softmax(SHARPENING * scores))
smoothed_location = partial(location, softmax=share_of_sigmoids)
cumulative_location = partial(location, cumulative=True)


def coverage(queries, memory, readable, w_q, w_m, b, v, u, w_c):
    def look(query, before):
        def scores(i):
            fertility = MAX_FERTILITY * sigmoid(memory[i] @ u)
            covered = sum((rows[:, i] for rows in before), np.zeros(GLIMPSES)) / fertility
            return np.tanh(query @ w_q + memory[i] @ w_m + covered @ w_c + b) @ v

        return soften(scores, memory, readable)

    return each_look(look, queries)


def monotonic_scores(query, memory, weights):
    r, w_q, w_m, b, v = weights
    return [np.tanh(query @ w_q + m @ w_m + b) @ v + r for m in memory]


def at_first(memory):
    return np.tile(np.eye(len(memory))[0], (GLIMPSES, 1))


def expected_monotonic(queries, memory, readable, *weights):
    def look(query, before):
        scores = monotonic_scores(query, memory, weights)
        rows = np.zeros((GLIMPSES, len(memory)))
        last = before[-1] if before else at_first(memory)
        for k in range(GLIMPSES):
            p = [sigmoid(s[k]) if can else 0.0 for s, can in zip(scores, readable, strict=True)]
            for i in range(len(memory)):
                for j in range(i + 1):  # from j, past all that lies between, to i
                    rows[k, i] += p[i] * last[k, j] * np.prod([1 - p[n] for n in range(j, i)])
        return (rows @ np.where(readable[:, None], memory, 0)).reshape(-1), rows

    return each_look(look, queries)


def hard_monotonic(queries, memory, readable, *weights):
    def look(query, before):
        scores = monotonic_scores(query, memory, weights)
        rows = np.zeros((GLIMPSES, len(memory)))
        last = before[-1] if before else at_first(memory)
        for k in range(GLIMPSES):
            start = np.flatnonzero(last[k])
            for i in range(start[0] if len(start) else len(memory), len(memory)):
                if readable[i] and scores[i][k] > 0:
                    rows[k, i] = 1
                    break
        return (rows @ np.where(readable[:, None], memory, 0)).reshape(-1), rows

    return each_look(look, queries)


def local(queries, memory, readable, w_p, v_p, w):
    length = np.flatnonzero(readable)[-1] + 1

    def look(query, _):
        contexts, rows = [], []
        for k in range(GLIMPSES):
            p = length * sigmoid(np.tanh(query @ w_p) @ v_p[:, k])
            window = [i for i in np.flatnonzero(readable) if abs(i - p) <= REACH]
            chosen = softmax([query @ w[:, k] @ memory[i] for i in window])
            row = np.zeros(len(memory))
            for i, share in zip(window, chosen, strict=True):
                row[i] = share * np.exp(-((i - p) ** 2) / (2 * (REACH / 2) ** 2))
            contexts.append(sum(row[i] * memory[i] for i in window))
            rows.append(row)
        return np.concatenate(contexts), np.array(rows)

    return each_look(look, queries)


def gated(queries, memory, readable, w, b, *inner):
    contexts, alignments = additive(queries, memory, readable, *inner)
    gates = [sigmoid(query @ w + b) for query in queries]
    return np.array([g * c for g, c in zip(gates, contexts, strict=True)]), alignments


def hard(queries, memory, readable, *weights):
    _, alignments = additive(queries, memory, readable, *weights)
    one_hot = np.eye(len(memory))[alignments.argmax(-1)]
    contexts = [[memory[row.argmax()] for row in rows] for rows in one_hot]
    return np.array(contexts).reshape(len(queries), -1), one_hot


def multi_head(queries, memory, readable, *weights):
    w_q, b_q, w_k, b_k, w_v, b_v, w_o, b_o = weights
    heads = range(w_q.shape[1])

    def look(query, _):
        rows, context = [], b_o
        for h in heads:
            q = query @ w_q[:, h] + b_q[h]
            scores = [q @ (m @ w_k[:, h] + b_k[h]) / np.sqrt(len(q)) for m in memory[readable]]
            values = [m @ w_v[:, h] + b_v[h] for m in memory[readable]]
            shares = softmax(scores)
            rows.append(where_readable(readable, shares))
            context = context + sum(s * v for s, v in zip(shares, values, strict=True)) @ w_o[h]
        return context, np.array(rows)

    return each_look(look, queries)
