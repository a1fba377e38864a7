"""The config of a text classification run."""

from typing import Literal

from rnnpipe.errors import UserError
from rnnpipe.models.text_classifier import TextClassifierOptions
from rnnpipe.settings import fraction, setting
from rnnpipe.tasks.run_config import KeepBest, RunConfig, Train
from rnnpipe.tasks.word_vectors import check_embedding
from rnnpipe.transforms.recipes.text_classes import TextClassData


class TextClassificationKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["accuracy", "loss"] = setting("accuracy", "of the validation split")


class TextClassificationTrain(Train):
    """How the model is trained."""

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
        if self.train.r_drop and not self.model.is_random:
            raise UserError(
                "train.r_drop",
                "a model with dropout, which it makes agree with itself",
                "one without any",
                "set model.embedding.dropout or model.dropout, or r_drop to 0",
            )
