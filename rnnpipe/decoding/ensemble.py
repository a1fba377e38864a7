"""Ensembles of models."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnpipe import ops
from rnnpipe.decoding.checks import is_real
from rnnpipe.decoding.step import Step, run_step
from rnnpipe.errors import UserError
from rnnpipe.nested import is_empty
from rnnpipe.types import Nested, Tensor


def ensemble(steps: Sequence[Step], weights: Sequence[float] | None = None) -> Step:
    """One step of several models: their probabilities, averaged.

        P(y | …) = Σₖ wₖ Pₖ(y | …) / Σₖ wₖ

    Args:
        steps: of models with the same vocabulary.
        weights: the weight of each model, above 0; by default they are equal.

    Returns:
        A step whose state is a tuple of each model's state. If a model returns alignments, the step
        returns a tuple of each model's, an empty one for a model without.

    Raises:
        UserError: if there is no step, a weight is missing or not above 0, or, when it is called,
            the vocabularies differ.

    Example:
        >>> from rnnpipe.decoding import greedy_search
        >>> def model(token):
        ...     return lambda tokens, state: (9.0 * ops.one_hot([token], 8), state)
        >>> together = ensemble([model(4), model(5)], weights=[1, 2])
        >>> greedy_search(together, (ops.zeros(1), ops.zeros(1)), max_length=2).ids.numpy().tolist()
        [[[5, 5]]]
    """
    weights = [1.0] * len(steps) if weights is None else weights
    is_list = isinstance(weights, Sequence | np.ndarray)
    fits = is_list and 0 < len(steps) == len(weights)
    if not fits or not all(is_real(weight) and weight > 0 for weight in weights):
        expected = f"weights above 0 for {len(steps)} steps, at least one"
        raise UserError("ensemble", expected, repr(weights), "pass one weight for each step")
    # Of quotients, those of large sums would be 0, and the logarithm infinite.
    logs = np.log(np.asarray(weights, "float64"))
    shares = (logs - np.logaddexp.reduce(logs)).astype("float32")

    def step(tokens: Tensor, states: Sequence[Nested[Tensor]]) -> tuple[Any, ...]:
        if len(states) != len(steps):
            expected = f"a state for each of {len(steps)} models"
            raise UserError("ensemble", expected, str(len(states)), "pass a tuple of their states")
        pairs = zip(steps, states, strict=True)
        outputs = [run_step(member, tokens, state) for member, state in pairs]
        vocabularies = [output.log_probs.shape[-1] for output in outputs]
        if len(set(vocabularies)) > 1:
            raise UserError("ensemble", "one vocabulary", str(vocabularies), "share the tokenizer")
        log_probs = ops.stack([output.log_probs for output in outputs])  # (models, batch, vocab)
        logits = ops.logsumexp(log_probs + shares[:, None, None], axis=0)
        state = tuple(output.state for output in outputs)
        alignments = tuple(output.alignments for output in outputs)
        if all(map(is_empty, alignments)):
            return logits, state
        return logits, state, alignments

    return step
