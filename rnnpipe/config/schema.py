"""What a run's YAML may say: every key, its type, its bounds and its default."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rnnpipe.errors import UserError

Fraction = Annotated[float, Field(ge=0, lt=1)]


def _expand(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise UserError(
            "", "a path", f'"{path}", whose user is not known', "write the folder out"
        ) from None


FilePath = Annotated[Path, AfterValidator(_expand)]
"""A file or folder; relative to where the command runs, `~` is the home folder."""


class Section(BaseModel):
    """A part of a config: unknown keys and wrong types are refused, and nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Source(Section):
    """Where raw data comes from."""

    kind: str


class Data(Section):
    """The raw data and what is made of it."""

    source: Source
    directory: FilePath | None = Field(
        None, description="where the records go; default: a folder of their own in the cache"
    )


# --- data ---------------------------------------------------------------------------------------


class ShapesSource(Source):
    """Scenes of coloured shapes, drawn by rnnpipe and written as real VQA v2.0 files."""

    kind: Literal["shapes"]
    path: FilePath | None = Field(None, description="where they are written; default: the cache")
    images: int = Field(4000, ge=10)
    size: int = Field(64, ge=32, description="height and width of the images, in pixels")
    questions_per_image: int = Field(8, ge=1)
    disagreement: Fraction = Field(0.1, description="how often a person gives another answer")
    seed: int = 1


class VqaFileNames(Section):
    """One part of a VQA v2.0 data set; the paths are relative to the source's `path`."""

    questions: FilePath
    annotations: FilePath
    images: FilePath


class VqaV2Source(Source):
    """Questions, annotations and images as VQA v2.0 publishes them."""

    kind: Literal["vqa_v2"]
    path: FilePath = Field(description="the folder that holds them")
    files: dict[Literal["train", "validation", "test"], VqaFileNames] | None = Field(
        None, description="the files of each split; default: found by their official names"
    )


class EasyVqaSource(Source):
    """The easy-VQA data set in its own layout."""

    kind: Literal["easy_vqa"]
    path: FilePath = Field(description="the folder with `train` and `test`")


VqaSource = Annotated[ShapesSource | VqaV2Source | EasyVqaSource, Field(discriminator="kind")]


class Image(Section):
    """How images are stored."""

    size: int = Field(64, ge=16, description="height and width, in pixels")
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    jpeg_quality: int = Field(92, ge=1, le=95)


class Question(Section):
    """How questions become tokens."""

    tokenizer: Literal["word", "unigram", "bpe", "char"] = "word"
    vocabulary: int = Field(2000, ge=8, description="tokens at most")
    max_tokens: int = Field(20, ge=1, description="longer questions are cut")


class Answers(Section):
    """Which answers the model knows: the most frequent ones of the training split."""

    limit: int = Field(1000, ge=1, description="how many at most")
    min_count: int = Field(1, ge=1, description="how many people must have given an answer")


class Splits(Section):
    """Shares of the training part held out, by image, where the raw data has no such split."""

    validation: Fraction = 0.1
    test: Fraction = 0.1


class VqaData(Data):
    """The raw data and what is made of it."""

    source: VqaSource
    image: Image = Image()
    question: Question = Question()
    answers: Answers = Answers()
    splits: Splits = Splits()


class Build(Section):
    """How records are built."""

    workers: int = Field(1, ge=1, description="local worker processes; 1 works in this process")
    records_per_shard: int = Field(1000, ge=1)
    max_bad_fraction: float = Field(
        0.05, ge=0, le=1, description="share of raw records that may become dead letters"
    )


# --- model --------------------------------------------------------------------------------------


class CnnEncoder(Section):
    """A small convolutional network, trained from scratch."""

    kind: Literal["cnn"]
    patch: int = Field(4, ge=1, description="the first stage's patches, in pixels")
    channels: list[Annotated[int, Field(ge=1)]] = Field(
        [32, 64], min_length=1, description="of every stage; each but the first halves the grid"
    )
    dropout: Fraction = 0.0


class LstmEncoder(Section):
    """An LSTM that reads the question; its last hidden state is the question's encoding."""

    kind: Literal["lstm"]
    embedding: int = Field(128, ge=1)
    units: int = Field(256, ge=1)
    dropout: Fraction = 0.0


class Fusion(Section):
    """The product of question and image, in each cell of the grid and after the glimpses."""

    units: int = Field(128, ge=1)


class AdditiveAttentionModel(Section):
    """Additive attention of the question over the image's grid."""

    kind: Literal["additive"]
    units: int = Field(256, ge=1)
    glimpses: int = Field(2, ge=1)
    dropout: Fraction = 0.0


class Classifier(Section):
    """The hidden layer between the glimpses and the answers."""

    units: int = Field(512, ge=1)
    dropout: Fraction = 0.0


class VqaModel(Section):
    """Show, Ask, Attend, and Answer (Kazemi & Elqursh 2017)."""

    image_encoder: CnnEncoder = CnnEncoder(kind="cnn")
    question_encoder: LstmEncoder = LstmEncoder(kind="lstm")
    fusion: Fusion = Fusion()
    attention: AdditiveAttentionModel = AdditiveAttentionModel(kind="additive")
    classifier: Classifier = Classifier()


# --- training and evaluation --------------------------------------------------------------------


class Schedule(Section):
    """How the learning rate changes: a linear warm-up, then constant or a half cosine to zero."""

    kind: Literal["constant", "cosine"] = "constant"
    warmup_steps: int = Field(0, ge=0)


class Adam(Section):
    """Adam (Kingma & Ba 2015)."""

    kind: Literal["adam"]
    learning_rate: float = Field(1e-3, gt=0)
    schedule: Schedule = Schedule()
    clip_norm: float | None = Field(
        5.0, gt=0, description="largest norm of all gradients together; null: no clipping"
    )


class KeepBest(Section):
    """Which epoch's weights are kept, and when training stops early."""

    metric: str = Field(description="a metric of the validation split")
    patience: int = Field(5, ge=1, description="epochs without a better value before it stops")


class Train(Section):
    """How the model is trained."""

    batch_size: int = Field(64, ge=1)
    epochs: int = Field(20, ge=1)
    optimizer: Adam = Adam(kind="adam")
    keep_best: KeepBest


class VqaKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["vqa_accuracy", "loss"] = "vqa_accuracy"


class VqaTrain(Train):
    """How the model is trained."""

    keep_best: VqaKeepBest = VqaKeepBest()


class Evaluate(Section):
    """What is scored at the end."""

    splits: list[Literal["train", "validation", "test"]] = Field(["test"], min_length=1)
    batch_size: int = Field(256, ge=1)


class RunConfig(Section):
    """What every run has, whatever its task."""

    task: str
    seed: int = Field(7, ge=0)
    data: Data
    build: Build = Build()
    model: Section
    train: Train
    evaluate: Evaluate = Evaluate()


class VqaConfig(RunConfig):
    """A run of visual question answering."""

    task: Literal["vqa"]
    data: VqaData
    model: VqaModel = VqaModel()
    train: VqaTrain = VqaTrain()


SCHEMAS: Mapping[str, type[RunConfig]] = MappingProxyType({"vqa": VqaConfig})
"""The model of each task's config."""
