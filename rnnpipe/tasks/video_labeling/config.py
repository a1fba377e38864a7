"""What the config of a video run has: frames in, labels for them and for whole clips out."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rnnpipe.config.schema.augmentation import Augmentation, check_unchanged
from rnnpipe.config.schema.base import (
    Data,
    Evaluate,
    FilePath,
    Fraction,
    KeepBest,
    RunConfig,
    Section,
    Source,
    Train,
)
from rnnpipe.config.schema.features import Features, check_encoder
from rnnpipe.config.schema.images import Image
from rnnpipe.config.schema.images import Splits as ImageSplits
from rnnpipe.config.schema.recurrence import Recurrence as ForwardRecurrence
from rnnpipe.errors import UserError


class MovingShapesSource(Source):
    """Clips of a shape that moves, drawn by rnnpipe and written as real video files."""

    kind: Literal["moving_shapes"]
    path: FilePath | None = Field(None, description="where they are written; default: the cache")
    clips: int = Field(1800, ge=10)
    size: int = Field(32, ge=16, multiple_of=2, description="height and width, in pixels")
    seed: int = 1


class ClipTableSource(Source):
    """A folder of clips with a table that names them, and perhaps one that labels their frames."""

    kind: Literal["clips"]
    path: FilePath = Field(description="the folder")
    table: str = Field("clips.csv", description="a CSV, TSV or JSON lines file with a row a clip")
    clip: str = Field("clip", description="its column with the clips' files")
    label: str | None = Field("label", description="its column with their classes; null: none")
    split: str | None = Field(None, description="its column with their splits; null: none")
    frame_labels: str | None = Field(
        None,
        description="a table with the columns clip, frame, label or clip, start, end, label; null: "
        "frames have no labels",
    )


class GridSource(Source):
    """The GRID corpus: a word for every frame."""

    kind: Literal["grid"]
    path: FilePath = Field(description="the folder")
    videos: str = Field("clips", description="its folder of videos")
    alignments: str = Field("align", description="its folder of alignments")
    clip_label: Literal["command", "color", "preposition", "letter", "digit", "adverb"] | None = (
        Field("color", description="the word of the sentence that is the class of the clip")
    )


class TfdsVideoSource(Source):
    """A video data set of TensorFlow Datasets, e.g. ucf101: a class for every clip."""

    kind: Literal["tfds"]
    name: str | None = Field(None, description="the data set, downloaded where it is not there")
    path: FilePath | None = Field(
        None, description="TensorFlow Datasets' folder, or without a name that of the data set"
    )
    video: str = Field("video", description="the feature with the frames")
    label: str = Field("label", description="the feature with the class")
    frame_rate: float = Field(25.0, gt=0, description="frames for each second, which it forgets")
    splits: dict[Literal["train", "validation", "test"], str] | None = Field(
        None, description="what of it becomes each split; default: its splits of these names"
    )

    @model_validator(mode="after")
    def _check(self) -> "TfdsVideoSource":
        if self.name is None and self.path is None:
            raise UserError("name", "the name or the path of a data set", "neither", "write ucf101")
        return self


VideoSource = Annotated[
    MovingShapesSource | ClipTableSource | GridSource | TfdsVideoSource,
    Field(discriminator="kind"),
]


class Frames(Image):
    """Which frames are stored, and how."""

    rate: float = Field(12.0, gt=0, description="for each second of the video")
    box: list[Annotated[float, Field(ge=0, le=1)]] | None = Field(
        None,
        min_length=4,
        max_length=4,
        description="left, top, right and bottom of what is kept, as fractions of the frame; "
        "default: all of it",
    )
    most: int = Field(256, ge=1, description="in a record; longer videos become several")

    @model_validator(mode="after")
    def _check(self) -> "Frames":
        if self.box is not None:
            left, top, right, bottom = self.box
            if not (left < right and top < bottom):
                expected, fix = (
                    "left < right and top < bottom",
                    "write e.g. [0.25, 0.25, 0.75, 0.75]",
                )
                raise UserError("box", expected, str(self.box), fix)
        return self


class Splits(ImageSplits):
    """Shares of the training part held out, by video, where the raw data has no such split."""


class VideoData(Data):
    """Videos and what is made of them."""

    source: VideoSource
    frames: Frames = Frames()
    features: Features | None = Field(
        None, description="features computed once, in the workers; default: the model sees frames"
    )
    splits: Splits = Splits()

    @property
    def labels_frames(self) -> bool:
        """Whether single frames have labels, and not only whole clips."""
        match self.source:
            case ClipTableSource():
                return self.source.frame_labels is not None
            case TfdsVideoSource():
                return False
            case _:
                return True


class CnnFrameEncoder(Section):
    """A small convolutional network, applied to each frame."""

    kind: Literal["cnn"]
    patch: int = Field(4, ge=1, description="first stage: height and width of its patches")
    channels: list[Annotated[int, Field(ge=1)]] = Field(
        [16, 32], min_length=1, description="of every stage; each but the first halves the grid"
    )
    dropout: Fraction = Field(0.0, description="of channels")
    features: int = Field(64, ge=1, description="size of the vector that a frame becomes")
    feature_dropout: Fraction = 0.0


class FeaturesFrameEncoder(Section):
    """A projection of the features in the records, see `data.features`."""

    kind: Literal["features"]
    features: int = Field(64, ge=1, description="size of the vector that a frame becomes")
    dropout: Fraction = Field(0.0, description="of that vector")


FrameEncoder = Annotated[CnnFrameEncoder | FeaturesFrameEncoder, Field(discriminator="kind")]


class Recurrence(ForwardRecurrence):
    """The recurrent layers over frames, one on top of the other."""

    kind: Literal["lstm", "gru", "vanilla", "highway"] = "gru"
    units: int = Field(64, ge=1, description="of each direction")
    bidirectional: bool = Field(False, description="if so, it cannot be run as a stream")


class FrameLabelerModel(Section):
    """An encoder for each frame, recurrent layers over them, a softmax for frames and for clips."""

    frame_encoder: FrameEncoder = CnnFrameEncoder(kind="cnn")
    recurrence: Recurrence | None = Field(Recurrence(), description="null: each frame by itself")
    pooling: Literal["mean", "max"] = Field(
        "mean", description="of the frames of a clip; max where a few frames tell its class"
    )
    dropout: Fraction = Field(0.0, description="before each softmax")


class VideoLabelingKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["frame_accuracy", "clip_accuracy", "loss"] | None = Field(  # type: ignore[assignment]  # null: by the data
        None, description="default: frame_accuracy, or clip_accuracy where frames have no labels"
    )


class VideoLabelingTrain(Train):
    """How the model is trained."""

    batch_size: int = Field(16, ge=1, description="clips")
    clip_weight: float = Field(0.5, ge=0, description="of the clips' loss beside the frames'")
    augment: Augmentation = Augmentation()
    baseline: bool = Field(
        True, description="also train the same without recurrence, in the same way, to compare"
    )
    keep_best: VideoLabelingKeepBest = VideoLabelingKeepBest()


class VideoLabelingEvaluate(Evaluate):
    """What is scored at the end."""

    batch_size: int = Field(16, ge=1, description="clips")


class VideoLabelingConfig(RunConfig):
    """A run that labels videos."""

    task: Literal["video_labeling"]
    data: VideoData
    model: FrameLabelerModel = FrameLabelerModel()
    train: VideoLabelingTrain = VideoLabelingTrain()
    evaluate: VideoLabelingEvaluate = VideoLabelingEvaluate()

    @model_validator(mode="after")
    def _check(self) -> "VideoLabelingConfig":
        metric = self.train.keep_best.metric
        if metric == "frame_accuracy" and not self.data.labels_frames:
            expected, fix = "clip_accuracy or loss", "frames have no labels: write clip_accuracy"
            raise UserError("train.keep_best.metric", expected, metric, fix)
        check_encoder("model.frame_encoder", self.model.frame_encoder.kind, self.data.features)
        if self.data.features is not None:
            check_unchanged(self.train.augment)
        return self
