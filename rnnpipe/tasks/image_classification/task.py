"""The stages of classifying images in glimpses, from its config."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import LABELS
from rnnpipe.report.classification import rank
from rnnpipe.tasks.base import Evaluation, Prediction
from rnnpipe.tasks.image_classification.config import HardLook, ImageClassificationConfig
from rnnpipe.tasks.image_classification.sources import open_source
from rnnpipe.tasks.image_inputs import read_photo

if TYPE_CHECKING:
    import keras

    from rnnpipe.transforms.build import Build

_FIELDS = ("image_jpeg", "label")


class ImageClassificationTask:
    """Classification of images by a recurrent net that reads them in glimpses.

    Args:
        config: the run's config.
    """

    name = "image_classification"
    main_metric = "accuracy"
    inputs = ("image",)

    def __init__(self, config: ImageClassificationConfig) -> None:
        self.config = config

    def prepare_build(self) -> Build:
        """The build of the records that the config asks for."""
        from rnnpipe.transforms.build import Build  # brings in Beam
        from rnnpipe.transforms.recipes.image_classes import ImageClassRecipe

        data, build = self.config.data, self.config.build
        return Build(
            open_source(data.source),
            ImageClassRecipe(**data.image.model_dump()),
            shares=data.splits.model_dump(),
            records_per_shard=build.records_per_shard,
            max_bad_fraction=build.max_bad_fraction,
        )

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The reader, with logits and the alignments of every look as outputs."""
        from rnnpipe.models.glimpses import build_glimpse_classifier  # brings in Keras

        reader, attention = self.config.model.reader, self.config.model.attention
        hard: dict[str, Any] = {}
        if isinstance(attention, HardLook):
            hard = {"hard": True, "expected_share": attention.expected_share}
        return build_glimpse_classifier(
            **self._encoder(records),
            recurrence=reader.kind,
            units=reader.units,
            looks=reader.looks,
            dropout=reader.dropout,
            attention=attention.kind,
            attention_units=attention.units,
            seed=self.config.seed,
            **hard,
        )

    def build_baselines(self, records: RecordsDirectory) -> Mapping[str, keras.Model]:
        """A plain CNN with as many channels."""
        from rnnpipe.models.glimpses import build_cnn_classifier

        if not self.config.train.baseline:
            return {}
        reader = self.config.model.reader
        return {
            "cnn": build_cnn_classifier(
                **self._encoder(records), units=reader.units, dropout=reader.dropout
            )
        }

    def _encoder(self, records: RecordsDirectory) -> dict[str, Any]:
        encoder = self.config.model.image_encoder
        return {
            "image_size": self.config.data.image.size,
            "classes": len(records.labels),
            "patch": encoder.patch,
            "channels": encoder.channels,
            "image_dropout": encoder.dropout,
        }

    def build_trainer(self, model: keras.Model, records: RecordsDirectory) -> keras.Model:
        """The model, compiled with the loss; hard looks are reinforced."""
        import keras

        from rnnpipe.training.glimpses import GlimpseTrainer

        train, attention = self.config.train, self.config.model.attention
        weights: dict[str, float] = {}
        if isinstance(attention, HardLook):
            weights = {"reward_weight": attention.reward, "entropy_weight": attention.entropy}
        trainer = GlimpseTrainer(model, **weights)
        steps_per_epoch = -(-records.splits["train"] // train.batch_size)
        trainer.compile(
            optimizer=train.optimizer.make(steps=train.epochs * steps_per_epoch),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        )
        return trainer

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """Batches of images `(batch, height, width, channels)` uint8 and their classes."""
        import tensorflow as tf

        from rnnpipe.inputs.batches import Batch, make_batches

        size = self.config.data.image.size

        def to_pair(batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
            return tf.ensure_shape(batch["image_jpeg"], (None, size, size, 3)), batch["label"]

        train, evaluate = self.config.train, self.config.evaluate
        return make_batches(
            records,
            split,
            fields=_FIELDS,
            batch_size=evaluate.batch_size if shuffle_seed is None else train.batch_size,
            shuffle_seed=shuffle_seed,
            transform=to_pair,
        )

    def monitor(self) -> tuple[str, Literal["min", "max"]]:
        """The validation metric of `train.keep_best`."""
        metric = self.config.train.keep_best.metric
        return f"val_{metric}", "min" if metric == "loss" else "max"

    def save_vocabulary(self, records: RecordsDirectory, folder: Path) -> None:
        """Copies the names of the classes."""
        folder.mkdir(exist_ok=True)
        shutil.copyfile(records.path / LABELS, folder / LABELS)

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model],
    ) -> Evaluation:
        """Scores beside the baselines', and images with the path of the looks."""
        from rnnpipe.tasks.image_classification.evaluation import evaluate

        images = self.make_batches(records, split).map(lambda images, labels: images)
        return evaluate(model, records, split, images, baselines)

    def predict(self, model: keras.Model, folder: Path, inputs: Mapping[str, str]) -> Prediction:
        """The likeliest classes of an image, and a picture of the looks' path.

        Raises:
            UserError: the image cannot be read.
        """
        from rnnpipe.tasks.image_classification.drawing import draw_looks
        from rnnpipe.tasks.image_classification.evaluation import look

        data = self.config.data
        image = read_photo(inputs["image"], data.image.size, data.image.fit)
        (probabilities,), (alignments,) = look(model, [image[np.newaxis]])
        top = rank(probabilities, json.loads((folder / LABELS).read_text()))
        return Prediction(top, draw_looks(image, alignments, answers=top))
