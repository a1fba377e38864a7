"""Records a second that a build encodes and writes, beside loops that do the same work.

    python -m tools.bench.build                       # 900,000 drawn pairs, minutes for each way
    python -m tools.bench.build --copies 2 --rounds 1 # 60,000 of them, for a look
    python -m tools.bench.build --path data/multi30k --from de --to en
    python -m tools.bench.build --parts               # the first pass too, and start and stop

The work: read parallel text, normalise both sides, cut them into the tokens of one and the same BPE
model, serialise and write TFRecord shards. The ways to do it: a plain loop; a
`multiprocessing.Pool` of two whose workers write a shard each; and the build's second pass with one
worker and with two. With `--parts` the build's first pass, which counts words and finds duplicates,
is timed separately, as are the seconds in which its pipeline does nothing but start and stop.
"""

import argparse
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam

from rnnpipe.records.codec import encode_example
from rnnpipe.records.layout import shard_name
from rnnpipe.records.specs import TEXT_PAIR
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.sources.generated.grammars import TranslationGrammar
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.transforms.passes.count import CountReferences
from rnnpipe.transforms.passes.shuffle import Shuffle
from rnnpipe.transforms.passes.splits import Splitter
from rnnpipe.transforms.passes.write import WriteShards
from rnnpipe.transforms.recipes.base import Encoded
from rnnpipe.transforms.recipes.text_pairs import PairTextOptions, TextPairEncoder, TextPairRecipe
from tools.bench.competitors import LOOP, ONE, POOL, TWO, compare, loop, pool, references_of, run

RECIPE = TextPairRecipe(text=PairTextOptions(tokenizer="bpe", vocabulary=8000, max_tokens=1000))
SPLITTER = Splitter({}, 0)


@dataclass(frozen=True)
class Work:
    """What every way has to do.

    Args:
        source: the raw text, all of it in `train`.
        encoder: makes the records.
        shards: how many files to write.
        folder: where.
    """

    source: Parallel
    encoder: TextPairEncoder
    shards: int
    folder: Path

    def write(self, shard: int, references: list[Reference]) -> None:
        """Encodes and writes one shard."""
        records = (
            encode_example(TEXT_PAIR, made.values)
            for _, made in self.encoder.encode_all(references)
            if isinstance(made, Encoded)
        )
        write_tfrecord(
            self.folder / shard_name(TEXT_PAIR.name, "train", shard, self.shards), records
        )


def build(work: Work, workers: int) -> None:
    """The second pass of a build."""
    shards, spec = {"train": work.shards}, TEXT_PAIR

    def write(shuffle: Shuffle) -> WriteShards:
        source, encoder, folder = work.source, work.encoder, work.folder
        return WriteShards(source, SPLITTER, shards, spec, encoder, folder, shuffle=shuffle)

    run(write, work, workers)


def counted(work: Work, workers: int) -> None:
    """The first pass of a build."""

    def count(shuffle: Shuffle) -> CountReferences:
        spread = workers > 1 and len(work.source.partitions()) < shuffle.buckets
        return CountReferences(work.source, RECIPE, SPLITTER, work.folder, spread, shuffle)

    run(count, work, workers)


def start(work: Work, workers: int) -> None:
    """A pipeline that does nothing."""
    run(lambda shuffle: beam.Map(type), work, workers)


WAYS: Mapping[str, Callable[[Work], None]] = {
    LOOP: loop,
    POOL: pool,
    ONE: lambda work: build(work, 1),
    TWO: lambda work: build(work, 2),
}
PARTS: Mapping[str, Callable[[Work], None]] = {
    "first pass, 1 worker": lambda work: counted(work, 1),
    "first pass, 2 workers": lambda work: counted(work, 2),
    "start and stop, 1 worker": lambda work: start(work, 1),
    "start and stop, 2 workers": lambda work: start(work, 2),
}


def prepare(options: argparse.Namespace, folder: Path) -> Parallel:
    """One part of raw text, several times over where it is asked for."""
    path = options.path
    if path is None:
        drawn = TranslationGrammar(path=folder / "drawn", pairs=30_000, seed=1)
        drawn.prepare(lambda done, total: None)
        path, options.from_, options.to = drawn.folder, "en", "velu"
    raw = Parallel(path=path, source=options.from_, target=options.to)
    sides: list[list[str]] = [[], []]
    for reference in references_of(raw):
        if reference.split == "train":
            for side, name in zip(sides, ("source", "target"), strict=True):
                side.append(reference.fields[name])
    (folder / "raw").mkdir()
    for side, language in zip(sides, "ab", strict=True):
        # A mark tells the copies of a sentence apart, so that they hash to different shards.
        lines = (f"{text} {copy}\n" for copy in range(options.copies) for text in side)
        (folder / "raw" / f"train.{language}").write_text("".join(lines))
    return Parallel(path=folder / "raw", source="a", target="b")


def main() -> None:
    """Prints a line for each way: the best of its rounds, interleaved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--path", type=Path)
    parser.add_argument("--from", dest="from_", default="de")
    parser.add_argument("--to", default="en")
    parser.add_argument("--copies", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--parts", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-build-"))
    try:
        source = prepare(options, folder)
        words: Counter[str] = Counter()
        references = references_of(source)
        for reference in references:
            words.update(word for _, word in RECIPE.count(reference))
        tokenizer = RECIPE.text.train(words)
        encoder = TextPairEncoder(
            RECIPE.text.max_tokens, {"source": tokenizer, "target": tokenizer}
        )
        (folder / "out").mkdir()
        work = Work(source, encoder, -(-len(references) // 1000), folder / "out")
        ways = {**WAYS, **PARTS} if options.parts else WAYS
        records = len(references)
        del references, reference  # the ways read for themselves
        compare(ways, work, records, "pairs", options.rounds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
