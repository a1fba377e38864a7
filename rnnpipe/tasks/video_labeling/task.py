"""The stages of labelling videos, from their config."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import CLIP_LABELS, LABELS
from rnnpipe.tasks.base import Evaluation, Prediction
from rnnpipe.tasks.features import make_features
from rnnpipe.tasks.video_labeling.config import FeaturesFrameEncoder, VideoLabelingConfig
from rnnpipe.tasks.video_labeling.labels import CLIP, FRAME, FRAME_FEATURES, FRAMES_JPEG, names_of
from rnnpipe.tasks.video_labeling.sources import make_framing, open_source

if TYPE_CHECKING:
    import keras

    from rnnpipe.tasks.video_labeling.config import Recurrence
    from rnnpipe.transforms.build import Build


class VideoLabelingTask:
    """Labels for the frames of videos and for whole clips.

    Args:
        config: the run's config.
    """

    name = "video_labeling"
    inputs = ("video",)
    options: Mapping[str, str] = {"stream": ""}

    def __init__(self, config: VideoLabelingConfig) -> None:
        self.config = config
        output = FRAME if config.data.labels_frames else CLIP
        self.main_metric = f"{output}_accuracy"

    def prepare_build(self) -> Build:
        """The build of the records that the config asks for."""
        from rnnpipe.transforms.build import Build  # brings in Beam
        from rnnpipe.transforms.recipes.video_frames import VideoRecipe

        data, build = self.config.data, self.config.build
        recipe = VideoRecipe(
            frame_rate=data.frames.rate,
            **asdict(make_framing(data.frames)),
            jpeg_quality=data.frames.jpeg_quality,
            features=make_features(data.features),
        )
        return Build(
            open_source(data.source, data.frames),
            recipe,
            shares=data.splits.model_dump(),
            records_per_shard=build.records_per_shard,
            max_bad_fraction=build.max_bad_fraction,
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

        names, layers = names_of(records), None
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

    def build_trainer(self, model: keras.Model, records: RecordsDirectory) -> keras.Model:
        """The model, compiled with a loss for each of its outputs; what has no label adds none."""
        import keras

        from rnnpipe.training.labels import LabelAccuracy, LabelCrossEntropy

        train = self.config.train
        trainer = keras.Model(model.input, model.output, name=model.name)
        weights = {FRAME: 1.0, CLIP: train.clip_weight if FRAME in model.output else 1.0}
        # Keras puts the output's name before the metric's only where there are several outputs.
        several = len(model.output) > 1
        metrics = {
            output: [LabelAccuracy(name="accuracy" if several else f"{output}_accuracy")]
            for output in model.output
        }
        steps_per_epoch = -(-records.splits["train"] // train.batch_size)
        trainer.compile(
            optimizer=train.optimizer.make(steps=train.epochs * steps_per_epoch),
            loss={output: LabelCrossEntropy() for output in model.output},
            loss_weights={output: weights[output] for output in model.output},
            metrics=metrics,
        )
        return trainer

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """Batches of ({`frames`, `frame_index`}, labels of frames and clips), see `make_clips`."""
        from rnnpipe.inputs.augmentation import Augmentation
        from rnnpipe.inputs.clips import make_clips

        train, evaluate = self.config.train, self.config.evaluate
        return make_clips(
            records,
            split,
            outputs=tuple(names_of(records)),
            frame_field=self._frame_field,
            frame_shape=self._frame_shape(records),
            batch_size=evaluate.batch_size if shuffle_seed is None else train.batch_size,
            shuffle_seed=shuffle_seed,
            augmentation=Augmentation(**train.augment.model_dump()),
        )

    def monitor(self) -> tuple[str, Literal["min", "max"]]:
        """The validation metric of `train.keep_best`."""
        metric = self.config.train.keep_best.metric or self.main_metric
        return f"val_{metric}", "min" if metric == "loss" else "max"

    def save_vocabulary(self, records: RecordsDirectory, folder: Path) -> None:
        """Copies the names of the labels."""
        folder.mkdir(exist_ok=True)
        for name in (LABELS, CLIP_LABELS):
            shutil.copyfile(records.path / name, folder / name)

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model],
    ) -> Evaluation:
        """Scores beside the baselines', and film strips over timelines of labels."""
        from rnnpipe.tasks.video_labeling.evaluation import evaluate

        batches = self.make_batches(records, split).map(lambda inputs, labels: inputs)
        return evaluate(model, records, split, batches, baselines)

    def predict(
        self, model: keras.Model, folder: Path, inputs: Mapping[str, str]
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
        see = stream_video if inputs["stream"] else predict_video
        return see(model, inputs["video"], frames, names, features)
