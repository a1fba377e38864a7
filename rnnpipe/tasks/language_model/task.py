"""The stages of a language model, from its config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.base import Evaluation
from rnnpipe.tasks.language_model.config import LanguageModelConfig
from rnnpipe.tasks.language_model.sources import open_source
from rnnpipe.text.symbols import Symbols

if TYPE_CHECKING:
    import keras

    from rnnpipe.inputs.streams import Streams
    from rnnpipe.transforms.build import Build


class LanguageModelTask:
    """What comes next in a text, by character or by word.

    Args:
        config: the run's config.
    """

    name = "language_model"
    inputs = ("prime",)
    options: Mapping[str, str] = MappingProxyType(
        {"length": "500", "temperature": "0.8", "seed": "0"}
    )

    def __init__(self, config: LanguageModelConfig) -> None:
        self.config = config
        self.main_metric = "bits_per_char" if config.data.symbols == "char" else "perplexity"

    def prepare_build(self) -> Build:
        """The build of the records that the config asks for."""
        from rnnpipe.transforms.build import Build  # brings in Beam
        from rnnpipe.transforms.recipes.text_stream import StreamRecipe

        data, build = self.config.data, self.config.build
        shares = {split: share for split, share in data.splits.model_dump().items() if share}
        return Build(
            open_source(data.source, shares),
            StreamRecipe(symbols=data.symbols, vocabulary=data.vocabulary),
            shares=shares,
            records_per_shard=build.records_per_shard,
            max_bad_fraction=build.max_bad_fraction,
        )

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The model with its states as inputs and outputs."""
        from rnnpipe.models.language_model import build_language_model  # brings in Keras
        from rnnpipe.models.recurrence import build_recurrence

        model = self.config.model
        recurrence = build_recurrence(
            model.recurrence.kind,
            model.recurrence.units,
            depth=model.recurrence.depth,
            dropout=model.recurrence.dropout,
            connection=model.recurrence.connection,
        )
        return build_language_model(
            vocab=Symbols.load(records.path).size,
            recurrence=recurrence,
            embedding=model.embedding,
            embedding_dropout=model.embedding_dropout,
            output_dropout=model.output_dropout,
            tie_weights=model.tie_weights,
        )

    def build_trainer(self, model: keras.Model, records: RecordsDirectory) -> keras.Model:
        """The model under truncated backpropagation through time, compiled."""
        from rnnpipe.training.bits import BitsPerToken  # brings in Keras
        from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy
        from rnnpipe.training.truncated import TruncatedBPTT

        train, symbols = self.config.train, self.config.data.symbols
        trainer = TruncatedBPTT(model, train.batch_size, self.config.evaluate.batch_size)
        steps = len(self._streams(records, "train", train.batch_size).tokens)
        trainer.compile(
            optimizer=train.optimizer.make(steps=train.epochs * steps),
            loss=TokenCrossEntropy(),
            metrics=[BitsPerToken(name=self.main_metric) if symbols == "char" else Perplexity()],
        )
        return trainer

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """Batches of ({`tokens`, `starts`}, targets), each of which goes on from the one before.

        A stream has one order: of the seed it matters only that it is given for training.
        """
        from rnnpipe.inputs.streams import make_stream_batches

        train, evaluate = self.config.train, self.config.evaluate
        rows = evaluate.batch_size if shuffle_seed is None else train.batch_size
        return make_stream_batches(self._streams(records, split, rows))

    def _streams(self, records: RecordsDirectory, split: str, rows: int) -> Streams:
        from rnnpipe.inputs.streams import make_streams, read_documents

        return make_streams(read_documents(records, split), rows=rows, time=self.config.train.chunk)

    def monitor(self) -> tuple[str, Literal["min", "max"]]:
        """The validation metric of `train.keep_best`."""
        return f"val_{self.config.train.keep_best.metric}", "min"

    def save_vocabulary(self, records: RecordsDirectory, folder: Path) -> None:
        """Copies the symbols."""
        folder.mkdir(exist_ok=True)
        Symbols.load(records.path).save(folder)

    def evaluate(self, model: keras.Model, records: RecordsDirectory, split: str) -> Evaluation:
        """Nats, bits per character and perplexity beside n-grams' and packers', with samples."""
        from rnnpipe.tasks.language_model.evaluation import evaluate

        return evaluate(
            model,
            records,
            split,
            Symbols.load(records.path),
            rows=self.config.evaluate.batch_size,
            time=self.config.train.chunk,
            clip_norm=self.config.train.optimizer.clip_norm,
        )

    def predict(self, model: keras.Model, folder: Path, inputs: Mapping[str, str]) -> Iterator[str]:
        """A text that begins as `prime` does, piece by piece as it is written.

        Raises:
            UserError: the length, the temperature or the seed is no such number.
        """
        from rnnpipe.tasks.language_model.generation import write_text

        length, seed = _whole_number("length", inputs, 1), _whole_number("seed", inputs, 0)
        temperature = _temperature(inputs)
        return write_text(
            model,
            Symbols.load(folder),
            prime=inputs["prime"],
            length=length,
            temperature=temperature,
            seed=seed,
        )


def _whole_number(name: str, inputs: Mapping[str, str], least: int) -> int:
    try:
        if (number := int(inputs[name])) >= least:
            return number
    except ValueError:
        pass
    expected = f"a whole number, at least {least}"
    raise UserError(f"--{name}", expected, inputs[name], f"write e.g. --{name} 7")


def _temperature(inputs: Mapping[str, str]) -> float:
    try:
        if 0 < (number := float(inputs["temperature"])) < float("inf"):
            return number
    except ValueError:
        pass
    expected, fix = "a number above 0", "write e.g. --temperature 0.8"
    raise UserError("--temperature", expected, inputs["temperature"], fix)
