"""Seconds of sound a second that a build of speech decodes and writes, and the memory it takes.

    python -m tools.bench.audio                        # speed, on 3 hours of made-up sound
    python -m tools.bench.audio --utterances 200       # for a look
    python -m tools.bench.audio --rate 44100           # raw data to be resampled to 16,000
    python -m tools.bench.audio --features             # log-mel features in the place of samples
    python -m tools.bench.audio --memory 2 60          # peak memory by minutes of a recording

The work: decode FLAC files of 4 to 14 seconds, resample them to 16,000 samples per second where
theirs are others, cut texts into characters, serialise and write TFRecord shards. The ways to do
it: a plain loop; a `multiprocessing.Pool` of two whose workers write a shard each; and the build's
second pass with one worker and with two. Peak memory is that of a fresh process that cuts a
recording of so many minutes into utterances of ten seconds.
"""

import argparse
import csv
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import av
import numpy as np

from rnnpipe.audio import LogMelOptions
from rnnpipe.records.codec import encode_example
from rnnpipe.records.layout import shard_name
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.audio.utterances import Utterance, refer_utterance
from rnnpipe.sources.source import Reference
from rnnpipe.text.tokenizer import train_tokenizer
from rnnpipe.transforms.passes.shuffle import Shuffle
from rnnpipe.transforms.passes.splits import Splitter, order_in_shard
from rnnpipe.transforms.passes.write import WriteShards
from rnnpipe.transforms.recipes.base import Encoded
from rnnpipe.transforms.recipes.speech import SpeechRecipe
from rnnpipe.transforms.recipes.speech_encoder import SpeechEncoder
from tools.bench.competitors import LOOP, ONE, POOL, TWO, compare, loop, pool, run

SPLITTER = Splitter({}, 0)
SHORTEST, LONGEST = 4, 14
DISTINCT, PER_SHARD = 40, 50
RATE, SPAN = 16_000, 10
TEXT = "a sentence of about eighty characters is what somebody says in so many seconds"


@dataclass(frozen=True)
class Work:
    """What every way has to do.

    Args:
        source: the raw data, all of it in `train`.
        encoder: makes the records.
        shards: how many files to write.
        folder: where.
    """

    source: UtteranceTable
    encoder: SpeechEncoder
    shards: int
    folder: Path

    def write(self, shard: int, references: list[Reference]) -> None:
        """Encodes and writes one shard."""
        spec = self.encoder.recipe.spec
        records = (
            encode_example(spec, outcome.values)
            for _, outcome in self.encoder.encode_all(sorted(references, key=order_in_shard))
            if isinstance(outcome, Encoded)
        )
        write_tfrecord(self.folder / shard_name(spec.name, "train", shard, self.shards), records)


def build(work: Work, workers: int) -> None:
    """The second pass of a build."""
    spec, shards = work.encoder.recipe.spec, {"train": work.shards}

    def write(shuffle: Shuffle) -> WriteShards:
        source, encoder, folder = work.source, work.encoder, work.folder
        return WriteShards(source, SPLITTER, shards, spec, encoder, folder, shuffle=shuffle)

    run(write, work, workers)


WAYS: Mapping[str, Callable[[Work], None]] = {
    LOOP: loop,
    POOL: pool,
    ONE: lambda work: build(work, 1),
    TWO: lambda work: build(work, 2),
}


def make_encoder(features: bool) -> SpeechEncoder:
    """The encoder of samples, or of log-mel features."""
    words = dict.fromkeys(TEXT.split(), 1)
    tokenizer = train_tokenizer(words, kind="char", vocabulary=64)
    return SpeechEncoder(SpeechRecipe(features=LogMelOptions() if features else None), tokenizer)


def draw_seconds(seconds: int, rate: int, seed: int) -> Iterator[np.ndarray]:
    """Noise that comes and goes as syllables do, a second at a time, int16 `(1, samples)`."""
    rng = np.random.default_rng(seed)
    times = np.arange(rate) / rate
    for _ in range(seconds):
        envelope = 0.05 + np.sin(np.pi * 4 * times) ** 2
        noise = np.convolve(rng.normal(size=rate), np.ones(8) / 8, "same")
        yield (6000 * envelope * noise).clip(-32768, 32767).astype(np.int16)[None]


def write_flac(path: Path, seconds: int, rate: int, seed: int) -> Path:
    """Writes a FLAC file of noise."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=rate, layout="mono")
        for number, samples in enumerate(draw_seconds(seconds, rate, seed)):
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate, number * rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_raw(folder: Path, utterances: int, rate: int) -> tuple[UtteranceTable, int]:
    """Recordings under so many names with a table, and how many seconds of sound they are."""
    folder.mkdir(parents=True)
    lengths = np.random.default_rng(1).integers(SHORTEST, LONGEST + 1, DISTINCT).tolist()
    originals = [
        (write_flac(folder / f"original{number}.flac", seconds, rate, number), seconds)
        for number, seconds in enumerate(lengths)
    ]
    total = 0
    with (folder / "utterances.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "text"])
        for number, (path, seconds) in enumerate(islice(cycle(originals), utterances)):
            (folder / f"{number:06d}.flac").symlink_to(path.name)
            rows.writerow([f"{number:06d}.flac", TEXT])
            total += seconds
    return UtteranceTable(path=folder), total


def measure_speed(options: argparse.Namespace, folder: Path) -> None:
    """Times every way interleaved and prints the best of each."""
    source, seconds = write_raw(folder / "raw", options.utterances, options.rate)
    (folder / "out").mkdir()
    shards = -(-options.utterances // PER_SHARD)
    work = Work(source, make_encoder(options.features), shards, folder / "out")
    compare(WAYS, work, seconds, "seconds of sound", options.rounds)


def measure_memory(path: Path, minutes: int) -> None:
    """Cuts a recording into utterances and prints the highest memory."""
    encoder, samples = make_encoder(features=False), 0
    for start in range(0, 60 * minutes, SPAN):
        utterance = Utterance(path.name, str(path), TEXT, start, start + SPAN)
        values = encoder.encode(refer_utterance(utterance)).values
        samples += len(values["samples"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {minutes} | {samples / RATE:,.0f} | {peak:,.0f} |", flush=True)


def main() -> None:
    """Prints a line for each way, or for each length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--utterances", type=int, default=1200)
    parser.add_argument("--rate", type=int, default=RATE, help="samples per second of the files")
    parser.add_argument("--features", action="store_true")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--memory", type=int, nargs="+", metavar="MINUTES")
    parser.add_argument("--recording", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.recording:
        measure_memory(options.recording, *options.memory)
        return
    folder = Path(tempfile.mkdtemp(prefix="bench-audio-"))
    try:
        if not options.memory:
            measure_speed(options, folder)
            return
        print("| minutes | seconds of sound | highest memory, MiB |\n" + "| --- " * 3 + "|")
        for minutes in options.memory:
            path = write_flac(folder / f"{minutes}.flac", 60 * minutes, RATE, minutes)
            again = ["--recording", str(path), "--memory", str(minutes)]
            subprocess.run([sys.executable, "-m", "tools.bench.audio", *again], check=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
