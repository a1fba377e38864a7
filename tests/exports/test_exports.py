"""Exports of tiny runs answer as the runs do."""

import ast
import json
import math
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest

import rnnpipe
from rnnpipe import cli
from rnnpipe.errors import UserError
from rnnpipe.exports.formats import FORMATS as ALL_FORMATS
from tests.exports.formats import FORMATS, INSTALLED
from tests.without_modules import call_with

TINY = {
    "train.epochs": 1,
    "data.source.sentences": 200,
    "model.recurrence.cell.units": 4,
    "model.embedding.size": 4,
}
TEXTS = ["Not a bad film.", "a dull one", "good", "It was long, but I liked the music in it."]

_WITHOUT_KERAS = """
import sys
for name in ("keras", "tensorflow", "jax", "torch"):
    sys.modules[name] = None
import rnnpipe
answers = rnnpipe.load({folder!r}).predict(text=["Not a bad film.", "good"])
print([[(a.text, a.probability) for a in each.answers] for each in answers])
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    overrides = {**TINY, "data.directory": str(folder / "records")}
    return rnnpipe.run("sentiment", overrides, runs_dir=folder, verbose=False)


@pytest.fixture(scope="module")
def exports(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    return {name: run.export(name, folder / name, verbose=False) for name in INSTALLED}


def probabilities(predictions):
    return [{a.text: a.probability for a in each.answers} for each in predictions]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_answers_are_those_of_the_run_in_any_batch(run, exports, kind, batch_size):
    export = rnnpipe.load(exports[kind].path)
    export.predictor.batch_size = batch_size
    expected = probabilities(run.predict(text=TEXTS))
    for found, wanted in zip(probabilities(export.predict(text=TEXTS)), expected, strict=True):
        assert found == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("kind", [each for each in FORMATS if each.id != "saved_model"])
def test_an_export_answers_without_keras_and_its_backends(run, exports, kind):
    code = _WITHOUT_KERAS.format(folder=str(exports[kind].path))
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = probabilities(run.predict(text=["Not a bad film.", "good"]))
    for found, wanted in zip(ast.literal_eval(done.stdout), expected, strict=True):
        assert dict(found) == pytest.approx(wanted, abs=1e-5)


def test_the_command_line_predicts_with_the_extra_onnx_alone(exports, tmp_path):
    folder = exports["onnx"].path
    before = sorted(folder.rglob("*"))
    done = call_with(["onnx"], "predict", str(folder), "--text", "good", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "%" in done.stdout
    assert sorted(folder.rglob("*")) == before


def test_the_picture_of_an_export_is_drawn_where_a_file_is_named(exports, tmp_path, capsys):
    folder, picture = exports["onnx"].path, tmp_path / "good.png"
    arguments = ["predict", str(folder), "--text", "good", "--picture", str(picture)]
    assert cli.main(arguments) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in capsys.readouterr().out


def test_the_extra_of_a_format_is_named_where_it_is_missing(exports, tmp_path):
    folder = exports["onnx"].path
    done = call_with(["runs"], "predict", str(folder), "--text", "good", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "rnnpipe: rnnpipe predict: expected onnxruntime to be installed, got none; "
        "pip install 'rnnpipe[onnx]'\n"
    )


@pytest.mark.parametrize("kind", FORMATS)
def test_an_export_says_what_it_is(exports, kind):
    folder = exports[kind].path
    content = json.loads((folder / "export.json").read_text())
    assert (content["format"], content["task"]) == (kind, "text_classification")
    assert content["check"]["rows"] > 0
    assert content["check"]["largest_difference"] <= 1e-4
    shape = [1, 60] if ALL_FORMATS[kind].bounded else [None, None]
    assert content["functions"]["call"]["inputs"] == {"tokens": ["int32", shape]}
    card = (folder / "README.md").read_text()
    assert "| test | accuracy |" in card
    assert "| test | baseline/" in card
    assert "predict(text=…)" in card
    assert f'rnnpipe.load("{folder.name}")' in card
    assert str(folder.parent) not in card
    assert "Records of the test split went through the run and through the export" in card


@pytest.fixture(scope="module")
def quantized(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("quantized") / "int8"
    return run.export("onnx", folder, quantize="int8", verbose=False)


def test_a_quantized_export_has_the_scores_of_both(run, exports, quantized):
    content = json.loads((quantized.path / "export.json").read_text())
    scores = content["check"]["scores"]
    expected = {k: v for k, v in run.metrics["test"].items() if not k.startswith("baseline/")}
    assert scores["float32"] == pytest.approx(expected, abs=1e-6)
    assert scores["int8"].keys() == scores["float32"].keys()
    assert scores["int8"]["accuracy"] == pytest.approx(expected["accuracy"], abs=0.05)
    assert scores["int8"]["log_loss"] != scores["float32"]["log_loss"]
    card = (quantized.path / "README.md").read_text()
    accuracies = [f"{scores[name]['accuracy']:.4g}" for name in ("float32", "int8")]
    assert "| metric | float32 | int8 |" in card
    assert f"| accuracy | {accuracies[0]} | {accuracies[1]} |" in card
    assert "## Quantization" not in (exports["onnx"].path / "README.md").read_text()


def test_a_quantized_export_has_the_same_weights_in_int8(exports, quantized):
    plain = exports["onnx"].manifest
    assert plain.quantization is None
    assert quantized.manifest.quantization["name"] == "int8"
    weights = quantized.manifest.quantization["weights"]
    # Both directions of an LSTM, its input and its state.
    assert weights["int8"] >= 2 * (4 + 4) * 4 * 4
    tensors = onnx.load(exports["onnx"].path / "call.onnx").graph.initializer
    floats = [math.prod(each.dims) for each in tensors if each.data_type == onnx.TensorProto.FLOAT]
    assert weights["float32"] < sum(floats)
    for found, wanted in zip(
        probabilities(quantized.predict(text=TEXTS)),
        probabilities(exports["onnx"].predict(text=TEXTS)),
        strict=True,
    ):
        assert found == pytest.approx(wanted, abs=0.05)


def test_a_saved_model_takes_strings(run, tmp_path):
    tf = pytest.importorskip("tensorflow")
    pytest.importorskip("tensorflow_text")
    folder = tmp_path / "strings"
    export = run.export("saved_model", folder, text_in_graph=True, verbose=False)
    assert probabilities(export.predict(text=TEXTS))  # by `call`, as ever
    module = tf.saved_model.load(str(folder / "predict_text"))
    found = module.signatures["serving_default"](text=tf.constant(TEXTS))
    for row, prediction in enumerate(run.predict(text=TEXTS)):
        texts = [answer.text for answer in prediction.answers]
        assert [text.decode() for text in found["answers"][row].numpy()] == texts
        expected = [answer.probability for answer in prediction.answers]
        assert found["probabilities"][row].numpy() == pytest.approx(expected, abs=1e-5)
    described = json.loads((folder / "export.json").read_text())["functions"]["predict_text"]
    assert described["inputs"] == {"text": ["string", [None]]}
    assert described["outputs"] == ["answers", "probabilities"]


def test_strings_need_tensorflow_text(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    monkeypatch.setattr("rnnpipe.requirements._is_there", lambda name: name != "tensorflow_text")
    with pytest.raises(UserError) as missing:
        run.export("saved_model", tmp_path / "strings", text_in_graph=True, verbose=False)
    assert str(missing.value) == (
        "--text-in-graph: expected tensorflow_text to be installed, got none; "
        "pip install 'rnnpipe[tensorflow-text]'"
    )
    assert not (tmp_path / "strings").exists()


def test_a_damaged_export_is_refused(run, tmp_path, exports):
    folder = tmp_path / "copy"
    shutil.copytree(exports["onnx"].path, folder)
    config = folder / "config.yaml"
    config.write_text(config.read_text() + "# edited\n")
    with pytest.raises(UserError, match=r"config.yaml: expected the file that was exported, got"):
        rnnpipe.load(folder).predict(text="good")
    (folder / "call.onnx").unlink()
    with pytest.raises(UserError, match=r"call.onnx: expected the file .*, got none"):
        rnnpipe.load(folder).predict(text="good")


@pytest.mark.parametrize("version", ["0.2.0", "1.0.0"])
def test_an_export_of_another_version_is_refused(tmp_path, exports, version):
    folder = tmp_path / "copy"
    shutil.copytree(exports["onnx"].path, folder)
    content = json.loads((folder / "export.json").read_text())
    (folder / "export.json").write_text(json.dumps({**content, "rnnpipe": version}))
    with pytest.raises(
        UserError, match=rf"expected an export of rnnpipe 0.1, got one of {version}"
    ):
        rnnpipe.load(folder).predict(text="good")


def test_an_export_that_answers_otherwise_is_not_written(run, tmp_path, monkeypatch):
    real = ALL_FORMATS["saved_model"]

    def open_wrong(path, outputs):
        compute = real.open(path, outputs)
        return lambda arrays: {k: np.asarray(v) + 0.01 for k, v in compute(arrays).items()}

    wrong = {"saved_model": replace(real, open=open_wrong)}
    monkeypatch.setattr("rnnpipe.exports.formats.FORMATS", wrong)
    output = tmp_path / "exports" / "wrong"
    with pytest.raises(UserError, match=r"expected the answers of the run, got .*differ by"):
        run.export("saved_model", output, verbose=False)
    assert list(output.parent.iterdir()) == []


def test_what_writes_a_format_is_named_where_it_is_missing(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    output = tmp_path / "export"
    arguments = ["export", str(run.path), "--format", "onnx", "--output", str(output)]
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err == (
        "rnnpipe: --format onnx: expected tf2onnx to be installed, got none; "
        "pip install 'rnnpipe[export]'\n"
    )
    assert not output.exists()


def test_mistakes_of_the_command_are_named(run, exports, tmp_path, capsys):
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    for arguments, message in [
        (
            [str(run.path), "--format", "pmml"],
            "--format: expected onnx or saved_model or litert or mlflow, got pmml",
        ),
        (
            [str(run.path), "--format", "onnx", "--text-in-graph"],
            "--text-in-graph: expected --format saved_model, got onnx",
        ),
        (
            [str(run.path), "--format", "onnx", "--output", str(folder)],
            "expected a new or empty folder, got one with files",
        ),
        ([str(exports["onnx"].path), "--format", "onnx"], "expected the folder of a run, got an"),
        (
            [str(run.path), "--format", "saved_model", "--quantize", "int8"],
            "--quantize int8: expected --format onnx or mlflow, got saved_model; choose that",
        ),
        (
            [str(run.path), "--format", "onnx", "--quantize", "int4"],
            "--quantize: expected int8, got int4; choose it, or leave it out",
        ),
    ]:
        assert cli.main(["export", *arguments]) == 2
        assert message in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
