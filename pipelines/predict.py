r"""Predicts the rows of files with a trained model, as `rnnpipe predict` does with workers.

    python -m rnnpipe.pipelines.predict runs/sentiment --input reviews.csv --output predicted \
        --workers 2
    python -m rnnpipe.pipelines.predict s3://models/translator --input 's3://texts/*.parquet' \
        --output s3://texts/translated --format parquet \
        -- --runner=FlinkRunner --flink_master=localhost:8081

`python -m rnnpipe.pipelines.predict MODEL --help` lists the options of the model's task. Options
after `--` are Beam's own; without a `--runner` the job is local.
"""

import sys
from collections.abc import Sequence

from rnnpipe.pipelines.command import split_arguments
from rnnpipe.program import run_program
from rnnpipe.quiet import log_errors_only
from rnnpipe.requirements import requiring
from rnnpipe.storage.temporary import collecting_temporary_files

_PROGRAM = "rnnpipe.pipelines.predict"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job and returns the exit code: 0, 1 if rows have no prediction, 2 for a mistake."""
    ours, beam_args = split_arguments(argv)
    if not ours or ours[0].startswith("-"):
        print(__doc__, end="")
        return 0 if ours[:1] in (["-h"], ["--help"]) else 2
    log_errors_only()
    return run_program(lambda: _predict(ours[0], ours[1:], beam_args), _PROGRAM)


def _predict(model: str, words: Sequence[str], beam_args: Sequence[str]) -> int:
    with collecting_temporary_files(), requiring("build", where=_PROGRAM):
        from rnnpipe.predictors.beam.command import predict_in_job

        return predict_in_job(model, words, beam_args)


if __name__ == "__main__":
    sys.exit(main())
