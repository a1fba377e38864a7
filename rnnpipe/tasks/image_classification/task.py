"""The task of image classification."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import LABELS
from rnnpipe.report.classification import rank
from rnnpipe.tasks.base import Evaluation, Prediction, Task
from rnnpipe.tasks.image_classification.config import HardAttention, ImageClassificationConfig
from rnnpipe.tasks.image_classification.sources import open_source
from rnnpipe.tasks.image_inputs import read_photo
from rnnpipe.tasks.inputs import Input

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from rnnpipe.inputs.batches import Batch
    from rnnpipe.sources.source import Source
    from rnnpipe.transforms.recipes.base import Recipe


class ImageClassificationTask(Task[ImageClassificationConfig]):
    """Classification of images by a recurrent net that reads them in glimpses.

    Args:
        config: the run's config.
    """

    name = "image_classification"
    main_metric = "accuracy"
    inputs = (Input("image", "an image file", metavar="FILE"),)
    fields = ("image_jpeg", "label")
    vocabulary = (LABELS,)

    def open_source(self) -> Source:
        """Images with classes."""
        return open_source(self.config.data.source)

    def make_recipe(self) -> Recipe:
        """Records of an image each."""
        from rnnpipe.transforms.recipes.image_classes import ImageClassRecipe  # brings in Beam

        return ImageClassRecipe(**self.config.data.image.model_dump())

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The reader, with logits and the alignments of every glimpse as outputs."""
        from rnnpipe.models.glimpses import build_glimpse_classifier  # brings in Keras

        reader, attention = self.config.model.reader, self.config.model.attention
        hard: dict[str, Any] = {}
        if isinstance(attention, HardAttention):
            hard = {"hard": True, "expected_share": attention.expected_share}
        return build_glimpse_classifier(
            **self._encoder(records),
            recurrence=reader.kind,
            units=reader.units,
            glimpses=reader.glimpses,
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

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The model with the terms that hard attention adds to the loss."""
        from rnnpipe.training.glimpses import GlimpseTrainer

        attention = self.config.model.attention
        weights: dict[str, float] = {}
        if isinstance(attention, HardAttention):
            weights = attention.model_dump(include={"reward_weight", "entropy_weight"})
        return GlimpseTrainer(model, **weights)

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """Cross-entropy and accuracy of the classes."""
        import keras

        del model
        return {
            "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "metrics": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        }

    def make_pair(self, records: RecordsDirectory, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        """Images `(batch, height, width, channels)` uint8 and their classes `(batch,)`."""
        import tensorflow as tf

        del records
        size = self.config.data.image.size
        return tf.ensure_shape(batch["image_jpeg"], (None, size, size, 3)), batch["label"]

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """Scores beside the baselines', and images with the path of the glimpses."""
        from rnnpipe.tasks.image_classification.evaluation import evaluate

        return evaluate(model, records, split, self.make_inputs(records, split), baselines)

    def predict(self, model: keras.Model, folder: Path, inputs: Mapping[str, Any]) -> Prediction:
        """The likeliest classes of an image, and a picture of the path of the glimpses.

        Raises:
            UserError: the image cannot be read.
        """
        from rnnpipe.tasks.image_classification.drawing import draw_glimpse_path
        from rnnpipe.tasks.image_classification.evaluation import classify_images

        data = self.config.data
        image = read_photo(inputs["image"], data.image.size, data.image.fit)
        (probabilities,), (alignments,) = classify_images(model, [image[np.newaxis]])
        top = rank(probabilities, json.loads((folder / LABELS).read_text()))
        return Prediction(top, draw_glimpse_path(image, alignments, answers=top))
