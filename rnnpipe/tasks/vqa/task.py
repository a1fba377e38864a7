"""The task of visual question answering."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import ANSWERS
from rnnpipe.report.image_heatmap import draw_glimpses
from rnnpipe.tasks.base import Evaluation, Prediction, Task
from rnnpipe.tasks.image_inputs import read_photo, show_photo
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.vqa.config import VqaConfig
from rnnpipe.tasks.vqa.report import make_inputs
from rnnpipe.tasks.vqa.sources import open_source
from rnnpipe.text.tokenizer import MODEL_FILE, SETTINGS_FILE, Tokenizer

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from rnnpipe.inputs.batches import Batch
    from rnnpipe.sources.source import Source
    from rnnpipe.transforms.recipes.base import Recipe

TOP_ANSWERS = 5
_RUN_LENGTH = 8  # about as many questions as an image has


class VqaTask(Task[VqaConfig]):
    """Visual question answering.

    Args:
        config: the run's config.
    """

    name = "vqa"
    main_metric = "vqa_accuracy"
    inputs = (
        Input("image", "an image file", metavar="FILE"),
        Input("question", "a question about the image"),
    )
    fields = ("image_jpeg", "question_tokens", "answer_ids", "answer_weights")
    batch_options = MappingProxyType({"run_length": _RUN_LENGTH, "images_by": "image_id"})
    vocabulary = (MODEL_FILE, SETTINGS_FILE, ANSWERS)

    def open_source(self) -> Source:
        """Images with questions and answers."""
        return open_source(self.config.data.source)

    def make_recipe(self) -> Recipe:
        """Records of a question each."""
        from rnnpipe.transforms.recipes.vqa import VqaRecipe  # brings in Beam

        data = self.config.data
        return VqaRecipe(
            image_size=data.image.size,
            image_fit=data.image.fit,
            jpeg_quality=data.image.jpeg_quality,
            tokenizer=data.question.tokenizer,
            vocabulary=data.question.vocabulary,
            max_tokens=data.question.max_tokens,
            max_answers=data.answers.max_answers,
            min_answer_count=data.answers.min_answer_count,
        )

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """Show, Ask, Attend, and Answer, with logits and alignments as outputs."""
        from rnnpipe.models.vqa import build_vqa_model  # brings in Keras

        model = self.config.model
        return build_vqa_model(
            image_size=self.config.data.image.size,
            vocab=Tokenizer.load(records.path).vocabulary_size,
            answers=len(records.answers),
            patch=model.image_encoder.patch,
            channels=model.image_encoder.channels,
            image_dropout=model.image_encoder.dropout,
            embedding=model.question_encoder.embedding,
            question_units=model.question_encoder.units,
            question_dropout=model.question_encoder.dropout,
            fusion_units=model.fusion.units,
            attention_units=model.attention.units,
            attention_dropout=model.attention.dropout,
            glimpses=model.attention.glimpses,
            classifier_units=model.classifier.units,
            classifier_dropout=model.classifier.dropout,
        )

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """The loss over soft targets, and the accuracy over them."""
        import keras

        from rnnpipe.training.soft_targets import soft_cross_entropy, soft_vqa_accuracy

        del model
        accuracy = keras.metrics.MeanMetricWrapper(soft_vqa_accuracy, name=self.main_metric)
        return {"loss": soft_cross_entropy, "metrics": [accuracy]}

    def make_pair(self, records: RecordsDirectory, batch: Batch) -> tuple[Batch, tf.Tensor]:
        """({`image`, `image_index`, `question`}, soft targets `(batch, answers)`)."""
        import tensorflow as tf

        from rnnpipe.inputs.targets import to_soft_targets

        size = self.config.data.image.size
        inputs = {
            "image": tf.ensure_shape(batch["image_jpeg"], (None, size, size, 3)),
            "image_index": batch["image_index"],
            "question": batch["question_tokens"],
        }
        ids, weights = batch["answer_ids"], batch["answer_weights"]
        return inputs, to_soft_targets(ids, weights, len(records.answers))

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """The official accuracy beside the baselines', and samples with their attention."""
        from rnnpipe.tasks.vqa.evaluation import evaluate

        return evaluate(model, records, split, self.make_inputs(records, split))

    def predict(self, model: keras.Model, folder: Path, inputs: Mapping[str, Any]) -> Prediction:
        """The likeliest answers to a question about an image, and a picture of the attention.

        Raises:
            UserError: the image cannot be read, or the question has no word.
        """
        data = self.config.data
        image = read_photo(inputs["image"], data.image.size, data.image.fit)
        tokens = Tokenizer.load(folder).encode(inputs["question"])[: data.question.max_tokens]
        if not tokens:
            raise UserError(
                "--question", "a question", repr(inputs["question"]), "write a sentence"
            )
        output = model(make_inputs(image, tokens))
        probabilities = _softmax(np.asarray(output["logits"])[0])
        answers = json.loads((folder / ANSWERS).read_text())
        top = [
            (answers[i], float(probabilities[i])) for i in np.argsort(-probabilities)[:TOP_ANSWERS]
        ]
        alignments = np.asarray(output["alignments"])[0]
        shown = show_photo(inputs["image"], data.image.fit)
        return Prediction(top, draw_glimpses(shown, alignments, inputs["question"], top))


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    normalised: np.ndarray = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return normalised
