"""Several models that decode together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from rnnpipe.decoding.step import Step, run_step
from rnnpipe.errors import UserError


def ensemble(steps: Sequence[Step], weights: Sequence[float] | None = None) -> Step:
    """One step out of several models': their probabilities, averaged.

        P(y | …) = Σₖ wₖ Pₖ(y | …) / Σₖ wₖ

    Args:
        steps: of models with the same vocabulary.
        weights: how much each counts, above 0; by default all count the same.

    Returns:
        A step whose state is a tuple of each model's state. If every model returns alignments, its
        own are a tuple of theirs; else it returns none.

    Raises:
        UserError: if there is no step, a weight is missing or not above 0, or, when it is called,
            the vocabularies differ.

    Example:
        >>> from keras import ops
        >>> from rnnpipe.decoding import greedy
        >>> def model(likeliest):
        ...     return lambda tokens, state: (9.0 * ops.one_hot([likeliest], 8), state)
        >>> together = ensemble([model(4), model(5)], weights=[1, 2])
        >>> greedy(together, (ops.zeros(1), ops.zeros(1)), max_length=2).ids.numpy().tolist()
        [[[5, 5]]]
    """
    weights = [1.0] * len(steps) if weights is None else weights
    if not steps or len(weights) != len(steps) or min(weights) <= 0:
        expected = f"weights above 0 for {len(steps)} steps, of which there is one or more"
        raise UserError("ensemble", expected, str(list(weights)), "give each step its weight")
    shares = np.log(np.asarray(weights, "float32") / sum(weights))

    def step(tokens: Any, states: Any) -> Any:
        if len(states) != len(steps):
            expected = f"a state for each of {len(steps)} models"
            raise UserError("ensemble", expected, str(len(states)), "pass a tuple of their states")
        outputs = [run_step(one, tokens, state) for one, state in zip(steps, states, strict=True)]
        vocabularies = [output.log_probs.shape[-1] for output in outputs]
        if len(set(vocabularies)) > 1:
            raise UserError("ensemble", "one vocabulary", str(vocabularies), "share the tokenizer")
        log_probs = ops.stack([output.log_probs for output in outputs])  # (models, batch, vocab)
        logits = ops.logsumexp(log_probs + shares[:, None, None], axis=0)
        state = tuple(output.state for output in outputs)
        alignments = tuple(output.alignments for output in outputs)
        if any(isinstance(looks, tuple) and not looks for looks in alignments):
            return logits, state
        return logits, state, alignments

    return step
