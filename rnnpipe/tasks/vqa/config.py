"""What the config of a visual question answering run has."""

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


class Question(Section):
    """How questions become tokens."""

    tokenizer: Literal["word", "unigram", "bpe", "char"] = "word"
    vocabulary: int = Field(2000, ge=8, description="tokens at most")
    max_tokens: int = Field(20, ge=1, description="longer questions are cut")


class Answers(Section):
    """Which answers the model knows: the most frequent ones of the training split."""

    max_answers: int = Field(1000, ge=1, description="how many at most")
    min_answer_count: int = Field(1, ge=1, description="how many people must have given an answer")


class VqaData(Data):
    """The raw data and what is made of it."""

    source: VqaSource
    image: Image = Image()
    question: Question = Question()
    answers: Answers = Answers()
    splits: Splits = Splits()


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


class VqaKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["vqa_accuracy", "loss"] = "vqa_accuracy"


class VqaTrain(Train):
    """How the model is trained."""

    keep_best: VqaKeepBest = VqaKeepBest()


class VqaConfig(RunConfig):
    """A run of visual question answering."""

    task: Literal["vqa"]
    data: VqaData
    model: VqaModel = VqaModel()
    train: VqaTrain = VqaTrain()
