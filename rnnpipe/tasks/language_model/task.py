"""The task of language modeling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.base import Evaluation, Task
from rnnpipe.tasks.inputs import Input, integer, positive_number
from rnnpipe.tasks.language_model.config import LanguageModelConfig
from rnnpipe.tasks.language_model.sources import open_source
from rnnpipe.text.symbols import SYMBOLS_FILE, Symbols

if TYPE_CHECKING:
    import keras

    from rnnpipe.inputs.streams import Streams
    from rnnpipe.sources.source import Source
    from rnnpipe.transforms.recipes.base import Recipe


class LanguageModelTask(Task[LanguageModelConfig]):
    """A language model of characters or words.

    Args:
        config: the run's config.
    """

    name = "language_model"
    inputs = (
        Input("prompt", "the beginning of the text"),
        Input("length", "symbols to generate", integer(1), 500, "N"),
        Input(
            "temperature", "near 0 the likeliest text, 1 the model's own", positive_number, 0.8, "T"
        ),
        Input("seed", "seed of the random draws", integer(0), 0, "N"),
    )
    vocabulary = (SYMBOLS_FILE,)

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__(config)
        self.main_metric = "bits_per_char" if config.data.symbols == "char" else "perplexity"

    @property
    def split_shares(self) -> Mapping[str, float]:
        """The share of each held-out split; one of 0 is not made."""
        return {split: share for split, share in super().split_shares.items() if share}

    def open_source(self) -> Source:
        """A long text."""
        return open_source(self.config.data.source, self.split_shares)

    def make_recipe(self) -> Recipe:
        """Records of a stretch of text each."""
        from rnnpipe.transforms.recipes.text_stream import StreamRecipe  # brings in Beam

        data = self.config.data
        return StreamRecipe(symbols=data.symbols, vocabulary=data.vocabulary)

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

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The model under truncated backpropagation through time."""
        from rnnpipe.training.truncated import TruncatedBPTT

        return TruncatedBPTT(model, self.config.train.batch_size, self.config.evaluate.batch_size)

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """The cross-entropy of symbols, and their bits or perplexity."""
        from rnnpipe.training.bits import BitsPerToken
        from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy

        del model
        of_characters = self.config.data.symbols == "char"
        metric = BitsPerToken(name=self.main_metric) if of_characters else Perplexity()
        return {"loss": TokenCrossEntropy(), "metrics": [metric]}

    def steps_per_epoch(self, records: RecordsDirectory) -> int:
        """The number of training batches."""
        return len(self._streams(records, "train", self.config.train.batch_size).tokens)

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """Batches of ({`tokens`, `starts`}, targets), each of which goes on from the one before.

        A stream has one order: the seed only selects the batch size of training.
        """
        from rnnpipe.inputs.streams import make_stream_batches

        rows = self.batch_size(shuffle_seed)
        return make_stream_batches(self._streams(records, split, rows))

    def _streams(self, records: RecordsDirectory, split: str, rows: int) -> Streams:
        from rnnpipe.inputs.streams import make_streams, read_documents

        return make_streams(
            read_documents(records, split), rows=rows, time=self.config.train.bptt_length
        )

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """Nats, bits per character and perplexity beside n-grams' and packers', with samples."""
        from rnnpipe.tasks.language_model.evaluation import evaluate

        return evaluate(
            model,
            records,
            split,
            Symbols.load(records.path),
            rows=self.config.evaluate.batch_size,
            time=self.config.train.bptt_length,
            clip_norm=self.config.train.optimizer.clip_norm,
        )

    def predict(self, model: keras.Model, folder: Path, inputs: Mapping[str, Any]) -> Iterator[str]:
        """A text that begins as `prompt` does, piece by piece as it is written."""
        from rnnpipe.tasks.language_model.generation import generate_text

        options = {name: inputs[name] for name in ("prompt", "length", "temperature", "seed")}
        return generate_text(model, Symbols.load(folder), **options)
