"""Shard results: one file for each finished shard."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnpipe.records.layout import SPLITS, shard_name
from rnnpipe.records.manifest import StoredFile
from rnnpipe.records.specs import RecordSpec
from rnnpipe.transforms.passes.scratch import scratch_folder, write_lines

_RESULTS = "results"


@dataclass
class ShardResult:
    """The result of one shard, kept as a scratch file until the build is published.

    Args:
        split: the shard's split.
        shard: its number in the split.
        records: how many records it holds.
        num_bytes: its size on disk, in bytes.
        crc32c: the checksum of its file.
        dead_letters: how many raw records were left out of it.
        dropped: how many valid records were dropped, by reason.
        histograms: how often each value of each measure occurred.
    """

    split: str
    shard: int
    records: int = 0
    num_bytes: int = 0
    crc32c: str = ""
    dead_letters: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    histograms: dict[str, Counter[int]] = field(default_factory=dict)


def make_results_folder(folder: Path) -> None:
    """Makes the folder for results in the one where the records are built."""
    scratch_folder(folder, _RESULTS)


def write_result(folder: Path, result: ShardResult) -> None:
    """Leaves a result where the records are built."""
    lines = [json.dumps(vars(result))]
    write_lines(folder, _RESULTS, f"{result.split}-{result.shard}.json", lines)


@dataclass
class SplitResult:
    """The result of all shards of a split.

    Args:
        shard_records: how many records each shard holds.
        files: the file of each shard.
        dead_letters: how many raw records were left out.
        dropped: how many valid records were dropped, by reason.
        histograms: how often each value of each measure occurred.
    """

    shard_records: dict[int, int] = field(default_factory=dict)
    files: dict[int, StoredFile] = field(default_factory=dict)
    dead_letters: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    histograms: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    @property
    def records(self) -> int:
        """How many records the shards hold."""
        return sum(self.shard_records.values())

    @property
    def num_bytes(self) -> int:
        """The size of the shards on disk, in bytes."""
        return sum(file.num_bytes for file in self.files.values())

    def add(self, content: Mapping[str, Any]) -> None:
        """Adds the written result of one shard."""
        self.shard_records[content["shard"]] = content["records"]
        self.files[content["shard"]] = StoredFile(content["num_bytes"], content["crc32c"])
        self.dead_letters += content["dead_letters"]
        self.dropped.update(content["dropped"])
        for name, histogram in content["histograms"].items():
            self.histograms[name].update({int(value): n for value, n in histogram.items()})


def read_results(folder: Path) -> dict[str, SplitResult]:
    """The results of all shards, by split."""
    results = {split: SplitResult() for split in SPLITS}
    for path in sorted(list_results(folder)):
        content = json.loads(path.read_text(encoding="utf-8"))
        results[content["split"]].add(content)
    return {split: result for split, result in results.items() if result.shard_records}


def written_files(spec: RecordSpec, results: Mapping[str, SplitResult]) -> dict[str, StoredFile]:
    """The files of all shards, by name, as the workers that wrote them had them."""
    return {
        shard_name(spec.name, split, shard, len(result.files)): file
        for split, result in results.items()
        for shard, file in result.files.items()
    }


def list_results(folder: Path) -> set[Path]:
    """The results of all shards finished so far, as files."""
    return set(scratch_folder(folder, _RESULTS).glob("*.json"))
