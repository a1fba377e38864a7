"""Translations of many sentences by beam search, in batches of similar length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnnpipe import ops
from rnnpipe.parts.search import BeamSearchOptions, FindToken
from rnnpipe.tasks.batching import batch_by_length, pad_tokens
from rnnpipe.tasks.beam_decoder import Hypothesis, read_hypotheses
from rnnpipe.tasks.constraints import repeat_for_batch
from rnnpipe.tasks.network import Arrays, Function
from rnnpipe.tasks.search_function import Decode, Phrases, Tensors
from rnnpipe.tasks.translation.config import TranslationSearchOptions
from rnnpipe.text.tokens import PAD

if TYPE_CHECKING:
    from rnnpipe.decoding import Decoded

_ALWAYS = 10  # tokens that a translation may have whatever its source


def make_decode(find_token: FindToken) -> Decode:
    """The search for translations from a step on.

    Args:
        find_token: the id of a token that the constraints name.
    """

    def decode(
        step: Any,
        state: Any,
        tensors: Tensors,
        options: TranslationSearchOptions,
        prefix: tuple[int, ...],
        required: Phrases,
    ) -> Decoded:
        source = tensors["source"]
        mask = ops.not_equal(source, PAD)
        return options.search(
            step,
            state,
            max_lengths=_limit(mask, options.max_ratio, len(prefix) + sum(map(len, required))),
            memory_mask=mask,
            constraints=options.constraints.make(find_token, repeat_for_batch(prefix, source)),
            required_phrases=repeat_for_batch(required, source),
        )

    return decode


def _limit(mask: Any, ratio: float | None, asked: int) -> Any:
    """Tokens of each translation at most, `(batch,)`."""
    if ratio is None:
        return None
    tokens = ops.sum(ops.cast(mask, "float32"), axis=1)
    return ops.cast(ratio * tokens, "int32") + _ALWAYS + asked


class TranslationSearch:
    """Finds the likeliest translations of tokens.

    Args:
        search: the function `search` of a translator's network.
        options: of that search.
        batch_size: how many sentences are searched together.
    """

    def __init__(self, search: Function, options: BeamSearchOptions, batch_size: int) -> None:
        self._search, self._options, self._batch_size = search, options, batch_size

    def __call__(self, sources: Sequence[Sequence[int]]) -> list[list[Hypothesis]]:
        """The translations of each source, the best first; a source has at least one token.

        Alignments are `(target_time, source_time)`, of the first glimpse.
        """
        translations: list[list[Hypothesis]] = [[] for _ in sources]
        for rows in batch_by_length([len(source) for source in sources], self._batch_size):
            batch = [sources[row] for row in rows]
            outputs = self._search({"source": pad_tokens(batch)})
            found = read_translations(outputs, batch, self._options)
            for row, hypotheses in zip(rows, found, strict=True):
                translations[row] = hypotheses
        return translations


def read_translations(
    outputs: Arrays, sources: Sequence[Sequence[int]], options: BeamSearchOptions
) -> list[list[Hypothesis]]:
    """The translations of each source of a batch, the best first.

    Args:
        outputs: of the function `search` of a translator's network.
        sources: the tokens of the batch, without padding.
        options: of that search.
    """
    mask = pad_tokens(sources) != PAD
    return [
        [
            replace(one, alignment=one.alignment[:, 0, : len(source)])
            for one in read_hypotheses(outputs, place, options, mask[place])
        ]
        for place, source in enumerate(sources)
    ]
