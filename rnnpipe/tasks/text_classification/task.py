"""The stages of sentiment analysis, from its config."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import LABELS
from rnnpipe.report.classification import rank
from rnnpipe.tasks.base import Evaluation, Prediction
from rnnpipe.tasks.text_classification.config import (
    AttentionPooling,
    Pooling,
    TextClassificationConfig,
)
from rnnpipe.tasks.text_data import prepare_text_class_build
from rnnpipe.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    import keras

    from rnnpipe.transforms.build import Build

_FIELDS = ("tokens", "label")


class TextClassificationTask:
    """Sentiment analysis, or any other classification of texts.

    Args:
        config: the run's config.
    """

    name = "text_classification"
    main_metric = "accuracy"
    inputs = ("text",)

    def __init__(self, config: TextClassificationConfig) -> None:
        self.config = config

    def prepare_build(self) -> Build:
        """The build of the records that the config asks for."""
        return prepare_text_class_build(self.config.data, self.config.build)

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """Embeddings, recurrent layers and pooling, with logits and alignments as outputs."""
        from rnnpipe.models.text_classifier import build_text_classifier  # brings in Keras

        model = self.config.model
        pooling: dict[str, Any] = {}
        if isinstance(model.pooling, Pooling):
            pooling = {"pool_words": model.pooling.words}
        if isinstance(model.pooling, AttentionPooling):
            pooling |= {
                "attention_units": model.pooling.units,
                "glimpses": model.pooling.glimpses,
                "attention_dropout": model.pooling.dropout,
            }
        return build_text_classifier(
            vocab=Tokenizer.load(records.path).vocabulary_size,
            classes=len(records.labels),
            embedding=model.embedding.size,
            embedding_scale=model.embedding.scale,
            embedding_dropout=model.embedding.dropout,
            word_dropout=model.embedding.word_dropout,
            layer=model.encoder.kind,
            units=model.encoder.units,
            depth=model.encoder.depth,
            bidirectional=model.encoder.bidirectional,
            connection=model.encoder.connection,
            layer_dropout=model.encoder.dropout,
            pooling=model.pooling.kind,
            classifier_units=model.classifier.units,
            classifier_dropout=model.classifier.dropout,
            **pooling,
        )

    def build_trainer(self, model: keras.Model, records: RecordsDirectory) -> keras.Model:
        """The model's logits, compiled with the loss."""
        import keras

        from rnnpipe.training.r_drop import RDropTrainer

        train = self.config.train
        trainer = keras.Model(model.input, model.output["logits"], name=model.name)
        if train.r_drop:
            trainer = RDropTrainer(trainer, weight=train.r_drop)
        steps_per_epoch = -(-records.splits["train"] // train.batch_size)
        trainer.compile(
            optimizer=train.optimizer.make(steps=train.epochs * steps_per_epoch),
            loss=keras.losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=train.label_smoothing
            ),
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        )
        return trainer

    @property
    def members(self) -> int:
        """How many classifiers answer together."""
        return self.config.train.members

    def join(self, models: Sequence[keras.Model]) -> keras.Model:
        """The classifier whose probabilities are the mean of theirs."""
        from rnnpipe.models.text_classifier import join_classifiers

        return join_classifiers(models)

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """Batches of token ids `(batch, time)` and the classes, one-hot, `(batch, classes)`.

        Shuffled batches hold texts of about equal length; the others keep the records' order.
        """
        import tensorflow as tf

        from rnnpipe.inputs.batches import Batch, make_batches
        from rnnpipe.inputs.pools import make_pooled_batches
        from rnnpipe.training.r_drop import twice

        classes = len(records.labels)

        def to_pair(batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
            return tf.cast(batch["tokens"], tf.int32), tf.one_hot(batch["label"], classes)

        if shuffle_seed is None:
            size = self.config.evaluate.batch_size
            return make_batches(records, split, fields=_FIELDS, batch_size=size, transform=to_pair)
        batches = make_pooled_batches(
            records,
            split,
            fields=_FIELDS,
            by=("tokens",),
            batch_size=self.config.train.batch_size,
            shuffle_seed=shuffle_seed,
            transform=to_pair,
        )
        return batches.map(lambda *pair: twice(pair)) if self.config.train.r_drop else batches

    def monitor(self) -> tuple[str, Literal["min", "max"]]:
        """The validation metric of `train.keep_best`."""
        metric = self.config.train.keep_best.metric
        return f"val_{metric}", "min" if metric == "loss" else "max"

    def save_vocabulary(self, records: RecordsDirectory, folder: Path) -> None:
        """Copies the tokenizer and the names of the classes."""
        folder.mkdir(exist_ok=True)
        Tokenizer.load(records.path).save(folder)
        shutil.copyfile(records.path / LABELS, folder / LABELS)

    def evaluate(self, model: keras.Model, records: RecordsDirectory, split: str) -> Evaluation:
        """Scores beside the baselines', and texts shaded by what the model looked at."""
        from rnnpipe.tasks.text_classification.evaluation import evaluate

        tokens = self.make_batches(records, split).map(lambda tokens, classes: tokens)
        return evaluate(model, records, split, tokens, keep=self.config.data.text.keep)

    def predict(self, model: keras.Model, folder: Path, inputs: Mapping[str, str]) -> Prediction:
        """The likeliest classes of a text, and a picture of the words that it was seen in.

        Raises:
            UserError: the text has no word.
        """
        from rnnpipe.report.text_heatmap import draw_words
        from rnnpipe.tasks.text_classification.evaluation import classify_all
        from rnnpipe.tasks.text_classification.report import see

        text, settings = inputs["text"], self.config.data.text
        tokenizer = Tokenizer.load(folder)
        tokens = tokenizer.encode(text)
        if not tokens:
            raise UserError("--text", "a text", repr(text), "write a sentence")
        limit = settings.max_tokens
        tokens = tokens[:limit] if settings.keep == "start" else tokens[-limit:]
        names = json.loads((folder / LABELS).read_text())
        (probabilities,) = classify_all(model, [np.array([tokens], "int32")])
        top = rank(probabilities, names)
        spans = see(model, {"text": text, "tokens": tokens}, tokenizer, settings.keep)
        return Prediction(top, draw_words(spans, top))
