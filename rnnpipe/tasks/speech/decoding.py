"""Texts of the outputs of a recognizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.decoding.ctc import ctc_align, ctc_beam_search, ctc_greedy_search
from rnnpipe.models.speech_recognizer import CTC
from rnnpipe.ops import numpy_operations
from rnnpipe.tasks.beam_decoder import read_hypotheses
from rnnpipe.tasks.network import Array, Arrays, Function, softmax
from rnnpipe.tasks.shallow_fusion import make_prefix_scores
from rnnpipe.tasks.speech.transcripts import Transcript

if TYPE_CHECKING:
    from rnnpipe.tasks.speech.config import SpeechSearchOptions


def count_steps(frames: Any, frames_of_step: int) -> Array:
    """The steps of so many frames, of which the last may be incomplete, int32.

    Example:
        >>> count_steps([8, 9], 4).tolist()
        [2, 3]
    """
    return (-(-np.asarray(frames) // frames_of_step)).astype("int32")


def decode_ctc(
    logits: Array,
    steps: Array,
    options: SpeechSearchOptions,
    language_model: Function | None = None,
) -> list[list[Transcript]]:
    """The texts of each recording by CTC, the best first; none where the logits have NaN.

    Args:
        logits: `(batch, time, vocab)`.
        steps: how many of them are of the recording, `(batch,)`.
        options: of the search.
        language_model: the function of that name that takes part in it.
    """
    if options.beam_width == 1:
        decoded = ctc_greedy_search(logits, steps)
    else:
        fused = language_model and make_prefix_scores(language_model, len(logits))
        with numpy_operations():
            decoded = ctc_beam_search(
                logits,
                steps,
                beam_width=options.beam_width,
                n_best=options.n_best,
                language_model=fused,
            )
    transcripts: list[list[Transcript]] = []
    for row, scores in enumerate(decoded.scores):
        transcripts.append([])
        for rank in np.flatnonzero(np.isfinite(scores)):
            tokens = decoded.ids[row, rank, : decoded.lengths[row, rank]].tolist()
            probability = np.exp(decoded.log_probs[row, rank] / max(len(tokens), 1))
            found = Transcript(tokens, float(scores[rank]), float(probability))
            transcripts[-1].append(found)
    return [_find_times(each, *row) for each, *row in zip(transcripts, logits, steps, strict=True)]


def read_search(
    outputs: Arrays, steps: Array, options: SpeechSearchOptions
) -> list[list[Transcript]]:
    """The texts of each recording by a decoder, the best first; none where it has diverged.

    Args:
        outputs: of the function `search`, and the logits of CTC where the model has it.
        steps: how many of the time axis are of the recording, `(batch,)`.
        options: of the search.
    """
    transcripts = []
    for row, count in enumerate(steps.tolist()):
        found = [
            Transcript(
                one.tokens, one.score, one.probability, alignment=one.alignment[:, 0, :count]
            )
            for one in read_hypotheses(outputs, row, options)
        ]
        if CTC in outputs:
            found = _find_times(found, outputs[CTC][row], count)
        elif found:
            found[0] = _follow_attention(found[0])
        transcripts.append(found)
    return transcripts


def _find_times(transcripts: Sequence[Transcript], logits: Array, steps: int) -> list[Transcript]:
    """The same with the spans and confidences of the best, by the likeliest path of CTC."""
    if not transcripts:
        return []
    best, *others = transcripts
    tokens = np.array([best.tokens], "int32").reshape(1, -1)
    spans = ctc_align(logits[None], np.array([steps]), tokens, np.array([tokens.size])).spans[0]
    probabilities = softmax(logits)
    pairs = zip(spans.tolist(), best.tokens, strict=True)
    confidences = [
        float(probabilities[slice(*span), token].max(initial=0)) for span, token in pairs
    ]
    return [best.located(spans.tolist(), confidences), *others]


def _follow_attention(transcript: Transcript) -> Transcript:
    """The same with spans where each token attends the most."""
    alignment = transcript.alignment
    assert alignment is not None
    places = alignment.argmax(axis=1).tolist() if alignment.shape[1] else []
    spans = [(place, place + 1) for place in places]
    return transcript.located(spans, [transcript.probability] * len(spans))
