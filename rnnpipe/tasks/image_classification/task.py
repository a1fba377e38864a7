"""The stages of classifying images in glimpses, from their config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rnnpipe.metrics.corpus import CorpusMetric, accuracy
from rnnpipe.quiet import import_keras
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import LABELS
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.image_classification.config import ImageClassificationConfig
from rnnpipe.tasks.image_encoders import make_encoder, make_trial_encoder
from rnnpipe.tasks.image_inputs import image_field, image_input, image_shape, with_features
from rnnpipe.tasks.network import Network
from rnnpipe.tasks.predictor import Predictor
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.row_names import name_labels
from rnnpipe.tasks.stored_images import PIXELS, read_pixels
from rnnpipe.training.row_names import RowNames

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from rnnpipe.inputs.batches import Batch


class ImageClassificationTask(Task[ImageClassificationConfig]):
    """Classification of images by a recurrent network that reads them in glimpses.

    Args:
        config: the run's config.
    """

    name = "image_classification"
    main_metric = "accuracy"
    inputs = (image_input(),)
    vocabulary = (LABELS,)
    softmax_outputs = ("logits",)
    record_fields = ("image_name", "label")
    preprocessing = ("image", "features")

    def __init__(self, config: ImageClassificationConfig) -> None:
        super().__init__(config)
        self.fields = (image_field(config.data), "label")

    def check_model(self) -> None:
        """Builds the model for images that there may be, and drops it.

        Raises:
            UserError: a file of the image encoder is missing, or its parts do not fit.
        """
        options = self.config.model.image_encoder
        if options.reads_features and options.grid_channels is None:
            return  # whether the reader fits the grid depends on the features
        import_keras()
        encoder = make_trial_encoder(options, self.config.data.image.size)
        self._build_model(encoder, classes=2)

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The reader, with logits and the alignments of every glimpse as outputs."""
        shape = image_shape(self.config.data, records)
        encoder = make_encoder(self.config.model.image_encoder, shape)
        return self._build_model(encoder, classes=len(records.labels))

    def _build_model(self, encoder: keras.Model, classes: int) -> keras.Model:
        from rnnpipe.models.image_classifier import build_image_classifier

        return build_image_classifier(
            self.config.model,
            image_shape=encoder.input.shape[1:],
            classes=classes,
            image_encoder=encoder,
            seed=self.config.seed,
        )

    def build_baselines(self, records: RecordsDirectory) -> Mapping[str, keras.Model]:
        """The same encoder with its grid pooled, with the name of the encoder's kind."""
        from rnnpipe.models.image_classifier import build_pooling_classifier

        if not self.config.train.baseline:
            return {}
        model = build_pooling_classifier(
            self.config.model,
            image_shape=image_shape(self.config.data, records),
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

        data = self.config.data
        shape = (None, *image_shape(data, records))
        return tf.ensure_shape(batch[image_field(data)], shape), batch["label"]

    def row_names(self, folder: Path) -> Mapping[str, RowNames]:
        """The classes of the logits."""
        return name_labels(folder / LABELS, "logits", "labels")

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

    def make_network_inputs(self, records: RecordsDirectory, split: str) -> Any:
        """The images of a split, as pixels."""
        model = replace(self.config.model, image_encoder=PIXELS)
        return read_pixels(self, lambda task: task.make_inputs(records, split), model)

    def score(self, network: Network, records: RecordsDirectory, split: str) -> Mapping[str, float]:
        """The scores of the classes of a split."""
        from rnnpipe.tasks.image_classification.evaluation import score_network

        inputs = self.make_network_inputs(records, split)
        return score_network(network["call"], records, split, inputs)

    def corpus_metrics(self) -> Sequence[CorpusMetric]:
        """The accuracy."""
        return [accuracy(self.main_metric)]

    def make_network(self, model: keras.Model, folder: Path) -> Network:
        """The function `call`; where the model reads features, it reads pixels."""
        network = super().make_network(model, folder)
        return {"call": with_features(network["call"], self.config.data.features)}

    def make_predictor(self, folder: Path, network: Network) -> Predictor:
        """Classifies images, with a picture of the glimpses' path."""
        from rnnpipe.tasks.image_classification.predictor import ImageClassPredictor

        return ImageClassPredictor(folder, self.config.data, **self.predictor_options(network))
