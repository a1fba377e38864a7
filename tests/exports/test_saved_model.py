"""Signatures of SavedModels are those that the REST API of TensorFlow Serving calls."""

import json

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tests.exports.exporting import export_model
from tests.exports.test_streams import SYMBOLS, build_texts
from tests.tasks.language_model.test_task import make_task as make_text_task
from tests.tasks.translation.conftest import SENTENCES, make_task, records  # noqa: F401


def read_signature(folder):
    """What `saved_model_cli show` shows of a SavedModel: the signature that is served."""
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((folder / "saved_model.pb").read_bytes())
    (graph,) = (each for each in model.meta_graphs if "serve" in each.meta_info_def.tags)
    return graph.signature_def["serving_default"]


def check_signature(signature, function):
    """It is one of predictions, by the names of `export.json`, and of any number of rows."""
    assert signature.method_name == "tensorflow/serving/predict"
    assert sorted(signature.outputs) == sorted(function.outputs)
    described = {
        name: (
            tf.dtypes.as_dtype(spec.dtype).name,
            [None if axis.size < 0 else axis.size for axis in spec.tensor_shape.dim],
        )
        for name, spec in signature.inputs.items()
    }
    assert described == function.inputs
    for spec in (*signature.inputs.values(), *signature.outputs.values()):
        assert spec.tensor_shape.dim[0].size == -1


def serve(folder, request):
    """Rows of JSON to rows of JSON, as `POST /v1/models/NAME:predict` does."""
    signature = read_signature(folder)
    instances = json.loads(request)["instances"]
    inputs = {
        name: tf.constant([row[name] for row in instances], tf.dtypes.as_dtype(spec.dtype))
        for name, spec in signature.inputs.items()
    }
    outputs = tf.saved_model.load(str(folder)).signatures["serving_default"](**inputs)
    arrays = {name: output.numpy().tolist() for name, output in outputs.items()}
    assert {len(array) for array in arrays.values()} == {len(instances)}
    rows = [dict(zip(arrays, row, strict=True)) for row in zip(*arrays.values(), strict=True)]
    return json.dumps({"predictions": rows}, allow_nan=False)


def to_rows(arrays):
    """A request for the rows of a batch."""
    lists = {name: array.tolist() for name, array in arrays.items()}
    rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    return json.dumps({"instances": rows})


def check_rows(response, expected):
    for name, array in expected.items():
        found = np.array([row[name] for row in json.loads(response)["predictions"]])
        np.testing.assert_allclose(found, array, rtol=1e-4, atol=1e-5)


def test_a_search_takes_and_gives_rows_of_json(records, tmp_path):  # noqa: F811
    keras.utils.set_random_seed(3)
    task = make_task()
    task.save_vocabulary(records, tmp_path / "vocabulary")
    model, output = task.build_model(records), tmp_path / "export"
    made = export_model(task, model, tmp_path / "vocabulary", "saved_model", output, records)
    check_signature(read_signature(output / "search"), made.manifest.functions["search"])
    run = made.run
    arrays = run.collate([run.encode(run.parse({"text": text})) for text in SENTENCES["test"]])
    check_rows(serve(output / "search", to_rows(arrays)), run.network["search"](arrays))


def test_a_step_takes_the_states_that_it_gave(tmp_path):
    vocabulary, output = tmp_path / "vocabulary", tmp_path / "export"
    vocabulary.mkdir()
    SYMBOLS.save(vocabulary)
    task = make_text_task()
    made = export_model(task, build_texts("lstm"), vocabulary, "saved_model", output)
    function, step = made.manifest.functions["step"], made.run.network["step"]
    check_signature(read_signature(output / "step"), function)
    states = {name: np.zeros((2, 8), "float32") for name in function.states}
    for tokens in ([2, 2], [4, 5], [6, 4]):
        arrays = {
            "tokens": np.array(tokens, "int32"),
            "quantiles": np.array([0.3, 0.7], "float32"),
            "temperature": np.ones(2, "float32"),
            **states,
        }
        response, expected = serve(output / "step", to_rows(arrays)), step(arrays)
        check_rows(response, expected)
        rows = json.loads(response)["predictions"]
        states = {name: np.array([row[name] for row in rows], "float32") for name in states}
    assert any(state.any() for state in states.values())
