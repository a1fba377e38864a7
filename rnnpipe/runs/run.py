"""A trained run: its history, model and predictions beside its results."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rnnpipe.config.overrides import Overrides
from rnnpipe.errors import UserError
from rnnpipe.output import write_notice
from rnnpipe.quiet import quiet_import
from rnnpipe.requirements import requiring
from rnnpipe.runs.config import check_overrides
from rnnpipe.runs.console import make_console
from rnnpipe.runs.contents import read_start
from rnnpipe.runs.ensemble import open_ensemble
from rnnpipe.runs.export import Export, export_run
from rnnpipe.runs.history import read_history
from rnnpipe.runs.language_model import load_language_model, open_language_model
from rnnpipe.runs.predict import predict_keywords, stream_keywords
from rnnpipe.runs.results import Results
from rnnpipe.storage.paths import local_path
from rnnpipe.tasks import make_task
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.network import Network
from rnnpipe.tasks.prediction import Prediction
from rnnpipe.tasks.predictor import Predictor

if TYPE_CHECKING:
    import keras

    from rnnpipe.runs.model import RunModel
    from rnnpipe.tasks.scored_text import ScoredText


class Run(Results):
    """A trained run, as `rnnpipe.run` and `rnnpipe.load` return it.

    Nothing is read before it is asked for. `metrics`, `predictions` and `report` are those of the
    evaluation with the settings of the run.

    Of a run whose training has not ended, `model` has the best weights so far: those at the moment
    when it is first asked for. A note on the standard error names their epoch.

    Args:
        directory: its folder.
        overrides: settings of `evaluate` written over those of its config, see `with_settings`.
    """

    extras: ClassVar[Sequence[str]] = ("train",)
    """The extras of rnnpipe that predictions need."""

    def with_settings(self, overrides: Overrides) -> "Run":
        """The same run, which predicts and scores with other settings of `evaluate`.

        Args:
            overrides: by key, e.g. `{"evaluate.search.beam_width": 10}`.

        Raises:
            UserError: one is no key of `evaluate`.
        """
        check_overrides(overrides, ("evaluate.",), "a key of evaluate")
        return Run(self._directory, overrides)

    @property
    def history(self) -> dict[str, list[float]]:
        """The losses and metrics of training: a value for every epoch, by name."""
        return read_history(self._directory, self._directory.history)

    @property
    def start(self) -> dict[str, Any] | None:
        """What it took of the weights of another run; None where it began with random ones.

        `run` and `state` say of which run, and of which epochs where its training had not ended;
        `taken` has the rows taken by weight, empty for all of them, `left` the reason by weight,
        and `unused` the other run's weights that nothing was made of.
        """
        seal, path = self._directory.seal, self._directory.start_report
        return read_start(self._directory) if seal.expects(path) else None

    @property
    def partial(self) -> dict[str, Any] | None:
        """Where the training was whose weights `model` has; None if it had ended."""
        partial = self._loaded.partial
        return partial.to_json() if partial else None

    @cached_property
    def task(self) -> Task:
        """The task; `task.inputs` declares the inputs of `predict`."""
        with quiet_import():
            return make_task(self.config)

    @property
    def picture(self) -> Path:
        """The file of the picture of a prediction, where the command line names none."""
        return self.path / "prediction.png"

    @property
    def model(self) -> "keras.Model":
        """The trained Keras model, with the weights of its best epoch.

        Raises:
            UserError: its training has not come to the end of an epoch.
        """
        return self._loaded.model

    @cached_property
    def _loaded(self) -> "RunModel":
        with requiring("train", where="Run.model"):
            with quiet_import():
                from rnnpipe.runs.model import load_model

            loaded = load_model(self._directory, self.task)
        if loaded.partial:
            write_notice(loaded.partial.notice)
        return loaded

    @cached_property
    def _joined(self) -> "keras.Model":
        """The model that predicts: the run's own, or the ensemble that its config names."""
        runs = open_ensemble(self.config, self.task, self._directory)
        if len(runs) == 1:
            return self.model
        with quiet_import():
            from rnnpipe.runs.model import load_ensemble

        loaded = load_ensemble(runs, self.task)
        if loaded.partial:
            write_notice(loaded.partial.notice)
        return loaded.model

    @cached_property
    def predictor(self) -> Predictor:
        """The predictor, for rows from anywhere: `predictor.predict(rows)`.

        It is that of the ensemble if the config names one.

        Raises:
            UserError: a member of the ensemble, or the language model of the search, does not fit.
        """
        with requiring(*self.extras, where="Run.predictor"):
            return self.task.make_predictor(self._vocabulary, self._make_network())

    def _make_network(self) -> Network:
        language_model = open_language_model(self.config)
        for notice in load_language_model(self.task, language_model, self._vocabulary):
            write_notice(notice)
        return self.task.make_network(self._joined, self._vocabulary)

    @property
    def _vocabulary(self) -> Path:
        return self._directory.seal.check(self._directory.vocabulary)

    def check_scores(self) -> None:
        """Checks that the task has a likelihood of given texts, see `score`.

        Raises:
            UserError: it has none.
        """
        if not self.task.scored_inputs:
            expected = "a task whose model gives texts a probability, e.g. translation"
            fix = "predict with it: the probabilities of answers are in the predictions"
            raise UserError("score", expected, self.task.name, fix)

    @cached_property
    def scorer(self) -> Predictor:
        """The predictor of `ScoredText`, for rows from anywhere: `scorer.predict(rows)`.

        It is that of the ensemble if the config names one.

        Raises:
            UserError: the task has no likelihood of a text, or a member of the ensemble does not
                fit.
        """
        self.check_scores()
        with requiring(*self.extras, where="Run.scorer"):
            return self.task.make_scorer(self._joined, self._vocabulary)

    def score(self, **inputs: Any) -> "ScoredText | list[ScoredText]":
        """How likely the model finds texts of one's own, or the ensemble if the config names one.

            log p(y | x) = Σₜ log p(yₜ | y₁ … yₜ₋₁, x)

        Args:
            **inputs: those that the task declares as `scored_inputs`: `text` and `translation`,
                `image` and `caption`, or the `text` of a language model. A list has a value for
                each row of a batch, and anything else is the same for all rows.

        Returns:
            The log-probability of the text and of each of its tokens; for a batch a list of them.

        Raises:
            UserError: as `predict`, or the task has no likelihood of a text.
        """
        return predict_keywords(self.scorer, inputs)  # type: ignore[return-value]  # a scorer's

    def predict(self, **inputs: Any) -> Prediction | list[Prediction]:
        """The prediction for inputs of one's own, of the ensemble if the config names one.

        Args:
            **inputs: those that the task declares, e.g. `text`, or `image` and `question`: texts,
                numbers and paths; images also as bytes or arrays; phrases are a tuple of texts. A
                list has a value for each row of a batch, and anything else is the same for all
                rows.

        Returns:
            A `Prediction` with answers, alignments and a picture; for a batch a list of them.

        Raises:
            UserError: an input is missing, unknown or malformed, or cannot be read, or a member
                of the ensemble does not fit.
        """
        return predict_keywords(self.predictor, inputs)

    def stream(self, **inputs: Any) -> Iterator[str]:
        """The prediction for inputs of one's own in pieces of text, each as soon as it is known.

        Language models give a text symbol by symbol, video labelers a line for each label.

        Args:
            **inputs: those that the task declares, see `predict`.

        Raises:
            UserError: an input is missing, unknown or malformed, or cannot be read, a member of
                the ensemble does not fit, or the task has no such answers.
        """
        return stream_keywords(self.predictor, inputs)

    def export(
        self,
        format: str,  # noqa: A002  the name that the command line has too
        output: str | Path | None = None,
        *,
        quantize: str | None = None,
        text_in_graph: bool = False,
        verbose: bool = True,
    ) -> Export:
        """Writes a folder that answers as the run does, without the run, its data and its code.

        Args:
            format: `onnx`, `saved_model`, `litert` or `mlflow`.
            output: the folder, new or empty; by default `exports/<format>` in that of the run.
            quantize: `int8` makes the weights of matrix products of `onnx` a quarter as large. The
                answers change, so that `manifest.check` has the scores of both.
            text_in_graph: whether a SavedModel has the function `predict_text` too, which takes
                strings: tokenizers and all are part of its graph.
            verbose: whether it is printed how far the answers of the two differ.

        Raises:
            UserError: there is no such format, it cannot be quantized so, `output` has files, the
                task does not read a text alone, or the export answers otherwise than the run.
        """
        if self._overrides:
            fix = "write the settings into its config.yaml, or train with them"
            raise UserError("export", "a run with its own settings", "other ones", fix)
        console = make_console(quiet=not verbose)
        path = local_path("output", output) if isinstance(output, str) else output
        return export_run(
            self._directory,
            self.task,
            self._make_network,
            format_name=format,
            output=path,
            quantization=quantize,
            text_in_graph=text_in_graph,
            console=console,
        )

    def evaluate(self, overrides: Overrides = (), *, verbose: bool = True) -> Results:
        """Scores the run on the splits of its config and writes a report.

        Args:
            overrides: settings of `evaluate` by key, e.g. `{"evaluate.search.beam_width": 10}`, or
                of other data, e.g. `{"data.source.test": "newstest"}`, whose records are built. The
                results go into a folder of their own then, and those of the run stay; likewise of
                a run whose training has not ended, which is scored by its best weights so far.
            verbose: whether progress and scores are printed.

        Raises:
            UserError: the records are missing or others than those it was trained on, a file of the
                run is damaged, another process trains or scores the run, or an override is neither
                a key of `evaluate` nor one of where data comes from.
        """
        with requiring("train", "report", where="Run.evaluate"):
            with quiet_import():
                from rnnpipe.runs.evaluate import evaluate_run

            console = make_console(quiet=not verbose)
            # Results go into the folder of the run where it is trained, with its own settings.
            writes = not overrides and self._directory.seal.expects(self._directory.model)
            with self._directory.lock() if writes else nullcontext():
                return Results(evaluate_run(self._directory, console, overrides=overrides))
