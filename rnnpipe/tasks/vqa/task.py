"""The task of visual question answering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rnnpipe.metrics.corpus import CorpusMetric, ratio
from rnnpipe.parts.attention_wrappers import ReinforceOptions
from rnnpipe.quiet import import_keras
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import ANSWERS
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.batching import padded_length
from rnnpipe.tasks.image_encoders import make_encoder, make_trial_encoder
from rnnpipe.tasks.image_inputs import image_field, image_input, image_shape, with_features
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.network import Bound, Network
from rnnpipe.tasks.predictor import Predictor
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.row_names import name_labels, name_tokens
from rnnpipe.tasks.stored_images import PIXELS, read_pixels
from rnnpipe.tasks.vqa.config import VqaConfig
from rnnpipe.tasks.word_vectors import check_vector_sizes
from rnnpipe.text.tokenizer import MODEL_FILE, SETTINGS_FILE, Tokenizer
from rnnpipe.text.tokens import PAD
from rnnpipe.text.word_vectors import WordVectors
from rnnpipe.training.row_names import RowNames

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from rnnpipe.inputs.batches import Batch

_SMALL = 8  # tokens and answers of the model that is built on trial
_RUN_LENGTH = 8  # about as many questions as an image has


class VqaTask(Task[VqaConfig]):
    """Visual question answering.

    Args:
        config: the run's config.
    """

    name = "vqa"
    main_metric = "vqa_accuracy"
    inputs = (image_input(), Input("question", "a question about the image"))
    batch_options = MappingProxyType({"run_length": _RUN_LENGTH, "images_by": "image_id"})
    vocabulary = (MODEL_FILE, SETTINGS_FILE, ANSWERS)
    softmax_outputs = ("logits",)
    record_fields = ("question_id", "image_id", "question", "answers")
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
        check_vector_sizes(self.config.model.embedding, [self.config.data.question.vectors])
        encoder = make_trial_encoder(self.config.model.image_encoder, self.config.data.image.size)
        self._build(encoder, _SMALL, _SMALL)

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """Show, Ask, Attend, and Answer, with logits and alignments as outputs."""
        shape = image_shape(self.config.data, records)
        encoder = make_encoder(self.config.model.image_encoder, shape)
        vocab = Tokenizer.load(records.path).vocabulary_size
        word_vectors = WordVectors.load(records.path)
        return self._build(encoder, vocab, len(records.answers), word_vectors)

    def _build(
        self,
        encoder: keras.Model,
        vocab: int,
        answers: int,
        word_vectors: WordVectors | None = None,
    ) -> keras.Model:
        from rnnpipe.models.vqa import build_vqa_model  # brings in Keras

        return build_vqa_model(
            self.config.model,
            image_shape=encoder.input.shape[1:],
            vocab=vocab,
            answers=answers,
            word_vectors=word_vectors,
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

    def make_record_ids(self, records: RecordsDirectory, shuffle_seed: int) -> Any:
        """The ids of the records of each training batch."""
        return self.read_ids(records, shuffle_seed)

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

    def make_network_inputs(self, records: RecordsDirectory, split: str) -> Any:
        """The images, as pixels, and questions of a split."""
        model = replace(self.config.model, image_encoder=PIXELS)
        return read_pixels(self, lambda task: task.make_inputs(records, split), model)

    def score(self, network: Network, records: RecordsDirectory, split: str) -> Mapping[str, float]:
        """The official accuracy of the answers of a split."""
        from rnnpipe.tasks.vqa.evaluation import score_network

        inputs = self.make_network_inputs(records, split)
        return score_network(network["call"], records, split, inputs)

    def corpus_metrics(self) -> Sequence[CorpusMetric]:
        """The official accuracy."""
        return [ratio(self.main_metric, lambda row: (row["vqa_accuracy"], 1))]

    def make_network(self, model: keras.Model, folder: Path) -> Network:
        """The function `call`; where the model reads features, it reads pixels."""
        network = super().make_network(model, folder)
        return {"call": with_features(network["call"], self.config.data.features)}

    @property
    def bounds(self) -> Mapping[str, Mapping[str, Bound]]:
        """The most tokens of a question."""
        question = Bound(padded_length(self.config.data.question.max_tokens), padding=PAD)
        return {"call": {"question": question}}

    def make_predictor(self, folder: Path, network: Network) -> Predictor:
        """Answers questions about images, with a picture of the attention."""
        from rnnpipe.tasks.vqa.predictor import VqaPredictor

        return VqaPredictor(folder, self.config.data, **self.predictor_options(network))
