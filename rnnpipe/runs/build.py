"""The first stage of a run: its records, built if they are missing or stale."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rnnpipe.quiet import quiet_import
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.inventory import DamagedRecords
from rnnpipe.records.metadata import import_datasets
from rnnpipe.records.publication import check_replaceable, remove_unfinished
from rnnpipe.runs.checks import check_splits
from rnnpipe.runs.progress import BuildProgress
from rnnpipe.runs.records import records_directory
from rnnpipe.runs.summary import print_summary
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.run_config import RunConfig
from rnnpipe.transforms.plan import BuildPlan


def build_records(
    config: RunConfig, task: Task, console: Console, beam_args: Sequence[str] = ()
) -> RecordsDirectory:
    """The records that a config asks for; finished ones with the same fingerprint are reused.

    Args:
        config: the run's config.
        task: its task.
        console: where progress is shown.
        beam_args: Beam's own options.

    Raises:
        UserError: the raw data, the place for the records or Beam's options are not as they should
            be, or the records would lack a split that the config needs.
    """
    with quiet_import():  # of Beam
        from rnnpipe.transforms.build import Build
        from rnnpipe.transforms.runners.runner import Runner
        from rnnpipe.transforms.runners.s3_options import use_s3_options

    runner = Runner(config.build.workers, beam_args)
    runner.check()
    use_s3_options(beam_args)
    build = Build.of(task.plan_build())
    if config.data.directory is not None:
        check_replaceable(config.data.directory)
    import_datasets()  # before the progress has a thread
    with BuildProgress(console) as progress:
        build.source.prepare(lambda done, total: progress("raw data", done, total))
        check_splits(config, build.splits)
        directory = records_directory(config, build)
        records, action = reuse_records(build, directory, console, progress), "Reusing"
        if records is None:
            records = build.run(directory, runner=runner, progress=progress)
            action = "Built"
    console.print(f"{action} records in {records.published}")
    print_summary(records, console)
    return records


def reuse_records(
    plan: BuildPlan, directory: Path, console: Console, progress: BuildProgress
) -> RecordsDirectory | None:
    """The records that need not be built; None where there are none, or damaged ones.

    What killed builds left beside them is removed.

    Args:
        plan: what is to be built; its source must be prepared.
        directory: where.
        console: where damage is reported.
        progress: called with the files that are read.
    """
    remove_unfinished(directory.absolute().parent)
    try:
        records = plan.find_finished(directory)
        if records is not None:
            records.check_origin(lambda done, total: progress("checking", done, total))
    except DamagedRecords as damage:
        console.print(f"Note: {damage}\nBuilding them again", style="yellow", markup=False)
        return None
    return records
