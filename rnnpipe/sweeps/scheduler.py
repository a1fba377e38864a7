"""The trials of a sweep, run as processes, some at the same time."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, TaskID

from rnnpipe.config.dump import dump_config
from rnnpipe.errors import UserError
from rnnpipe.runs.progress import make_progress
from rnnpipe.storage.atomic import write_text
from rnnpipe.sweeps.commands import list_commands, share_processors
from rnnpipe.sweeps.directory import SweepDirectory
from rnnpipe.sweeps.job import Job
from rnnpipe.sweeps.plan import Plan
from rnnpipe.sweeps.scores import read_epochs, score_run
from rnnpipe.sweeps.trial import Trial, describe, find_best

if TYPE_CHECKING:
    from rnnpipe.sweeps.sampler import Sampler

_POLL_SECONDS = 0.2
_FAILURES = 3  # from the first trial on: all would fail, for one reason


@dataclass
class _Running:
    trial: Trial
    job: Job
    data: str
    line: TaskID


class Scheduler:
    """Makes the trials of a sweep.

    Args:
        directory: the folder of the sweep, locked.
        plan: what it is.
        jobs: how many trials run at the same time.
        console: where progress and results are shown.
    """

    def __init__(
        self, directory: SweepDirectory, plan: Plan, *, jobs: int, console: Console
    ) -> None:
        self._directory, self._plan, self._jobs, self._console = directory, plan, jobs, console
        self._trials = {trial.number: trial for trial in directory.read_trials()}
        self._sampler = _make_sampler(plan, self._trials.values())
        self._running: list[_Running] = []
        self._held: Trial | None = None
        self._built: set[str] = set()

    def run(self, trials: int) -> None:
        """Makes trials until there are so many.

        Args:
            trials: how many there are in the end, those of earlier calls included.

        Raises:
            UserError: the first trials fail.
            KeyboardInterrupt: after a signal: what ran is unfinished, and goes on next time.
        """
        waiting = self._draw_trials(trials)
        with make_progress(self._console) as progress:
            bar = progress.add_task("trials", total=trials, text="")
            try:
                while self._fill(waiting, progress):
                    progress.update(bar, completed=self._count_ended())
                    time.sleep(_POLL_SECONDS)
                    for each in list(self._running):
                        self._watch(each, progress)
                    self._check_failures()
                progress.update(bar, completed=self._count_ended())
            finally:
                for each in list(self._running):
                    each.job.stop()
                    self._save(self._leave(each, each.trial))

    @property
    def trials(self) -> list[Trial]:
        """All trials by their numbers."""
        return sorted(self._trials.values(), key=lambda trial: trial.number)

    def rank_parameters(self) -> dict[str, float]:
        """The share of the scores' variance that each setting explains, the greatest first."""
        return {} if self._sampler is None else self._sampler.rank_parameters()

    def _draw_trials(self, trials: int) -> Iterator[Trial]:
        """Those that were interrupted, then new ones, each drawn when there is room for it."""
        for trial in [each for each in self.trials if each.state == "unfinished"]:
            if self._sampler is not None:
                self._sampler.begin(trial)
            yield trial
        for number in range(max(self._trials, default=0) + 1, trials + 1):
            seed = {"seed": self._plan.config.seed + number - 1}
            yield Trial(number, seed if self._sampler is None else self._sampler.draw(number))

    def _fill(self, waiting: Iterator[Trial], progress: Progress) -> bool:
        """Begins trials while there is room; returns whether any runs."""
        while len(self._running) < self._jobs:
            trial, self._held = self._held or next(waiting, None), None
            if trial is None:
                break
            if not self._begin(trial, progress):
                self._held = trial
                break
        return bool(self._running)

    def _begin(self, trial: Trial, progress: Progress) -> bool:
        """Begins a trial; returns False where its records are just being built for another."""
        try:
            config = self._plan.load_config(trial.values)
        except UserError as fault:
            self._end(replace(trial, state="failed", reason=str(fault)))
            return True
        data = dump_config(config.data)
        if any(each.data == data and each.job.is_first for each in self._running):
            return False
        directory = self._directory
        write_text(directory.config_of(trial), dump_config(config))
        commands = list_commands(
            directory, trial, builds=data not in self._built, scores=self._sampler is None
        )
        job = Job(commands, directory.log_of(trial), share_processors(self._jobs))
        line = progress.add_task(f"trial {trial.number}", total=config.train.epochs, text="")
        self._running.append(_Running(trial, job, data, line))
        self._save(trial)
        return True

    def _watch(self, running: _Running, progress: Progress) -> None:
        """Looks how far a trial is, and ends it if it is done or not worth going on."""
        trial, job, name = running.trial, running.job, self._plan.monitor[0]
        code = job.poll()
        if not job.is_first:
            self._built.add(running.data)
        run = self._directory.run_of(trial)
        epochs = read_epochs(run, self._plan.monitor) if run else []
        if epochs:
            text = f"{name} {epochs[-1]:.4g}"
            progress.update(running.line, completed=len(epochs), text=text)
        last = self._sampler.find_pruned(trial.number, epochs) if self._sampler else None
        if last is not None:
            job.stop()
            ended = replace(trial, state="pruned", epochs=tuple(epochs[:last]))
        elif code is None:
            return
        elif code or run is None or (score := score_run(run, self._plan.monitor)) is None:
            reason = job.read_reason(code)
            ended = replace(trial, state="failed", epochs=tuple(epochs), reason=reason)
        else:
            ended = replace(trial, state="finished", score=score, epochs=tuple(epochs))
        progress.remove_task(running.line)
        self._end(self._leave(running, ended))

    def _leave(self, running: _Running, trial: Trial) -> Trial:
        """What is known of a trial that no longer runs, with the time that it took."""
        self._running.remove(running)
        return replace(trial, seconds=trial.seconds + running.job.seconds)

    def _save(self, trial: Trial) -> None:
        """Writes what is known of a trial."""
        self._trials[trial.number] = trial
        self._directory.write_trial(trial)

    def _end(self, trial: Trial) -> None:
        """Takes the result of a trial, and prints it beside the best."""
        self._save(trial)
        if self._sampler is not None:
            self._sampler.add(trial)
        text = describe(trial, self._plan.monitor)
        best = find_best(self.trials, self._plan.monitor)
        if best is not None and best.number != trial.number:
            text += f"  (best {best.score:.4g}, trial {best.number})"
        self._console.print(text)

    def _count_ended(self) -> int:
        return sum(trial.state != "unfinished" for trial in self._trials.values())

    def _check_failures(self) -> None:
        """Refuses to go on where the first trials have all failed.

        Raises:
            UserError: they have; it has the reason of the last one.
        """
        ended = [trial for trial in self.trials if trial.state != "unfinished"]
        if len(ended) >= _FAILURES and all(trial.state == "failed" for trial in ended):
            last = ended[-1]
            log = self._directory.log_of(last)
            expected, got = "a trial that ends well", f"{len(ended)} that failed: {last.reason}"
            fix = f"see {log}, correct what it says, and begin a new sweep"
            raise UserError(str(self._directory.path), expected, got, fix)


def _make_sampler(plan: Plan, trials: Iterable[Trial]) -> "Sampler | None":
    """What draws the values of trials by those that have ended; None where only seeds differ."""
    if plan.space is None:
        return None
    from rnnpipe.sweeps.sampler import Sampler

    sampler = Sampler(plan.space, plan.config.seed, plan.monitor[1])
    for trial in trials:
        if trial.state != "unfinished":
            sampler.add(trial)
    return sampler
