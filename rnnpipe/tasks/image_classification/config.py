"""The config of a run that classifies images by reading them in glimpses."""

from typing import Literal

from rnnpipe.errors import UserError
from rnnpipe.models.image_classifier import ImageClassifierOptions
from rnnpipe.parts.attention import ReinforceOptions
from rnnpipe.settings import setting
from rnnpipe.tasks.image_encoders import check_encoder
from rnnpipe.tasks.run_config import KeepBest, RunConfig, Train
from rnnpipe.transforms.recipes.image_classes import ImageClassData


class ImageClassificationKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["accuracy", "loss"] = setting("accuracy", "of the validation split")


class ImageClassificationTrain(Train):
    """How the model is trained."""

    baseline: bool = setting(
        True,
        "whether a model that pools the same encoder's grid is trained too, in the same way, to "
        "compare",
    )
    reinforce: ReinforceOptions | None = setting(
        None, "how hard attention is trained; null: by the defaults of these settings"
    )
    keep_best: ImageClassificationKeepBest = ImageClassificationKeepBest()


class ImageClassificationConfig(RunConfig):
    """A run that classifies images by reading them in glimpses."""

    task: Literal["image_classification"]
    data: ImageClassData
    model: ImageClassifierOptions = ImageClassifierOptions()
    train: ImageClassificationTrain = ImageClassificationTrain()

    def check(self) -> None:
        """The encoder reads what the records hold; REINFORCE trains hard attention alone."""
        check_encoder(self.model.image_encoder, self.data.features)
        if self.train.reinforce is not None and not self.model.reader.attention.is_hard:
            expected, fix = "null without hard attention", "remove it, or take hard attention"
            raise UserError("train.reinforce", expected, "settings", fix)

    @property
    def reinforce(self) -> ReinforceOptions | None:
        """The loss of hard attention; None without it."""
        if not self.model.reader.attention.is_hard:
            return None
        return self.train.reinforce or ReinforceOptions()
