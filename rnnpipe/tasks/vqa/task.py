"""The stages of visual question answering, from its config."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import ANSWERS
from rnnpipe.report.image_heatmap import draw_glimpses
from rnnpipe.tasks.base import Evaluation, Prediction
from rnnpipe.tasks.image_inputs import read_photo, show_photo
from rnnpipe.tasks.vqa.config import VqaConfig
from rnnpipe.tasks.vqa.report import make_inputs
from rnnpipe.tasks.vqa.sources import open_source
from rnnpipe.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    import keras

    from rnnpipe.transforms.build import Build

TOP_ANSWERS = 5
_RUN_LENGTH = 8  # about as many questions as an image has
_FIELDS = ("image_jpeg", "question_tokens", "answer_ids", "answer_weights")


class VqaTask:
    """Visual question answering.

    Args:
        config: the run's config.
    """

    name = "vqa"
    main_metric = "vqa_accuracy"
    inputs = ("image", "question")

    def __init__(self, config: VqaConfig) -> None:
        self.config = config

    def prepare_build(self) -> Build:
        """The build of the records that the config asks for."""
        from rnnpipe.transforms.build import Build  # brings in Beam
        from rnnpipe.transforms.recipes.vqa import VqaRecipe

        data, build = self.config.data, self.config.build
        recipe = VqaRecipe(
            image_size=data.image.size,
            image_fit=data.image.fit,
            jpeg_quality=data.image.jpeg_quality,
            tokenizer=data.question.tokenizer,
            vocabulary=data.question.vocabulary,
            max_tokens=data.question.max_tokens,
            max_answers=data.answers.limit,
            min_answer_count=data.answers.min_count,
        )
        return Build(
            open_source(data.source),
            recipe,
            shares=data.splits.model_dump(),
            records_per_shard=build.records_per_shard,
            max_bad_fraction=build.max_bad_fraction,
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

    def build_trainer(self, model: keras.Model, records: RecordsDirectory) -> keras.Model:
        """The model's logits, compiled with the loss over soft targets."""
        import keras

        from rnnpipe.training.soft_targets import (
            soft_cross_entropy,
            soft_vqa_accuracy,
        )

        train = self.config.train
        trainer = keras.Model(model.input, model.output["logits"], name=model.name)
        steps_per_epoch = -(-records.splits["train"] // train.batch_size)
        trainer.compile(
            optimizer=train.optimizer.make(steps=train.epochs * steps_per_epoch),
            loss=soft_cross_entropy,
            metrics=[keras.metrics.MeanMetricWrapper(soft_vqa_accuracy, name=self.main_metric)],
        )
        return trainer

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """Batches of ({`image`, `image_index`, `question`}, soft targets `(batch, answers)`)."""
        import tensorflow as tf

        from rnnpipe.inputs.batches import Batch, make_batches
        from rnnpipe.inputs.targets import to_soft_targets

        answers, size = len(records.answers), self.config.data.image.size

        def to_pair(batch: Batch) -> tuple[Batch, tf.Tensor]:
            inputs = {
                "image": tf.ensure_shape(batch["image_jpeg"], (None, size, size, 3)),
                "image_index": batch["image_index"],
                "question": batch["question_tokens"],
            }
            return inputs, to_soft_targets(batch["answer_ids"], batch["answer_weights"], answers)

        train, evaluate = self.config.train, self.config.evaluate
        return make_batches(
            records,
            split,
            fields=_FIELDS,
            batch_size=evaluate.batch_size if shuffle_seed is None else train.batch_size,
            shuffle_seed=shuffle_seed,
            run_length=_RUN_LENGTH,
            images_by="image_id",
            transform=to_pair,
        )

    def monitor(self) -> tuple[str, Literal["min", "max"]]:
        """The validation metric of `train.keep_best`."""
        metric = self.config.train.keep_best.metric
        return f"val_{metric}", "min" if metric == "loss" else "max"

    def save_vocabulary(self, records: RecordsDirectory, folder: Path) -> None:
        """Copies the tokenizer and the answers."""
        folder.mkdir(exist_ok=True)
        Tokenizer.load(records.path).save(folder)
        shutil.copyfile(records.path / ANSWERS, folder / ANSWERS)

    def evaluate(self, model: keras.Model, records: RecordsDirectory, split: str) -> Evaluation:
        """The official accuracy beside the baselines', and samples of what the model looked at."""
        from rnnpipe.tasks.vqa.evaluation import evaluate

        batches = self.make_batches(records, split).map(lambda inputs, targets: inputs)
        return evaluate(model, records, split, batches)

    def predict(self, model: keras.Model, folder: Path, inputs: Mapping[str, str]) -> Prediction:
        """The likeliest answers to a question about an image, and a picture of where it looked.

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
