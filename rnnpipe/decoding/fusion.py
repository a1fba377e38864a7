"""Shallow fusion: the weighted log-probabilities of several models."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rnnpipe.decoding.checks import is_real
from rnnpipe.decoding.step import Step, run_step
from rnnpipe.errors import UserError
from rnnpipe.nested import is_empty
from rnnpipe.types import Nested, Tensor


class Fusion:
    """A step of several models; see `shallow_fusion`."""

    returns_scores = True
    select_rows: Callable[[Tensor], "Fusion"]

    def __init__(self, steps: Sequence[Step], weights: Sequence[float]) -> None:
        self.steps, self.weights = steps, weights
        if all(callable(getattr(step, "select_rows", None)) for step in steps):
            self.select_rows = self._select_rows

    def __call__(self, tokens: Tensor, states: Sequence[Nested[Tensor]]) -> tuple[Any, ...]:
        """Reads a token `(batch,)` in each row."""
        if len(states) != len(self.steps):
            expected = f"a state for each of {len(self.steps)} models"
            fix = "pass a tuple of their states"
            raise UserError("shallow_fusion", expected, str(len(states)), fix)
        pairs = zip(self.steps, states, strict=True)
        outputs = [run_step(step, tokens, state) for step, state in pairs]
        sizes = [output.log_probs.shape[-1] for output in outputs]
        if len(set(sizes)) > 1:
            fix = "share the tokenizer"
            raise UserError("shallow_fusion", "one vocabulary", str(sizes), fix)
        weighted = zip(self.weights, outputs, strict=True)
        scores: Any = sum(weight * output.log_probs for weight, output in weighted)
        state = tuple(output.state for output in outputs)
        aligned = [out.alignments for out in outputs if not is_empty(out.alignments)]
        return (scores, state, aligned[0]) if aligned else (scores, state)

    def _select_rows(self, rows: Tensor) -> "Fusion":
        steps: Any = self.steps
        return Fusion([step.select_rows(rows) for step in steps], self.weights)


def shallow_fusion(steps: Sequence[Step], weights: Sequence[float]) -> Step:
    """One step of several models: their log-probabilities, weighted and added.

        score(Y) = Σₖ wₖ log Pₖ(Y)

    With a language model it is shallow fusion, with `ctc_step` joint CTC and attention decoding;
    all three go together. The sums are no log-probabilities, and are not normalised: the step is
    for greedy and beam search.

    Args:
        steps: of models with the same vocabulary.
        weights: the weight of each model, above 0.

    Returns:
        A step whose state is a tuple of each model's state, and whose alignments are those of the
        first model that returns some.

    Raises:
        UserError: if there is no step, a weight is missing or not above 0, or, when it is called,
            the vocabularies differ.

    Example:
        >>> from rnnpipe import ops
        >>> from rnnpipe.decoding import greedy_search
        >>> def model(*logits):
        ...     return lambda tokens, state: (ops.array([logits]), state)
        >>> both = shallow_fusion([model(0.0, 9.0, 8.0), model(0.0, -9.0, 9.0)], [1.0, 0.3])
        >>> state = (ops.zeros(1), ops.zeros(1))
        >>> greedy_search(both, state, max_length=2, start=0, end=0).ids.numpy().tolist()
        [[[2, 2]]]

    Source: Gulcehre et al., On Using Monolingual Corpora in Neural Machine Translation, 2015,
    section 4.1; with CTC: Hori, Watanabe and Hershey, Joint CTC/Attention Decoding for End-to-End
    Speech Recognition, 2017, equation 14.
    """
    is_list = isinstance(weights, Sequence | np.ndarray)
    fits = is_list and 0 < len(steps) == len(weights)
    if not fits or not all(is_real(weight) and weight > 0 for weight in weights):
        expected = f"weights above 0 for {len(steps)} steps, at least one"
        fix = "pass one weight for each step, and leave out models that count for nothing"
        raise UserError("shallow_fusion", expected, repr(weights), fix)
    return Fusion(list(steps), [float(weight) for weight in weights])
