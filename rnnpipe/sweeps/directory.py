"""The folder of a sweep: its files, and how they are read and written.

sweeps/<name>/
    config.yaml           the config as it was given
    sweep.json            overrides, and the search space
    trials/<number>.json  values, state and score of a trial
    trials/<number>.yaml  its config
    trials/<number>.log   what it printed
    trials/<number>/      its run, as any other
    best.yaml             the config of the best trial
    sweep.html            all trials on one page
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.runs.directory import RunDirectory, find_runs
from rnnpipe.storage.atomic import write_json
from rnnpipe.storage.json_files import parse_json_as
from rnnpipe.storage.lock import locking
from rnnpipe.sweeps.trial import Trial


@dataclass(frozen=True)
class SweepDirectory:
    """The folder of a sweep.

    Args:
        path: where it is.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The config as it was given."""
        return self.path / "config.yaml"

    @property
    def plan(self) -> Path:
        """Overrides and the search space."""
        return self.path / "sweep.json"

    @property
    def trials(self) -> Path:
        """The folder of trials."""
        return self.path / "trials"

    @property
    def best(self) -> Path:
        """The config of the best trial."""
        return self.path / "best.yaml"

    @property
    def page(self) -> Path:
        """All trials on one page."""
        return self.path / "sweep.html"

    def config_of(self, trial: Trial) -> Path:
        """The config of a trial."""
        return self.trials / f"{trial.name}.yaml"

    def log_of(self, trial: Trial) -> Path:
        """What a trial printed."""
        return self.trials / f"{trial.name}.log"

    def run_of(self, trial: Trial) -> RunDirectory | None:
        """The run of a trial, the newest if there are several; None before it has begun."""
        return next(iter(find_runs(self.trials / trial.name)), None)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps other processes from making trials here.

        Raises:
            UserError: another one does.
        """
        try:
            with locking(self.plan):
                yield
        except BlockingIOError:
            expected, got = "a sweep that no other process makes", "one that another process makes"
            fix = "wait for it, or name another folder with --output"
            raise UserError(str(self.path), expected, got, fix) from None

    def write_trial(self, trial: Trial) -> None:
        """Writes the state of a trial."""
        write_json(self.trials / f"{trial.name}.json", asdict(trial))

    def read_trials(self) -> list[Trial]:
        """All trials by their numbers.

        Raises:
            UserError: a file is damaged.
        """
        return [_read(path, Trial) for path in sorted(self.trials.glob("*.json"))]

    def read_plan(self) -> dict[str, Any]:
        """Overrides and search space, as JSON has them.

        Raises:
            UserError: there are none, or the file is damaged.
        """
        if not self.plan.is_file():
            got, fix = "none", "name the folder that `rnnpipe sweep` printed"
            raise UserError(str(self.path), "the folder of a sweep", got, fix)
        content: dict[str, Any] = _read(self.plan, dict[str, Any])
        return content


def _read(path: Path, kind: Any) -> Any:
    try:
        return parse_json_as(kind, path.read_bytes())
    except ValueError as error:
        got, fix = f"one that is damaged ({error})", "begin a new sweep with --output"
        raise UserError(str(path), "a file of a sweep", got, fix) from error
