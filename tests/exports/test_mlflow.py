"""MLflow loads and serves exports; what it answers is what the run answers."""

import base64
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import keras
import numpy as np
import pytest
from PIL import Image

import rnnpipe
from rnnpipe import cli
from rnnpipe.config.dump import dump_config
from rnnpipe.errors import UserError
from rnnpipe.exports.check import Recorder
from rnnpipe.exports.mlflow import COLUMNS, describe_model
from rnnpipe.exports.serving import SERVICE, describe_serving
from rnnpipe.exports.write import Exportable, write_export
from rnnpipe.predictors.pyfunc import PyfuncModel
from rnnpipe.runs.sample import record_calls
from rnnpipe.tasks import make_task as make_any_task
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.prediction import Answer, Prediction
from tests.tasks.translation.conftest import SENTENCES, make_task, write_records

mlflow = pytest.importorskip("mlflow")
pd = pytest.importorskip("pandas")

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/production.md").read_text(encoding="utf-8")
TEXT = (Input("text", "a text"),)
TEXTS = [*SENTENCES["train"], *SENTENCES["test"]]
GLIMPSE = {
    "data.image.size": 32,
    "model.reader.cell.units": 5,
    "model.reader.steps": 3,
    "model.reader.attention.units": 4,
    "model.image_encoder.channels": [4, 4],
}
_WITHOUT_KERAS = """
from tests.light_core import Absent

Absent(["keras", "tensorflow", "jax", "torch"])
"""
_SECONDS = 120.0


def export(task, network, vocabulary, calls, output):
    config = dump_config(task.config)
    source = Exportable(task.name, network, config, vocabulary, "", calls, task.inputs)
    write_export(source, "mlflow", output)
    return SimpleNamespace(path=output, predictor=task.make_predictor(vocabulary, network))


@pytest.fixture(scope="module")
def translator_parts(tmp_path_factory):
    """The task, network, vocabulary and calls of a translator."""
    folder = tmp_path_factory.mktemp("translator")
    records = write_records(folder / "records")
    keras.utils.set_random_seed(3)
    task = make_task()
    task.save_vocabulary(records, folder / "vocabulary")
    network = task.make_network(task.build_model(records), folder / "vocabulary")
    calls = record_calls(task, network, folder / "vocabulary", records)
    return task, network, folder / "vocabulary", calls


@pytest.fixture(scope="module")
def translator(translator_parts, tmp_path_factory):
    """An export of a translator, and the predictor of what it was made of."""
    task, network, vocabulary, calls = translator_parts
    output = tmp_path_factory.mktemp("export") / "translator"
    return export(task, network, vocabulary, calls, output)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """An export of an image classifier, and the predictor of what it was made of."""
    folder = tmp_path_factory.mktemp("classifier")
    (folder / "labels.json").write_text(json.dumps(["circle", "square", "triangle"]))
    keras.utils.set_random_seed(3)
    task = make_any_task(rnnpipe.load_config("glimpse", GLIMPSE))
    records = SimpleNamespace(path=folder, labels=["circle", "square", "triangle"])
    task.save_vocabulary(records, folder / "vocabulary")
    network = task.make_network(task.build_model(records), folder / "vocabulary")
    recorder = Recorder(network)
    recorder["call"]({"image": np.random.default_rng(0).integers(0, 255, (4, 32, 32, 3), "uint8")})
    return export(task, network, folder / "vocabulary", recorder.calls, folder / "export")


def test_an_int8_export_is_served_as_rnnpipe_predicts_with_it(translator_parts, tmp_path):
    task, network, vocabulary, calls = translator_parts
    source = Exportable(
        task.name, network, dump_config(task.config), vocabulary, "", calls, task.inputs
    )
    write_export(source, "mlflow", tmp_path / "mlflow", "int8")
    content = json.loads((tmp_path / "mlflow" / "export.json").read_text())
    assert content["quantization"]["weights"]["int8"] > 0
    rows = [{"text": text} for text in TEXTS]
    served = mlflow.pyfunc.load_model(str(tmp_path / "mlflow")).predict(pd.DataFrame(rows))
    check_rows(
        json.loads(served.to_json(orient="records")),
        expected_rows(rnnpipe.load(tmp_path / "mlflow").predictor, rows),
    )


def test_what_reads_inputs_is_among_the_requirements(tmp_path):
    describe_model(tmp_path, TEXT, ("video",))
    (first, *_) = (tmp_path / "requirements.txt").read_text().splitlines()
    assert first == f"rnnpipe[onnx,video]=={version('rnnpipe')}"


def make_png(seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 50, 3), "uint8")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def expected_rows(predictor, rows):
    """What the run answers, as JSON."""
    return [
        {"error": str(each)} if isinstance(each, UserError) else each.to_json()
        for each in predictor.predict(rows)
    ]


def check_rows(found, expected):
    assert len(found) == len(expected)
    for row, other in zip(found, expected, strict=True):
        assert tuple(row) == COLUMNS
        if "error" in other:
            assert row["error"] == other["error"].replace("--", "").replace("n-best", "n_best")
            assert row["prediction"] is row["probability"] is None
            assert row["answers"] == []
            continue
        assert row["error"] is None
        assert row["prediction"] == other["prediction"]
        assert row["probability"] == row["answers"][0]["probability"]
        assert len(row["answers"]) == len(other["answers"])
        for answer, wanted in zip(row["answers"], other["answers"], strict=True):
            assert answer.keys() == wanted.keys()
            assert answer["text"] == wanted["text"]
            numbers = wanted.keys() - {"text"}
            found_numbers = [answer[name] for name in numbers]
            assert found_numbers == pytest.approx([wanted[name] for name in numbers], abs=1e-5)


@contextmanager
def serving(folder, tmp_path):
    """The address of `mlflow models serve`, where Keras and its backends cannot be imported."""
    (tmp_path / "sitecustomize.py").write_text(_WITHOUT_KERAS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(folder)]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    environment = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
    }
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, cwd=tmp_path, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, server, tmp_path / "log")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def wait_for(address, server, log):
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urlopen(f"{address}/ping"):
                return
        except URLError:
            time.sleep(0.2)
    pytest.fail(log.read_text())


def run_curl(page_address, address, example, cwd):
    """What an example of the page answers that is sent to another address."""
    (code,) = (
        each for each in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) if example in each
    )
    assert page_address in code
    commands = [line for line in code.split("\n\n") if "curl" in line]
    script = "\n".join(commands).replace(page_address, address)
    done = subprocess.run(["bash", "-c", script], check=True, capture_output=True, cwd=cwd)
    return json.loads(done.stdout)


def ask(address, body, kind="application/json"):
    """The status and answers of a server."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    request = Request(f"{address}/invocations", data, {"Content-Type": kind})
    try:
        with urlopen(request) as response:
            return response.status, json.load(response)["predictions"]
    except HTTPError as refusal:
        return refusal.code, json.load(refusal)["message"]


def test_a_server_translates_texts(translator, tmp_path):
    rows = [{"text": text} for text in TEXTS]
    rows[1:1] = [{"text": " "}, {"text": TEXTS[1], "n-best": 1}, {"text": "a", "n-best": 9}]
    records = [{key.replace("-", "_"): value for key, value in row.items()} for row in rows]
    expected = expected_rows(translator.predictor, rows)
    with serving(translator.path, tmp_path) as address:
        status, found = ask(address, {"dataframe_records": records})
        assert status == 200
        check_rows(found, json.loads(json.dumps(expected)))
        with ThreadPoolExecutor(4) as pool:  # a request for each text, several at a time
            bodies = [{"dataframe_records": [row]} for row in records]
            alone = [found for _, (found,) in pool.map(lambda body: ask(address, body), bodies)]
        check_rows(alone, json.loads(json.dumps(expected)))
        found = run_curl("http://127.0.0.1:5000", address, "mlflow models serve", tmp_path)
        assert [len(row["answers"]) for row in found["predictions"]] == [1]
        status, message = ask(address, {"dataframe_records": [{"question": "a dog"}]})
        assert (status, "text" in message) == (400, True)


def test_a_server_classifies_images(classifier, tmp_path):
    images = [make_png(seed) for seed in range(3)]
    rows = [images[0], b"no image", images[1], images[2][:100], images[2]]
    expected = expected_rows(classifier.predictor, [{"image": image} for image in rows])
    records = [{"image": base64.b64encode(image).decode()} for image in rows]
    photo = tmp_path / "photo.png"
    photo.write_bytes(images[0])
    with serving(classifier.path, tmp_path) as address:
        status, found = ask(address, {"dataframe_records": records})
        assert status == 200
        assert [row["error"] is None for row in found] == [True, False, True, False, True]
        assert "image: expected an image that can be read, got" in found[1]["error"]
        check_rows(found, expected)
        found = run_curl("http://127.0.0.1:5000", address, "base64", tmp_path)
        check_rows(found["predictions"], expected[:1])
        # A client names no files of the server.
        status, (row,) = ask(address, f"image\n{photo}\n", "text/csv")
        assert (status, row["prediction"]) == (200, None)
        assert row["error"].startswith("image: expected bytes, got str; send the file's content")


def test_the_page_serves_an_export_by_the_standard_library(translator, tmp_path):
    (tmp_path / "translator").symlink_to(translator.path)
    (tmp_path / "sitecustomize.py").write_text(_WITHOUT_KERAS)
    service = SERVICE.format(folder="translator")
    assert service in PAGE
    assert f"```python\n{service}```" == describe_serving("onnx", TEXT, "translator").strip()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    code = service.replace("8000", str(port))
    server = subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=tmp_path)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_open(port, server)
        example = "http://127.0.0.1:8000"
        (text,) = re.findall(rf"{example} --data '(.*?)'", PAGE)
        expected = json.loads(json.dumps(expected_rows(translator.predictor, json.loads(text))))
        (found,) = run_curl(example, address, f"curl {example}", tmp_path)
        assert found["prediction"] == expected[0]["prediction"]
        with urlopen(Request(address, b'[{"text": " "}]')) as response:
            assert "--text: expected a text" in json.load(response)[0]["error"]
    finally:
        server.kill()
        server.wait()


def wait_until_open(port, server):
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.2)
    pytest.fail("the service does not answer")


@pytest.mark.parametrize(
    ("kind", "inputs", "expected"),
    [
        ("mlflow", (), "mlflow models serve --model-uri out/model --env-manager local"),
        ("onnx", (), 'rnnpipe.load("out/model").predictor'),
        ("onnx", (Input("image", "…", endings=(".png",)),), "With `--format mlflow` the same run"),
    ],
)
def test_model_cards_name_a_server(kind, inputs, expected):
    assert expected in describe_serving(kind, inputs, "out/model")


def test_a_model_is_an_export(translator, capsys):
    folder = translator.path
    answers = rnnpipe.load(folder).predict(text=TEXTS[0]).answers
    (expected,) = translator.predictor.predict([{"text": TEXTS[0]}])
    assert [each.text for each in answers] == [each.text for each in expected.answers]
    assert cli.main(["predict", str(folder), "--text", TEXTS[0], "--format", "text"]) == 0
    assert capsys.readouterr().out == f"{answers[0].text}\n"


def test_a_model_has_a_signature_an_example_and_pinned_requirements(translator, classifier):
    model = mlflow.models.Model.load(str(translator.path))
    columns = {each.name: each.required for each in model.signature.inputs}
    assert columns == {"text": True, "require": False, "prefix": False, "n_best": False}
    assert tuple(each.name for each in model.signature.outputs) == COLUMNS
    lines = (translator.path / "requirements.txt").read_text().splitlines()
    assert lines[0] == f"rnnpipe[onnx]=={version('rnnpipe')}"
    assert {f"{name}=={version(name)}" for name in ("numpy", "onnxruntime", "pandas")} < {*lines}
    for name in ("conda.yaml", "python_env.yaml"):
        assert (translator.path / name).is_file()
    model = mlflow.pyfunc.load_model(str(classifier.path))
    assert model.metadata.signature.inputs.input_types() == [mlflow.types.DataType.binary]
    (row,) = model.predict(model.input_example).to_dict("records")
    assert (row["prediction"] in ("circle", "square", "triangle"), row["error"]) == (True, None)


def test_requirements_may_be_edited(translator, tmp_path):
    (translator.path / "requirements.txt").write_text("rnnpipe[onnx]\n")
    assert rnnpipe.load(translator.path).predict(text="a dog").answers


def test_a_data_frame_keeps_its_index_and_misses_cells(translator):
    model = mlflow.pyfunc.load_model(str(translator.path))
    frame = pd.DataFrame({"text": TEXTS[:3], "n_best": [1, None, 2]}, index=[7, 3, 5])
    found = model.predict(frame)
    assert list(found.index) == [7, 3, 5]
    assert [len(answers) for answers in found["answers"]] == [1, 2, 2]


class _Reads:
    """A predictor whose answer is the content of a file."""

    inputs = (Input("video", "a video file", endings=(".mp4",)), Input("scale", "…", float, 1.0))

    def __init__(self):
        self.paths = []

    def predict(self, rows):
        for row in rows:
            self.paths.append(row["video"])
            yield Prediction([Answer(row["video"].read_text(), float("nan"))])


def test_files_that_a_predictor_reads_by_name_are_temporary():
    predictor = _Reads()
    frame = pd.DataFrame({"video": [b"first", b"second"], "scale": [1.0, 0.5]})
    found = PyfuncModel(predictor).predict(frame)
    assert list(found["prediction"]) == ["first", "second"]
    assert list(found["probability"]) == [None, None]  # NaN is no JSON
    assert {path.suffix for path in predictor.paths} == {".mp4"}
    assert not any(path.parent.exists() for path in predictor.paths)
