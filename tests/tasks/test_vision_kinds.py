"""Every kind of part that a config of videos or classified images can ask for can be trained."""

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.config.loader import load_settings
from rnnpipe.parts.attention import AttentionOptions
from rnnpipe.parts.cells import CellOptions
from rnnpipe.parts.image_encoders import ImageEncoderOptions
from rnnpipe.tasks import find_schemas, make_task

SIZE, CHANNELS = 32, 5
LABELS, CLIP_LABELS = ["down", "still", "up"], ["left", "right"]

BACKBONE = {
    "kind": "application",
    "name": "MobileNet",
    "weights": "none",
    "options": {"alpha": 0.25},
}
IMAGE_ENCODERS = {
    "cnn": {"kind": "cnn", "channels": [4]},
    "backbone": {"kind": "backbone", "backbone": BACKBONE, "fine_tune": True},
    "features": {"kind": "features", "units": 6},
}
GRU = {"kind": "gru", "units": 6}  # as many units as the grid of the CNN has channels
CELLS = {"projection_lstm": {"projection": 6}}
ADDITIVE = {"kind": "additive", "units": 4}
ATTENTIONS = {
    "additive": {"units": 4, "glimpses": 2},
    "coverage": {"units": 4},
    "location": {"units": 4, "filters": 2, "kernel_size": 3},
    "dot": {"scale": "sqrt"},
    "general": {},
    "multi_head": {"num_heads": 2, "key_dim": 3},
    "gated": {"mechanism": {"kind": "hard", "mechanism": ADDITIVE}},
    "hard": {"mechanism": ADDITIVE, "expected_share": 0.0},
}
"""Settings of each kind that fits a grid; a gated mechanism may be a hard one."""

CELL_OPTIONS: dict[str, Any] = CellOptions.kinds.load()
CELL_KINDS = [kind for kind, options in CELL_OPTIONS.items() if not options.reads_context]


def test_every_kind_is_covered():
    assert IMAGE_ENCODERS.keys() == ImageEncoderOptions.kinds.load().keys()
    fitting = {kind for kind, options in AttentionOptions.kinds.load().items() if fits(options)}
    assert ATTENTIONS.keys() == fitting
    assert {"lstm", "gru", "vanilla"} < set(CELL_KINDS)


def fits(options: type[AttentionOptions]) -> bool:
    return options().reads_grids


@pytest.fixture(autouse=True)
def _eagerly():
    """A few steps of a model are faster than compiling it."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
    keras.backend.clear_session()


def make_cell(kind):
    return {"kind": kind, "units": 6, **CELLS.get(kind, {})}


def make_data(source, encoder):
    features = {"backbone": BACKBONE, "image_size": SIZE} if encoder == "features" else None
    return {"source": {"kind": source}, "features": features}


def make_records(field, features):
    """What a task asks records for before it reads batches."""

    def read(split, fields):
        del split, fields
        yield {field: features}

    return SimpleNamespace(labels=LABELS, clip_labels=CLIP_LABELS, splits={"train": 4}, read=read)


def train(values, records, inputs, targets):
    """The model after two steps, and its trainable weights that have not moved."""
    keras.utils.set_random_seed(1)
    task = make_task(load_settings(find_schemas()[values["task"]], values))
    task.check_model()
    model = task.build_model(records)
    for layer in model._flatten_layers():
        # Those of a backbone, whose random weights would let next to nothing through.
        if isinstance(layer, keras.layers.BatchNormalization) and not layer.trainable:
            layer.moving_variance.assign(keras.ops.full_like(layer.moving_variance, 0.05))
    trainer = task.build_trainer(model, records)
    before = [np.asarray(weight) for weight in model.trainable_weights]
    losses = [trainer.train_on_batch(inputs, targets, return_dict=True)["loss"] for _ in "ab"]
    assert np.isfinite(losses).all()
    pairs = zip(before, model.trainable_weights, strict=True)
    return model, [weight.path for old, weight in pairs if np.array_equal(old, weight)]


@pytest.mark.parametrize(
    ("encoder", "recurrence"),
    [
        *(("cnn", {"cell": make_cell(kind)}) for kind in CELL_KINDS),
        *((encoder, {"cell": GRU}) for encoder in IMAGE_ENCODERS),
        ("cnn", {"cell": GRU, "depth": 2, "bidirectional": True, "connection": "highway"}),
        ("cnn", {"cell": GRU, "zoneout": 0.2, "learned_state": True}),
        ("cnn", None),
    ],
    ids=str,
)
def test_every_encoder_labels_videos(encoder, recurrence):
    frame_encoder = {"image_encoder": IMAGE_ENCODERS[encoder], "units": 6}
    values = {
        "task": "video_labeling",
        "data": {**make_data("moving_shapes", encoder), "frames": {"size": SIZE}},
        "model": {"frame_encoder": frame_encoder, "recurrence": recurrence},
    }
    rng = np.random.default_rng(0)
    features = rng.normal(size=(7, CHANNELS)).astype("float32")
    frames = rng.integers(0, 255, (7, SIZE, SIZE, 3)).astype("uint8")
    inputs = {
        "frames": features if encoder == "features" else frames,
        "frame_index": np.array([[0, 1, 2, 3], [4, 5, 6, -1]], "int32"),
    }
    targets = {"frame": np.array([[0, 1, 2, 1], [2, 0, 1, -1]]), "clip": np.array([1, 0])}
    model, unmoved = train(values, make_records("frame_features", features), inputs, targets)
    assert model(inputs)["frame"].shape == (2, 4, 3)
    assert unmoved == []


@pytest.mark.parametrize(
    ("encoder", "reader"),
    [
        *(("cnn", {"cell": make_cell(kind), "attention": ADDITIVE}) for kind in CELL_KINDS),
        *((encoder, {"cell": GRU, "attention": ADDITIVE}) for encoder in IMAGE_ENCODERS),
        *(
            ("cnn", {"cell": GRU, "attention": {"kind": kind, **ATTENTIONS[kind]}})
            for kind in ATTENTIONS
        ),
        ("cnn", {"cell": GRU, "depth": 2, "attention": ADDITIVE}),
    ],
    ids=str,
)
def test_every_encoder_classifies_images(encoder, reader):
    size = 2 * SIZE if encoder == "backbone" else SIZE  # its grid has more than one cell
    values = {
        "task": "image_classification",
        "data": {**make_data("cluttered_shapes", encoder), "image": {"size": size}},
        "model": {"image_encoder": IMAGE_ENCODERS[encoder], "reader": {"steps": 2, **reader}},
    }
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3, 2, 2, CHANNELS)).astype("float32")
    images = rng.integers(0, 255, (3, size, size, 3)).astype("uint8")
    inputs = features if encoder == "features" else images
    records = make_records("image_features", features[0])
    model, unmoved = train(values, records, inputs, np.array([0, 1, 2]))
    outputs = model(inputs)
    assert outputs["logits"].shape == (3, 3)
    assert outputs["alignments"].shape[:2] == (3, 2)
    is_hard = "hard" in str(reader["attention"])
    assert ("probabilities" in outputs) is is_hard
    assert unmoved == []
