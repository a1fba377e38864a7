"""The second pass: every shard is read, encoded, sorted and written as a whole by one worker."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics

from rnnpipe.errors import BadRecord, DeadLetter
from rnnpipe.records.codec import encode_example
from rnnpipe.records.layout import shard_name
from rnnpipe.records.specs import RecordSpec
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.sources.source import Reference, Source
from rnnpipe.transforms.parcels import EMPTY, Parcels, unpack
from rnnpipe.transforms.recipe import Dropped, Encoder
from rnnpipe.transforms.splits import Splitter, order_in_shard, shard_of

_RESULTS = "shard-results"

# What a cluster's own page shows while it works.
_WRITTEN = Metrics.counter("rnnpipe", "records_written")
_DEAD = Metrics.counter("rnnpipe", "dead_letters")
_SECOND = BadRecord("check key", "a second record with this key")

ShardKey = tuple[str, int]


@dataclass
class ShardResult:
    """What came of one shard; it lies as a file beside the shard until the build is published.

    Args:
        split: the shard's split.
        shard: its number in the split.
        records: how many records it holds.
        num_bytes: its size on disk, in bytes.
        dead_letters: the raw records that were left out of it.
        dropped: how many sound records were left out, by reason.
        histograms: how often each value of each measure occurred.
    """

    split: str
    shard: int
    records: int = 0
    num_bytes: int = 0
    dead_letters: list[DeadLetter] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    histograms: dict[str, Counter[int]] = field(default_factory=dict)


class WriteShards(beam.PTransform):
    """Pieces of raw data → finished shards in `folder`, a `ShardResult` beside each.

    Only references travel between workers; what they refer to is read where it is written.

    Args:
        source: reads the pieces.
        splitter: says which split a reference belongs to.
        shards: how many shards each split has.
        spec: the kind of record.
        encoder: makes records of references.
        folder: where the shards go.
        drops: the keys of records to leave out, with the reason.
    """

    def __init__(
        self,
        source: Source,
        splitter: Splitter,
        shards: Mapping[str, int],
        spec: RecordSpec,
        encoder: Encoder,
        folder: Path,
        drops: Mapping[str, str],
    ) -> None:
        super().__init__()
        self._source, self._splitter, self._shards = source, splitter, dict(shards)
        self._writer = ShardWriter(self._shards, spec, encoder, folder, drops)

    def expand(self, pieces: Any) -> Any:
        """Applies the transform; Beam calls it."""
        (self._writer.folder / _RESULTS).mkdir(exist_ok=True)
        references = (
            pieces
            | "Read" >> beam.FlatMap(self._source.read)
            | "Assign" >> beam.FlatMap(_assign, self._splitter, self._shards)
            | "Parcels" >> Parcels(ShardKey)
        )
        # A shard that no record hashes to is written too, empty: the names say how many there are.
        every_shard = pieces.pipeline | "EveryShard" >> beam.Create(
            [((split, shard), EMPTY) for split, n in self._shards.items() for shard in range(n)]
        )
        return (
            (references, every_shard)
            | "Merge" >> beam.Flatten()
            | "Gather" >> beam.GroupByKey()
            | "Write" >> beam.Map(self._writer.write)
        )


def _assign(
    raw: Reference | DeadLetter, splitter: Splitter, shards: Mapping[str, int]
) -> Iterator[tuple[ShardKey, Reference]]:
    if isinstance(raw, Reference):
        split = splitter.split_of(raw)
        held_out = raw if raw.part == split else replace(raw, part=split)
        yield (split, shard_of(raw, shards[split])), held_out


@dataclass(frozen=True, slots=True)
class ShardWriter:
    """Writes shards, on whichever worker it has travelled to.

    Args:
        shards: how many shards each split has.
        spec: the kind of record.
        encoder: makes records of references.
        folder: where the shards go.
        drops: the keys of records to leave out, with the reason.
    """

    shards: Mapping[str, int]
    spec: RecordSpec
    encoder: Encoder
    folder: Path
    drops: Mapping[str, str]

    def write(self, gathered: tuple[ShardKey, Iterable[bytes]]) -> None:
        """Reads, encodes and writes what was gathered for one shard, sorted, and its result."""
        (split, shard), parcels = gathered
        result = ShardResult(split, shard)
        ordered = sorted(unpack(parcels), key=order_in_shard)
        path = self.folder / shard_name(self.spec.name, split, shard, self.shards[split])
        result.num_bytes = write_tfrecord(path, self._encode(ordered, result))
        _write_result(self.folder, result)
        _WRITTEN.inc(result.records)
        _DEAD.inc(len(result.dead_letters))

    def _encode(self, references: list[Reference], result: ShardResult) -> Iterator[bytes]:
        previous = None
        measures: defaultdict[str, list[int]] = defaultdict(list)
        for reference, outcome in self.encoder.encode_all(self._wanted(references, result)):
            if isinstance(outcome, Dropped):
                result.dropped[str(outcome)] += 1
                continue
            if reference.key == previous:
                result.dead_letters.append(_dead(reference, _SECOND))
                continue
            if isinstance(outcome, BadRecord):
                result.dead_letters.append(_dead(reference, outcome))
                continue
            previous = reference.key
            result.records += 1
            for name, value in outcome.measures.items():
                measures[name].append(value)
            yield encode_example(self.spec, outcome.values)
        # Counting all values at once takes a tenth of the time that one by one takes.
        result.histograms = {name: Counter(values) for name, values in measures.items()}

    def _wanted(self, references: list[Reference], result: ShardResult) -> Iterator[Reference]:
        for reference in references:
            if reference.key in self.drops:
                result.dropped[self.drops[reference.key]] += 1
            else:
                yield reference


def _dead(reference: Reference, bad: BadRecord) -> DeadLetter:
    return DeadLetter(reference.key, reference.group, bad.step, bad.reason)


def _write_result(folder: Path, result: ShardResult) -> None:
    path = folder / _RESULTS / f"{result.split}-{result.shard:05d}.json"
    temporary = path.with_suffix(".writing")
    letters = [asdict(letter) for letter in result.dead_letters]
    temporary.write_text(json.dumps({**vars(result), "dead_letters": letters}))
    temporary.replace(path)


def read_results(folder: Path) -> list[ShardResult]:
    """The results of all shards finished so far, by split and shard."""
    results = []
    for path in sorted(find_results(folder)):
        content = json.loads(path.read_text())
        content["dead_letters"] = [DeadLetter(**letter) for letter in content["dead_letters"]]
        content["dropped"] = Counter(content["dropped"])
        content["histograms"] = {
            name: Counter({int(value): count for value, count in histogram.items()})
            for name, histogram in content["histograms"].items()
        }
        results.append(ShardResult(**content))
    return results


def find_results(folder: Path) -> set[Path]:
    """The results of all shards finished so far, as files."""
    return set((folder / _RESULTS).glob("*.json"))


def remove_results(folder: Path) -> None:
    """Removes the results, once they are summed up: they are not part of the data set."""
    for path in (folder / _RESULTS).iterdir():
        path.unlink()
    (folder / _RESULTS).rmdir()
