"""A file of results that is whole or not there, and goes on where it was interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from rnnpipe.errors import UserError
from rnnpipe.predictors.input_row import InputRow
from rnnpipe.storage.atomic import write_json, write_text
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.storage.json_files import EXACT, parse_json_as, read_json_as
from rnnpipe.storage.lock import locking

PARTIAL = ".partial"
"""The folder beside a file of results, while it is written, has the same name and this ending."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file of results is.

    Args:
        rows: how many rows are done.
        size: of what is written of them, in bytes.
        failed: how many of them have an error.
        inputs: the digest of their inputs.
        results: the digest of what is written of them.
    """

    __pydantic_config__ = EXACT

    rows: int = 0
    size: int = 0
    failed: int = 0
    inputs: str = ""
    results: str = ""

    def to_line(self) -> str:
        """The same as a line of a log, which begins with its own digest."""
        text = json.dumps(asdict(self))
        return f"{_make_digest(text.encode()).hexdigest()} {text}\n"

    @classmethod
    def of_line(cls, line: str) -> Progress | None:
        """What a line of a log says; None where it is not as it was written."""
        digest, _, text = line.partition(" ")
        if _make_digest(text.encode()).hexdigest() != digest:
            return None
        try:
            progress = parse_json_as(cls, text)
        except ValueError:  # of another version
            return None
        numbers = progress.rows, progress.size, progress.failed
        return progress if all(0 <= number <= sys.maxsize for number in numbers) else None


def _make_digest(content: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(content, digest_size=16)


class _Intact(NamedTuple):
    """What is intact of results: how far, by which lines of the log, and their digest.

    Args:
        done: how far they are.
        lines: of the log, up to there.
        results: the digest of what is written.
        lost: how many rows more were done, whose results are damaged or lost.
    """

    done: Progress
    lines: Sequence[str]
    results: hashlib.blake2b
    lost: int


class ResumableOutput:
    """Results in a file that appears when all rows are done.

    Until then they are in a folder beside it. The same command continues there: the rows done are
    read again and compared, but not predicted again. What is damaged of their results is found by
    its digest, and predicted again.

    Args:
        path: the file.
        job: what the results depend on beside the rows, JSON values.
    """

    def __init__(self, path: Path, job: Mapping[str, Any]) -> None:
        self._path, self._job = path, json.loads(json.dumps(job))
        self._folder = path.with_name(path.name + PARTIAL)
        self._results = self._folder / "results"
        self._log = self._folder / "progress.log"

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
            intact = self._find_intact()
            write_text(self._log, "".join(intact.lines))
            with self._results.open("ab") as results, self._log.open("ab") as log:
                results.truncate(intact.done.size)
                yield OpenOutput(results, log, intact.done, intact.results, intact.lost)
                os.fsync(results.fileno())
            self._results.replace(self._path)
            shutil.rmtree(self._folder)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with ExitStack() as lock:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                for path in (self._folder / "lock", self._results, self._log):
                    path.touch()
                lock.enter_context(locking(self._folder / "lock"))
            except BlockingIOError:
                expected, got = "a file that no other process writes", "one that is being written"
                raise UserError(f"--output {self._path}", expected, got, "wait for it") from None
            except OSError as error:
                got, fix = str(error.strerror), "name another file"
                raise UserError(f"--output {self._path}", "a file to write to", got, fix) from error
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

    def _find_intact(self) -> _Intact:
        """The last state whose results are as they were written."""
        done, lines, digest, most = Progress(), list[str](), _make_digest(), 0
        results = digest.copy()
        end = self._results.stat().st_size
        with self._results.open("rb") as file:
            for line in self._log.read_text(encoding="utf-8", errors="replace").split("\n"):
                progress = Progress.of_line(line)
                if progress is None:  # the last line may be torn
                    continue
                most = max(most, progress.rows)
                digest.update(file.read(max(0, min(progress.size, end) - file.tell())))
                if digest.hexdigest() == progress.results:
                    done, results = progress, digest.copy()
                    lines.append(f"{line}\n")
        return _Intact(done, lines, results, most - done.rows)


class OpenOutput:
    """A file of results that is being written.

    Args:
        results: the results so far.
        log: a line for each time that results were written.
        done: how far they are.
        digest: of what is written of them.
        lost: how many rows more were done, whose results are damaged or lost.
    """

    def __init__(
        self,
        results: BinaryIO,
        log: BinaryIO,
        done: Progress,
        digest: hashlib.blake2b,
        lost: int = 0,
    ) -> None:
        self._results, self._log = results, log
        self.done, self.lost = done, lost
        self._inputs, self._written = _make_digest(), digest

    def skip(self, rows: Iterable[InputRow]) -> Iterator[InputRow]:
        """The rows that are left; those done must be the same as before.

        Raises:
            UserError: they are others.
        """
        remaining = iter(rows)
        for row in islice(remaining, self.done.rows):
            self._add(row)
        if self.done.rows and self._inputs.hexdigest() != self.done.inputs:
            expected = f"the same first {self.done.rows:,} rows as when it was begun"
            fix = "restore the input, or name another --output"
            raise UserError("--input", expected, "others", fix)
        return remaining

    def _add(self, row: InputRow) -> None:
        value = row.columns if not isinstance(row.inputs, UserError) else str(row.inputs)
        self._inputs.update(json.dumps(value, default=dict).encode() + b"\n")

    def write_header(self, text: str) -> None:
        """Writes what comes before all rows, unless it is there."""
        if not self.done.rows:
            self._results.truncate(0)
            self._written = _make_digest()
            self._write(text)

    def write(self, lines: Iterable[tuple[InputRow, str, bool]]) -> None:
        """Writes results and notes them as done.

        Args:
            lines: rows, what is written of each, and whether it has an error.
        """
        rows, failed = self.done.rows, self.done.failed
        for row, text, is_error in lines:
            self._write(text)
            self._add(row)
            rows, failed = rows + 1, failed + is_error
        self._results.flush()
        size = os.fstat(self._results.fileno()).st_size
        digests = self._inputs.hexdigest(), self._written.hexdigest()
        self.done = Progress(rows, size, failed, *digests)
        self._log.write(self.done.to_line().encode())
        self._log.flush()

    def _write(self, text: str) -> None:
        content = text.encode()
        self._results.write(content)
        self._written.update(content)
