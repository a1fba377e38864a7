"""The stages of classifying images in glimpses, from their config."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import LABELS
from rnnpipe.report.classification import rank
from rnnpipe.tasks.base import Evaluation, Prediction, Task
from rnnpipe.tasks.image_classification.config import ImageClassificationConfig
from rnnpipe.tasks.image_inputs import read_photo
from rnnpipe.tasks.inputs import Input

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from rnnpipe.inputs.batches import Batch

IMAGE_JPEG, IMAGE_FEATURES = "image_jpeg", "image_features"
"""The fields of a record with its image, and a backbone's features of it."""


class ImageClassificationTask(Task[ImageClassificationConfig]):
    """Classification of images by a recurrent network that reads them in glimpses.

    Args:
        config: the run's config.
    """

    name = "image_classification"
    main_metric = "accuracy"
    inputs = (Input("image", "an image file", metavar="FILE"),)
    vocabulary = (LABELS,)

    def __init__(self, config: ImageClassificationConfig) -> None:
        super().__init__(config)
        features = config.model.image_encoder.reads_features
        self._image_field = IMAGE_FEATURES if features else IMAGE_JPEG
        self.fields = (self._image_field, "label")

    def _image_shape(self, records: RecordsDirectory) -> tuple[int, ...]:
        """Of an image as the model reads it."""
        if self._image_field == IMAGE_JPEG:
            size = self.config.data.image.size
            return size, size, 3
        first = next(records.read("train", [IMAGE_FEATURES]))
        return tuple(first[IMAGE_FEATURES].shape)

    def check_model(self) -> None:
        """Looks for the files of the image encoder."""
        self.config.model.image_encoder.check_files()

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The reader, with logits and the alignments of every glimpse as outputs."""
        from rnnpipe.models.image_classifier import build_image_classifier

        return build_image_classifier(
            self.config.model,
            image_shape=self._image_shape(records),
            classes=len(records.labels),
            seed=self.config.seed,
        )

    def build_baselines(self, records: RecordsDirectory) -> Mapping[str, keras.Model]:
        """The same encoder with its grid pooled, with the name of the encoder's kind."""
        from rnnpipe.models.image_classifier import build_pooling_classifier

        if not self.config.train.baseline:
            return {}
        model = build_pooling_classifier(
            self.config.model,
            image_shape=self._image_shape(records),
            classes=len(records.labels),
        )
        return {self.config.model.image_encoder.kind: model}

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The model with the terms that hard attention adds to the loss."""
        from rnnpipe.training.glimpses import GlimpseTrainer

        reinforce = self.config.reinforce
        return GlimpseTrainer(model, **(asdict(reinforce) if reinforce else {}))

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """Cross-entropy and accuracy of the classes."""
        import keras

        del model
        return {
            "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "metrics": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        }

    def make_pair(self, records: RecordsDirectory, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        """Images `(batch, height, width, channels)`, or their features, and classes `(batch,)`."""
        import tensorflow as tf

        images = tf.ensure_shape(batch[self._image_field], (None, *self._image_shape(records)))
        return images, batch["label"]

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
        """The likeliest classes of an image, and a picture of the glimpses' path.

        Raises:
            UserError: the image cannot be read.
        """
        from rnnpipe.tasks.image_classification.drawing import draw_path
        from rnnpipe.tasks.image_classification.evaluation import predict_all

        image, features = self.config.data.image, self.config.data.features
        pixels = model_input = read_photo(inputs["image"], image.size, image.fit)
        if features is not None:
            backbone_pixels = read_photo(inputs["image"], features.image_size, image.fit)
            (model_input,) = features(backbone_pixels[np.newaxis])
        (probabilities,), (alignments,) = predict_all(model, [model_input[np.newaxis]])
        top = rank(probabilities, json.loads((folder / LABELS).read_text()))
        return Prediction(top, draw_path(pixels, alignments, answers=top))
