"""The words of a recording while it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from rnnpipe.decoding.ctc.word_times import SPACE
from rnnpipe.models.speech_recognizer import CTC, FEATURES, LENGTHS
from rnnpipe.tasks.network import Arrays, Function
from rnnpipe.tasks.speech.transcripts import Array, split_pieces
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import PAD


def stream_logits(step: Function, features: Iterable[Array], frames: int) -> Iterator[Array]:
    """The logits of each step, `(vocab,)`.

    Args:
        step: the function `step` of a network, see `make_step`.
        features: of the recording, in pieces of any lengths, `(frames, mels)`.
        frames: of a step.

    Raises:
        UserError: the network needs the whole recording.
    """
    states: Arrays = {}

    def run(piece: Array, length: int) -> Array:
        nonlocal states
        arrays = {FEATURES: piece[None], LENGTHS: np.array([length], "int32"), **states}
        outputs = step(arrays)
        states = {name: array for name, array in outputs.items() if name != CTC}
        logits: Array = outputs[CTC][0]
        return logits

    rest: Array | None = None
    for piece in features:
        rest = piece if rest is None else np.concatenate([rest, piece])
        while len(rest) >= frames:
            yield run(rest[:frames], frames)
            rest = rest[frames:]
    if rest is not None and len(rest):
        padding = [(0, frames - len(rest)), (0, 0)]
        yield run(np.pad(rest, padding), len(rest))


def stream_words(
    step: Function,
    features: Iterable[Array],
    tokenizer: Tokenizer,
    frames: int,
    seconds: float,
) -> Iterator[str]:
    """A line for each word, with the time at which it begins, as soon as the next one begins.

    Each step has its likeliest token, as in greedy search.

    Args:
        step: see `stream_logits`.
        features: see `stream_logits`.
        tokenizer: of the texts.
        frames: of a step.
        seconds: of a step.
    """
    word: list[int] = []
    start, last = 0.0, PAD
    for number, logits in enumerate(stream_logits(step, features, frames)):
        token = int(np.argmax(logits))
        if token not in (PAD, last):
            (piece,) = split_pieces([token], tokenizer)
            if piece.startswith(SPACE):
                yield from _format(start, word, tokenizer)
                word = []
            if not tokenizer.decode(word):
                start = number * seconds
            word.append(token)
        last = token
    yield from _format(start, word, tokenizer)


def _format(start: float, word: Sequence[int], tokenizer: Tokenizer) -> Iterator[Any]:
    if text := tokenizer.decode(word):
        yield f"{start:8.2f} s  {text}\n"
