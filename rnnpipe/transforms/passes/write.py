"""The write pass: each shard is read, encoded, sorted and written whole by one worker."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby
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
from rnnpipe.transforms.passes.contents import Content, write_contents
from rnnpipe.transforms.passes.dead_letters import write_dead_letters
from rnnpipe.transforms.passes.duplicates import DUPLICATE, LEAK, Drop, read_drops
from rnnpipe.transforms.passes.external_sort import external_sort
from rnnpipe.transforms.passes.read_progress import read_raw
from rnnpipe.transforms.passes.scratch import is_stop_requested, partial_folder
from rnnpipe.transforms.passes.shard_results import ShardResult, make_results_folder, write_result
from rnnpipe.transforms.passes.shuffle import EMPTY_BATCH, BatchForShuffle, Shuffle, unbatch
from rnnpipe.transforms.passes.splits import Splitter, order_in_shard, shard_of
from rnnpipe.transforms.recipes.base import Dropped, Encoder

# What a cluster's own page shows while it works.
_WRITTEN = Metrics.counter("rnnpipe", "records_written")
_DEAD = Metrics.counter("rnnpipe", "dead_letters")
_SECOND = BadRecord("check key", "a second record with this key")
_NO_TEXT = BadRecord("encode record", "what it would hold as text is no Unicode")

ShardKey = tuple[str, int]


class WriteShards(beam.PTransform):
    """Partitions of the raw data → finished shards in `folder`, a `ShardResult` beside each.

    Only references are shuffled; their payloads are read by the worker that writes them.

    Args:
        source: reads the partitions.
        splitter: assigns references to splits.
        shards: how many shards each split has.
        spec: the kind of record.
        encoder: makes records of references.
        folder: where the shards go.
        drops: files that name the records to leave out.
        shuffle: how the references of a shard are grouped.
    """

    def __init__(
        self,
        source: Source,
        splitter: Splitter,
        shards: Mapping[str, int],
        spec: RecordSpec,
        encoder: Encoder,
        folder: Path,
        drops: Sequence[Path] = (),
        shuffle: Shuffle = Shuffle(),  # noqa: B008  # it is frozen
    ) -> None:
        super().__init__()
        self._source, self._splitter, self._shards = source, splitter, dict(shards)
        self._drops, self._shuffle = list(drops), shuffle
        self._writer = ShardWriter(self._shards, spec, encoder, folder)

    def expand(self, partitions: Any) -> Any:
        """Applies the transform; Beam calls it."""
        make_results_folder(self._writer.folder)
        root = partitions.pipeline
        references = (
            partitions
            | "Read" >> beam.FlatMap(partial(read_raw, self._source))
            | "Assign" >> beam.FlatMap(_assign, self._splitter, self._shards)
        )
        marks = (
            root
            | "DropFiles" >> beam.Create(self._drops)
            | "ReadDrops" >> beam.FlatMap(read_drops)
            | "AssignDrops" >> beam.Map(_assign_drop, self._shards)
        )
        # A shard without records is written too, empty: file names contain the number of shards.
        every_shard = (
            root
            | "Splits" >> beam.Create(list(self._shards.items()))
            | "EveryShard" >> beam.FlatMap(_empty_shards).with_output_types(tuple[ShardKey, bytes])
        )
        return (
            (
                references | "Batch" >> BatchForShuffle(ShardKey, self._shuffle),
                marks | "BatchDrops" >> BatchForShuffle(ShardKey, self._shuffle),
                every_shard,
            )
            | "Merge" >> beam.Flatten()
            | "Gather" >> beam.GroupByKey()
            | "Write" >> beam.Map(self._writer.write)
        )


def _assign(
    raw: Reference | DeadLetter, splitter: Splitter, shards: Mapping[str, int]
) -> Iterator[tuple[ShardKey, Reference]]:
    if isinstance(raw, Reference):
        split = splitter.split_of(raw)
        held_out = raw if raw.split == split else replace(raw, split=split)
        yield (split, shard_of(raw, shards[split])), held_out


def _assign_drop(mark: Drop, shards: Mapping[str, int]) -> tuple[ShardKey, Drop]:
    return ("train", shard_of(mark.record, shards["train"])), mark


def _empty_shards(split: tuple[str, int]) -> Iterator[tuple[ShardKey, bytes]]:
    name, shards = split
    for shard in range(shards):
        yield (name, shard), EMPTY_BATCH


@dataclass(frozen=True, slots=True)
class ShardWriter:
    """Writes shards, on any worker.

    Args:
        shards: how many shards each split has.
        spec: the kind of record.
        encoder: makes records of references.
        folder: where the shards go.
    """

    shards: Mapping[str, int]
    spec: RecordSpec
    encoder: Encoder
    folder: Path

    def write(self, gathered: tuple[ShardKey, Iterable[bytes]]) -> None:
        """Reads, encodes and writes what was gathered for one shard, sorted, and its result.

        Once the build is to stop it does nothing, so that the pipeline ends soon, on any runner.
        """
        if is_stop_requested(self.folder):
            return
        (split, shard), batches = gathered
        result, letters = ShardResult(split, shard), list[DeadLetter]()
        contents: list[Content] = []
        values = _settle(external_sort(unbatch(batches), key=_order))
        references = _without_dropped(values, result)
        path = self.folder / shard_name(self.spec.name, split, shard, self.shards[split])
        records = self._encode(references, result, letters, contents)
        written = write_tfrecord(path, records, partial_folder(self.folder))
        result.num_bytes, result.crc32c = written.num_bytes, written.crc32c
        result.dead_letters = len(letters)
        if letters:
            write_dead_letters(self.folder, f"{split}-{shard}", letters)
        if contents:
            write_contents(self.folder, split, shard, contents)
        # The result comes last: by it the shard is known to be finished.
        write_result(self.folder, result)
        _WRITTEN.inc(result.records)
        _DEAD.inc(len(letters))

    def _encode(
        self,
        references: Iterable[Reference],
        result: ShardResult,
        letters: list[DeadLetter],
        contents: list[Content],
    ) -> Iterator[bytes]:
        previous = unit = None
        measures: defaultdict[str, list[int]] = defaultdict(list)
        for reference, outcome in self.encoder.encode_all(references):
            if isinstance(outcome, Dropped):
                result.dropped[str(outcome)] += 1
                continue
            if reference.key == previous:
                letters.append(_dead(reference, _SECOND))
                continue
            if isinstance(outcome, BadRecord):
                letters.append(_dead(reference, outcome))
                continue
            try:
                record = encode_example(self.spec, outcome.values)
            except UnicodeEncodeError:
                letters.append(_dead(reference, _NO_TEXT))
                continue
            previous = reference.key
            if reference.unit != unit:
                contents += outcome.contents.items()
            unit = reference.unit
            result.records += 1
            for name, value in outcome.measures.items():
                measures[name].append(value)
            yield record
        # Counting all values at once takes a tenth of the time that one by one takes.
        result.histograms = {name: Counter(values) for name, values in measures.items()}


def _order(value: Reference | Drop) -> tuple[int, str, bool, bool]:
    """Marks come right before the record that they are about, that of a leak last."""
    if isinstance(value, Drop):
        return *order_in_shard(value.record), False, value.leak
    return *order_in_shard(value), True, True


def _settle(values: Iterable[Reference | Drop]) -> Iterator[Reference | Drop]:
    """Orders records with the same key by their content: they come in any order from workers."""
    for _, group in groupby(values, key=_identity):
        same = iter(group)
        first, second = next(same), next(same, None)
        if second is None:  # nearly always, and to describe the content takes its time
            yield first
        else:
            yield from external_sort(chain((first, second), same), key=_content)


def _identity(value: Reference | Drop) -> tuple[bool, str, str]:
    record = value.record if isinstance(value, Drop) else value
    return record is not value, record.unit, record.key


def _content(value: Reference | Drop) -> str:
    return str(value.leak) if isinstance(value, Drop) else repr(value.fields)


def _without_dropped(
    values: Iterable[Reference | Drop], result: ShardResult
) -> Iterator[Reference]:
    mark: Drop | None = None
    for value in values:
        if isinstance(value, Drop):
            mark = value
        elif mark is not None and mark.record.key == value.key:
            result.dropped[LEAK if mark.leak else DUPLICATE] += 1
        else:
            yield value


def _dead(reference: Reference, bad: BadRecord) -> DeadLetter:
    return DeadLetter(reference.key, reference.unit, bad.step, bad.reason)
