"""A build: raw data → count pass → write pass → check → a published records directory."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import apache_beam as beam

from rnnpipe.errors import UserError, escape_surrogates
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import DEAD_LETTERS, FINGERPRINT, SPLITS, STATS
from rnnpipe.records.metadata import write_metadata
from rnnpipe.records.publication import publishing
from rnnpipe.sources.raw_files import skipped_notices
from rnnpipe.sources.source import Source
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.text.word_vectors import find_word_vectors
from rnnpipe.transforms.passes.contents import find_repeated_contents
from rnnpipe.transforms.passes.count import CountReferences, CountResult, read_counts, remove_counts
from rnnpipe.transforms.passes.dead_letters import (
    DeadLetterSummary,
    read_dead_letters,
    summarize_dead_letters,
)
from rnnpipe.transforms.passes.duplicates import Repeats, drop_files
from rnnpipe.transforms.passes.read_progress import count_records_read, create_partitions
from rnnpipe.transforms.passes.scratch import (
    clear,
    is_stop_requested,
    local_scratch_folder,
    remove_scratch,
    request_stop,
)
from rnnpipe.transforms.passes.shard_results import (
    SplitResult,
    list_results,
    read_results,
    written_files,
)
from rnnpipe.transforms.passes.shuffle import Shuffle
from rnnpipe.transforms.passes.splits import Splitter, held_out_shares
from rnnpipe.transforms.passes.stats import make_stats, sizes_of
from rnnpipe.transforms.passes.write import WriteShards
from rnnpipe.transforms.plan import BuildPlan
from rnnpipe.transforms.recipes.base import Encoder
from rnnpipe.transforms.runners.polling import poll_in_background
from rnnpipe.transforms.runners.runner import IN_PROCESS, Run, Runner

Progress = Callable[[str, int, int, int], None]
"""Called with the stage, the records done, their total (0: unknown) and the dead letters."""

_MAX_DRAWS = 20
_EARLY_STOP_SECONDS = 10.0  # a shorter pass may end, so that all dead letters are reported
_FEW_PARTITIONS = 64
_MIN_BUCKETS = 64
_SHUFFLE = "shuffle"
_FULL_DISK_FIX = (
    "make room, or let data.directory (--directory) and TMPDIR, name folders on another disk"
)


@dataclass(frozen=True)
class Build(BuildPlan):
    """The build of one data set; see `BuildPlan` for the arguments."""

    @classmethod
    def of(cls, plan: BuildPlan) -> "Build":
        """The build that carries out a plan."""
        return cls(**{field.name: getattr(plan, field.name) for field in fields(plan)})

    @cached_property
    def _partitions(self) -> list[Any]:
        return self.source.partitions()

    def run(
        self,
        directory: Path,
        *,
        runner: Runner = IN_PROCESS,
        progress: Progress = lambda stage, done, total, dead_letters: None,
    ) -> RecordsDirectory:
        """Builds the records and publishes them as `directory`, wholly or not at all.

        Args:
            directory: where the records go; stale records there are replaced.
            runner: where the pipelines run; the bytes do not depend on it.
            progress: called with the progress of each stage.

        Raises:
            UserError: too many bad records, an empty split, no vocabulary, a directory that cannot
                be written or is being read, raw data that changes meanwhile, options that Beam
                does not accept, or a lost local worker (noticed at once only in the main thread).
        """
        _ = self.fingerprint  # of the raw data before it is read
        with (
            report_full_disk("the records", directory, _FULL_DISK_FIX),
            publishing(directory) as staging,
            local_scratch_folder(staging.shared, _SHUFFLE) as shuffle_folder,
            self._blaming_changes(),
            runner.open() as run,
        ):
            folder = staging.shared
            spread = runner.is_parallel and len(self._partitions) < _FEW_PARTITIONS
            buckets = max(_MIN_BUCKETS, len(self._partitions))
            shuffle = Shuffle(shuffle_folder if runner.is_local else None, buckets)
            counted, splitter = self._count(folder, run, spread, shuffle, progress)
            encoder = self.recipe.learn(counted.counts, staging.local)
            results = self._write(folder, counted, splitter, encoder, run, shuffle, progress)
            dead_letters = _publish_dead_letters(folder, staging.local)
            self._reconcile(counted, results, dead_letters)
            contents = find_repeated_contents(folder)
            self._describe(staging.local, counted, splitter, results, dead_letters, contents)
            remove_scratch(folder)
            staging.written.update(written_files(self.recipe.spec, results))
            self.check_raw_files()
        return RecordsDirectory.open(directory)

    @contextmanager
    def _blaming_changes(self) -> Iterator[None]:
        """Whatever readers raise of raw data that has changed is an error that says so."""
        try:
            yield
        except UserError:
            raise
        except Exception as error:
            try:
                self.check_raw_files()
            except UserError as change:
                raise change from error
            raise

    def _count(
        self, folder: Path, run: Run, spread: bool, shuffle: Shuffle, progress: Progress
    ) -> tuple[CountResult, Splitter]:
        """Counts the records; redraws the splits if one of them is empty by chance."""
        held_out, splits = held_out_shares(self.source.split_names, self.shares), self.splits
        for draw in range(_MAX_DRAWS):
            progress("counting", 0, 0, 0)
            remove_counts(folder)
            splitter = Splitter(held_out, draw)
            count = CountReferences(self.source, self.recipe, splitter, folder, spread, shuffle)
            with poll_in_background(folder, lambda: _report_read(folder, progress)):
                self._run(count, "Count", run, shuffle)
            counted = read_counts(folder)
            self._check_bad(counted.dead_letters, counted.records.total())
            if all(counted.records[split] for split in splits):
                total = counted.records.total()
                progress("counting", total, total, counted.dead_letters.total)
                return counted, splitter
            if not counted.records.total():
                break  # another draw would find no more
        raise _empty_split(splits, counted.records, self.source)

    def _write(
        self,
        folder: Path,
        counted: CountResult,
        splitter: Splitter,
        encoder: Encoder,
        run: Run,
        shuffle: Shuffle,
        progress: Progress,
    ) -> dict[str, SplitResult]:
        shards = {
            split: -(-counted.records[split] // self.records_per_shard)
            for split in SPLITS
            if counted.records[split]
        }
        spec, drops = self.recipe.spec, drop_files(folder)
        write = WriteShards(self.source, splitter, shards, spec, encoder, folder, drops, shuffle)
        total, dead = counted.records.total(), counted.dead_letters.total
        seen, early = dict[Path, int](), time.monotonic() + _EARLY_STOP_SECONDS

        def report() -> None:
            for path in list_results(folder) - seen.keys():
                seen[path] = json.loads(path.read_text(encoding="utf-8"))["dead_letters"]
            lost = dead + sum(seen.values())
            progress("writing", total * len(seen) // sum(shards.values()), total, lost)
            if lost > self.max_bad_fraction * (total + dead) and time.monotonic() > early:
                request_stop(folder)

        with poll_in_background(folder, report):
            self._run(write, "Write", run, shuffle)
        if is_stop_requested(folder):
            dead_letters = summarize_dead_letters(read_dead_letters(folder))
            self._check_bad(dead_letters, total + dead - dead_letters.total, "at least ")
        report()
        return read_results(folder)

    def _run(self, transform: beam.PTransform, label: str, run: Run, shuffle: Shuffle) -> None:
        def construct(pipeline: beam.Pipeline) -> None:
            partitions = pipeline | "Partitions" >> create_partitions(self._partitions)
            _ = partitions | label >> transform

        run(construct)
        if shuffle.folder is not None:
            clear(shuffle.folder)

    def _check_bad(self, dead_letters: DeadLetterSummary, good: int, at_least: str = "") -> None:
        total = dead_letters.total + good
        if dead_letters.first is None or dead_letters.total <= self.max_bad_fraction * total:
            return
        raise UserError(
            "build.max_bad_fraction",
            f"at most {self.max_bad_fraction:g} of the raw records to be bad",
            f"{at_least}{dead_letters.total} of {total} ({dead_letters.describe()}; "
            f"the first is {dead_letters.first.key} in {dead_letters.first.source})",
            "correct the raw data or raise the limit",
        )

    def _reconcile(
        self,
        counted: CountResult,
        results: Mapping[str, SplitResult],
        dead_letters: DeadLetterSummary,
    ) -> None:
        """Records read = records written + dead letters, or nothing is published."""
        written = Counter(dict.fromkeys(counted.records, 0))
        good = written.copy()
        for split, result in results.items():
            written[split] += result.records + result.dead_letters + result.dropped.total()
            good[split] += result.records
        if written != counted.records:
            raise UserError(
                "build",
                f"every record read to be written or a dead letter: {dict(counted.records)}",
                f"{dict(written)}",
                "the runner lost records, or the raw data changed meanwhile: build again",
            )
        self._check_bad(dead_letters, good.total())
        if not all(good.values()):
            raise _empty_split(good, good, self.source)

    def _describe(
        self,
        folder: Path,
        counted: CountResult,
        splitter: Splitter,
        results: Mapping[str, SplitResult],
        dead_letters: DeadLetterSummary,
        contents: Repeats,
    ) -> None:
        notices = [
            *map(escape_surrogates, self.source.notices),
            *skipped_notices(self.source.raw_files()),
        ]
        vectors = find_word_vectors(folder)
        stats = make_stats(
            self.recipe, counted, splitter, results, dead_letters, contents, notices, vectors
        )
        _write_json(folder / STATS, stats)
        _write_json(folder / FINGERPRINT, self.fingerprint)
        write_metadata(folder, self.recipe.spec, sizes_of(results))


def _report_read(folder: Path, progress: Progress) -> None:
    read, dead = count_records_read(folder)
    if read:
        progress("counting", read - dead, 0, dead)


def _publish_dead_letters(folder: Path, local: Path) -> DeadLetterSummary:
    """Writes all dead letters into one file, in order."""
    dead_letters = DeadLetterSummary()
    with (local / DEAD_LETTERS).open("w", encoding="utf-8") as file:
        for letter in read_dead_letters(folder):
            dead_letters.add(letter)
            file.write(json.dumps(asdict(letter), ensure_ascii=False) + "\n")
    return dead_letters


def _empty_split(splits: Iterable[str], records: Mapping[str, int], source: Source) -> UserError:
    given = source.split_names
    empty, got = next(s for s in splits if not records[s]), f"none of {sum(records.values())}"
    if empty in given and (empty != "train" or set(splits) <= given):
        fix = f"correct the raw data of {empty}" + ("" if empty == "train" else ", or take it away")
        return UserError("data.source", f"at least one record for {empty}", got, fix)
    if empty == "train":  # which is what the others leave: no share of its own can be enlarged
        fix = "give more raw data or smaller shares"
        return UserError("data.splits", "at least one record for train", got, fix)
    return UserError(f"data.splits.{empty}", "at least one record", got, source.empty_split_fix)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    # What is no Unicode text, as in names of files, is escaped as JSON has it.
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
