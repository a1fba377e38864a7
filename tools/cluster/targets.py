"""Targets of chaos trials: a disk, a full disk, Flink's workers, an object store."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import fsspec

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.manifest import MANIFEST, Manifest
from rnnpipe.storage.paths import remove_tree
from rnnpipe.storage.store_path import StorePath
from rnnpipe.transforms.runners.runner import Runner
from tools.cluster.flink import Cluster
from tools.cluster.s3 import S3_KEYS, serving_s3

WORKERS, MEMORY = 2, 1024


@dataclass(frozen=True)
class Target:
    """Where one trial builds its records.

    Args:
        records: the records directory; nothing else lies beside it, or in it.
        runner: where the pipelines run.
        repair: makes a second build possible, e.g. by enlarging the disk.
    """

    records: Path
    runner: Runner = field(default_factory=lambda: Runner(workers=WORKERS))
    repair: Callable[[], object] = lambda: None

    def contents(self) -> dict[str, bytes]:
        """All files of the data set, by name; empty if there is none."""
        if not isinstance(self.records, StorePath):
            return contents(self.records)
        try:
            records = RecordsDirectory.open(self.records)
        except UserError:
            return {}
        records.fetch()
        return contents(records.path)

    def leftovers(self) -> set[str]:
        """The names of all files that are not part of a whole data set."""
        if not isinstance(self.records, StorePath):
            return {path.name for path in self.records.parent.iterdir()} - {self.records.name}
        manifest = Manifest.read(self.records)
        ours = {MANIFEST, manifest.build if manifest else ""}
        return {path.name for path in self.records.iterdir()} - ours

    def remove_unfinished(self) -> bool:
        """Removes what is being written, nothing published; returns whether it existed."""
        if isinstance(self.records, StorePath):
            if Manifest.read(self.records) is not None:
                return False
            found: list[Path] = [self.records] if self.records.exists() else []
        else:
            found = list(self.records.parent.glob(f"{self.records.name}.incomplete-*"))
        for folder in found:
            with suppress(FileNotFoundError):  # it has just been published, or given up
                remove_tree(folder)
        return bool(found)


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


Open = Callable[[Path, int], AbstractContextManager[Target]]
"""Makes a target in a new folder; the second argument is the size of a full disk, in KiB."""


@contextmanager
def disk(folder: Path, kilobytes: int) -> Iterator[Target]:
    """A folder, and local workers."""
    folder.mkdir()
    try:
        yield Target(folder / "records")
    finally:
        shutil.rmtree(folder)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Target]:
    """The same on a file system of its own, in memory, which only root can mount."""

    def grow() -> None:
        subprocess.run(["mount", "-o", "remount,size=1g", str(folder)], check=True)

    with disk(folder, kilobytes) as target:
        size = f"size={kilobytes}k"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
        try:
            yield Target(target.records, repair=grow)
        finally:
            subprocess.run(["umount", str(folder)], check=True)


def no_small_disk() -> str | None:
    """The reason why no file system can be mounted here, if any; most containers forbid it."""
    with TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "tmpfs", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"no file system can be mounted: {' '.join(done.stderr.split())}"
        subprocess.run(["umount", folder], check=True)
    return None


@contextmanager
def flink(cluster: Cluster, folder: Path, kilobytes: int) -> Iterator[Target]:
    """A folder, and the workers of a cluster that runs."""

    def replace_lost() -> None:
        cluster.start(WORKERS, MEMORY)

    with disk(folder, kilobytes) as target:
        replace_lost()
        yield Target(target.records, Runner(beam_args=cluster.options()), replace_lost)


@contextmanager
def store(folder: Path, kilobytes: int) -> Iterator[Target]:
    """A bucket of an S3 server on this host, and local workers."""
    with serving_s3() as address, disk(folder, kilobytes):
        keys = {**S3_KEYS, "AWS_ENDPOINT_URL": address, "XDG_CACHE_HOME": str(folder / "cache")}
        with patch.dict(os.environ, keys):
            fsspec.filesystem("s3").clear_instance_cache()
            bucket = f"bucket-{uuid.uuid4().hex[:12]}"
            fsspec.filesystem("s3").mkdir(bucket)
            yield Target(StorePath(f"s3://{bucket}/records"))
