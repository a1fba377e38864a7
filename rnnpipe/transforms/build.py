"""A build: raw data → survey → shards → check → a published records directory."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import apache_beam as beam

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.fingerprint import make_fingerprint
from rnnpipe.records.layout import DEAD_LETTERS, FINGERPRINT, SPLITS, STATS
from rnnpipe.records.metadata import write_metadata
from rnnpipe.records.publication import publishing
from rnnpipe.sources.source import Source, notices_of
from rnnpipe.storage.disk_full import room_for
from rnnpipe.transforms.passes.count import CountReferences, Survey, read_survey, remove_survey
from rnnpipe.transforms.passes.dead_letters import Losses, count_letters, read_letters
from rnnpipe.transforms.passes.duplicates import drop_files
from rnnpipe.transforms.passes.read_progress import count_read
from rnnpipe.transforms.passes.scratch import (
    clear,
    is_told_to_stop,
    local_folder,
    remove_work,
    tell_to_stop,
)
from rnnpipe.transforms.passes.shard_results import SplitResult, find_results, read_results
from rnnpipe.transforms.passes.shuffle import Shuffle
from rnnpipe.transforms.passes.splits import Splitter, held_out_shares
from rnnpipe.transforms.passes.stats import make_stats, sizes_of
from rnnpipe.transforms.passes.write import WriteShards
from rnnpipe.transforms.recipes.base import Encoder, Recipe
from rnnpipe.transforms.runners.polling import watching
from rnnpipe.transforms.runners.runner import IN_PROCESS, Run, Runner

Progress = Callable[[str, int, int, int], None]
"""Told the stage, how many of how many records are done (of 0: not known), and dead letters."""

_DRAWS = 20
_SOON_SECONDS = 10.0  # a pass that takes less may end, and tell of all that is bad
_FEW_PIECES = 64
_LEAST_BUCKETS = 64
_SHUFFLE = "shuffle"
_ELSEWHERE = "let --output or data.directory, and TMPDIR, name folders on another disk"


@dataclass(frozen=True)
class Build:
    """One data set to be built.

    Args:
        source: the raw data.
        recipe: how its records are made.
        shares: the share of the training part to hold out for each split that the raw data lacks.
        records_per_shard: about how many records a file holds.
        max_bad_fraction: the share of raw records that may be left out as dead letters.
    """

    source: Source
    recipe: Recipe
    shares: Mapping[str, float]
    records_per_shard: int = 1000
    max_bad_fraction: float = 0.05

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What the records depend on and its hash; the source must be prepared."""
        settings = {
            "kind": self.recipe.spec.name,
            "source": {"kind": self.source.kind, **self.source.settings},
            "recipe": dict(self.recipe.settings),
            "shares": dict(self.shares),
            "records_per_shard": self.records_per_shard,
        }
        return make_fingerprint(settings, self.source.files())

    @property
    def splits(self) -> list[str]:
        """The splits that its records have; the source must be prepared."""
        parts = self.source.parts
        made = parts | held_out_shares(parts, self.shares).keys()
        return [split for split in SPLITS if split in made]

    @cached_property
    def _pieces(self) -> list[Any]:
        return self.source.pieces()

    def is_finished_in(self, directory: Path) -> bool:
        """Whether `directory` holds these records already."""
        try:
            return RecordsDirectory.open(directory).fingerprint == self.fingerprint["fingerprint"]
        except UserError:
            return False

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
            progress: told how far it is.

        Raises:
            UserError: too many bad records, an empty split, no vocabulary, a place that cannot be
                written to, options that Beam does not take, or a local worker that was lost (which
                is noticed at once only in a process's first thread).
        """
        with (
            room_for("the records", directory, _ELSEWHERE),
            publishing(directory) as staging,
            local_folder(staging.shared, _SHUFFLE) as waiting,
            runner.open() as run,
        ):
            folder = staging.shared
            spread = runner.is_parallel and len(self._pieces) < _FEW_PIECES
            buckets = max(_LEAST_BUCKETS, len(self._pieces))
            shuffle = Shuffle(waiting if runner.is_local else None, buckets)
            survey, splitter = self._survey(folder, run, spread, shuffle, progress)
            encoder = self.recipe.learn(survey.counts, staging.local)
            results = self._write(folder, survey, splitter, encoder, run, shuffle, progress)
            losses = _publish_letters(folder, staging.local)
            self._reconcile(survey, results, losses)
            self._describe(staging.local, survey, splitter, results, losses)
            remove_work(folder)
        return RecordsDirectory.open(directory)

    def _survey(
        self, folder: Path, run: Run, spread: bool, shuffle: Shuffle, progress: Progress
    ) -> tuple[Survey, Splitter]:
        """Counts the records; a handful of groups can leave a split empty by chance: draw again."""
        held_out, wanted = held_out_shares(self.source.parts, self.shares), self.splits
        for draw in range(_DRAWS):
            progress("counting", 0, 0, 0)
            remove_survey(folder)
            splitter = Splitter(held_out, draw)
            count = CountReferences(self.source, self.recipe, splitter, folder, spread, shuffle)
            with watching(folder, lambda: _tell_read(folder, progress)):
                self._run(count, "Survey", run, shuffle)
            survey = read_survey(folder)
            self._check_bad(survey.losses, survey.records.total())
            if all(survey.records[split] for split in wanted):
                total = survey.records.total()
                progress("counting", total, total, survey.losses.total)
                return survey, splitter
            if not survey.records.total():
                break  # another draw would find no more
        raise _empty_split(wanted, survey.records)

    def _write(
        self,
        folder: Path,
        survey: Survey,
        splitter: Splitter,
        encoder: Encoder,
        run: Run,
        shuffle: Shuffle,
        progress: Progress,
    ) -> dict[str, SplitResult]:
        shards = {
            split: -(-survey.records[split] // self.records_per_shard)
            for split in SPLITS
            if survey.records[split]
        }
        spec, drops = self.recipe.spec, drop_files(folder)
        write = WriteShards(self.source, splitter, shards, spec, encoder, folder, drops, shuffle)
        total, dead = survey.records.total(), survey.losses.total
        seen, soon = dict[Path, int](), time.monotonic() + _SOON_SECONDS

        def tell() -> None:
            for path in find_results(folder) - seen.keys():
                seen[path] = json.loads(path.read_text())["dead_letters"]
            lost = dead + sum(seen.values())
            progress("writing", total * len(seen) // sum(shards.values()), total, lost)
            if lost > self.max_bad_fraction * (total + dead) and time.monotonic() > soon:
                tell_to_stop(folder)

        with watching(folder, tell):
            self._run(write, "Write", run, shuffle)
        if is_told_to_stop(folder):
            losses = count_letters(read_letters(folder))
            self._check_bad(losses, total + dead - losses.total, "at least ")
        tell()
        return read_results(folder)

    def _run(self, transform: beam.PTransform, label: str, run: Run, shuffle: Shuffle) -> None:
        def construct(pipeline: beam.Pipeline) -> None:
            pieces = pipeline | "Pieces" >> beam.Create(self._pieces, reshuffle=True)
            _ = pieces | label >> transform

        run(construct)
        if shuffle.folder is not None:
            clear(shuffle.folder)

    def _check_bad(self, losses: Losses, good: int, at_least: str = "") -> None:
        total = losses.total + good
        if losses.first is None or losses.total <= self.max_bad_fraction * total:
            return
        raise UserError(
            "build.max_bad_fraction",
            f"at most {self.max_bad_fraction:g} of the raw records to be bad",
            f"{at_least}{losses.total} of {total} ({losses.describe()}; "
            f"the first is {losses.first.key} in {losses.first.source})",
            "mend the raw data or raise the limit",
        )

    def _reconcile(
        self, survey: Survey, results: Mapping[str, SplitResult], losses: Losses
    ) -> None:
        """Records read = records written + dead letters, or nothing is published."""
        written = Counter(dict.fromkeys(survey.records, 0))
        good = written.copy()
        for split, result in results.items():
            written[split] += result.records + result.dead_letters + result.dropped.total()
            good[split] += result.records
        if written != survey.records:
            raise UserError(
                "build",
                f"every record read to be written or a dead letter: {dict(survey.records)}",
                f"{dict(written)}",
                "the runner lost records, or the raw data changed meanwhile: build again",
            )
        self._check_bad(losses, good.total())
        if not all(good.values()):
            raise _empty_split(good, good)

    def _describe(
        self,
        folder: Path,
        survey: Survey,
        splitter: Splitter,
        results: Mapping[str, SplitResult],
        losses: Losses,
    ) -> None:
        notices = notices_of(self.source)
        stats = make_stats(self.recipe, survey, splitter, results, losses, notices)
        _write_json(folder / STATS, stats)
        _write_json(folder / FINGERPRINT, self.fingerprint)
        write_metadata(folder, self.recipe.spec, sizes_of(results))


def _tell_read(folder: Path, progress: Progress) -> None:
    read, dead = count_read(folder)
    if read:
        progress("counting", read - dead, 0, dead)


def _publish_letters(folder: Path, local: Path) -> Losses:
    """Writes all dead letters into one file, in order."""
    losses = Losses()
    with (local / DEAD_LETTERS).open("w") as file:
        for letter in read_letters(folder):
            losses.add(letter)
            file.write(json.dumps(asdict(letter), ensure_ascii=False) + "\n")
    return losses


def _empty_split(splits: Iterable[str], records: Mapping[str, int]) -> UserError:
    empty, got = next(s for s in splits if not records[s]), f"none of {sum(records.values())}"
    if empty == "train":  # which is what the others leave: no share of its own can be enlarged
        fix = "give more raw data or smaller shares"
        return UserError("data.splits", "at least one record for train", got, fix)
    fix = "give more raw data or a larger share"
    return UserError(f"data.splits.{empty}", "at least one record", got, fix)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
