"""The task of visual question answering."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.parts.attention_wrappers import ReinforceOptions
from rnnpipe.quiet import import_keras
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import ANSWERS
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.image_encoders import make_encoder, make_trial_encoder
from rnnpipe.tasks.image_inputs import image_field, image_shape, read_encoder_input, show_photo
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.prediction import Answer, Prediction
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.row_names import name_labels, name_tokens
from rnnpipe.tasks.text_inputs import encode_text
from rnnpipe.tasks.vqa.config import VqaConfig
from rnnpipe.tasks.vqa.inputs import make_inputs
from rnnpipe.text.tokenizer import MODEL_FILE, SETTINGS_FILE, Tokenizer
from rnnpipe.training.row_names import RowNames

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from rnnpipe.inputs.batches import Batch

TOP_ANSWERS = 5
_SMALL = 8  # tokens and answers of the model that is built on trial
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
    batch_options = MappingProxyType({"run_length": _RUN_LENGTH, "images_by": "image_id"})
    vocabulary = (MODEL_FILE, SETTINGS_FILE, ANSWERS)
    softmax_outputs = ("logits",)
    preprocessing = ("image", "features")

    @property
    def fields(self) -> Sequence[str]:  # type: ignore[override]  # they depend on the config
        """The image or its features, the question, and the shares of the answers."""
        return (image_field(self.config.data), "question_tokens", "answer_ids", "answer_weights")

    def check_model(self) -> None:
        """Builds the model for a few tokens and answers.

        Raises:
            UserError: its parts do not fit each other, or a file is missing.
        """
        import_keras()
        encoder = make_trial_encoder(self.config.model.image_encoder, self.config.data.image.size)
        self._build(encoder, _SMALL, _SMALL)

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """Show, Ask, Attend, and Answer, with logits and alignments as outputs."""
        shape = image_shape(self.config.data, records)
        encoder = make_encoder(self.config.model.image_encoder, shape)
        vocab = Tokenizer.load(records.path).vocabulary_size
        return self._build(encoder, vocab, len(records.answers))

    def _build(self, encoder: keras.Model, vocab: int, answers: int) -> keras.Model:
        from rnnpipe.models.vqa import build_vqa_model  # brings in Keras

        return build_vqa_model(
            self.config.model,
            image_shape=encoder.input.shape[1:],
            vocab=vocab,
            answers=answers,
            image_encoder=encoder,
        )

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The logits; of hard attention with the alignments, which are reinforced."""
        if "probabilities" not in model.output:
            return super().wrap_model(model)
        from rnnpipe.training.answers import AnswerTrainer

        return AnswerTrainer(model, **asdict(self.config.train.reinforce or ReinforceOptions()))

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """The loss over soft targets, and the accuracy over them."""
        import keras

        from rnnpipe.training.soft_targets import soft_cross_entropy, soft_vqa_accuracy

        del model
        accuracy = keras.metrics.MeanMetricWrapper(soft_vqa_accuracy, name=self.main_metric)
        return {"loss": soft_cross_entropy, "metrics": [accuracy]}

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """The batches of a split, see `make_pair`; images of training may be augmented."""
        from rnnpipe.inputs.augmentation import augment_batches

        batches = super().make_batches(records, split, shuffle_seed=shuffle_seed)
        if shuffle_seed is None:
            return batches
        return augment_batches(batches, self.config.train.augment, shuffle_seed)

    def make_pair(self, records: RecordsDirectory, batch: Batch) -> tuple[Batch, tf.Tensor]:
        """({`image`, `image_index`, `question`}, soft targets `(batch, answers)`)."""
        import tensorflow as tf

        from rnnpipe.inputs.targets import to_soft_targets

        data = self.config.data
        image = batch[image_field(data)]
        if data.features is None:
            image = tf.ensure_shape(image, (None, data.image.size, data.image.size, 3))
        inputs = {
            "image": image,
            "image_index": batch["image_index"],
            "question": batch["question_tokens"],
        }
        ids, weights = batch["answer_ids"], batch["answer_weights"]
        return inputs, to_soft_targets(ids, weights, len(records.answers))

    def row_names(self, folder: Path) -> Mapping[str, RowNames]:
        """The tokens of the questions' embedding, and the answers of the logits."""
        tokens = name_tokens(Tokenizer.load(folder), "embedding")
        return {**tokens, **name_labels(folder / ANSWERS, "logits", "answers")}

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """The official accuracy beside the baselines', and samples with their attention."""
        from rnnpipe.tasks.vqa.evaluation import evaluate

        field = image_field(self.config.data)
        return evaluate(model, records, split, self.make_inputs(records, split), image_field=field)

    def predict(self, model: keras.Model, folder: Path, inputs: Mapping[str, Any]) -> Prediction:
        """The likeliest answers to a question about an image, and a picture of the attention.

        Raises:
            UserError: the image cannot be read, or the question has no word.
        """
        from rnnpipe.report.image_heatmap import draw_glimpses

        data = self.config.data
        image = read_encoder_input(inputs["image"], data)[0]
        tokens = encode_text(
            Tokenizer.load(folder),
            inputs["question"],
            "--question",
            max_tokens=data.question.max_tokens,
            keep="start",
        )
        if not tokens:
            raise UserError(
                "--question", "a question", repr(inputs["question"]), "write a sentence"
            )
        output = model(make_inputs(image, tokens))
        probabilities = _softmax(np.asarray(output["logits"])[0])
        answers = json.loads((folder / ANSWERS).read_text(encoding="utf-8"))
        top = [
            Answer(answers[i], float(probabilities[i]))
            for i in np.argsort(-probabilities)[:TOP_ANSWERS]
        ]
        alignments = np.asarray(output["alignments"])[0]
        shown = show_photo(inputs["image"], data.image.fit)
        picture = draw_glimpses(shown, alignments, inputs["question"], top)
        return Prediction(top, picture, alignments=alignments)


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    normalised: np.ndarray = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return normalised
