"""The search of a decoder for texts, alone or together with CTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnnpipe import ops
from rnnpipe.decoding import shallow_fusion
from rnnpipe.decoding.ctc import CTCStep
from rnnpipe.models.speech_recognizer import LENGTHS
from rnnpipe.parts.search import FindToken
from rnnpipe.tasks.search_function import Decode, Phrases, Tensors
from rnnpipe.text.tokens import END

if TYPE_CHECKING:
    from rnnpipe.decoding import Decoded
    from rnnpipe.tasks.speech.config import SpeechSearchOptions


def make_decode(find_token: FindToken) -> Decode:
    """The search for texts from a step on.

    Args:
        find_token: the id of a token that the constraints name.
    """

    def decode(
        step: Any,
        state: Any,
        tensors: Tensors,
        options: SpeechSearchOptions,
        prefix: tuple[int, ...],
        required: Phrases,
    ) -> Decoded:
        del prefix, required  # which recordings do not have
        return options.search(
            step,
            state,
            # No text has more tokens than its recording has frames.
            max_lengths=ops.cast(tensors[LENGTHS], "int32") + 1,
            constraints=options.constraints.make(find_token),
        )

    return decode


class JointStep:
    """A step of a decoder and CTC, all of whose tensors are part of its state.

    Of CTC these are the log-probabilities of the blank and the probabilities of the tokens: where
    exports pad them with zeros, the blank is certain.

    Args:
        step: of the decoder.
        ctc_weight: λ of the scores λ log P_CTC + (1 − λ) log P_decoder.
    """

    returns_scores = True

    def __init__(self, step: Any, ctc_weight: float) -> None:
        self._step, self._weights = step, [1 - ctc_weight, ctc_weight]

    def __call__(self, tokens: Any, state: Mapping[str, Any]) -> tuple[Any, ...]:
        """Reads a token in each row; see `make_state`."""
        log_probs = ops.concatenate([state["blank"], ops.log(state["tokens"])], axis=2)
        joint = shallow_fusion([self._step, CTCStep(log_probs, END, 1)], self._weights)
        before = state["decoder"], state["prefix"]
        scores, (decoder, prefix), *alignments = joint(tokens, before)
        return scores, {**state, "decoder": decoder, "prefix": prefix}, *alignments

    @staticmethod
    def make_state(decoder: Any, prefix: Any, log_probs: Any) -> dict[str, Any]:
        """The first state.

        Args:
            decoder: that of the decoder.
            prefix: that of CTC.
            log_probs: `(batch, steps, vocab)`, of which the blank is the first.
        """
        blank, tokens = log_probs[:, :, :1], ops.exp(log_probs[:, :, 1:])
        return {"decoder": decoder, "prefix": prefix, "blank": blank, "tokens": tokens}
