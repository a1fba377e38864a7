"""Which texts CTC can write at all: those with no more tokens than their recording has steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rnnpipe.audio import LogMel, LogMelOptions
from rnnpipe.errors import UserError
from rnnpipe.output import write_notice
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.speech.decoding import count_steps

_FIX = "lower model.subsampling.stride or depth, or take data.text.tokenizer unigram or word"


def check_feasibility(
    records: RecordsDirectory, log_mel: LogMelOptions, frames_of_step: int
) -> None:
    """Reports how many training texts need more steps than their recordings have.

    Args:
        records: the records.
        log_mel: the features that the model reads.
        frames_of_step: the frames of a step of the model.

    Raises:
        UserError: all of them do, so that nothing can be learned.
    """
    count_frames, total, infeasible = LogMel(log_mel).count_frames, 0, 0
    for record in records.read("train", ["duration", "tokens"]):
        frames = count_frames(round(record["duration"] * log_mel.rate))
        steps = int(count_steps(frames, frames_of_step))
        infeasible += count_needed_steps(record["tokens"]) > steps
        total += 1
    if not infeasible:
        return
    if infeasible == total:
        expected = "training texts with no more tokens than their recordings have steps"
        raise UserError("model.subsampling", expected, "none", _FIX)
    write_notice(
        f"{infeasible:,} of {total:,} training texts have more tokens than their recordings have "
        f"steps, and are not learned by CTC: {_FIX}"
    )


def count_needed_steps(tokens: Sequence[int]) -> int:
    """The steps that a path of CTC needs: one for each token, and a blank between equal ones.

    Example:
        >>> count_needed_steps([4, 4, 5])
        4
    """
    return len(tokens) + sum(a == b for a, b in pairwise(tokens))
