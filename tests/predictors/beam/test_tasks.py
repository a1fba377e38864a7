"""What a job says of a row is what the predictor says of it alone, for tasks of every kind."""

import json
from pathlib import Path

import keras
import pytest

from rnnpipe import cli
from rnnpipe.config.dump import dump_config
from rnnpipe.config.loader import load_config
from rnnpipe.exports.write import Exportable, write_export
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.runs.load import load_model
from rnnpipe.runs.sample import record_calls
from rnnpipe.shipped import find_config
from rnnpipe.tasks import find_schemas, make_task
from tests.predictors.beam.conftest import read_letters, read_rows
from tests.tasks.test_image_predictions import CONFIGS
from tests.without_modules import call_with

TEXTS = {
    "sentiment": ["data.source.sentences=200", "model.recurrence.cell.units=4"],
    "translation": [
        "data.source.pairs=200",
        "model.embedding.size=6",
        "model.encoder.cell.units=5",
        "model.decoder.cell.units=7",
        "model.decoder.attention.units=6",
        "evaluate.search={beam_width: 3, n_best: 2, max_length: 8}",
    ],
}
STREAMS = {
    "language_model": ["model.embedding.size=6", "model.recurrence.cell.units=6"],
    "video": [
        "data.source.clips=30",
        "data.source.size=16",
        "data.frames.size=16",
        "data.splits.validation=0.2",
        "model.frame_encoder.image_encoder.channels=[3, 3]",
        "model.frame_encoder.units=4",
        "model.recurrence.cell.units=3",
    ],
}
SETTINGS = {**TEXTS, **CONFIGS, **STREAMS}
NONE = {"image": "none.jpg", "video": "none.mp4", "length": 0}
"""Inputs of a row that cannot be predicted; of others an empty text."""


@pytest.fixture(scope="module", params=SETTINGS)
def model(request, tmp_path_factory):
    """The ONNX export of a model that is not trained, its records and its raw folder."""
    folder, name = tmp_path_factory.mktemp(request.param), request.param
    places = [f"data.directory={folder / 'records'}", f"data.source.path={folder / 'raw'}"]
    settings = [*places, *SETTINGS[name]]
    options = [part for setting in settings for part in ("--set", setting)]
    assert cli.main(["build", name, *options]) == 0
    config = load_config(find_config(Path(name)), find_schemas(), settings)
    task, records = make_task(config), RecordsDirectory.open(folder / "records")
    keras.utils.set_random_seed(1)
    network = task.build_model(records)
    vocabulary = folder / "vocabulary"
    task.save_vocabulary(records, vocabulary)
    functions = task.make_network(network, vocabulary)
    calls = record_calls(task, functions, vocabulary, records)
    source = Exportable(
        task.name, functions, dump_config(config), vocabulary, "", calls, task.inputs
    )
    write_export(source, "onnx", folder / "export")
    evaluated = None if name in STREAMS else task.evaluate(network, records, "test").predictions
    return folder, load_model(folder / "export"), records, evaluated


def write_rows(folder, records):
    """Writes the raw rows of the test split, and one that is broken, as a job reads them."""
    path, rows = folder / "rows.jsonl", []
    for number, record in enumerate(records.read("test")):
        if "document" in record:
            rows.append({"prompt": record["text"][: number % 5], "length": 6, "seed": number})
        elif "frames_jpeg" in record:
            videos = sorted((folder / "raw").rglob("*.mp4"))
            rows.append({"video": str(videos[number])})
        elif "source" in record or "text" in record:
            rows.append({"text": record.get("source", record.get("text"))})
        elif "image_id" in record:
            (image,) = (folder / "raw").rglob(f"*{record['image_id']:012d}.jpg")
            question = {"question": record["question"]} if "question" in record else {}
            rows.append({"image": str(image), **question})
        else:
            (image,) = (folder / "raw").rglob(f"*/{Path(record['image_name']).name}")
            rows.append({"image": str(image)})
    broken = {name: NONE.get(name, "") for name in rows[0]}
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows[:3], broken, *rows[3:]]))
    return path, [*rows[:3], broken, *rows[3:]]


def check_answers(found, expected):
    """Texts are equal, and probabilities within 1e-5: batches differ, and so does rounding."""
    assert [answer["text"] for answer in found] == [answer["text"] for answer in expected]
    for answer, other in zip(found, expected, strict=True):
        assert answer["probability"] == pytest.approx(other["probability"], abs=1e-5)
        if "score" in other:
            assert answer["score"] == pytest.approx(other["score"], abs=1e-4)


def read_files(folder):
    """The predictions and dead letters of a job."""
    names = "predictions-*.jsonl", "dead_letters-*.jsonl"
    return {path.name: path.read_bytes() for name in names for path in folder.glob(name)}


def predict(folder, output, *words):
    options = ["--output", str(folder / output), "--workers", "1", "--rows-per-shard", "7"]
    return cli.main(["predict", str(folder / "export"), *options, *map(str, words)])


def test_a_job_answers_as_the_predictor_does_in_any_batch(model):
    folder, export, records, _ = model
    path, rows = write_rows(folder, records)
    for output, workers in (("out", 1), ("of_two", 2)):
        options = ["--max-bad-fraction", "0.5", "--workers", workers]
        assert predict(folder, output, "--input", path, *options) == 1
    assert read_files(folder / "of_two") == read_files(folder / "out")
    results = {row["row"]: row for row in read_rows(folder / "out")}
    (letter,) = read_letters(folder / "out")
    assert (letter["key"], letter["step"]) == ("4", "predict row")
    reasons = "none.jpg: expected an image", "none.mp4: expected", "a text", "--length: expected an"
    assert any(reason in letter["reason"] for reason in reasons)
    assert len(results) == len(rows) - 1
    for batch_size in (1, 64):
        export.predictor.batch_size = batch_size
        for number, expected in enumerate(export.predictor.predict(rows), start=1):
            if number != 4:
                check_answers(results[number]["answers"], expected.to_json()["answers"])
                labels = [part["label"] for part in results[number].get("timeline", ())]
                assert labels == [part.label for part in expected.timeline]
    assert len({row["answers"][0]["probability"] for row in results.values()}) > 1


def test_records_have_the_answers_that_evaluate_gives_them(model):
    folder, _, _, evaluated = model
    if evaluated is None:
        pytest.skip("their records hold no raw inputs")
    assert predict(folder, "records_out", "--input", folder / "records", "--split", "test") == 0
    rows = read_rows(folder / "records_out")
    for row, other in zip(rows, evaluated, strict=True):
        best = other["n_best"][0]["text"] if "n_best" in other else other["prediction"]
        assert row["prediction"] == best
    names = rows[0]["inputs"].keys()
    assert names & {"text_id", "pair_id", "image_name", "image_id", "question_id"}
    assert predict(folder, "other", "--input", folder / "records", "--split", "dev") == 2


def test_a_folder_of_files_is_predicted(model):
    folder, export, _, _ = model
    (name, *others) = [each.name for each in export.task.inputs if each.required]
    if name not in ("image", "video") or others:
        pytest.skip("files are no input, or not the only one")
    kinds = "*.jpg", "*.png", "*.mp4"
    paths = next(found for kind in kinds if (found := sorted((folder / "raw").rglob(kind))))
    assert predict(folder, "folder_out", "--input", folder / "raw") == 0
    rows = read_rows(folder / "folder_out")
    assert [row["inputs"][name] for row in rows] == [str(path) for path in paths]
    expected = export.predictor.predict({name: str(path)} for path in paths)
    for row, prediction in zip(rows, expected, strict=True):
        check_answers(row["answers"], prediction.to_json()["answers"])


def test_records_without_raw_inputs_are_refused(model, capsys):
    folder, _, _, evaluated = model
    if evaluated is not None:
        pytest.skip("their records hold raw inputs")
    assert predict(folder, "records_out", "--input", folder / "records") == 2
    assert "expected records of raw inputs: " in capsys.readouterr().err


def test_an_export_of_videos_needs_no_tensorflow(model, tmp_path):
    folder, export, _, _ = model
    if export.task.name != "video_labeling":
        pytest.skip("no videos")
    clip = str(min((folder / "raw").rglob("*.mp4")))
    arguments = ["predict", str(folder / "export"), "--video", clip, "--format", "jsonl"]
    done = call_with(["onnx", "video"], *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    expected = export.predict(video=clip)
    assert json.loads(done.stdout)["answers"][0]["text"] == expected.answers[0].text
    done = call_with(["onnx"], *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "expected av to be installed, got none; pip install 'rnnpipe[video]'" in done.stderr
