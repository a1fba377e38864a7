"""How the values of the next trial are drawn, and which trials are stopped early."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState, create_trial

from rnnpipe.sweeps.space import Space
from rnnpipe.sweeps.trial import Trial


class Sampler:
    """Draws the values of trials by those before, with Optuna.

    Each trial is drawn with a seed of its own, so that a sweep that was interrupted draws what it
    would have drawn.

    Args:
        space: the search space.
        seed: of what is drawn.
        mode: whether less or more of the score is better.
    """

    def __init__(self, space: Space, seed: int, mode: str) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space, self._seed = space, seed
        pruning = space.pruning
        self._study = optuna.create_study(
            direction="minimize" if mode == "min" else "maximize",
            pruner=optuna.pruners.NopPruner()
            if pruning is None
            else optuna.pruners.MedianPruner(pruning.startup_trials, pruning.warmup_epochs),
        )
        self._distributions = {
            key: parameter.distribution for key, parameter in space.parameters.items()
        }
        self._trials: dict[int, optuna.trial.Trial] = {}

    def draw(self, number: int) -> dict[str, Any]:
        """The values of a new trial by key.

        Args:
            number: of the trial.
        """
        if self._space.sampler == "grid":
            values = self._space.combination(number)
            self.begin(Trial(number, values))
            return values
        self._study.sampler = self._make_sampler(number)
        self._trials[number] = drawn = self._study.ask(self._distributions)
        parameters = self._space.parameters
        return {key: parameters[key].decode(value) for key, value in drawn.params.items()}

    def _make_sampler(self, number: int) -> optuna.samplers.BaseSampler:
        seed = (self._seed * 1_000_003 + number) % 2**32
        if self._space.sampler == "random":
            return optuna.samplers.RandomSampler(seed)
        # The experimental parts of Optuna warn: trials that run at the same time keep apart.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)

    def begin(self, trial: Trial) -> None:
        """Takes a trial that was drawn before and goes on."""
        self._study.enqueue_trial(self._encode(trial.values))
        self._trials[trial.number] = self._study.ask(self._distributions)

    def add(self, trial: Trial) -> None:
        """Takes a trial that has ended, in this sweep or in what was done of it before."""
        if (drawn := self._trials.pop(trial.number, None)) is not None:
            state = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
            ended = state.get(trial.state, TrialState.FAIL)
            score = trial.score if ended is TrialState.COMPLETE else None
            self._study.tell(drawn, score, state=ended)
            return
        if trial.state == "failed":
            return
        self._study.add_trial(
            create_trial(
                state=TrialState.COMPLETE if trial.state == "finished" else TrialState.PRUNED,
                value=trial.score if trial.state == "finished" else None,
                params=self._encode(trial.values),
                distributions=self._distributions,
                intermediate_values=dict(enumerate(trial.epochs)),
            )
        )

    def find_pruned(self, number: int, epochs: Sequence[float]) -> int | None:
        """After how many epochs a trial is to be stopped; None if it may go on.

        Args:
            number: of the trial, which has begun.
            epochs: the quantity after each of its epochs.
        """
        drawn = self._trials[number]
        reported = self._study.get_trials(deepcopy=False)[drawn.number].intermediate_values
        for epoch in range(len(reported), len(epochs)):
            drawn.report(epochs[epoch], epoch)
            if drawn.should_prune():
                return epoch + 1
        return None

    def rank_parameters(self) -> dict[str, float]:
        """The share of the scores' variance that each setting explains (Hutter et al. 2014).

        Empty where fewer than four trials have finished or all scores are equal.
        """
        finished = self._study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        if len(finished) < 4 or len({trial.value for trial in finished}) == 1:
            return {}
        evaluator = FanovaImportanceEvaluator(seed=self._seed)
        return get_param_importances(self._study, evaluator=evaluator)

    def _encode(self, values: Mapping[str, Any]) -> dict[str, Any]:
        parameters = self._space.parameters
        return {key: parameters[key].encode(value) for key, value in values.items()}
