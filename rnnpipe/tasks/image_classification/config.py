"""What the config of a run that reads images in glimpses has."""

from typing import Annotated, Literal

from pydantic import Field

from rnnpipe.config.schema.base import (
    Data,
    FilePath,
    Fraction,
    KeepBest,
    RunConfig,
    Section,
    Source,
    Train,
)
from rnnpipe.config.schema.images import CnnEncoder, Image, Splits


class ClutteredShapesSource(Source):
    """Pictures of one whole shape among fragments of others, drawn by rnnpipe."""

    kind: Literal["cluttered_shapes"]
    path: FilePath | None = Field(None, description="where they are written; default: the cache")
    images: int = Field(9000, ge=60)
    size: int = Field(64, ge=32, description="height and width of the images, in pixels")
    fragments: int = Field(8, ge=0, description="in each image")
    seed: int = 1


class ImageFoldersSource(Source):
    """A folder of images for each class, below folders of splits or by themselves."""

    kind: Literal["image_folders"]
    path: FilePath = Field(description="the folder")
    labels: list[str] | None = Field(
        None, min_length=2, description="which folders to read; default: all"
    )


GlimpseSource = Annotated[ClutteredShapesSource | ImageFoldersSource, Field(discriminator="kind")]


class ImageClassificationData(Data):
    """The raw data and what is made of it."""

    source: GlimpseSource
    image: Image = Image()
    splits: Splits = Splits()


class Reader(Section):
    """The recurrent layer that attends to the image."""

    kind: Literal["lstm", "gru"] = "lstm"
    units: int = Field(128, ge=1)
    glimpses: int = Field(6, ge=1, description="how often the image is attended to")
    dropout: Fraction = Field(0.0, description="of its last state's features")


class GlimpseAttention(Section):
    """Attention of the recurrent state over the grid of the image."""

    kind: Literal["additive", "coverage"] = Field(
        "coverage", description="coverage also depends on the sum of earlier alignments"
    )
    units: int = Field(64, ge=1, description="in which state and image are compared")


class SoftAttention(GlimpseAttention):
    """A glimpse is the weighted mean of all positions."""

    look: Literal["soft"]


class HardAttention(GlimpseAttention):
    """A glimpse is one position, trained by REINFORCE (Mnih et al. 2014, Xu et al. 2015)."""

    look: Literal["hard"]
    expected_share: Fraction = Field(
        0.5, description="how often training takes a weighted mean all the same"
    )
    reward_weight: float = Field(1.0, ge=0, description="of the log-likelihood of the class")
    entropy_weight: float = Field(
        0.01, ge=0, description="weight of the entropy, which keeps it curious"
    )


class ImageClassifierModel(Section):
    """A CNN, and a recurrent layer that attends to its grid."""

    image_encoder: CnnEncoder = CnnEncoder(kind="cnn")
    reader: Reader = Reader()
    attention: Annotated[SoftAttention | HardAttention, Field(discriminator="look")] = (
        SoftAttention(look="soft")
    )


class ImageClassificationKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["accuracy", "loss"] = "accuracy"


class ImageClassificationTrain(Train):
    """How the model is trained."""

    baseline: bool = Field(
        True, description="also trains a plain CNN in the same way, to compare with"
    )
    keep_best: ImageClassificationKeepBest = ImageClassificationKeepBest()


class ImageClassificationConfig(RunConfig):
    """A run that classifies images by reading them in glimpses."""

    task: Literal["image_classification"]
    data: ImageClassificationData
    model: ImageClassifierModel = ImageClassifierModel()
    train: ImageClassificationTrain = ImageClassificationTrain()
