"""The config that a run was made with."""

from rnnpipe.config.loader import load_config
from rnnpipe.config.overrides import Overrides
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.tasks import find_schemas
from rnnpipe.tasks.run_config import RunConfig


def load_run_config(run: RunDirectory, overrides: Overrides = ()) -> RunConfig:
    """The resolved config in a run's folder, with settings written over it."""
    return load_config(run.config, find_schemas(), overrides)
