"""How likely a model finds a text that it is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from rnnpipe.report.notebook import table_html
from rnnpipe.tasks.network import Array
from rnnpipe.tasks.prediction import Answer, Prediction, make_finite


class ScoredToken(NamedTuple):
    """A token of a scored text.

    Args:
        token: as the tokenizer writes it; `</s>` is the end of a text.
        log_probability: of this token after those before it, in nats.
    """

    token: str
    log_probability: float


@dataclass(frozen=True, eq=False)
class ScoredText(Prediction):
    """The likelihood of a text, given the other inputs of its row.

        log p(y | x) = Σₜ log p(yₜ | y₁ … yₜ₋₁, x)        perplexity = exp(−log p / T)

    Its only answer is the text itself, with the geometric mean of its tokens' probabilities, and
    log p as its score.

    Args:
        tokens: the T tokens, each with its log-probability; the end token is among them where the
            model has one.

    Example:
        >>> tokens = [ScoredToken("▁yes", math.log(0.5)), ScoredToken("</s>", math.log(0.125))]
        >>> scored = score_text("yes", tokens)
        >>> round(scored.log_probability, 4), round(scored.perplexity, 4)
        (-2.7726, 4.0)
    """

    tokens: Sequence[ScoredToken] = field(default_factory=tuple)

    @property
    def log_probability(self) -> float:
        """Log p(y | x), in nats."""
        return math.fsum(token.log_probability for token in self.tokens)

    @property
    def perplexity(self) -> float:
        """The perplexity of its tokens; infinite if one of them is impossible."""
        with np.errstate(over="ignore"):
            return float(np.exp(-self.log_probability / len(self.tokens)))

    def to_json(self, *, alignments: bool = False, tokens: bool = False) -> dict[str, Any]:
        """The same as JSON values; numbers that are not finite are null.

        Args:
            alignments: there are none.
            tokens: whether each token is among them.

        Example:
            >>> score_text("a", [ScoredToken("a", 0.0)]).to_json()
            {'log_probability': 0.0, 'tokens': 1, 'perplexity': 1.0}
        """
        del alignments
        values: dict[str, Any] = {
            "log_probability": self.log_probability,
            "tokens": len(self.tokens),
            "perplexity": self.perplexity,
        }
        if tokens:
            values["token_scores"] = [token._asdict() for token in self.tokens]
        if self.notes:
            values["notes"] = list(self.notes)
        finite: dict[str, Any] = make_finite(values)
        return finite

    def _repr_html_(self) -> str:
        total = ("log-probability", "tokens", "perplexity")
        values = (self.log_probability, len(self.tokens), self.perplexity)
        return table_html(total, [values]) + table_html(ScoredToken._fields, self.tokens)


def score_text(text: str, tokens: Sequence[ScoredToken], notes: Sequence[str] = ()) -> ScoredText:
    """A text with the scores of its tokens.

    Args:
        text: as it was given.
        tokens: at least one.
        notes: what the model does not read of the inputs.
    """
    log_probability = math.fsum(token.log_probability for token in tokens)
    answer = Answer(text, math.exp(log_probability / len(tokens)), log_probability)
    return ScoredText([answer], notes=notes, tokens=tokens)


def score_tokens(tokens: Sequence[str], log_probs: Array) -> list[ScoredToken]:
    """Tokens with their log-probabilities.

    Args:
        tokens: as they are written.
        log_probs: `(time,)`, of these tokens and perhaps of padding behind them.
    """
    values = log_probs[: len(tokens)].astype(float).tolist()
    return [ScoredToken(*pair) for pair in zip(tokens, values, strict=True)]
