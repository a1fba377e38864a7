"""The trainings of one run: of its model or models, their further phases, its baselines."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from rnnpipe.parts.fine_tuning import FineTuningOptions
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.runs.callbacks import InitialScoreLog, TrainingProgress, make_callbacks
from rnnpipe.runs.directory import BEST_WEIGHTS, RunDirectory
from rnnpipe.runs.holding import RecordsCheck
from rnnpipe.runs.model import save_model
from rnnpipe.runs.progress import make_progress
from rnnpipe.runs.start import StartWeights
from rnnpipe.runs.tracking import Trackers
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.results import Phase
from rnnpipe.tasks.run_config import RunConfig
from rnnpipe.training.divergence import Diverged, RolledBack
from rnnpipe.training.fit import TrainingFiles, find_batch, fit_model
from rnnpipe.training.safeguards import Safeguards
from rnnpipe.training.transfer import NamedWeights, transfer_weights
from rnnpipe.training.unfreezing import Unfreezing


@dataclass(frozen=True)
class RunTraining:
    """The trainings of one run: its model or models, their further phases, its baselines.

    Args:
        config: the run's config.
        task: its task.
        records: its finished records, held.
        run: where it goes.
        console: where progress is shown.
        trackers: the services that it is tracked in.
        start: the weights that the model, or each member, begins with; None for random ones.
            Baselines always begin with random ones.
        pretrained: the weights of layers that `pretrain` has trained, and the layers' paths.
        diverged: the trainings whose loss became NaN; they end with their best weights.
    """

    config: RunConfig
    task: Task
    records: RecordsDirectory
    run: RunDirectory
    console: Console
    trackers: Trackers
    start: StartWeights | None = None
    pretrained: dict[str, NamedWeights] = field(default_factory=dict)
    diverged: list[Diverged] = field(default_factory=list)

    def pretrain(self) -> None:
        """Trains layers of the model for something else, where the task has that first."""
        pretraining = self.task.make_pretraining(self.records)
        if pretraining is None:
            return
        if self.start is not None:
            self.start.apply(pretraining.model, self.task.row_names(self.records.path))
        self.console.print(f"Pretraining: {pretraining.name}")
        self._fit_batches(
            pretraining.trainer,
            pretraining.batches,
            validation=pretraining.validation,
            epochs=pretraining.epochs,
            monitor=pretraining.monitor,
            mode="min",
            patience=pretraining.patience,
            files=_files_in(self.run.pretraining, self.run.tensorboard / "pretraining"),
            callbacks=pretraining.callbacks,
            safeguards=self._guard("pretraining"),
        )
        weights = NamedWeights.of(pretraining.model, {})
        self.pretrained.update(dict.fromkeys(pretraining.parts, weights))
        keras.utils.set_random_seed(self.config.seed)

    def train_model(self) -> keras.Model:
        """The trained model, or the ensemble of several."""
        run, size, config = self.run, self.task.ensemble_size, self.config
        files = TrainingFiles(run.weights, run.history, run.tensorboard)
        if size == 1:
            model = self._build_model()
            self._fit(model, files, "training", fine_tuning=config.train.fine_tuning)
            return model
        models = []
        for number in range(1, size + 1):
            self.console.print(f"Member {number} of {size}:")
            seed = config.seed + number - 1
            keras.utils.set_random_seed(seed)
            model = self._build_model(number)
            part = f"training of member {number}"
            self._fit(model, files, part, seed=seed, fine_tuning=config.train.fine_tuning)
            models.append(model)
            name = str(number + 1)
            files = _files_in(run.members / name, run.tensorboard / "members" / name)
        return self.task.join(models)

    def _build_model(self, number: int = 1) -> keras.Model:
        """The model, or a member by its number."""
        model = self.task.build_model(self.records)
        if not self.run.seal.holds(self.run.untrained):
            self.run.untrained.parent.mkdir(exist_ok=True)
            save_model(model, self.run.untrained)
        if self.start is not None:
            self.start.apply(model, self.task.row_names(self.records.path), number)
        for part, weights in self.pretrained.items():
            transfer_weights(model, {}, weights, {part: part})
        return model

    def refine(self, phase: Phase) -> None:
        """Trains a model further, and leaves it no worse than it was on the validation split."""
        monitor, mode = self.task.monitor()
        start = phase.score()
        self.console.print(f"{phase.name}: {monitor} {start:.4g} before")
        folder = self.run.phases / phase.name
        self._fit_batches(
            phase.trainer,
            phase.batches,
            epochs=phase.epochs,
            monitor=monitor,
            mode=mode,
            patience=phase.patience,
            files=_files_in(folder, self.run.tensorboard / "phases" / phase.name),
            callbacks=[*phase.callbacks, InitialScoreLog(f"{monitor}_at_start", start)],
            start=start,
            safeguards=self._guard(f"phase {phase.name}"),
        )

    def train_baselines(self) -> None:
        """Trains the models to compare with, and saves those that could be trained."""
        folder = self.run.baselines
        for name, model in self.task.build_baselines(self.records).items():
            self.console.print(f"Baseline {name}:")
            files = TrainingFiles(
                folder / f"{name}.weights.h5",
                folder / f"{name}.csv",
                self.run.tensorboard / "baselines" / name,
            )
            try:
                self._fit(model, files, f"baseline {name}")
            except Diverged as fault:  # from its first epoch on; the model itself is trained
                self.diverged.append(fault)
            else:
                save_model(model, folder / f"{name}.keras")

    def _fit(
        self,
        model: keras.Model,
        files: TrainingFiles,
        part: str,
        *,
        seed: int | None = None,
        fine_tuning: FineTuningOptions | None = None,
    ) -> None:
        """Trains a model as the config says, and leaves it with its best weights.

        The order of batches follows `seed`, by default the config's. A training that has gone back
        is resumed as one that was interrupted, with all made anew but the model.
        """
        seed = self.config.seed if seed is None else seed
        while True:
            try:
                self._fit_once(model, files, part, seed, fine_tuning)
            except RolledBack:
                continue
            break

    def _fit_once(
        self,
        model: keras.Model,
        files: TrainingFiles,
        part: str,
        seed: int,
        fine_tuning: FineTuningOptions | None,
    ) -> None:
        config, task, records = self.config, self.task, self.records
        trainer = task.build_trainer(model, records, fine_tuning)
        callbacks = make_callbacks(config, task, trainer, model, records, files.weights)
        if fine_tuning is not None:
            callbacks.append(Unfreezing(trainer, fine_tuning.delays))
        monitor, mode = task.monitor()
        self._fit_batches(
            trainer,
            task.make_batches(records, "train", shuffle_seed=seed),
            epochs=config.train.epochs,
            monitor=monitor,
            mode=mode,
            patience=config.train.keep_best.patience,
            patience_from=0 if fine_tuning is None else fine_tuning.last_delay,
            files=files,
            callbacks=callbacks,
            safeguards=self._guard(
                part,
                rollback=config.train.rollback,
                find_records=lambda epochs, step: self._find_records(seed, epochs, step),
            ),
        )

    def _guard(self, part: str, **options: Any) -> Safeguards:
        def notify(notice: str) -> None:
            self.console.print(f"Note: {notice}", style="yellow", markup=False)

        checkpoint = self.config.train.checkpoint
        return Safeguards(checkpoint=checkpoint, part=part, notify=notify, **options)

    def _find_records(self, seed: int, epochs: int, step: int) -> list[str]:
        """The ids of the records of a batch, see `find_batch`; none if they are not known."""
        ids = self.task.make_record_ids(self.records, seed)
        if ids is None:
            return []
        batch = find_batch(ids, epochs, step).numpy().tolist()
        return [each.decode() if isinstance(each, bytes) else str(each) for each in batch]

    def _fit_batches(
        self,
        trainer: keras.Model,
        batches: Any,
        *,
        files: TrainingFiles,
        callbacks: Sequence[Any],
        validation: Any = None,
        **options: Any,
    ) -> None:
        """Calls `fit_model` with a progress bar; a loss that is not finite ends it only.

        Batches to validate by are those of the task, if no others are given.
        """
        if validation is None:
            validation = self.task.make_batches(self.records, "validation")
        with make_progress(self.console) as progress:
            shown = TrainingProgress(progress, len(batches))
            tracked = self.trackers.make_callbacks(files.history)
            try:
                fit_model(
                    trainer,
                    batches,
                    validation,
                    files=files,
                    callbacks=[RecordsCheck(self.records), *callbacks, *tracked, shown],
                    **options,
                )
            except Diverged as fault:
                if not fault.kept:
                    raise
                self.diverged.append(fault)
        if self.run.seal.expects(files.history):
            self.run.seal.check(files.history)
        else:
            self.run.seal.add(files.history)  # which no longer grows


def _files_in(folder: Path, tensorboard: Path) -> TrainingFiles:
    return TrainingFiles(folder / BEST_WEIGHTS, folder / "history.csv", tensorboard)
