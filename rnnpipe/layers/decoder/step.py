"""A step of the attention decoder, as decoding takes it."""

from typing import TYPE_CHECKING, Any

from keras import ops, tree

from rnnpipe.layers.decoder.checks import check_tokens

if TYPE_CHECKING:
    from rnnpipe.layers.decoder.decoder import AttentionDecoder


class DecoderStep:
    """`step(tokens, state) -> (logits, state, alignments)`.

    Args:
        decoder: whose step it is.
        source: what is looked at, for each row; None where it is part of the state.
        tied: the kernel of tied logits, or None.
    """

    def __init__(self, decoder: "AttentionDecoder", source: Any, tied: Any) -> None:
        self.decoder, self.source, self.tied = decoder, source, tied

    def __call__(self, tokens: Any, state: Any) -> tuple[Any, Any, Any]:
        """Goes on by a token a row."""
        decoder = self.decoder
        check_tokens(decoder, tokens, rank=1)
        state, inside = state
        word = decoder.word(tokens)
        outputs, state = decoder.cell(word, state, inside if self.source is None else self.source)
        logits = decoder.logits(word, outputs, tied=self.tied)
        return logits, (state, inside), outputs.alignments

    def take(self, rows: Any) -> "DecoderStep":
        """The same step for these rows alone."""
        if self.source is None:
            return self
        source = tree.map_structure(lambda each: ops.take(each, rows, axis=0), self.source)
        return DecoderStep(self.decoder, source, self.tied)
