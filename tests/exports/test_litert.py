"""LiteRT: graphs of fixed shapes, searches around a step, and what has no graph there."""

import re
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.exports.function import Description, ExportedFunction
from rnnpipe.exports.litert import open_litert, write_litert
from rnnpipe.tasks.captioning.config import CaptioningConfig
from rnnpipe.tasks.captioning.task import CaptioningTask
from rnnpipe.tasks.network import Bound, Graph
from rnnpipe.text.tokens import END
from tests.exports.exporting import check_equal, export_model
from tests.exports.formats import litert
from tests.exports.test_streams import clips, label_task, labels  # noqa: F401
from tests.tasks.captioning.conftest import drawn  # noqa: F401
from tests.tasks.translation.conftest import SENTENCES, make_task, records  # noqa: F401
from tests.tasks.video_labeling.test_prediction import NAMES

pytestmark = litert
PAGE = Path(__file__).resolve().parents[2] / "docs" / "production.md"
TEXTS = [*SENTENCES["train"], *SENTENCES["test"]]
STATES = ("state/0", "state/1")  # of the cell, and the input feed


def export_function(graph, bounds, folder, rows=1):
    bounded = graph.bound(bounds, rows)
    write_litert(bounded, folder / "graph.tflite")
    description = Description.of(bounded, "graph.tflite")
    return ExportedFunction(open_litert(folder / "graph.tflite", description.outputs), description)


def test_rows_are_padded_and_computed_one_by_one(tmp_path):
    def count(tensors):
        mask = tensors["frame_index"] >= 0
        frames = tf.gather(tensors["frames"], tf.maximum(tensors["frame_index"], 0))
        sums = tf.where(mask[:, :, None], frames, 0.0)
        return {"sums": tf.cumsum(sums, axis=1), "length": tf.reduce_sum(tf.cast(mask, "int32"), 1)}

    specs = {
        "frames": tf.TensorSpec([None, 2]),
        "frame_index": tf.TensorSpec([None, None], tf.int32),
    }
    bounds = {"frames": Bound(4, axis=0), "frame_index": Bound(4, padding=-1), "other": Bound(9)}
    function = export_function(Graph(count, specs), bounds, tmp_path)
    assert function.description.inputs == {
        "frames": ("float32", [4, 2]),
        "frame_index": ("int32", [1, 4]),
    }
    frames = np.arange(10, dtype="float32").reshape(5, 2)
    batch = {"frames": frames, "frame_index": np.array([[3, 4, -1], [0, 1, 2]])}
    outputs = function(batch)
    assert outputs["length"].tolist() == [2, 3]
    assert outputs["sums"][:, :2].tolist() == [[[6, 7], [14, 16]], [[0, 1], [2, 4]]]
    assert outputs["sums"].shape == (2, 3, 2)
    assert function.limits == {"frames": 4, "frame_index": 4}
    with pytest.raises(UserError, match=r"--frames: expected at most 4 in a row, .* got 5"):
        function({"frames": frames, "frame_index": np.arange(5)[None]})


class FewFrames:
    """A function that labels at most eight frames of each video."""

    limits: ClassVar = {"frames": 8, "frame_index": 8}

    def __call__(self, arrays):
        rows, time = arrays["frame_index"].shape
        assert time <= 8
        return {
            "frame": np.zeros((rows, time, len(NAMES["frame"]))),
            "clip": np.zeros((rows, len(NAMES["clip"]))),
        }


def test_of_a_long_video_the_frames_that_fit_are_labeled(label_task, labels, clips):  # noqa: F811
    predictor = label_task.make_predictor(labels, {"call": FewFrames()})
    long, short = predictor.predict([{"video": clips[0]}, {"video": clips[2]}])
    assert list(long.notes) == ["--video: the model reads its first 8 frames alone"]
    assert long.timeline[-1].end == pytest.approx(8 / 5)
    assert not short.notes


def test_a_graph_with_other_operations_is_refused_by_their_names(tmp_path):
    graph = Graph(
        lambda tensors: {"y": tf.raw_ops.MatrixInverse(input=tensors["x"])},
        {"x": tf.TensorSpec([2, 2])},
    )
    with pytest.raises(UserError) as caught:
        write_litert(graph, tmp_path / "call.tflite")
    assert str(caught.value) == (
        "--format litert, call: expected a graph of LiteRT's own operations, got tf.MatrixInverse; "
        "export it as onnx, or choose other parts of the model"
    )
    assert list(tmp_path.iterdir()) == []


def export_translator(records, folder, **search):  # noqa: F811
    keras.utils.set_random_seed(3)
    task = make_task(search={"beam_width": 3, "n_best": 2, "max_length": 8, **search})
    task.save_vocabulary(records, folder / "vocabulary")
    model, output = task.build_model(records), folder / "export"
    return export_model(task, model, folder / "vocabulary", "litert", output, records)


def test_the_documented_loop_translates_as_the_run_does(records, tmp_path):  # noqa: F811
    greedy = {"beam_width": 1, "n_best": 1, "max_length": 8, "max_ratio": None}
    run, _, manifest = export_translator(records, tmp_path, **greedy)
    (example,) = re.findall(
        r"```python\n(.*?)```", PAGE.read_text().partition("## On a phone")[2], re.DOTALL
    )
    assert len(example.strip().splitlines()) <= 20
    names: dict = {}
    exec(compile(example, str(PAGE), "exec"), names)
    for row in ({"text": text} for text in TEXTS):
        encoded = run.encode(run.parse(row))
        outputs = run.compute([encoded])
        ids = [token for token in outputs["ids"][0, 0].tolist() if token not in (0, END)]
        assert names["translate"](tmp_path / "export", encoded.arrays["source"]) == ids
    step = manifest.functions["step"]
    assert set(step.inputs) == {"tokens", *STATES, "memory/0", "memory/1", "memory/2"}
    assert step.inputs["memory/1"] == ("bool", [None, 8])
    assert set(step.outputs) == {"alignments", "logits", *STATES}


ATTENTION = {"decoder": {"cell": {"units": 5}, "attention": {"mechanism": {"units": 4}}}}
DRAWN = {"sampling": {"temperature": 2.0, "seed": 5}}
CAPTIONERS: dict[str, tuple[dict, int, dict]] = {
    "attention": (ATTENTION, 1, {}),
    "without_attention": ({"decoder": {"cell": {"units": 5}, "attention": None}}, 1, {}),
    "drawn": (ATTENTION, 1, DRAWN),
    "ensemble": (ATTENTION, 2, {}),
    "drawn_ensemble": (ATTENTION, 2, DRAWN),
}


@pytest.mark.parametrize(("parts", "members", "search"), CAPTIONERS.values(), ids=CAPTIONERS.keys())
def test_captions_are_those_of_the_run(parts, members, search, drawn, tmp_path):  # noqa: F811
    keras.utils.set_random_seed(2)
    options = {
        "task": "captioning",
        "data": {"source": {"kind": "shapes_captions"}, "image": {"size": 32}},
        "model": {
            "image_encoder": {"kind": "cnn", "channels": [4, 4]},
            "embedding": {"size": 4},
            **parts,
        },
        "evaluate": {"search": {"beam_width": 3, "n_best": 2, "max_length": 6, **search}},
    }
    task = CaptioningTask(load_settings(CaptioningConfig, options))
    task.save_vocabulary(drawn, tmp_path / "vocabulary")
    models, output = [task.build_model(drawn) for _ in range(members)], tmp_path / "export"
    model = models[0] if members == 1 else task.join(models)
    made = export_model(task, model, tmp_path / "vocabulary", "litert", output, drawn)
    images = np.random.default_rng(1).integers(0, 255, (5, 32, 32, 3)).astype("uint8")
    rows = [{"image": image} for image in images]
    expected = list(made.run.predict(rows))
    check_equal(made.export.predict(rows), expected)
    assert len({answer.text for each in expected for answer in each.answers}) > 1


def test_an_ensemble_translates_as_the_run_does(records, tmp_path):  # noqa: F811
    keras.utils.set_random_seed(3)
    task = make_task(search={"beam_width": 3, "n_best": 2, "max_length": 8})
    vocabulary = tmp_path / "vocabulary"
    task.save_vocabulary(records, vocabulary)
    model = task.join([task.build_model(records) for _ in range(2)])
    made = export_model(task, model, vocabulary, "litert", tmp_path / "export", records)
    rows = [{"text": text} for text in TEXTS]
    check_equal(made.export.predict(rows), made.run.predict(rows))


_WITHOUT_BACKENDS = """
import sys
for name in ("keras", "tensorflow", "jax", "torch"):
    sys.modules[name] = None
from pathlib import Path
from typing import ClassVar
from rnnpipe.exports.formats import FORMATS
from rnnpipe.exports.manifest import read_manifest
from rnnpipe.exports.write import VOCABULARY, open_network
from tests.tasks.translation.conftest import make_task

folder, task = Path({folder!r}), make_task()
functions = read_manifest(folder).functions
network = open_network(FORMATS["litert"], folder, functions, task.complete_network)
predictor = task.make_predictor(folder / VOCABULARY, network)
for each in predictor.predict({rows!r}):
    print([answer.text for answer in each.answers])
"""


def test_a_search_runs_without_keras_and_its_backends(records, tmp_path):  # noqa: F811
    run, *_ = export_translator(records, tmp_path)
    rows = [{"text": TEXTS[0]}, {"text": TEXTS[1], "prefix": "ein"}]
    code = _WITHOUT_BACKENDS.format(folder=str(tmp_path / "export"), rows=rows)
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = [[each.text for each in one.answers] for one in run.predict(rows)]
    assert done.stdout.splitlines() == [str(each) for each in expected]
