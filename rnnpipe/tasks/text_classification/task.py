"""The task of text classification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rnnpipe.metrics.corpus import CorpusMetric, accuracy
from rnnpipe.quiet import import_keras
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import LABELS
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.batching import padded_length
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.network import Bound, Graph, Network
from rnnpipe.tasks.predictor import Predictor
from rnnpipe.tasks.results import Evaluation, Pretraining
from rnnpipe.tasks.row_names import name_labels, name_tokens
from rnnpipe.tasks.text_classification.config import TextClassificationConfig
from rnnpipe.tasks.word_vectors import check_vector_sizes
from rnnpipe.text.tokenizer import MODEL_FILE, SETTINGS_FILE, Tokenizer
from rnnpipe.text.tokens import PAD
from rnnpipe.text.word_vectors import WordVectors
from rnnpipe.training.row_names import RowNames

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from rnnpipe.inputs.batches import Batch
    from rnnpipe.inputs.text_augmentation import TextField
    from rnnpipe.parts.schedules import ScheduleOptions

_SMALL = 16  # tokens and classes that a model is tried with


class TextClassificationTask(Task[TextClassificationConfig]):
    """Classification of texts, e.g. by sentiment or topic.

    Args:
        config: the run's config.
    """

    name = "text_classification"
    main_metric = "accuracy"
    inputs = (Input("text", "a text to classify"),)
    fields = ("tokens", "label")
    text_field = "text"
    vocabulary = (MODEL_FILE, SETTINGS_FILE, LABELS)
    softmax_outputs = ("logits",)
    record_fields = ("text_id", "text", "label")

    def check_model(self) -> None:
        """Builds the model for a small vocabulary.

        Raises:
            UserError: its parts do not fit each other, or the word vectors do not fit it.
        """
        check_vector_sizes(self.config.model.embedding, [self.config.data.text.vectors])
        self._build(vocab=_SMALL, classes=_SMALL)

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """Embeddings, recurrent layers and pooling, with logits and alignments as outputs."""
        vocab = Tokenizer.load(records.path).vocabulary_size
        word_vectors = WordVectors.load(records.path)
        return self._build(vocab=vocab, classes=len(records.labels), word_vectors=word_vectors)

    def _build(
        self, *, vocab: int, classes: int, word_vectors: WordVectors | None = None
    ) -> keras.Model:
        import_keras()
        from rnnpipe.models.text_classifier import build_text_classifier

        return build_text_classifier(
            self.config.model, vocab=vocab, classes=classes, word_vectors=word_vectors
        )

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The logits, with the term that R-Drop adds to the loss."""
        from rnnpipe.models.outputs import take_logits
        from rnnpipe.training.r_drop import RDropTrainer

        if not (weight := self.config.train.r_drop):
            return super().wrap_model(model)
        return RDropTrainer(take_logits(model), weight=weight)

    def make_pretraining(self, records: RecordsDirectory) -> Pretraining | None:
        """A language model of the texts, where the config asks for it."""
        from rnnpipe.tasks.text_classification.pretraining import make_pretraining

        settings = self.config.train.pretraining
        if settings is None:
            return None
        return make_pretraining(records, self.config.model, settings, seed=self.config.seed)

    def schedules(self, records: RecordsDirectory) -> Iterator[tuple[str, ScheduleOptions, int]]:
        """Also that of the pretraining."""
        yield from super().schedules(records)
        if (settings := self.config.train.pretraining) is not None:
            steps = settings.epochs * -(-records.splits["train"] // settings.batch_size)
            yield "train.pretraining.optimizer.schedule", settings.optimizer.schedule, steps

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """Cross-entropy and accuracy of the classes."""
        import keras

        del model
        smoothing = self.config.train.label_smoothing
        return {
            "loss": keras.losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=smoothing
            ),
            "metrics": [keras.metrics.CategoricalAccuracy(name="accuracy")],
        }

    @property
    def ensemble_size(self) -> int:
        """The number of classifiers in the ensemble."""
        return self.config.train.ensemble_size

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """The batches of a split; shuffled ones hold texts of about equal length."""
        if shuffle_seed is None:
            return super().make_batches(records, split)
        from rnnpipe.inputs.pools import make_pooled_batches
        from rnnpipe.training.r_drop import repeat_batch

        def transform(batch: Batch) -> Any:
            return self.make_pair(records, batch)

        texts = self._augmented_texts(records.path)
        batches = make_pooled_batches(
            records,
            split,
            fields=(*self.fields, *(field.text for field in texts)),
            by=("tokens",),
            batch_size=self.batch_size(shuffle_seed),
            shuffle_seed=shuffle_seed,
            transform=dict if texts else transform,
        )
        if texts:
            from rnnpipe.inputs.text_augmentation import augment_texts

            batches = augment_texts(batches, texts, shuffle_seed).map(transform)
        return (
            batches.map(lambda *pair: repeat_batch(pair)) if self.config.train.r_drop else batches
        )

    def make_record_ids(self, records: RecordsDirectory, shuffle_seed: int) -> Any:
        """The ids of the texts of each training batch."""
        from rnnpipe.inputs.pools import make_pooled_batches

        return make_pooled_batches(
            records,
            "train",
            fields=("tokens", "text_id"),
            by=("tokens",),
            batch_size=self.batch_size(shuffle_seed),
            shuffle_seed=shuffle_seed,
            transform=lambda batch: batch["text_id"],
        )

    def _augmented_texts(self, folder: Path) -> list[TextField]:
        """The text, if training reads it otherwise than it is in the records."""
        train, text = self.config.train, self.config.data.text
        if train.subword_sampling is None and train.text_noise is None:
            return []
        from rnnpipe.inputs.text_augmentation import TextField

        return [
            TextField(
                "text",
                "tokens",
                Tokenizer.load(folder),
                text.max_tokens,
                text.keep,
                train.subword_sampling,
                train.text_noise,
            )
        ]

    def make_pair(self, records: RecordsDirectory, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        """Token ids `(batch, time)` and one-hot classes `(batch, classes)`."""
        import tensorflow as tf

        tokens = tf.cast(batch["tokens"], tf.int32)
        return tokens, tf.one_hot(batch["label"], len(records.labels))

    def row_names(self, folder: Path) -> Mapping[str, RowNames]:
        """The tokens of the embedding, and the classes of the logits."""
        tokens = name_tokens(Tokenizer.load(folder), "embedding")
        return {**tokens, **name_labels(folder / LABELS, "logits", "labels")}

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """Scores beside the baselines', and texts shaded by attention."""
        from rnnpipe.tasks.text_classification.evaluation import evaluate

        tokens = self.make_inputs(records, split)
        return evaluate(model, records, split, tokens, keep=self.config.data.text.keep)

    def score(self, network: Network, records: RecordsDirectory, split: str) -> Mapping[str, float]:
        """The scores of the classes of a split."""
        from rnnpipe.tasks.text_classification.evaluation import score_network

        return score_network(network["call"], records, split, self.make_inputs(records, split))

    def corpus_metrics(self) -> Sequence[CorpusMetric]:
        """The accuracy."""
        return [accuracy(self.main_metric)]

    @property
    def bounds(self) -> Mapping[str, Mapping[str, Bound]]:
        """The most tokens of a text."""
        tokens = Bound(padded_length(self.config.data.text.max_tokens), padding=PAD)
        return {"call": {"tokens": tokens}}

    def make_predictor(self, folder: Path, network: Network) -> Predictor:
        """Classifies texts, with a picture of the words that the model attends to."""
        from rnnpipe.tasks.text_classification.predictor import TextClassPredictor

        options = self.config.data.text
        return TextClassPredictor(folder, options, **self.predictor_options(network))

    def make_text_graph(self, network: Network, folder: Path) -> Graph:
        """Classifies texts within the graph."""
        from rnnpipe.tasks.text_classification.text_graph import make_text_graph

        return make_text_graph(network, folder, self.config.data.text)
