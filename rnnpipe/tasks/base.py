"""The base class of tasks: everything that the stages of a run need. The config stops here."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from rnnpipe.errors import UserError, located
from rnnpipe.metrics.corpus import CorpusMetric
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.network import Arrays, Bound, Function, Graph, Network
from rnnpipe.tasks.predictor import Predictor
from rnnpipe.tasks.results import Evaluation, Phase, Pretraining
from rnnpipe.tasks.run_config import RunConfig, Train
from rnnpipe.training.row_names import RowNames
from rnnpipe.transforms.plan import BuildPlan

if TYPE_CHECKING:
    # Keras takes seconds to import, and a build does not need it.
    import keras

    from rnnpipe.inputs.batches import Batch
    from rnnpipe.parts.fine_tuning import FineTuningOptions
    from rnnpipe.parts.schedules import ScheduleOptions
    from rnnpipe.parts.search import BeamSearchOptions
    from rnnpipe.tasks.shallow_fusion import FusedLanguageModel

Config = TypeVar("Config", bound=RunConfig)

_MINIMIZED = ("loss", "perplexity", "bits_per_char", "wer", "cer")


class Task(ABC, Generic[Config]):
    """One task with its config.

    A subclass implements `build_model`, `compile_options`, `make_pair` (or `make_batches`),
    `evaluate` and `make_predictor`; all other methods have the behaviour that most tasks share.

    Args:
        config: the run's config.
    """

    name: ClassVar[str]
    main_metric: str
    """The metric of `evaluate` that the report puts first."""
    inputs: Sequence[Input] = ()
    """The inputs of a prediction; their defaults may depend on the config."""
    draws: ClassVar[bool] = True
    """Whether predictions have a picture."""
    streams: ClassVar[bool] = False
    """Whether the predictor can `stream`: answer piece by piece."""
    scored_inputs: Sequence[Input] = ()
    """The inputs of `make_scorer`; none: the task has no likelihood of a given text."""
    fields: Sequence[str] = ()
    """The fields of a record that `make_pair` needs."""
    batch_options: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Further arguments of `rnnpipe.inputs.batches.make_batches`."""
    extras: ClassVar[Sequence[str]] = ()
    """The extras of rnnpipe that the task needs beside those of the stages."""
    input_extras: ClassVar[Sequence[str]] = ()
    """Those that reading raw inputs needs, which exports do too."""
    vocabulary: ClassVar[Sequence[str]] = ()
    """The files and folders of the records that predictors need."""
    softmax_outputs: ClassVar[Sequence[str]] = ()
    """The outputs of the model that are logits of a softmax; none: there are no ensembles."""
    text_field: ClassVar[str] = ""
    """The field of a record that has the text as it was read, of a task that reads a text alone."""
    record_fields: ClassVar[Sequence[str]] = ()
    """The fields of a prediction by which runs are compared: the record's id, and the truth."""
    answer_fields: ClassVar[Sequence[str]] = ("prediction",)
    """The fields of a prediction that are the model's answer."""
    record_score: ClassVar[str] = ""
    """The field of a prediction with its own score; by default the main metric of it alone."""
    preprocessing: ClassVar[Sequence[str]] = ()
    """The sections of `data` by which a raw input becomes what the model reads."""
    output_tokenizer: ClassVar[str] = ""
    """Where in the folder of `save_vocabulary` the tokenizer is of what searches find."""
    language_model: FusedLanguageModel | None = None
    """The language model that `evaluate.search` names, opened by whoever makes a network."""

    def __init__(self, config: Config) -> None:
        self.config = config

    # Records

    def plan_build(self) -> BuildPlan:
        """The records that the config describes.

        Raises:
            UserError: the source's settings contradict each other.
        """
        data, build = self.config.data, self.config.build
        return BuildPlan(
            data.open_source(),
            data.make_recipe(),
            data.splits.shares,
            records_per_shard=build.records_per_shard,
            max_bad_fraction=build.max_bad_fraction,
        )

    # Models

    def check_model(self) -> None:
        """Checks what the model needs beside records, before a build that may take hours.

        Raises:
            UserError: something is missing, e.g. a file of weights.
        """

    def check_records(self, records: RecordsDirectory) -> None:
        """Checks the config against finished records, before a training that may take hours.

        Raises:
            UserError: they do not go together, e.g. a beam is wider than the vocabulary.
        """
        del records

    @abstractmethod
    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The untrained model, with all outputs that predictions and the report need."""

    def build_baselines(self, records: RecordsDirectory) -> Mapping[str, keras.Model]:
        """Untrained baseline models by name; `build_trainer` makes their trainers too."""
        del records
        return {}

    @property
    def ensemble_size(self) -> int:
        """How many models are trained independently and averaged by `join`."""
        return 1

    def join(self, models: Sequence[keras.Model]) -> keras.Model:
        """The ensemble of trained models: the mean of the probabilities of `softmax_outputs`."""
        from rnnpipe.models.ensemble import join_models

        logits = [name for name in self.softmax_outputs if name in models[0].output]
        return join_models(models, logits)

    # Training

    def build_trainer(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        fine_tuning: FineTuningOptions | None = None,
    ) -> keras.Model:
        """The compiled model, which shares its weights with `model`.

        Args:
            model: the model with all outputs.
            records: the training records.
            fine_tuning: groups of its layers with rates of their own; None: there are none.

        Raises:
            UserError: the model has no layers of a group.
        """
        train, groups = self.config.train, None
        if fine_tuning is not None:
            from rnnpipe.parts.layer_groups import LayerGroups
            from rnnpipe.training.unfreezing import find_groups

            with located("train.fine_tuning"):
                find = find_groups(model, fine_tuning.parts)
            groups = LayerGroups(fine_tuning.factors, find)
        trainer = self.wrap_model(model)
        _divide_batches(trainer, train)
        steps = train.epochs * self.steps_per_epoch(records)
        optimizer = train.optimizer.make(steps=steps, groups=groups)
        trainer.compile(optimizer=optimizer, **self.compile_options(model))
        return trainer

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The model that is fitted: by default one with the logits as its only output."""
        from rnnpipe.models.outputs import take_logits
        from rnnpipe.training.trainer import Trainer

        return Trainer(take_logits(model))

    @abstractmethod
    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """The arguments of `compile` besides the optimizer: loss and metrics."""

    def schedules(self, records: RecordsDirectory) -> Iterator[tuple[str, ScheduleOptions, int]]:
        """Each learning-rate schedule of a run: its key, its settings, how many steps it has."""
        train = self.config.train
        steps = train.epochs * self.steps_per_epoch(records)
        yield "train.optimizer.schedule", train.optimizer.schedule, steps

    def steps_per_epoch(self, records: RecordsDirectory) -> int:
        """The number of training batches."""
        return -(-records.splits["train"] // self.config.train.batch_size)

    def make_callbacks(
        self, trainer: keras.Model, model: keras.Model, records: RecordsDirectory, weights: Path
    ) -> Sequence[keras.callbacks.Callback]:
        """Callbacks that run before the weights of an epoch are compared; by default none.

        Args:
            trainer: what `build_trainer` returned, which is fitted.
            model: the model with all outputs, of the same weights.
            records: the training records.
            weights: the file of the best weights, which is loaded at the end.
        """
        del trainer, model, records, weights
        return []

    def make_pretraining(self, records: RecordsDirectory) -> Pretraining | None:
        """What the layers of the model learn before it; by default nothing.

        Args:
            records: the training records.
        """
        del records
        return None

    def make_phases(
        self, model: keras.Model, records: RecordsDirectory, weights: Path
    ) -> Iterator[Phase]:
        """Further phases of training; `monitor` and the validation batches stay the same.

        Args:
            model: the trained model.
            records: the training records.
            weights: the file of the best weights so far.
        """
        del model, records, weights
        return iter(())

    def monitor(self) -> tuple[str, Literal["min", "max"]]:
        """The validation quantity of `train.keep_best`, and whether lower or higher is better."""
        metric = self.config.train.keep_best.metric or self.main_metric
        return f"val_{metric}", "min" if metric in _MINIMIZED else "max"

    # Batches

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """The batches of (inputs, targets) of a split, see `make_pair`.

        Args:
            records: the records.
            split: one of their splits.
            shuffle_seed: seed of the order, for training; by default that of the records.
        """
        from rnnpipe.inputs.batches import make_batches

        return make_batches(
            records,
            split,
            fields=self.fields,
            batch_size=self.batch_size(shuffle_seed),
            shuffle_seed=shuffle_seed,
            transform=lambda batch: self.make_pair(records, batch),
            **self.batch_options,
        )

    def make_record_ids(self, records: RecordsDirectory, shuffle_seed: int) -> Any | None:
        """The ids of the records of each training batch, in the order of `make_batches`.

        They name the records of a batch whose loss is not finite. A task that overrides
        `make_batches` overrides this too, by `read_ids` where its batches have the order of
        `rnnpipe.inputs.batches`.

        Args:
            records: the records.
            shuffle_seed: seed of the order.

        Returns:
            Batches of ids, `(records,)`; None: they are not known.
        """
        known = {*self.record_fields[:1]} & records.spec.fields.keys()
        if not known or type(self).make_batches is not Task.make_batches:
            return None
        return self.read_ids(records, shuffle_seed)

    def read_ids(self, records: RecordsDirectory, shuffle_seed: int) -> Any:
        """The ids of batches whose order is that of `rnnpipe.inputs.batches.make_batches`."""
        from rnnpipe.inputs.batches import make_batches

        return make_batches(
            records,
            "train",
            fields=self.record_fields[:1],
            batch_size=self.batch_size(shuffle_seed),
            shuffle_seed=shuffle_seed,
            transform=lambda batch: batch[self.record_fields[0]],
            **self.batch_options,
        )

    def make_pair(self, records: RecordsDirectory, batch: Batch) -> tuple[Any, Any]:
        """Inputs and targets of a parsed batch with the `fields` of the records."""
        raise NotImplementedError(f"{self.name} makes its own batches")

    def make_inputs(self, records: RecordsDirectory, split: str) -> Any:
        """The inputs alone, batch by batch, in the records' order."""
        return self.make_batches(records, split).map(lambda inputs, targets: inputs)

    def batch_size(self, shuffle_seed: int | None) -> int:
        """That of training for shuffled batches, else that of evaluation."""
        section = self.config.evaluate if shuffle_seed is None else self.config.train
        return section.batch_size

    # Results

    def save_vocabulary(self, records: RecordsDirectory, folder: Path) -> None:
        """Copies what predictors need beside the model, so that a run needs no records."""
        folder.mkdir(exist_ok=True)
        for name in self.vocabulary:
            path = records.path / name
            if path.is_dir():
                shutil.copytree(path, folder / name, dirs_exist_ok=True)
            else:
                shutil.copyfile(path, folder / name)

    def row_names(self, folder: Path) -> Mapping[str, RowNames]:
        """What the rows of embeddings and the units of output layers stand for.

        By these names a run takes over rows of another one, see `train.start`; rows without names
        are those of another run in the same place.

        Args:
            folder: that of `save_vocabulary`, or of the records.

        Returns:
            The names by the path of the layer or weight, see
            `rnnpipe.training.transfer.weights_by_path`; paths that the model has not may be there.
        """
        del folder
        return {}

    @abstractmethod
    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """The scores of a model and of baselines on a split.

        Args:
            model: the trained model.
            records: the records.
            split: one of their splits.
            baselines: the trained models of `build_baselines`.
        """

    def score(self, network: Network, records: RecordsDirectory, split: str) -> Mapping[str, float]:
        """The scores of `evaluate` that need only the answers of a network; by default none.

        By them quantized exports are compared with their runs.
        """
        del network, records, split
        return {}

    def make_network_inputs(self, records: RecordsDirectory, split: str) -> Any:
        """What `network[Predictor.function]` reads of a split, batch by batch.

        It is what the model reads, but for models of features, whose networks read pixels.
        """
        return self.make_inputs(records, split)

    def read_streams(
        self, step: Function, records: RecordsDirectory, split: str
    ) -> Iterator[Arrays]:
        """Calls `network["step"]` along the streams of a split; by default there are none.

        Args:
            step: the function.
            records: the records.
            split: one of their splits.

        Yields:
            The outputs of each step.
        """
        del step, records, split
        yield from ()

    def corpus_metrics(self) -> Sequence[CorpusMetric]:
        """The metrics of `evaluate` that follow from rows of predictions, the main one first.

        `rnnpipe compare` finds confidence intervals of these, with records matched by
        `record_fields`; by default there are none.
        """
        return ()

    # Predictions

    def make_network(self, model: keras.Model, folder: Path) -> Network:
        """The functions that the predictor calls, of a Keras model: by default `call` alone.

        Args:
            model: the trained model.
            folder: that of `save_vocabulary`.
        """
        from rnnpipe.tasks.network import make_function

        del folder
        return {"call": make_function(model)}

    def find_language_model(self, search: BeamSearchOptions) -> FusedLanguageModel | None:
        """The language model of a search; None where its options name none.

        Args:
            search: its options.
        """
        if search.language_model is None:
            return None
        assert self.language_model is not None, "open it first, see rnnpipe.runs.language_model"
        return self.language_model

    @property
    def bounds(self) -> Mapping[str, Mapping[str, Bound]]:
        """The most that inputs have where shapes are fixed, by the function and the input."""
        return {}

    def complete_network(self, network: Network, folder: Path) -> Network:
        """The network of an export with the functions that are computed outside of its graphs.

        Args:
            network: the functions that are graphs.
            folder: that of `save_vocabulary`.
        """
        del folder
        return network

    @abstractmethod
    def make_predictor(self, folder: Path, network: Network) -> Predictor:
        """The predictor: raw inputs in, answers out.

        Args:
            folder: that of `save_vocabulary`.
            network: what `make_network` returns, or anything else that computes the same.
        """

    def make_scorer(self, model: keras.Model, folder: Path) -> Predictor:
        """The predictor of `ScoredText`: how likely a model finds a text that it is given.

        Args:
            model: the trained model, or an ensemble.
            folder: that of `save_vocabulary`.
        """
        del model, folder
        raise NotImplementedError(f"{self.name} has no likelihood of a text")

    def make_text_graph(self, network: Network, folder: Path) -> Graph:
        """What the predictor answers to texts, as one graph, of a task with a `text_field`."""
        raise NotImplementedError(f"{self.name} does not read a text alone")

    def predictor_options(self, network: Network) -> dict[str, Any]:
        """The arguments of `Predictor`; batches are as large as those of evaluation."""
        return {
            "network": network,
            "inputs": self.inputs,
            "task": self.name,
            "batch_size": self.config.evaluate.batch_size,
        }

    def scorer_options(self, function: Function) -> dict[str, Any]:
        """The arguments of `Predictor` for `make_scorer`, with its function `score`."""
        options = self.predictor_options({"score": function})
        return {**options, "inputs": self.scored_inputs}


def _divide_batches(trainer: keras.Model, train: Train) -> None:
    """Has a trainer compute batches in parts, one after the other or on several devices."""
    from rnnpipe.training.devices import find_devices
    from rnnpipe.training.trainer import Trainer

    devices = find_devices(train.devices)
    if train.micro_batches == 1 and not devices:
        return
    if not isinstance(trainer, Trainer):
        where = "train.devices" if devices else "train.micro_batches"
        got, fix = f"a {type(trainer).__name__}", "leave it out, or make it a subclass of Trainer"
        raise UserError(where, "a rnnpipe.training.trainer.Trainer", got, fix)
    trainer.micro_batches, trainer.devices = train.micro_batches, devices
