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


@pytest.fixture(scope="module", params=["sentiment", "translation", "glimpse", "vqa"])
def model(request, tmp_path_factory):
    """The ONNX export of a model that is not trained, its records and its raw folder."""
    folder, name = tmp_path_factory.mktemp(request.param), request.param
    places = [f"data.directory={folder / 'records'}", f"data.source.path={folder / 'raw'}"]
    settings = [*places, *{**TEXTS, **CONFIGS}[name]]
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
    evaluated = task.evaluate(network, records, "test").predictions
    return folder, load_model(folder / "export"), records, evaluated


def write_rows(folder, records):
    """Writes the raw rows of the test split, and one that is broken, as a job reads them."""
    path, rows = folder / "rows.jsonl", []
    for record in records.read("test"):
        if "source" in record or "text" in record:
            rows.append({"text": record.get("source", record.get("text"))})
        elif "question" in record:
            (image,) = (folder / "raw").rglob(f"*{record['image_id']:012d}.jpg")
            rows.append({"image": str(image), "question": record["question"]})
        else:
            (image,) = (folder / "raw").rglob(f"*/{Path(record['image_name']).name}")
            rows.append({"image": str(image)})
    broken = {name: "none.jpg" if name == "image" else "" for name in rows[0]}
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows[:3], broken, *rows[3:]]))
    return path, [*rows[:3], broken, *rows[3:]]


def check_answers(found, expected):
    """Texts are equal, and probabilities within 1e-5: batches differ, and so does rounding."""
    assert [answer["text"] for answer in found] == [answer["text"] for answer in expected]
    for answer, other in zip(found, expected, strict=True):
        assert answer["probability"] == pytest.approx(other["probability"], abs=1e-5)
        if "score" in other:
            assert answer["score"] == pytest.approx(other["score"], abs=1e-4)


def predict(folder, output, *words):
    options = ["--output", str(folder / output), "--workers", "1", "--rows-per-shard", "7"]
    return cli.main(["predict", str(folder / "export"), *options, *map(str, words)])


def test_a_job_answers_as_the_predictor_does_in_any_batch(model):
    folder, export, records, _ = model
    path, rows = write_rows(folder, records)
    assert predict(folder, "out", "--input", path, "--max-bad-fraction", "0.5") == 1
    results = {row["row"]: row for row in read_rows(folder / "out")}
    (letter,) = read_letters(folder / "out")
    assert (letter["key"], letter["step"]) == ("4", "predict row")
    assert "none.jpg: expected an image" in letter["reason"] or "a text" in letter["reason"]
    assert len(results) == len(rows) - 1
    for batch_size in (1, 64):
        export.predictor.batch_size = batch_size
        for number, expected in enumerate(export.predictor.predict(rows), start=1):
            if number != 4:
                check_answers(results[number]["answers"], expected.to_json()["answers"])
    assert len({row["answers"][0]["probability"] for row in results.values()}) > 1


def test_records_have_the_answers_that_evaluate_gives_them(model):
    folder, _, _, evaluated = model
    assert predict(folder, "records_out", "--input", folder / "records", "--split", "test") == 0
    rows = read_rows(folder / "records_out")
    for row, other in zip(rows, evaluated, strict=True):
        best = other["n_best"][0]["text"] if "n_best" in other else other["prediction"]
        assert row["prediction"] == best
    names = rows[0]["inputs"].keys()
    assert names & {"text_id", "pair_id", "image_name", "question_id"}
    assert predict(folder, "other", "--input", folder / "records", "--split", "dev") == 2


def test_a_folder_of_files_is_predicted(model, tmp_path):
    folder, export, _, _ = model
    if [each.name for each in export.task.inputs if each.required] != ["image"]:
        pytest.skip("files are no input, or not the only one")
    paths = sorted((folder / "raw").rglob("*.jpg")) or sorted((folder / "raw").rglob("*.png"))
    assert predict(folder, "folder_out", "--input", folder / "raw") == 0
    rows = read_rows(folder / "folder_out")
    assert [row["inputs"]["image"] for row in rows] == [str(path) for path in paths]
    expected = export.predictor.predict({"image": str(path)} for path in paths)
    for row, prediction in zip(rows, expected, strict=True):
        check_answers(row["answers"], prediction.to_json()["answers"])
