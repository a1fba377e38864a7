"""What the processes of a trial are to do, and with how many processors."""

import os

from rnnpipe.sweeps.directory import SweepDirectory
from rnnpipe.sweeps.trial import Trial

_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def list_commands(
    directory: SweepDirectory, trial: Trial, *, builds: bool, scores: bool
) -> list[tuple[str, ...]]:
    """The arguments of `rnnpipe.sweeps.child` for each process of a trial, in order.

    A run that was interrupted goes on, and one that is done is left as it is.

    Args:
        directory: the folder of the sweep.
        trial: the trial, whose config is written.
        builds: whether its records are built, or found to be finished, first.
        scores: whether its run is evaluated, as `rnnpipe run` does; else it is only trained.
    """
    config, run = str(directory.config_of(trial)), directory.run_of(trial)
    commands: list[tuple[str, ...]] = [("build", config)] if builds else []
    if run is None:
        commands.append(("run" if scores else "train", config, str(directory.trials)))
    elif not (run.report if scores else run.model).exists():
        commands.append(("resume" if scores else "resume-training", str(run.path)))
    return commands


def share_processors(jobs: int) -> dict[str, str]:
    """Variables that give each of several processes its share of the processors.

    Those that are set already stay.

    Args:
        jobs: how many run at the same time.
    """
    if jobs == 1:
        return {}
    share = max(1, len(os.sched_getaffinity(0)) // jobs)
    return {name: str(share) for name in _THREADS if name not in os.environ}
