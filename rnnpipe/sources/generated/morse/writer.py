"""Texts as WAV files of Morse code, with a table of what they say."""

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.audio import make_wav
from rnnpipe.sources.generated.morse.signal import add_noise, key_text, render_tone
from rnnpipe.sources.generated.morse.texts import sample_texts
from rnnpipe.sources.splits import Split

TABLE = "utterances.csv"
HELD_OUT = 0.1
"""Utterances of validation, and of test, for each one of training."""

_SOUNDS = "sounds"
_SILENCE = (0.1, 0.4)  # seconds before the first mark, and after the last
_VOLUMES = (0.2, 0.9)  # the largest sample
_PROGRESS_EVERY = 100


@dataclass(frozen=True, slots=True)
class Transmission:
    """How texts are sent; see `MorseCode`.

    Args:
        most_words: of a text.
        speeds: the slowest and the fastest, in words per minute.
        pitches: the lowest and the highest, in Hz.
        jitter: see `key_text`.
        snr: of the signal, in dB, see `add_noise`.
        test_snrs: those at which each text of the test split is sent; None: `snr` alone.
        rate: samples per second.
    """

    most_words: int
    speeds: tuple[float, float]
    pitches: tuple[float, float]
    jitter: float
    snr: float
    test_snrs: Sequence[float] | None
    rate: int


def write_morse(
    folder: Path,
    utterances: int,
    how: Transmission,
    *,
    seed: int,
    progress: Callable[[int, int], None],
) -> None:
    """Writes texts in Morse code, each as a WAV file, and a table of the files.

    The same arguments give the same bytes. A file depends on `seed`, its text and its own number
    only, and its keying, speed and pitch not on the noise.

    Args:
        folder: where to write; it is there.
        utterances: how many for training; a tenth of them each for validation and test on top.
        how: how they are sent.
        seed: of everything that is drawn at random.
        progress: called with how many of how many texts are done.
    """
    (folder / _SOUNDS).mkdir()
    held_out = max(round(utterances * HELD_OUT), 2)
    counts: dict[Split, int] = {"train": utterances, "validation": held_out, "test": held_out}
    texts = sample_texts(counts, how.most_words, random.Random(f"{seed}/texts"))
    numbered = list(enumerate(((split, t) for split in counts for t in texts[split]), start=1))
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "split", "text", "speaker", "words_per_minute", "pitch", "snr"])
        for number, (split, text) in numbered:
            for row, samples in _send(number, split, text, how, seed):
                (folder / row[0]).write_bytes(make_wav(samples, how.rate))
                table.writerow(row)
            if number % _PROGRESS_EVERY == 0 or number == len(numbered):
                progress(number, len(numbered))


def _send(
    number: int, split: Split, text: str, how: Transmission, seed: int
) -> Iterator[tuple[list[Any], np.ndarray[Any, Any]]]:
    """The rows of a text in the table, with the samples of each: one for each level of noise."""
    rng = np.random.default_rng(list(f"{seed}/{number}".encode()))
    speed, pitch, volume = (rng.uniform(*r) for r in (how.speeds, how.pitches, _VOLUMES))
    before, after = rng.uniform(*_SILENCE, size=2)
    marks = before + key_text(text, words_per_minute=speed, jitter=how.jitter, rng=rng)
    tone = render_tone(marks, pitch=pitch, rate=how.rate, seconds=marks[-1, 1] + after)
    noisier = how.test_snrs if split == "test" else None
    for level, snr in enumerate([how.snr] if noisier is None else noisier):
        # Metrics are stated by speaker: so they are by level of noise.
        name, speaker = f"{number:06d}", "" if noisier is None else f"snr {snr:g} dB"
        if noisier is not None:
            name += f"-{level}"
        noise = np.random.default_rng(list(f"{seed}/{number}/noise {snr:g}".encode()))
        heard = add_noise(tone, snr, noise)
        row = [f"{_SOUNDS}/{name}.wav", split, text, speaker, f"{speed:.1f}", f"{pitch:.0f}"]
        yield [*row, f"{snr:g}"], heard * (volume / abs(heard).max())
