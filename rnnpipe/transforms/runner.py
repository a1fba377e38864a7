"""Where a pipeline runs: in this process, in several local ones, or on a cluster."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import ExternalEnvironment, python_sdk_capabilities

from rnnpipe.errors import UserError
from rnnpipe.transforms.pool import WorkerPool

Construct = Callable[[beam.Pipeline], Any]
"""Applies the transforms to an empty pipeline."""

Run = Callable[[Construct], None]
"""Runs a pipeline to its end."""


# What Beam says when a worker process is gone; what goes wrong within one is told otherwise.
_DEAD = ("Channel closed prematurely", "Error starting worker")

# How a `UserError` comes out of a pipeline: at the end of a traceback, in another error's text.
_TOLD = re.compile(
    rf"{UserError.__module__}\.UserError: (.+?): expected (.+?), got (.+?); (.+?)"
    r"(?: \[while running .*)?$",
    re.MULTILINE,
)


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

    @contextmanager
    def open(self) -> Iterator[Run]:
        """What runs one pipeline after the other, on workers that stay."""
        args = list(self.beam_args)
        if not self.is_local:
            yield lambda construct: _run(construct, PipelineOptions(args))
        elif self.workers == 1:
            yield lambda construct: _run(construct, PipelineOptions(args), FnApiRunner())
        else:
            # Beam takes the environment of our workers for a slip and warns of it.
            logging.getLogger(FnApiRunner.__module__).setLevel(logging.ERROR)
            with WorkerPool() as address:
                environment = ExternalEnvironment(address, capabilities=python_sdk_capabilities())
                options = PipelineOptions([*args, f"--direct_num_workers={self.workers}"])
                yield lambda construct: _run_on_workers(construct, options, environment)

    def run(self, construct: Construct) -> None:
        """Runs a single pipeline to its end."""
        with self.open() as run:
            run(construct)


def _run(construct: Construct, options: PipelineOptions, runner: Any = None) -> None:
    try:
        with beam.Pipeline(runner=runner, options=options) as pipeline:
            construct(pipeline)
    except RuntimeError as error:
        if (told := _TOLD.search(str(error))) is None:
            raise
        raise UserError(*told.groups()) from error


def _run_on_workers(construct: Construct, options: PipelineOptions, environment: Any) -> None:
    try:
        _run(construct, options, FnApiRunner(environment))
    except RuntimeError as error:
        if any(sign in str(error) for sign in _DEAD):
            raise UserError(
                "build.workers",
                "all worker processes to live until the work is done",
                "one that was killed",
                "build again; if the memory ran out, with fewer workers",
            ) from error
        raise


IN_PROCESS = Runner()
