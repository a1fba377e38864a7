"""The stages of labelling videos, from their config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import located
from rnnpipe.metrics.corpus import CorpusMetric, ratio
from rnnpipe.models.frame_labeler import CLIP, FRAME
from rnnpipe.quiet import import_keras
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import CLIP_LABELS, LABELS
from rnnpipe.storage.endings import VIDEO_ENDINGS
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.batching import padded_length
from rnnpipe.tasks.image_inputs import with_features
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.network import Bound, Network
from rnnpipe.tasks.predictor import Predictor
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.row_names import name_labels
from rnnpipe.tasks.stored_images import PIXELS, read_pixels
from rnnpipe.tasks.video_labeling.accuracies import count_clips, count_frames
from rnnpipe.tasks.video_labeling.config import VideoLabelingConfig
from rnnpipe.tasks.video_labeling.labels import FRAME_FEATURES, FRAMES_JPEG, label_names
from rnnpipe.training.row_names import RowNames
from rnnpipe.transforms.recipes.video_frames import VideoData

if TYPE_CHECKING:
    import keras

    from rnnpipe.models.frame_labeler import FrameLabelerOptions
    from rnnpipe.parts.image_encoders import ImageEncoderOptions


_ENCODER_KEY = "model.frame_encoder.image_encoder"
_FEATURES_SHAPE = (2048,)  # that of ResNet's, in the place of those of records to come


class VideoLabelingTask(Task[VideoLabelingConfig]):
    """Labels for the frames of videos and for whole clips.

    Args:
        config: the run's config.
    """

    name = "video_labeling"
    extras = VideoData.extras
    input_extras = ("video",)
    streams = True
    inputs = (Input("video", "a video file", metavar="FILE", endings=VIDEO_ENDINGS),)
    vocabulary = (LABELS, CLIP_LABELS)
    softmax_outputs = (FRAME, CLIP)
    record_fields = ("video_id", "frames", "frame_labels", "clip_label")
    answer_fields = ("frame_predictions", "clip_prediction")
    preprocessing = ("frames", "features")

    def __init__(self, config: VideoLabelingConfig) -> None:
        super().__init__(config)
        output = FRAME if config.data.source.labels_frames else CLIP
        self.main_metric = f"{output}_accuracy"

    @property
    def _image_encoder(self) -> ImageEncoderOptions:
        return self.config.model.frame_encoder.image_encoder

    def check_model(self) -> None:
        """Builds the model for frames that there may be, and drops it.

        Raises:
            UserError: a file of the frame encoder is missing, or its parts do not fit.
        """
        import_keras()
        with located(_ENCODER_KEY):
            self._image_encoder.check_files()
        size = self.config.data.frames.size
        shape = _FEATURES_SHAPE if self._image_encoder.reads_features else (size, size, 3)
        self._build(self.config.model, shape, frame_labels=2, clip_labels=2)

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """A frame encoder and recurrent layers, with the logits of frames and clips as outputs."""
        return self._build_model(records, self.config.model)

    def build_baselines(self, records: RecordsDirectory) -> Mapping[str, keras.Model]:
        """The model without recurrence, with the name of its image encoder's kind."""
        model = self.config.model
        if model.recurrence is None or not self.config.train.baseline:
            return {}
        return {
            self._image_encoder.kind: self._build_model(records, replace(model, recurrence=None))
        }

    def _build_model(self, records: RecordsDirectory, options: FrameLabelerOptions) -> keras.Model:
        names = label_names(records)
        return self._build(
            options,
            self._frame_shape(records),
            frame_labels=len(names.get(FRAME, ())),
            clip_labels=len(names.get(CLIP, ())),
        )

    def _build(
        self, options: FrameLabelerOptions, frame_shape: tuple[int, ...], **labels: int
    ) -> keras.Model:
        from rnnpipe.models.frame_labeler import build_frame_labeler

        with located(_ENCODER_KEY):
            encoder = options.frame_encoder.make(frame_shape)
        return build_frame_labeler(
            options, frame_shape=frame_shape, frame_encoder=encoder, **labels
        )

    @property
    def _frame_field(self) -> str:
        """The field of a record that the model reads."""
        return FRAME_FEATURES if self._image_encoder.reads_features else FRAMES_JPEG

    def _frame_shape(self, records: RecordsDirectory) -> tuple[int, ...]:
        """Of a frame as the model reads it."""
        size = self.config.data.frames.size
        if self._frame_field == FRAMES_JPEG:
            return size, size, 3
        first = next(records.read("train", [FRAME_FEATURES]))
        return tuple(first[FRAME_FEATURES].shape[1:])

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The model with all of its outputs."""
        from rnnpipe.training.trainer import Trainer

        return Trainer(model)

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """A loss and an accuracy for each output; frames and clips without label add nothing."""
        from rnnpipe.training.labels import LabelAccuracy, LabelCrossEntropy

        outputs = tuple(model.output)
        weights = {FRAME: 1.0, CLIP: self.config.train.clip_weight if FRAME in outputs else 1.0}
        # Keras puts the output's name before the metric's only where there are several outputs.
        several = len(outputs) > 1
        return {
            "loss": {output: LabelCrossEntropy() for output in outputs},
            "loss_weights": {output: weights[output] for output in outputs},
            "metrics": {
                output: [LabelAccuracy(name="accuracy" if several else f"{output}_accuracy")]
                for output in outputs
            },
        }

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """Batches of ({`frames`, `frame_index`}, labels of frames and clips), see `make_clips`."""
        from rnnpipe.inputs.clips import make_clips

        return make_clips(
            records,
            split,
            outputs=tuple(label_names(records)),
            frame_field=self._frame_field,
            frame_shape=self._frame_shape(records),
            batch_size=self.batch_size(shuffle_seed),
            shuffle_seed=shuffle_seed,
            augmentation=self.config.train.augment,
        )

    def make_record_ids(self, records: RecordsDirectory, shuffle_seed: int) -> Any:
        """The ids of the records of each training batch."""
        return self.read_ids(records, shuffle_seed)

    def row_names(self, folder: Path) -> Mapping[str, RowNames]:
        """The labels of frames and of clips."""
        frames = name_labels(folder / LABELS, FRAME, "labels")
        return {**frames, **name_labels(folder / CLIP_LABELS, CLIP, "labels")}

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """Scores beside the baselines', and film strips over timelines of labels."""
        from rnnpipe.tasks.video_labeling.evaluation import evaluate

        return evaluate(model, records, split, self.make_inputs(records, split), baselines)

    def make_network_inputs(self, records: RecordsDirectory, split: str) -> Any:
        """The videos of a split, as pixels."""
        model = self.config.model
        encoder = replace(model.frame_encoder, image_encoder=PIXELS)
        model = replace(model, frame_encoder=encoder)
        return read_pixels(self, lambda task: task.make_inputs(records, split), model, "frames")

    def score(self, network: Network, records: RecordsDirectory, split: str) -> Mapping[str, float]:
        """The scores of the labels of a split."""
        from rnnpipe.tasks.video_labeling.evaluation import score_network

        inputs = self.make_network_inputs(records, split)
        return score_network(network["call"], records, split, inputs)

    def corpus_metrics(self) -> Sequence[CorpusMetric]:
        """The accuracies of frames, where they have labels, and of clips."""
        clips = ratio(f"{CLIP}_accuracy", count_clips)
        if not self.config.data.source.labels_frames:
            return [clips]
        return [ratio(f"{FRAME}_accuracy", count_frames), clips]

    def make_network(self, model: keras.Model, folder: Path) -> Network:
        """The functions `call` and `step`; where the model reads features, they read pixels."""
        from rnnpipe.tasks.video_labeling.network import make_step

        features = self.config.data.features
        call, step = super().make_network(model, folder)["call"], make_step(model)
        alone = features and replace(features, batch_size=1)  # a label comes before the next frame
        return {
            "call": with_features(call, features, "frames", flat=True),
            "step": with_features(step, alone, "frames", flat=True),
        }

    @property
    def bounds(self) -> Mapping[str, Mapping[str, Bound]]:
        """The most frames of a record."""
        length = padded_length(self.config.data.frames.max_frames, multiple=8)
        frames, index = Bound(length, axis=0), Bound(length, padding=-1)
        return {"call": {"frames": frames, "frame_index": index}}

    def make_predictor(self, folder: Path, network: Network) -> Predictor:
        """Labels videos, with a film strip; also line by line as they are decoded."""
        from rnnpipe.tasks.video_labeling.predictor import VideoPredictor

        return VideoPredictor(folder, self.config.data, **self.predictor_options(network))
