"""Where a pipeline runs: in this process, in several local ones, or on a cluster."""

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from rnnpipe.errors import UserError
from rnnpipe.quiet import silencing
from rnnpipe.transforms.runners.notebooks import as_in_a_script
from rnnpipe.transforms.runners.options import check_options, check_with_server, import_runner
from rnnpipe.transforms.runners.reachability import check_reachable
from rnnpipe.transforms.runners.worker_pool import NO_FORKER, WorkerPool

Construct = Callable[[beam.Pipeline], Any]
"""Applies the transforms to an empty pipeline."""

Run = Callable[[Construct], None]
"""Runs a pipeline to its end."""


# Beam's messages when a worker process is gone; exceptions within a worker have others.
_DEAD = ("Channel closed prematurely", NO_FORKER)

_POLL_SECONDS, _GRACE_SECONDS = 0.5, 10.0

# How a `UserError` comes out of a pipeline: at the end of a traceback, in another error's text.
_USER_ERROR = re.compile(
    rf"{UserError.__module__}\.UserError: (.+?): expected (.+?), got (.+?); (.+?)"
    r"(?: \[while running .*)?$",
    re.MULTILINE,
)


class LostWorkerError(UserError):
    """A local worker process was killed or failed; the work can be done again."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs pipelines.

    The local runner is named outright: Beam's `DirectRunner` would first try to download another
    one. Its thread mode is never used, as it has been seen to lose records.

    Args:
        workers: local worker processes; one means this process.
        beam_args: Beam's own options; a `--runner` among them takes the place of the local one.
    """

    workers: int = 1
    beam_args: Sequence[str] = ()

    @property
    def is_local(self) -> bool:
        """Whether pipelines run on this machine, by the local runner."""
        return not any(arg.split("=")[0] == "--runner" for arg in self.beam_args)

    @property
    def is_parallel(self) -> bool:
        """Whether several workers share the work."""
        return self.workers > 1 or not self.is_local

    def check(self) -> None:
        """Checks its options early; `open` repeats the check.

        Raises:
            UserError: an option is unknown or has no valid value.
        """
        if not self.is_local:
            import_runner(self.beam_args)
        check_options(self.beam_args, () if self.is_local else None)

    @contextmanager
    def open(self) -> Iterator[Run]:
        """Yields a function that runs pipelines one after the other, on persistent workers.

        What a local pipeline raises, Beam also logs, with tracebacks for users' mistakes too; that
        log is dropped.
        """
        self.check()
        with as_in_a_script(), self._open() as run:
            yield run

    @contextmanager
    def _open(self) -> Iterator[Run]:
        args = list(self.beam_args)
        if not self.is_local:
            yield lambda construct: _run_elsewhere(construct, args)
        elif self.workers == 1:
            with silencing("apache_beam"):
                yield lambda construct: _run(construct, PipelineOptions(args), FnApiRunner())
        else:
            with silencing("apache_beam"), WorkerPool() as pool:
                options = PipelineOptions([*args, f"--direct_num_workers={self.workers}"])
                yield lambda construct: _run_on_workers(construct, options, pool)

    def run(self, construct: Construct) -> None:
        """Runs a single pipeline to its end."""
        with self.open() as run:
            run(construct)


def _run(construct: Construct, options: PipelineOptions, runner: Any) -> None:
    with _raising_user_errors(), beam.Pipeline(runner=runner, options=options) as pipeline:
        construct(pipeline)


def _run_elsewhere(construct: Construct, args: list[str]) -> None:
    options = PipelineOptions(args)
    check_reachable(options)
    with _reporting_bad_options():
        pipeline = beam.Pipeline(options=options)
    check_with_server(pipeline.runner, args)
    construct(pipeline)
    with _reporting_bad_options(), _raising_user_errors(), pipeline:
        pass  # it runs when the block ends


@contextmanager
def _raising_user_errors() -> Iterator[None]:
    """Restores a worker's `UserError` from the text of Beam's exception.

    In this process Beam rebuilds the error itself, as `type(error)(text)`, without its fields.
    """
    try:
        yield
    except (RuntimeError, UserError) as error:
        rebuilt = isinstance(error, UserError) and not error.expected
        text = f"{UserError.__module__}.UserError: {error}" if rebuilt else str(error)
        whole = isinstance(error, UserError) and not rebuilt
        if whole or (match := _USER_ERROR.search(text)) is None:
            raise
        raise UserError(*match.groups()) from error


@contextmanager
def _reporting_bad_options() -> Iterator[None]:
    """Converts the `ValueError` by which Beam refuses options."""
    try:
        yield
    except UserError:
        raise
    except ValueError as error:
        got, fix = f"a refusal: {' '.join(str(error).split())}", "correct the options after `--`"
        raise UserError("options after `--`", "what Beam can run", got, fix) from error


def _run_on_workers(construct: Construct, options: PipelineOptions, pool: WorkerPool) -> None:
    pool.begin()
    try:
        with _aborting_on_lost_worker(pool.has_lost):
            _run(construct, options, FnApiRunner(pool.environment))
    except RuntimeError as error:
        if any(sign in str(error) for sign in _DEAD):
            raise _lost_worker() from error
        raise


def _lost_worker() -> LostWorkerError:
    return LostWorkerError(
        "build.workers",
        "all worker processes to live until the work is done",
        "one that was killed or failed",
        "build again; if the memory ran out, with fewer workers",
    )


@contextmanager
def _aborting_on_lost_worker(has_lost: threading.Event) -> Iterator[None]:
    """Aborts soon after a worker was lost: Beam's runner often notices, but may wait for ever.

    That takes a signal, which only the main thread receives.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    done, lock = threading.Event(), threading.Lock()

    def give_up(number: int, frame: Any) -> None:
        raise _lost_worker()

    def watch() -> None:
        while not done.wait(_POLL_SECONDS):
            if has_lost.is_set():
                if not done.wait(_GRACE_SECONDS):
                    with lock:
                        if not done.is_set():
                            os.kill(os.getpid(), signal.SIGUSR1)
                return

    before = signal.signal(signal.SIGUSR1, give_up)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with lock:
            done.set()
        watcher.join()
        signal.signal(signal.SIGUSR1, before)


IN_PROCESS = Runner()
