"""A plain recurrent language model, its loss and its gradients by hand, in NumPy."""

import numpy as np


class Oracle:
    """Weights in the order of `build_language_model` with the cell `vanilla`."""

    def __init__(self, weights):
        self.weights = [np.array(weight, "float64") for weight in weights]

    def forward(self, tokens, first):
        """Hidden states `(time + 1, rows, units)` and probabilities `(time, rows, vocab)`."""
        embedding, kernel, recurrent, bias, out, offset = self.weights
        hidden, shares = [first], []
        for t in range(tokens.shape[1]):
            x = embedding[tokens[:, t]]
            hidden.append(np.tanh(x @ kernel + hidden[-1] @ recurrent + bias))
            logits = hidden[-1] @ out + offset
            exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
            shares.append(exponentials / exponentials.sum(axis=-1, keepdims=True))
        return hidden, shares

    def loss(self, tokens, targets, first):
        """The mean negative log-likelihood of the targets that are not padding."""
        _, shares = self.forward(tokens, first)
        rows = np.arange(len(tokens))
        losses = np.stack([-np.log(p[rows, targets[:, t]]) for t, p in enumerate(shares)], axis=1)
        counts = targets != 0
        return (losses * counts).sum() / counts.sum()

    def gradients(self, tokens, targets, first):
        """Of the loss, by each of the weights; nothing flows into the first state."""
        embedding, kernel, recurrent, _, out, _ = self.weights
        hidden, shares = self.forward(tokens, first)
        grads = [np.zeros_like(weight) for weight in self.weights]
        counts, rows = targets != 0, np.arange(len(tokens))
        d_hidden = np.zeros_like(first)
        for t in reversed(range(tokens.shape[1])):
            d_logits = shares[t].copy()
            d_logits[rows, targets[:, t]] -= 1
            d_logits *= counts[:, t, None] / counts.sum()
            grads[4] += hidden[t + 1].T @ d_logits
            grads[5] += d_logits.sum(axis=0)
            d_hidden = d_hidden + d_logits @ out.T
            d_z = d_hidden * (1 - hidden[t + 1] ** 2)
            x = embedding[tokens[:, t]]
            np.add.at(grads[0], tokens[:, t], d_z @ kernel.T)
            grads[1] += x.T @ d_z
            grads[2] += hidden[t].T @ d_z
            grads[3] += d_z.sum(axis=0)
            d_hidden = d_z @ recurrent.T
        return grads, hidden[-1]

    def train(self, streams, rate):
        """Truncated backpropagation through time with plain gradient descent."""
        state = np.zeros((streams.tokens.shape[1], len(self.weights[2])))
        for tokens, targets, starts in zip(
            streams.tokens, streams.targets, streams.starts, strict=True
        ):
            grads, state = self.gradients(tokens, targets, np.where(starts[:, None], 0, state))
            self.weights = [w - rate * g for w, g in zip(self.weights, grads, strict=True)]
