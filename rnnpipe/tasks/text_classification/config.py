"""The config of a text classification run."""

from typing import Literal

from rnnpipe.errors import UserError, located
from rnnpipe.inputs.text_augmentation import SubwordSamplingOptions, TextNoiseOptions
from rnnpipe.models.text_classifier import TextClassifierOptions
from rnnpipe.parts.optimizers import AdamOptions, OptimizerOptions
from rnnpipe.settings import Settings, fraction, setting
from rnnpipe.tasks.run_config import KeepBest, RunConfig, Train
from rnnpipe.tasks.word_vectors import check_embedding
from rnnpipe.transforms.recipes.text_classes import TextClassData


class TextClassificationKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["accuracy", "loss"] = setting("accuracy", "of the validation split")


class Pretraining(Settings):
    """A language model of the training split's texts, whose layers the classifier begins with.

    The embedding and the recurrence learn to predict the next word of each text, and the previous
    one where they read in both directions (Howard & Ruder 2018, section 3.2).
    """

    epochs: int = setting(20, "at most", ge=1)
    batch_size: int = setting(32, "texts of a batch", ge=1)
    optimizer: OptimizerOptions = AdamOptions(learning_rate=3e-3)
    dropout: float = fraction(0.2, "of the features that the softmax reads, in training")
    sampled_words: int = setting(
        1024,
        "other words that the right one is compared with in training, drawn for each batch; "
        "0: all of the vocabulary",
        ge=0,
    )
    patience: int = setting(3, "epochs without a better perplexity before it stops", ge=1)


class TextClassificationTrain(Train):
    """How the model is trained."""

    pretraining: Pretraining | None = setting(
        None, "its layers are first those of a language model of the texts; null: they are not"
    )
    subword_sampling: SubwordSamplingOptions | None = setting(
        None, "how texts are cut into other subwords in every epoch; null: as in the records"
    )
    text_noise: TextNoiseOptions | None = setting(
        None, "words of texts that are dropped and moved in training; null: none"
    )
    label_smoothing: float = fraction(help="probability spread over all classes")
    r_drop: float = setting(
        0.0,
        "alpha of R-Drop: each batch passes twice through different dropout, and both outputs must "
        "agree; 0: it passes once",
        ge=0,
    )
    ensemble_size: int = setting(
        1,
        "classifiers trained one after the other, each from other first weights; the answer is the "
        "mean of their probabilities",
        ge=1,
        le=99,
    )
    keep_best: TextClassificationKeepBest = TextClassificationKeepBest()


class TextClassificationConfig(RunConfig):
    """A run of sentiment analysis, or of any other classification of texts."""

    task: Literal["text_classification"]
    data: TextClassData
    model: TextClassifierOptions = TextClassifierOptions()
    train: TextClassificationTrain = TextClassificationTrain()

    def check(self) -> None:
        """The embedding fits the words; R-Drop compares passes that differ by their dropout."""
        check_embedding(self.model.embedding, self.data.text.vectors, type(self).model.embedding)
        if self.train.subword_sampling is not None:
            with located("train"):
                self.train.subword_sampling.check_tokenizer(self.data.text.tokenizer)
        if self.train.r_drop and not self.model.is_random:
            raise UserError(
                "train.r_drop",
                "a model with dropout, which it makes agree with itself",
                "one without any",
                "set model.embedding.dropout or model.dropout, or r_drop to 0",
            )
