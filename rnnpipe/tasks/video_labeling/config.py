"""The config of a run that labels videos."""

from typing import Literal

from rnnpipe.errors import UserError, located
from rnnpipe.inputs.clip_augmentation import ClipAugmentationOptions
from rnnpipe.models.frame_labeler import FrameLabelerOptions
from rnnpipe.settings import setting
from rnnpipe.tasks.image_encoders import check_encoder
from rnnpipe.tasks.run_config import Evaluate, KeepBest, RunConfig, Train
from rnnpipe.transforms.recipes.video_frames import VideoData


class VideoLabelingKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["frame_accuracy", "clip_accuracy", "loss"] | None = setting(  # type: ignore[assignment]  # null: by the data
        None, "null: frame_accuracy, or clip_accuracy where frames have no labels"
    )


class VideoLabelingTrain(Train):
    """How the model is trained."""

    clip_weight: float = setting(0.5, "of the clips' loss beside the frames'", ge=0)
    augment: ClipAugmentationOptions = ClipAugmentationOptions()
    baseline: bool = setting(
        True, "whether the model without recurrence is trained too, in the same way, to compare"
    )
    keep_best: VideoLabelingKeepBest = VideoLabelingKeepBest()


class VideoLabelingConfig(RunConfig):
    """A run that labels the frames of videos, and whole clips."""

    task: Literal["video_labeling"]
    data: VideoData
    model: FrameLabelerOptions = FrameLabelerOptions()
    train: VideoLabelingTrain = VideoLabelingTrain(batch_size=16)
    evaluate: Evaluate = Evaluate(batch_size=16)

    def check(self) -> None:
        """The metric has labels, and the frame encoder reads what the records hold."""
        metric = self.train.keep_best.metric
        if metric == "frame_accuracy" and not self.data.source.labels_frames:
            expected, fix = "clip_accuracy or loss", "frames have no labels: write clip_accuracy"
            raise UserError("train.keep_best.metric", expected, metric, fix)
        if not self.data.source.labels_frames:
            with located("train"):
                self.train.require_default("clip_weight", "where frames have no labels")
        check_encoder(
            self.model.frame_encoder.image_encoder,
            self.data.features,
            self.train.augment,
            key="model.frame_encoder.image_encoder",
        )
