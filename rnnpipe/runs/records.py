"""The finished records of a run: which they are, and where. None of it needs Beam."""

from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.requirements import install_command, is_installed
from rnnpipe.storage.cache import cache_folder
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.run_config import RunConfig
from rnnpipe.transforms.plan import BuildPlan


def find_records(config: RunConfig, task: Task) -> RecordsDirectory:
    """The finished records of a config.

    Raises:
        UserError: they are missing or stale.
        DamagedRecords: they are not as they were built.
    """
    plan = task.plan_build()
    plan.source.prepare(lambda done, total: None)
    directory = records_directory(config, plan)
    records = plan.find_finished(directory)
    if records is None:
        got = "stale ones" if directory.exists() else "none"
        needed = "" if is_installed("build") else f", after {install_command('build')}"
        fix = f"build them with `rnnpipe build`{needed}"
        raise UserError(str(directory), "the records of this config", got, fix)
    return records


def records_directory(config: RunConfig, plan: BuildPlan) -> Path:
    """Where the records of a config are, or go; the source must be prepared."""
    kind, fingerprint = plan.recipe.spec.name, str(plan.fingerprint["fingerprint"])
    default = f"{kind}-{config.data.source.kind}-{fingerprint[:12]}"
    return config.data.directory or cache_folder("records") / default
