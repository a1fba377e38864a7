"""What is predicted of an image file is what evaluation predicts of its record, in any batch."""

from pathlib import Path
from typing import Any

import keras
import pytest

from rnnpipe import cli
from rnnpipe.config.loader import load_config
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.shipped import find_config
from rnnpipe.tasks import find_schemas, make_task
from tests.tasks.predicting import check_scores, make_predictor

CNN = "model.image_encoder.channels=[4, 4]"
CONFIGS = {
    "glimpse": [
        "data.source.images=60",
        "data.source.size=40",
        "data.image.size=32",
        "model.reader.cell.units=5",
        "model.reader.steps=3",
        "model.reader.attention.units=4",
        CNN,
    ],
    "vqa": [
        "data.source.images=20",
        "data.image.size=32",
        "build.max_bad_fraction=0.2",
        "model.embedding.size=4",
        "model.question_encoder.cell.units=5",
        "model.fusion_units=4",
        "model.attention.units=6",
        "model.hidden_units=7",
        CNN,
    ],
    "captioning": [
        "data.source.images=60",
        "data.image={size: 32, jpeg_quality: 50}",
        "model.embedding.size=6",
        "model.decoder.cell.units=7",
        "model.decoder.attention.mechanism.units=5",
        "evaluate.search={beam_width: 3, n_best: 2, max_length: 6}",
        CNN,
    ],
}


@pytest.fixture
def build(tmp_path):
    """The task of a config, its records and its raw folder."""

    def build(name):
        places = [f"data.directory={tmp_path / 'records'}", f"data.source.path={tmp_path / 'raw'}"]
        settings = [*places, *CONFIGS[name]]
        options = [part for setting in settings for part in ("--set", setting)]
        assert cli.main(["build", name, *options]) == 0
        config = load_config(find_config(Path(name)), find_schemas(), settings)
        return make_task(config), RecordsDirectory.open(tmp_path / "records"), tmp_path / "raw"

    return build


def answers_of(row):
    """The texts and probabilities of a row of an evaluation."""
    if "n_best" in row:
        return [(one["text"], one["token_probability"]) for one in row["n_best"]]
    return [tuple(one) for one in row["top"]]


def inputs_of(row, raw):
    if "image_name" in row:
        paths = (path for path in raw.rglob("*") if str(path).endswith(row["image_name"]))
    else:
        paths = raw.rglob(f"*{row['image_id']:012d}.jpg")
    question = {"question": row["question"]} if "question" in row else {}
    return {"image": str(next(iter(paths))), **question}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_file_has_the_answers_of_its_record_in_any_batch(name, build, tmp_path):
    task, records, raw = build(name)
    keras.utils.set_random_seed(1)
    model = task.build_model(records)
    model.set_weights([3 * weight for weight in model.get_weights()])  # answers differ by images
    evaluation = task.evaluate(model, records, "test")
    evaluated = evaluation.predictions
    rows = [inputs_of(row, raw) for row in evaluated]
    predictor = make_predictor(task, model, records, tmp_path)
    check_scores(task, evaluation, predictor, records)
    first: list[Any] = []
    for batch_size in (64, 3, 1):
        predictor.batch_size = batch_size
        predictions = list(predictor.predict(rows if batch_size > 1 else rows[:2]))
        first = first or predictions
        for row, prediction, before in zip(evaluated, predictions, first, strict=False):
            assert [answer.text for answer in prediction.answers] == [t for t, _ in answers_of(row)]
            pairs = zip(prediction.answers, before.answers, answers_of(row), strict=True)
            for answer, other, (_, probability) in pairs:
                assert answer.probability == pytest.approx(other.probability, abs=1e-6)
                assert answer.probability == pytest.approx(probability, abs=1e-4)
    assert len({prediction.answers[0] for prediction in first}) > 1
    assert first[0].picture.startswith(b"\x89PNG")
    broken = list(predictor.predict([{**rows[0], "image": "none.jpg"}, rows[0]]))
    assert "--image none.jpg: expected an image that can be read" in str(broken[0])
    assert broken[1].answers[0].text == first[0].answers[0].text
