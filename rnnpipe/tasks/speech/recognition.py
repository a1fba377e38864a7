"""The texts of many recordings, batch by batch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.models.speech_recognizer import CTC, FEATURES, LENGTHS
from rnnpipe.tasks.beam_decoder import check_n_best
from rnnpipe.tasks.network import Array, Arrays, Network
from rnnpipe.tasks.shallow_fusion import FUSED
from rnnpipe.tasks.speech.decoding import count_steps, decode_ctc, read_search
from rnnpipe.tasks.speech.transcripts import Transcript

if TYPE_CHECKING:
    from rnnpipe.tasks.speech.config import SpeechSearchOptions


class Recognizer:
    """Finds the texts of recordings.

    Args:
        network: the functions of the model: `call` has CTC's logits, `search` the texts of a
            decoder, and `language_model` the scores of tokens beside CTC.
        options: of the search.
        frames_of_step: the frames of a step of the model.
    """

    def __init__(self, network: Network, options: SpeechSearchOptions, frames_of_step: int) -> None:
        self._network, self._options, self._frames = network, options, frames_of_step
        self.seconds = 0.0
        """How long it has taken, once it was compiled."""

    def count(self, n_best: int | None) -> int:
        """How many texts a recording has; see `check_n_best`."""
        return check_n_best(n_best, self._options.beam_width, self._options.n_best)

    def __call__(self, batches: Iterable[Mapping[str, Any]]) -> list[list[Transcript]]:
        """The texts of each recording, the best first; none of a model that has diverged.

        Args:
            batches: of `features` and `lengths`.
        """
        transcripts: list[list[Transcript]] = []
        for batch in batches:
            arrays = {name: np.asarray(batch[name]) for name in (FEATURES, LENGTHS)}
            if not transcripts:
                self.compute(arrays)
            start = time.perf_counter()
            transcripts += self.decode(self.compute(arrays), arrays[LENGTHS])
            self.seconds += time.perf_counter() - start
        return transcripts

    def compute(self, arrays: Arrays, *, n_best: int | None = None) -> Arrays:
        """What the functions of the network compute of a batch.

        Args:
            arrays: `features` and `lengths`.
            n_best: texts of each recording; None: as the options have it.
        """
        outputs: dict[str, Array] = {}
        for name, function in self._network.items():
            if name == "call":
                outputs |= function(arrays)
            elif name == "search":
                outputs |= function(arrays, n_best=n_best)
        return outputs

    def decode(
        self, outputs: Arrays, lengths: Any, *, n_best: int | None = None
    ) -> Sequence[list[Transcript]]:
        """The texts of a batch.

        Args:
            outputs: of `compute`.
            lengths: in frames, `(batch,)`.
            n_best: texts of each recording; None: as the options have it.
        """
        steps = count_steps(lengths, self._frames)
        options = self._options if n_best is None else replace(self._options, n_best=n_best)
        if "search" in self._network:
            return read_search(outputs, steps, options)
        return decode_ctc(outputs[CTC], steps, options, self._network.get(FUSED))

    def check_stream(self) -> None:
        """Checks that the words of greedy search are those of the options.

        Raises:
            UserError: a language model takes part in their search.
        """
        if self._options.language_model is not None:
            expected = "null for streams, whose search is greedy"
            fix = "remove it, or leave out --stream"
            where = "evaluate.search.language_model"
            raise UserError(where, expected, "a language model", fix)
