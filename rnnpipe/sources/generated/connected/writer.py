"""Recordings of single digits, joined to utterances of several and written as WAV files."""

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.audio import make_wav, to_float
from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.audio.decoding import read_sound
from rnnpipe.sources.audio.spoken_digits import DigitRecording
from rnnpipe.sources.splits import SPLITS, Split

TABLE = "utterances.csv"
HELD_OUT = 0.1
"""Utterances of validation, and of test, for each one of training."""

_SOUNDS = "sounds"
_VALIDATED = 5  # recordings of each digit and speaker, after those of the test split
_PROGRESS_EVERY = 100


@dataclass(frozen=True, slots=True)
class Joining:
    """How recordings are joined; see `ConnectedDigits`.

    Args:
        digits: the fewest and the most in an utterance.
        gaps: the shortest and the longest silence before, between and after them, in seconds.
        rate: samples per second.
    """

    digits: tuple[int, int]
    gaps: tuple[float, float]
    rate: int


def split_recordings(
    recordings: Sequence[DigitRecording],
) -> dict[Split, dict[str, list[DigitRecording]]]:
    """The recordings of each split, by their speakers: no recording is in two splits.

    The test split has those of the data set's own, validation the next five of each digit and
    speaker, training the others.
    """
    splits: dict[Split, dict[str, list[DigitRecording]]] = {split: {} for split in SPLITS}
    held_out: dict[tuple[str, str], int] = {}
    for each in recordings:
        split = each.split
        if split == "train" and held_out.setdefault((each.digit, each.speaker), 0) < _VALIDATED:
            held_out[each.digit, each.speaker] += 1
            split = "validation"
        splits[split].setdefault(each.speaker, []).append(each)
    return splits


def write_connected(
    folder: Path,
    recordings: Sequence[DigitRecording],
    utterances: int,
    how: Joining,
    *,
    seed: int,
    progress: Callable[[int, int], None],
) -> None:
    """Joins recordings at random, each result a WAV file, and writes a table of them.

    The same arguments give the same bytes. A file depends on `seed` and its own number only.

    Args:
        folder: where to write; it is there.
        recordings: what is joined; those of one speaker to each other.
        utterances: how many for training; a tenth of them each for validation and test on top.
        how: how they are joined.
        seed: of everything that is drawn at random.
        progress: called with how many of how many utterances are done.

    Raises:
        UserError: a recording cannot be read, or a split would have none.
    """
    splits = split_recordings(recordings)
    if missing := [split for split in splits if not splits[split]]:
        expected, got = "recordings for every split", f"none for {', '.join(missing)}"
        raise UserError(str(recordings[0].path.parent), expected, got, "add recordings")
    samples = {each.name: _read(each, how.rate) for each in recordings}
    (folder / _SOUNDS).mkdir()
    held_out = max(round(utterances * HELD_OUT), 2)
    counts: dict[Split, int] = {"train": utterances, "validation": held_out, "test": held_out}
    numbered = list(enumerate(chain(*([split] * counts[split] for split in counts)), start=1))
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "split", "text", "speaker", "recordings"])
        for number, split in numbered:
            rng = random.Random(f"{seed}/{number}")
            speaker = rng.choice(sorted(splits[split]))
            chosen = rng.choices(splits[split][speaker], k=rng.randint(*how.digits))
            name = f"{_SOUNDS}/{number:06d}.wav"
            sound = _join([samples[c.name] for c in chosen], how, rng)
            (folder / name).write_bytes(make_wav(sound, how.rate))
            words = " ".join(each.digit for each in chosen)
            table.writerow([name, split, words, speaker, ";".join(each.name for each in chosen)])
            if number % _PROGRESS_EVERY == 0 or number == len(numbered):
                progress(number, len(numbered))


def _join(
    recordings: Sequence[np.ndarray[Any, Any]], how: Joining, rng: random.Random
) -> np.ndarray[Any, Any]:
    """Recordings with silence before, between and after them, `(samples,)`."""

    def silence() -> np.ndarray[Any, Any]:
        return np.zeros(round(rng.uniform(*how.gaps) * how.rate), np.float32)

    return np.concatenate([silence(), *chain(*((each, silence()) for each in recordings))])


def _read(recording: DigitRecording, rate: int) -> np.ndarray[Any, Any]:
    try:
        chunks = [chunk.samples for chunk in read_sound(recording.path, rate)]
    except BadRecord as bad:
        fix = "download it again, or remove it"
        raise UserError(str(recording.path), "a recording", bad.reason, fix) from bad
    return to_float(np.concatenate(chunks))
