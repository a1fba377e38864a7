"""The config of a visual question answering run."""

from typing import Literal

from rnnpipe.errors import UserError
from rnnpipe.inputs.augmentation import AugmentationOptions
from rnnpipe.models.vqa import VqaOptions
from rnnpipe.parts.attention_wrappers import ReinforceOptions, is_hard
from rnnpipe.settings import setting
from rnnpipe.tasks.image_encoders import check_encoder
from rnnpipe.tasks.run_config import KeepBest, RunConfig, Train
from rnnpipe.tasks.word_vectors import check_embedding
from rnnpipe.transforms.recipes.vqa import VqaData


class VqaKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["vqa_accuracy", "loss"] = setting("vqa_accuracy", "of the validation split")


class VqaTrain(Train):
    """How the model is trained."""

    augment: AugmentationOptions = AugmentationOptions()
    reinforce: ReinforceOptions | None = setting(
        None, "how hard attention is trained; null: by the defaults of these settings"
    )
    keep_best: VqaKeepBest = VqaKeepBest()


class VqaConfig(RunConfig):
    """A run of visual question answering."""

    task: Literal["vqa"]
    data: VqaData
    model: VqaOptions = VqaOptions()
    train: VqaTrain = VqaTrain()

    def check(self) -> None:
        """The model reads what the records hold, and training fits the model."""
        check_encoder(self.model.image_encoder, self.data.features, self.train.augment)
        vectors = self.data.question.vectors
        check_embedding(self.model.embedding, vectors, type(self).model.embedding)
        if self.train.reinforce is not None and not is_hard(self.model.attention):
            raise UserError(
                "train.reinforce", "null without hard attention", "settings", "remove it"
            )
