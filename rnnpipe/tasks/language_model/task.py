"""The task of language modeling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rnnpipe.metrics.corpus import CorpusMetric
from rnnpipe.quiet import import_keras
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.inputs import Input, integer, setting_inputs
from rnnpipe.tasks.language_model.config import LanguageModelConfig
from rnnpipe.tasks.network import Arrays, Function, Network
from rnnpipe.tasks.predictor import Predictor
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.row_names import name_tokens
from rnnpipe.text.symbols import SYMBOLS_FILE, Symbols
from rnnpipe.text.tokenizer import MODEL_FILE, SETTINGS_FILE
from rnnpipe.training.row_names import RowNames

if TYPE_CHECKING:
    import keras

    from rnnpipe.inputs.streams import Streams


class LanguageModelTask(Task[LanguageModelConfig]):
    """The next token of a text, by character, by word, or of a tokenizer.

    Args:
        config: the run's config.
    """

    name = "language_model"
    draws, streams = False, True
    softmax_outputs = ("logits",)
    record_fields = ("document", "number", "characters", "tokens")
    answer_fields = ("bits_per_char",)
    scored_inputs = (Input("text", "a text to score"),)

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__(config)
        self._of_characters = config.data.kind == "char"
        self._ends = config.data.kind == "token"
        self.main_metric = "bits_per_char" if self._of_characters else "perplexity"
        self.inputs = (
            Input("prompt", "the beginning of the text"),
            Input("length", "symbols to generate", integer(1), 500, "N"),
            *setting_inputs(config.sampling),
            Input("seed", "seed of the random draws", integer(0), 0, "N"),
        )

    @property
    def vocabulary(self) -> Sequence[str]:  # type: ignore[override]  # by the config
        """The symbols, and the tokenizer that they are the tokens of."""
        return (SYMBOLS_FILE, MODEL_FILE, SETTINGS_FILE) if self._ends else (SYMBOLS_FILE,)

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The model with its states as inputs and outputs."""
        import_keras()
        from rnnpipe.models.language_model import build_language_model

        vocab = Symbols.load(records.path).size
        return build_language_model(self.config.model, vocab=vocab)

    def join(self, models: Sequence[keras.Model]) -> keras.Model:
        """The language model with all of their states, and the mean of their probabilities."""
        from rnnpipe.models.language_model import join_language_models

        return join_language_models(models)

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The model under truncated backpropagation through time."""
        from rnnpipe.training.truncated import TruncatedBPTT

        return TruncatedBPTT(model, self.config.train.batch_size, self.config.evaluate.batch_size)

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """The cross-entropy of symbols, and their bits or perplexity."""
        from rnnpipe.training.bits import BitsPerToken
        from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy

        del model
        metric = BitsPerToken(name=self.main_metric) if self._of_characters else Perplexity()
        return {"loss": TokenCrossEntropy(), "metrics": [metric]}

    def steps_per_epoch(self, records: RecordsDirectory) -> int:
        """The number of training batches."""
        return len(self._streams(records, "train", self.config.train.batch_size).tokens)

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """Batches of ({`tokens`, `starts`}, targets), each of which continues the one before.

        A stream has one order: the seed only selects the rows of training.
        """
        from rnnpipe.inputs.streams import make_stream_batches

        rows = self.batch_size(shuffle_seed)
        return make_stream_batches(self._streams(records, split, rows))

    def _streams(self, records: RecordsDirectory, split: str, rows: int) -> Streams:
        from rnnpipe.inputs.streams import make_streams, read_documents

        return make_streams(
            read_documents(records, split), rows=rows, time=self.config.train.bptt_length
        )

    def row_names(self, folder: Path) -> Mapping[str, RowNames]:
        """The symbols of the embedding and of the logits."""
        return name_tokens(Symbols.load(folder), "embedding", "logits")

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """Nats, bits per character and perplexity, also of n-grams and compressors; samples."""
        from rnnpipe.tasks.language_model.evaluation import evaluate

        return evaluate(
            model,
            records,
            split,
            Symbols.load(records.path),
            rows=self.config.evaluate.batch_size,
            time=self.config.train.bptt_length,
            optimizer=self.config.train.optimizer,
        )

    def score(self, network: Network, records: RecordsDirectory, split: str) -> Mapping[str, float]:
        """Nats, bits per character and perplexity of a split, read token by token."""
        from rnnpipe.tasks.language_model.evaluation import score_network

        streams = self._streams(records, split, self.config.evaluate.batch_size)
        characters = sum(len(row["text"]) for row in records.read(split, ["text"]))
        return score_network(network["step"], streams, characters)

    def read_streams(
        self, step: Function, records: RecordsDirectory, split: str
    ) -> Iterator[Arrays]:
        """The text of a split, token by token."""
        from rnnpipe.tasks.language_model.evaluation import step_through

        streams = self._streams(records, split, self.config.evaluate.batch_size)
        yield from step_through(step, streams)

    def corpus_metrics(self) -> Sequence[CorpusMetric]:
        """Bits per character, or the perplexity of words and tokens."""
        from rnnpipe.tasks.language_model.metrics import bits_per_char, perplexity

        return [bits_per_char() if self._of_characters else perplexity()]

    def make_network(self, model: keras.Model, folder: Path) -> Network:
        """The functions `draw` and `step`."""
        from rnnpipe.tasks.language_model.network import make_draw, make_step

        del folder
        sampling, ends = self.config.sampling, self._ends
        return {
            "draw": make_draw(model, sampling, ends=ends),
            "step": make_step(model, sampling, ends=ends),
        }

    def complete_network(self, network: Network, folder: Path) -> Network:
        """The same with the function `draw` around `step`, where there is none."""
        from rnnpipe.tasks.language_model.generation import make_draw

        del folder
        return network if "draw" in network else {**network, "draw": make_draw(network["step"])}

    def make_predictor(self, folder: Path, network: Network) -> Predictor:
        """Continues texts, also symbol by symbol as they are drawn."""
        from rnnpipe.tasks.language_model.predictor import TextPredictor

        return TextPredictor(folder, **self.predictor_options(network))

    def make_scorer(self, model: keras.Model, folder: Path) -> Predictor:
        """Scores given texts, each as a document of its own."""
        from rnnpipe.tasks.language_model.network import make_score
        from rnnpipe.tasks.language_model.scorer import TextScorer

        return TextScorer(folder, **self.scorer_options(make_score(model)))
