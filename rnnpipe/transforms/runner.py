"""Where a pipeline runs: in this process, in several local ones, or on a cluster."""

from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner


def run_pipeline(
    construct: Callable[[beam.Pipeline], Any], *, workers: int, beam_args: Sequence[str]
) -> None:
    """Constructs a pipeline and runs it to its end.

    The local runner is named outright: Beam's `DirectRunner` would first try to download another
    one. Its thread mode is never used, as it has been seen to lose records.

    Args:
        construct: applies the transforms to the pipeline it is given.
        workers: local worker processes; one means this process.
        beam_args: Beam's own options; a `--runner` among them takes the place of the local one.
    """
    args = list(beam_args)
    if any(arg.split("=")[0] == "--runner" for arg in args):
        pipeline = beam.Pipeline(options=PipelineOptions(args))
    else:
        if workers > 1:
            args += [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"]
        pipeline = beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions(args))
    with pipeline:
        construct(pipeline)
