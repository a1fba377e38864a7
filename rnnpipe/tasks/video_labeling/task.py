"""The stages of labelling videos, from their config."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import CLIP_LABELS, LABELS
from rnnpipe.tasks.base import Evaluation, Prediction, Task
from rnnpipe.tasks.features import make_features
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.video_labeling.config import FeaturesFrameEncoder, VideoLabelingConfig
from rnnpipe.tasks.video_labeling.labels import (
    CLIP,
    FRAME,
    FRAME_FEATURES,
    FRAMES_JPEG,
    label_names,
)
from rnnpipe.tasks.video_labeling.sources import make_framing, open_source

if TYPE_CHECKING:
    import keras

    from rnnpipe.sources.source import Source
    from rnnpipe.tasks.video_labeling.config import Recurrence
    from rnnpipe.transforms.recipes.base import Recipe


class VideoLabelingTask(Task[VideoLabelingConfig]):
    """Labels for the frames of videos and for whole clips.

    Args:
        config: the run's config.
    """

    name = "video_labeling"
    inputs = (
        Input("video", "a video file", metavar="FILE"),
        Input("stream", "print labels while the video is decoded", bool, default=False),
    )
    vocabulary = (LABELS, CLIP_LABELS)

    def __init__(self, config: VideoLabelingConfig) -> None:
        super().__init__(config)
        output = FRAME if config.data.labels_frames else CLIP
        self.main_metric = f"{output}_accuracy"

    def open_source(self) -> Source:
        """Videos with labels of frames and clips."""
        return open_source(self.config.data.source, self.config.data.frames)

    def make_recipe(self) -> Recipe:
        """Records of a video each, or of a part of a long one."""
        from rnnpipe.transforms.recipes.video_frames import VideoRecipe  # brings in Beam

        data = self.config.data
        return VideoRecipe(
            frame_rate=data.frames.rate,
            **asdict(make_framing(data.frames)),
            jpeg_quality=data.frames.jpeg_quality,
            features=make_features(data.features),
        )

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """A frame encoder and recurrent layers, with the logits of frames and clips as outputs."""
        return self._build_model(records, self.config.model.recurrence)

    def build_baselines(self, records: RecordsDirectory) -> Mapping[str, keras.Model]:
        """The same without recurrence, called after what looks at a frame: `cnn` or `features`."""
        wanted = self.config.train.baseline and self.config.model.recurrence is not None
        name = self.config.model.frame_encoder.kind
        return {name: self._build_model(records, None)} if wanted else {}

    def _build_model(self, records: RecordsDirectory, recurrence: Recurrence | None) -> keras.Model:
        from rnnpipe.models.frame_labeler import build_frame_labeler  # brings in Keras
        from rnnpipe.models.recurrence import build_recurrence

        names, layers = label_names(records), None
        if recurrence is not None:
            layers = build_recurrence(**recurrence.model_dump())
        return build_frame_labeler(
            self._build_encoder(records),
            frame_labels=len(names.get(FRAME, ())),
            clip_labels=len(names.get(CLIP, ())),
            recurrence=layers,
            pooling=self.config.model.pooling,
            dropout=self.config.model.dropout,
        )

    def _build_encoder(self, records: RecordsDirectory) -> keras.Model:
        from rnnpipe.models.frame_encoders import build_feature_frame_encoder, build_frame_encoder

        encoder = self.config.model.frame_encoder
        size, *_ = self._frame_shape(records)
        options = encoder.model_dump(exclude={"kind"})
        if isinstance(encoder, FeaturesFrameEncoder):
            return build_feature_frame_encoder(size, **options)
        return build_frame_encoder(size, **options)

    @property
    def _frame_field(self) -> str:
        """What the model sees of a record."""
        features = isinstance(self.config.model.frame_encoder, FeaturesFrameEncoder)
        return FRAME_FEATURES if features else FRAMES_JPEG

    def _frame_shape(self, records: RecordsDirectory) -> tuple[int, ...]:
        """Of what the model sees of a frame."""
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
        from rnnpipe.inputs.augmentation import Augmentation
        from rnnpipe.inputs.clips import make_clips

        return make_clips(
            records,
            split,
            outputs=tuple(label_names(records)),
            frame_field=self._frame_field,
            frame_shape=self._frame_shape(records),
            batch_size=self.batch_size(shuffle_seed),
            shuffle_seed=shuffle_seed,
            augmentation=Augmentation(**self.config.train.augment.model_dump()),
        )

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

    def predict(
        self, model: keras.Model, folder: Path, inputs: Mapping[str, Any]
    ) -> Prediction | Iterator[str]:
        """The labels of a video over time, and a film strip; as a stream, line by line.

        Raises:
            UserError: the video cannot be read, or the model needs all of it at once.
        """
        from rnnpipe.tasks.video_labeling.prediction import predict_video, stream_video

        names = {
            output: json.loads((folder / file).read_text())
            for output, file in ((FRAME, LABELS), (CLIP, CLIP_LABELS))
            if output in model.output
        }
        frames, features = self.config.data.frames, make_features(self.config.data.features)
        predict = stream_video if inputs["stream"] else predict_video
        return predict(model, inputs["video"], frames, names, features)
