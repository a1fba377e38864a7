"""Trackers: services where the losses, metrics and reports of many runs are looked at together."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from rnnpipe.requirements import require
from rnnpipe.settings import Kinds, Settings, setting

_HERE = "rnnpipe.parts.trackers"

Ending = Literal["finished", "failed", "interrupted"]
"""How a run ended, or a part of it that one process did."""


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker knows of a run when it begins or goes on.

    Args:
        name: of the config.
        folder: of the run.
        settings: by dotted key.
        environment: versions and machine.
        id: by which the tracker knows the run; None: it is new.
    """

    name: str
    folder: Path
    settings: Mapping[str, Any]
    environment: Mapping[str, Any]
    id: str | None = None


class Tracker(ABC):
    """A run in a service, opened.

    Args:
        id: by which the service knows the run.
    """

    def __init__(self, id: str) -> None:  # noqa: A002  # as both services call it
        self.id = id

    @abstractmethod
    def log_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Adds the losses and metrics of an epoch.

        Args:
            epoch: its number, from 1.
            values: by name; those of members, phases and baselines begin with theirs.
        """

    @abstractmethod
    def log_scores(self, scores: Mapping[str, float], report: Path) -> None:
        """Adds the results of an evaluation.

        Args:
            scores: by split and metric, `test/accuracy`.
            report: the page.
        """

    @abstractmethod
    def end(self, ending: Ending) -> None:
        """Closes the run in the service; it may be opened again."""


class TrackerOptions(Settings):
    """A service that a run is tracked in.

    A subclass has a `kind` and opens a run. Other packages add kinds by the entry point group
    `rnnpipe.trackers`.
    """

    kinds = Kinds(
        "rnnpipe.trackers",
        {"mlflow": f"{_HERE}:MLflowOptions", "wandb": f"{_HERE}:WandbOptions"},
    )
    kind: str
    extras: ClassVar[Sequence[str]] = ()
    """The extras of rnnpipe that it needs."""

    def check_installed(self) -> None:
        """Checks that its library is installed.

        Raises:
            UserError: it is not.
        """
        require(*self.extras, where="train.trackers")

    def open(self, run: TrackedRun) -> Tracker:
        """Begins a run in the service, or goes on with one.

        Args:
            run: the run.

        Raises:
            Exception: whatever the library raises where the service cannot be reached.
        """
        raise NotImplementedError


class MLflowOptions(TrackerOptions):
    """MLflow's tracking."""

    kind: Literal["mlflow"] = "mlflow"
    extras: ClassVar[Sequence[str]] = ("mlflow",)
    uri: str | None = setting(
        None, "its server, or sqlite:///FILE; null: MLFLOW_TRACKING_URI, or MLflow's default"
    )
    experiment: str | None = setting(None, "in which experiment; null: called like the config")

    def open(self, run: TrackedRun) -> Tracker:
        """A run of an experiment, with the settings as parameters."""
        return MLflowTracker(self, run)


class MLflowTracker(Tracker):
    """A run of MLflow.

    Args:
        options: its settings.
        run: the run.
    """

    def __init__(self, options: MLflowOptions, run: TrackedRun) -> None:
        from mlflow import MlflowClient
        from mlflow.entities import Param, RunStatus, RunTag

        self._client = MlflowClient(tracking_uri=options.uri)
        if run.id is None:
            name = options.experiment or run.name
            known = self._client.get_experiment_by_name(name)
            experiment = known.experiment_id if known else self._client.create_experiment(name)
            begun = self._client.create_run(experiment, run_name=f"{run.name}/{run.folder.name}")
            super().__init__(begun.info.run_id)
            params = [Param(key, str(value)) for key, value in run.settings.items()]
            tags = [RunTag(key, str(value)) for key, value in run.environment.items()]
            tags.append(RunTag("folder", str(run.folder.absolute())))
            for start in range(0, len(params), 100):  # as many as a server takes at once
                self._client.log_batch(self.id, params=params[start : start + 100])
            self._client.log_batch(self.id, tags=tags)
        else:
            super().__init__(run.id)
            self._client.update_run(self.id, RunStatus.to_string(RunStatus.RUNNING))

    def log_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Adds metrics with the epoch as their step."""
        self._log(values, epoch)

    def log_scores(self, scores: Mapping[str, float], report: Path) -> None:
        """Adds metrics, and the report as an artifact."""
        self._log(scores, 0)
        self._client.log_artifact(self.id, str(report))

    def _log(self, values: Mapping[str, float], step: int) -> None:
        import time

        from mlflow.entities import Metric

        now = int(time.time() * 1000)  # milliseconds
        metrics = [Metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self.id, metrics=metrics)

    def end(self, ending: Ending) -> None:
        """Sets its status."""
        status = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
        self._client.set_terminated(self.id, status[ending])


class WandbOptions(TrackerOptions):
    """Weights & Biases."""

    kind: Literal["wandb"] = "wandb"
    extras: ClassVar[Sequence[str]] = ("wandb",)
    project: str | None = setting(None, "in which project; null: called like the config")
    entity: str | None = setting(None, "of which user or team; null: the default one")
    mode: Literal["online", "offline"] | None = setting(
        None, "offline: into files of the run, for `wandb sync`; null: WANDB_MODE, or online"
    )

    def open(self, run: TrackedRun) -> Tracker:
        """A run of a project, with the settings as its config."""
        return WandbTracker(self, run)


class WandbTracker(Tracker):
    """A run of Weights & Biases.

    Args:
        options: its settings.
        run: the run.
    """

    def __init__(self, options: WandbOptions, run: TrackedRun) -> None:
        import wandb

        self._run = wandb.init(
            project=options.project or run.name,
            entity=options.entity,
            mode=options.mode,
            id=run.id,
            resume=None if run.id is None else "allow",
            name=f"{run.name}/{run.folder.name}",
            config={**run.settings, "environment": dict(run.environment)},
            dir=str(run.folder),
            settings=wandb.Settings(silent=True, console="off", disable_git=True),
        )
        super().__init__(self._run.id)
        self._run.define_metric("epoch")
        self._run.define_metric("*", step_metric="epoch")

    def log_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Adds values by their epoch."""
        self._run.log({**values, "epoch": epoch})

    def log_scores(self, scores: Mapping[str, float], report: Path) -> None:
        """Adds them to the summary, and the report to the files."""
        self._run.summary.update(dict(scores))
        self._run.save(str(report), base_path=str(report.parent), policy="now")

    def end(self, ending: Ending) -> None:
        """Closes it, with exit code 0 where it has not failed."""
        self._run.finish(exit_code=int(ending == "failed"))
