"""A text, shaded by the attention of a classifier."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from rnnpipe.report.items import Span
from rnnpipe.report.text_heatmap import attention_spans
from rnnpipe.text.tokenizer import Tokenizer

Row = Mapping[str, Any]
Keep = Literal["start", "end"]


def highlight_text(
    alignments: np.ndarray | None, row: Row, tokenizer: Tokenizer, keep: Keep
) -> list[Span]:
    """A record's text, shaded by attention.

    Args:
        alignments: `(glimpses, tokens)`; None: nothing is shaded.
        row: `text` and `tokens`.
        tokenizer: made the tokens of the text.
        keep: which part of a text that was cut the tokens are.
    """
    tokens, pieces = row["tokens"], tokenizer.split(row["text"])
    cut = len(pieces) > len(tokens)
    pieces = pieces[: len(tokens)] if keep == "start" else pieces[-len(tokens) :]
    spans, more = attention_spans(pieces, alignments), [Span(" …")] * cut
    return [*spans, *more] if keep == "start" else [*more, *spans]
