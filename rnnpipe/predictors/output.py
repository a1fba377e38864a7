"""A file of results that is whole or not there, and goes on where it was interrupted."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from rnnpipe.errors import UserError
from rnnpipe.predictors.input_row import InputRow
from rnnpipe.storage.atomic import write_json
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.storage.json_files import EXACT, parse_json_as, read_json_as

PARTIAL = ".partial"
"""The folder beside a file of results, while it is written, has the same name and this ending."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file of results is.

    Args:
        rows: how many rows are done.
        size: of what is written of them, in bytes.
        failed: how many of them have an error.
        digest: of their inputs.
    """

    __pydantic_config__ = EXACT

    rows: int = 0
    size: int = 0
    failed: int = 0
    digest: str = ""


class ResumableOutput:
    """Results in a file that appears when all rows are done.

    Until then they are in a folder beside it. The same command continues there: the rows done are
    read again and compared, but not predicted again.

    Args:
        path: the file.
        job: what the results depend on beside the rows, JSON values.
    """

    def __init__(self, path: Path, job: Mapping[str, Any]) -> None:
        self._path, self._job = path, json.loads(json.dumps(job))
        self._folder = path.with_name(path.name + PARTIAL)
        self._results = self._folder / "results"
        self._log = self._folder / "progress.jsonl"

    @contextmanager
    def resume(self) -> Iterator[OpenOutput]:
        """Opens it to be written on; where the block ends without an exception it is finished.

        Raises:
            UserError: the file is there, cannot be written, was begun by another command, or is
                written by another process.
        """
        if self._path.exists():
            got, fix = "one that is there", "name another one, or remove it"
            raise UserError(f"--output {self._path}", "a new file", got, fix)
        fix = "make room, and run the same command again: it continues"
        with report_full_disk("the results", self._path, fix), self._lock():
            self._check_job()
            with self._results.open("ab") as results, self._log.open("ab") as log:
                done = self._read_progress()
                results.truncate(done.size)
                yield OpenOutput(results, log, done)
                os.fsync(results.fileno())
            self._results.replace(self._path)
            shutil.rmtree(self._folder)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = (self._folder / "lock").open("wb")
        except OSError as error:
            got, fix = str(error.strerror), "name another file"
            raise UserError(f"--output {self._path}", "a file to write to", got, fix) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                expected, got = "a file that no other process writes", "one that is being written"
                raise UserError(f"--output {self._path}", expected, got, "wait for it") from None
            yield

    def _check_job(self) -> None:
        job = self._folder / "job.json"
        if not job.exists():
            write_json(job, self._job)
            return
        try:
            before = read_json_as(dict[str, Any], job)
        except (OSError, ValueError) as error:
            raise self._refuse(f"a damaged {job.name} ({error})") from error
        if before != self._job:
            names = {*before, *self._job}
            others = sorted(name for name in names if before.get(name) != self._job.get(name))
            raise self._refuse(f"one with another {', '.join(others)}")

    def _refuse(self, got: str) -> UserError:
        fix = "run the same command again, name another file, or remove that folder"
        return UserError(
            f"--output {self._path}", f"the command that began {self._folder}", got, fix
        )

    def _read_progress(self) -> Progress:
        """The last state whose results are all there."""
        size, last = self._results.stat().st_size, Progress()
        for line in self._log.read_bytes().split(b"\n"):
            try:
                progress = parse_json_as(Progress, line)
            except ValueError:  # the last line may be torn
                continue
            if min(progress.rows, progress.size, progress.failed) >= 0 and progress.size <= size:
                last = progress
        return last


class OpenOutput:
    """A file of results that is being written.

    Args:
        results: the results so far.
        log: a line for each time that results were written.
        done: how far they are.
    """

    def __init__(self, results: BinaryIO, log: BinaryIO, done: Progress) -> None:
        self._results, self._log = results, log
        self.done = done
        self._digest = hashlib.blake2b(digest_size=16)

    def skip(self, rows: Iterable[InputRow]) -> Iterator[InputRow]:
        """The rows that are left; those done must be the same as before.

        Raises:
            UserError: they are others.
        """
        remaining = iter(rows)
        for row in islice(remaining, self.done.rows):
            self._add(row)
        if self.done.rows and self._digest.hexdigest() != self.done.digest:
            expected = f"the same first {self.done.rows:,} rows as when it was begun"
            fix = "restore the input, or name another --output"
            raise UserError("--input", expected, "others", fix)
        return remaining

    def _add(self, row: InputRow) -> None:
        value = row.columns if not isinstance(row.inputs, UserError) else str(row.inputs)
        self._digest.update(json.dumps(value, default=dict).encode() + b"\n")

    def write_header(self, text: str) -> None:
        """Writes what comes before all rows, unless it is there."""
        if not self.done.rows:
            self._results.truncate(0)
            self._results.write(text.encode())

    def write(self, lines: Iterable[tuple[InputRow, str, bool]]) -> None:
        """Writes results and notes them as done.

        Args:
            lines: rows, what is written of each, and whether it has an error.
        """
        rows, failed = self.done.rows, self.done.failed
        for row, text, is_error in lines:
            self._results.write(text.encode())
            self._add(row)
            rows, failed = rows + 1, failed + is_error
        self._results.flush()
        size = os.fstat(self._results.fileno()).st_size
        self.done = Progress(rows, size, failed, self._digest.hexdigest())
        self._log.write(json.dumps(asdict(self.done)).encode() + b"\n")
        self._log.flush()
