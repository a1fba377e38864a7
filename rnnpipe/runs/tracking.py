"""A run in the services that its config names: opened, kept up to date, closed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from rnnpipe.config.dump import dump_settings
from rnnpipe.errors import UserError
from rnnpipe.parts.trackers import Ending, TrackedRun, Tracker, TrackerOptions
from rnnpipe.runs.contents import read_environment
from rnnpipe.runs.differences import flatten_settings
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.environment import MACHINE
from rnnpipe.storage.atomic import json_text
from rnnpipe.tasks.run_config import RunConfig


@dataclass
class Trackers:
    """The services that a run is tracked in, while a process trains or scores it.

    A service that fails in the midst is reported once and left out from then on: the run is worth
    more than its record.

    Args:
        run: the run.
        console: where failures are reported.
        opened: by kind, those that work.
    """

    run: RunDirectory
    console: Console
    opened: dict[str, Tracker] = field(default_factory=dict)

    def make_callbacks(self, history: Path) -> list[keras.callbacks.Callback]:
        """What logs each epoch of a training.

        Args:
            history: the file of its history, which tells what of the run is trained.
        """
        return [TrackerLog(self, _name_part(self.run, history))] if self.opened else []

    def log_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Adds the losses and metrics of an epoch, from 1."""
        self._tell(lambda tracker: tracker.log_epoch(epoch, values))

    def log_results(self, scores: Mapping[str, Mapping[str, float]], report: Path) -> None:
        """Adds the results of an evaluation."""
        flat = {f"{split}/{name}": v for split, each in scores.items() for name, v in each.items()}
        self._tell(lambda tracker: tracker.log_scores(flat, report))

    def end(self, ending: Ending) -> None:
        """Closes the run in all services."""
        self._tell(lambda tracker: tracker.end(ending))

    def _tell(self, act: Callable[[Tracker], None]) -> None:
        for kind, tracker in list(self.opened.items()):
            try:
                act(tracker)
            except Exception as fault:  # of its library and the network: a run goes on without it
                del self.opened[kind]
                note = f"{kind} no longer tracks this run: {_in_a_line(fault)}"
                self.console.print(f"Note: {note}", style="yellow")


class TrackerLog(keras.callbacks.Callback):
    """Logs each epoch in the services of a run.

    Args:
        trackers: the services.
        part: what of the run is trained, e.g. `members/2`; empty for its model.
    """

    def __init__(self, trackers: Trackers, part: str) -> None:
        super().__init__()
        self._trackers, self._part = trackers, part

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs all losses and metrics."""
        start = f"{self._part}/" if self._part else ""
        values = {f"{start}{name}": float(value) for name, value in (logs or {}).items()}
        self._trackers.log_epoch(epoch + 1, values)


@contextmanager
def tracking(config: RunConfig, run: RunDirectory, console: Console) -> Iterator[Trackers]:
    """Opens a run in the services that its config names, and closes it there.

    The numbers by which they know it are kept in its folder, so that whoever resumes or scores it
    goes on with the same one.

    Args:
        config: the run's config.
        run: the run, locked.
        console: where failures are reported.

    Raises:
        UserError: a service cannot be reached.
    """
    trackers, ids = Trackers(run, console), _read_ids(run)
    if not config.train.trackers:
        yield trackers
        return
    with ExitStack() as stack:
        stack.callback(lambda: trackers.end(ending))
        ending: Ending = "failed"
        for options in config.train.trackers:
            tracker = _open(options, _describe(config, run, ids.get(options.kind)))
            trackers.opened[options.kind] = tracker
            ids[options.kind] = tracker.id
        run.seal.write_text(run.trackers, json_text(ids))
        try:
            yield trackers
        except KeyboardInterrupt:
            ending = "interrupted"
            raise
        ending = "finished"


def track_results(
    config: RunConfig,
    run: RunDirectory,
    scores: Mapping[str, Mapping[str, float]],
    console: Console,
) -> None:
    """Adds the results of an evaluation in the services that know a run, if they can be reached.

    Args:
        config: the run's config.
        run: the run, with its report.
        scores: by split and metric.
        console: where failures are reported.
    """
    try:
        with tracking(config, run, console) as trackers:
            trackers.log_results(scores, run.report)
    except UserError as fault:
        console.print(f"Note: the scores are not tracked: {fault}", style="yellow")


def _open(options: TrackerOptions, run: TrackedRun) -> Tracker:
    try:
        return options.open(run)
    except Exception as fault:
        expected, fix = f"a service of {options.kind} that answers", "correct it, or leave it out"
        raise UserError("train.trackers", expected, _in_a_line(fault), fix) from fault


def _describe(config: RunConfig, run: RunDirectory, known: str | None) -> TrackedRun:
    environment = read_environment(run)
    return TrackedRun(
        name=run.path.absolute().parent.name,
        folder=run.path,
        settings=dict(flatten_settings(dump_settings(config))),
        environment={name: environment[name] for name in (*MACHINE, "records")},
        id=known,
    )


def _read_ids(run: RunDirectory) -> dict[str, str]:
    if not run.seal.expects(run.trackers):
        return {}
    return run.seal.read_json(run.trackers, dict[str, str])


def _name_part(run: RunDirectory, history: Path) -> str:
    """The part of a run that a history is of: empty, `members/2`, `baselines/cnn`."""
    if history.parent == run.path:
        return ""
    path = history.parent if history.name == run.history.name else history.with_suffix("")
    return path.relative_to(run.path / "checkpoints").as_posix()


def _in_a_line(fault: Exception) -> str:
    return " ".join(str(fault).split())[:300] or type(fault).__name__
