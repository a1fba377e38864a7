"""Where a pipeline runs: in this process, in several local ones, or on a cluster."""

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

_WORKER = f"{sys.executable} -m rnnpipe.transforms.worker"


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

    def run(self, construct: Callable[[beam.Pipeline], Any]) -> None:
        """Runs, to its end, a pipeline to which `construct` has applied the transforms."""
        args = list(self.beam_args)
        if any(arg.split("=")[0] == "--runner" for arg in args):
            pipeline = beam.Pipeline(options=PipelineOptions(args))
        else:
            pipeline = self._make_local(args)
        with pipeline:
            construct(pipeline)

    def _make_local(self, args: list[str]) -> beam.Pipeline:
        if self.workers == 1:
            return beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions(args))
        # Beam takes the environment of our workers for a slip and warns of it.
        logging.getLogger(FnApiRunner.__module__).setLevel(logging.ERROR)
        runner = FnApiRunner(SubprocessSDKEnvironment.from_command_string(_WORKER))
        options = PipelineOptions([*args, f"--direct_num_workers={self.workers}"])
        return beam.Pipeline(runner=runner, options=options)


IN_PROCESS = Runner()
